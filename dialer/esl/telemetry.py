"""The figures of one switch, as its connections see it."""

from __future__ import annotations

from typing import Final

from attrs import define, field

from dialer.histogram import Histogram

_MOST_DIGITS: Final = 19
"""Of an Event-Sequence, 64 bits."""


@define(eq=False)
class SwitchTelemetry:
    """What is counted where it happens. Round trips are from the writing of a command to its reply, of the pings of all
    connections and of originates; `event_lag` is from the switch's own time of an event to the end of its handling. `skipped`
    are numbers of Event-Sequence that were passed over, `late` those of them that came after all: FreeSWITCH numbers all of
    its events, and sends those that were asked for, now and then not in order. Times in seconds."""

    connected: int = 0
    skipped: int = 0
    late: int = 0
    ping: Histogram = field(factory=Histogram)
    originate: Histogram = field(factory=Histogram)
    event_lag: Histogram = field(factory=Histogram)
    _last: int = 0

    def connection_made(self) -> None:
        """The switch is there, for the first time or again. Its numbers may begin anew."""
        self.connected += 1
        self._last = 0

    def sequence(self, number: str) -> None:
        """An event with this Event-Sequence came."""
        if not (number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS):
            return
        now = int(number)
        if now > self._last:
            if self._last:
                self.skipped += now - self._last - 1
            self._last = now
        elif now < self._last:
            self.late += 1
