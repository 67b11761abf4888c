"""The switch's clock: microseconds since 1970 and the dates that events carry."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from attrs import define
from twisted.internet.interfaces import IReactorTime


@define
class SwitchClock:
    """Wall clock of the simulated switch: the reactor's, moved by `offset` seconds (a switch's clock may be wrong)."""

    reactor: IReactorTime
    offset: float = 0.0

    def now(self) -> float:
        """Seconds since 1970."""
        return self.reactor.seconds() + self.offset

    def micros(self) -> int:
        """Microseconds since 1970, the unit of every time in an event."""
        return int(self.now() * 1_000_000)


@lru_cache(maxsize=256)
def dates(second: int) -> tuple[str, str]:
    """`Event-Date-Local` and `Event-Date-GMT` of a second since 1970; the simulated switch lives in UTC."""
    moment = datetime.fromtimestamp(second, UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S"), moment.strftime("%a, %d %b %Y %H:%M:%S GMT")


def stamp(micros: int) -> str:
    """A moment as the `*_stamp` variables show it."""
    return dates(micros // 1_000_000)[0]


def duration(seconds: float) -> str:
    """A duration as `status` and HEARTBEAT spell it."""
    micros = int(seconds * 1_000_000)
    parts = []
    for unit, size in (
        ("year", 31_536_000_000_000),
        ("day", 86_400_000_000),
        ("hour", 3_600_000_000),
        ("minute", 60_000_000),
        ("second", 1_000_000),
        ("millisecond", 1_000),
        ("microsecond", 1),
    ):
        count, micros = divmod(micros, size)
        parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return ", ".join(parts)
