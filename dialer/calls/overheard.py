"""Ends of calls that belong to other nodes: a switch tells everybody who listens.

When a node dies, the calls that ended before another one takes its attempts over have told their causes once, to whoever was
listening. So they are remembered for a while: what is taken over then ends as it really did, and not as unknown.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from attrs import define, field

from dialer.model import Signal, SignalKind

FOR: Final = timedelta(seconds=330)
"""How long: the longest lease, and the time in which its end is noticed."""

MOST: Final = 10_000
"""How many: those of a stock switch in that time, at 1 kB each."""


@define(eq=False)
class Overheard:
    """The last ends of calls that are not this process's, by call UUID, the oldest first; at most `most`, none where there can
    be no other node."""

    most: int = 0
    _ends: dict[str, Signal] = field(factory=dict, init=False)

    def note(self, signal: Signal) -> None:
        """A signal of somebody else's call; all but ends are forgotten at once."""
        if not self.most or signal.kind is not SignalKind.HUNG_UP:
            return
        self._ends[signal.call_uuid] = signal
        oldest = next(iter(self._ends))
        if len(self._ends) > self.most or signal.at - self._ends[oldest].at > FOR:
            del self._ends[oldest]

    def recall(self, call_uuid: str) -> list[Signal]:
        """The end of a call, if it was heard; once."""
        end = self._ends.pop(call_uuid, None)
        return [] if end is None else [end]
