"""The called side's view of a call, on the simulator and on a real FreeSWITCH."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from attrs import define


@define(eq=False)
class SeenCall:
    """One INVITE. `uuid` is that of the attempt, or the Call-ID where that tells of none. Times are seconds since 1970;
    `ended_at` is the death of the switch for a call that died with it (`died`), and None for one that is still up."""

    uuid: str
    number: str
    invited_at: float
    rang_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    died: bool = False
    caller: str = ""
    """The number that was shown as the caller's."""

    @property
    def rang(self) -> bool:
        """Whether somebody's phone rang: 18x or 200."""
        return self.rang_at is not None or self.answered_at is not None


def by_number(calls: Iterable[SeenCall]) -> Mapping[str, Sequence[SeenCall]]:
    """The calls to each number."""
    found: dict[str, list[SeenCall]] = defaultdict(list)
    for call in calls:
        found[call.number].append(call)
    return found
