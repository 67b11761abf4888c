"""The kinds of values that are times: moments, times of day, days of the week, time zones."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from attrs import frozen

from dialer.kinds import Kind

LATEST_EPOCH: Final = 32_503_680_000
"""The first second of the year 3000: an epoch in milliseconds lies behind it."""

_DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{0,9})?")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?")
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}")

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Weekdays = tuple[bool, bool, bool, bool, bool, bool, bool]
"""Seven flags, Monday first."""


@frozen
class Epoch(Kind):
    """A moment as seconds since 1970 in UTC, whole or not."""

    takes = "seconds since 1970 (epoch time), such as 1301392136.0"
    column: ClassVar[type] = datetime

    def parse(self, value: Any) -> datetime:
        """The aware moment."""
        if isinstance(value, str) and _DECIMAL.fullmatch(value):
            value = float(value)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ValueError
        if not 0 <= value < LATEST_EPOCH:
            raise ValueError
        return datetime.fromtimestamp(value, UTC)

    def schema(self) -> dict[str, Any]:
        """A number of seconds."""
        return {"type": "number", "minimum": 0, "exclusiveMaximum": LATEST_EPOCH}


@frozen
class Moment(Kind):
    """A date with a time, in UTC unless it has an offset (RFC 3339)."""

    takes = "a date and a time such as 2027-03-01 09:00:00 (UTC), or with an offset as 2027-03-01T09:00:00+01:00"
    column: ClassVar[type] = datetime

    def parse(self, value: Any) -> datetime:
        """The aware moment in UTC."""
        moment = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
        if not isinstance(moment, datetime):
            raise ValueError
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

    def schema(self) -> dict[str, Any]:
        """A date with a time."""
        return {"type": "string", "format": "date-time"}


@frozen
class Hour(Moment):
    """A moment at which an hour of UTC begins."""

    takes = "a full hour of UTC as in RFC 3339, such as 2027-03-01T09:00:00Z"

    def parse(self, value: Any) -> datetime:
        """The aware moment in UTC."""
        moment = super().parse(value)
        if moment.minute or moment.second or moment.microsecond:
            raise ValueError
        return moment


@frozen
class ClockTime(Kind):
    """A time of day."""

    takes = "a time of day as HH:MM:SS"

    def parse(self, value: Any) -> time:
        """HH:MM:SS, or HH:MM."""
        if isinstance(value, time):
            return value
        if not isinstance(value, str) or not _CLOCK.fullmatch(value):
            raise ValueError
        return time.fromisoformat(value)

    def stored(self, value: time) -> str:
        """HH:MM:SS."""
        return value.isoformat("seconds")

    def schema(self) -> dict[str, Any]:
        """A text of that pattern."""
        return {"type": "string", "pattern": f"^{_CLOCK.pattern}$"}


@frozen
class Week(Kind):
    """Some of the seven days, as flags: `monday,friday`, `mon-fri` or seven flags."""

    takes = "days of the week such as mon-fri,sunday"

    def parse(self, value: Any) -> Weekdays:
        """Seven flags, Monday first."""
        if isinstance(value, str):
            return self._from_text(value)
        if not isinstance(value, list | tuple) or len(value) != len(DAYS) or any(flag not in (0, 1) for flag in value):
            raise ValueError
        monday, tuesday, wednesday, thursday, friday, saturday, sunday = map(bool, value)
        return monday, tuesday, wednesday, thursday, friday, saturday, sunday

    def _from_text(self, text: str) -> Weekdays:
        chosen: set[int] = set()
        for part in filter(None, re.split(r"[\s,]+", text.strip().lower())):
            first, dash, last = part.partition("-")
            start, end = self._day(first), self._day(last if dash else first)
            chosen.update((start + step) % 7 for step in range((end - start) % 7 + 1))
        return self.parse([day in chosen for day in range(7)])

    @staticmethod
    def _day(word: str) -> int:
        found = [number for number, day in enumerate(DAYS) if len(word) >= 2 and day.startswith(word)]
        if len(found) != 1:
            raise ValueError
        return found[0]

    def stored(self, value: Weekdays) -> list[bool]:
        """Seven flags."""
        return list(value)

    def schema(self) -> dict[str, Any]:
        """Seven flags."""
        return {"type": "array", "items": {"type": "boolean"}, "minItems": 7, "maxItems": 7}


@frozen
class Zone(Kind):
    """A time zone of the IANA data base."""

    takes = "the name of a time zone such as Europe/Madrid or UTC"

    def parse(self, value: Any) -> str:
        """Its name. UTC needs no data base of zones, which a small system may lack."""
        name = value.strip() if isinstance(value, str) else ""
        if name != "UTC":
            if not _ZONE.fullmatch(name):
                raise ValueError
            try:
                ZoneInfo(name)
            except (KeyError, OSError) as error:
                raise ValueError from error
        return name

    def schema(self) -> dict[str, Any]:
        """A name."""
        return {"type": "string", "minLength": 1, "maxLength": 64}


class KnownZone(Zone):
    """The same, or an empty text where it is not known."""

    takes = "the name of a time zone such as Europe/Madrid, or an empty text"

    def parse(self, value: Any) -> str:
        """Its name, or ""."""
        return "" if isinstance(value, str) and not value.strip() else super().parse(value)

    def schema(self) -> dict[str, Any]:
        """A name, or nothing."""
        return {"type": "string", "maxLength": 64}
