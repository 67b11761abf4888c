"""A number of things that may happen at the same time, shared by all who do them."""

from __future__ import annotations

from attrs import define, field


@define(eq=False)
class Share:
    """At most `most` at the same time. Nobody waits in it: who gets none asks again later."""

    most: int
    taken: int = field(default=0, init=False)

    def take(self) -> bool:
        """One more, to be given back; False when there are enough."""
        if self.taken >= self.most:
            return False
        self.taken += 1
        return True

    def give_back(self) -> None:
        """One is over."""
        self.taken -= 1
