"""The kinds of values that people and programs enter: how each is read from a text or from JSON, what it takes in words and as
JSON Schema, and how it is stored.

A form and a command line have texts only; JSON has numbers and truth values as well, and clients of 2011 send numbers as texts
in both. So a number may always come as text, while a text never comes as a number.
"""

from __future__ import annotations

import enum
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

import orjson
from attrs import frozen
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

LARGEST_ID: Final = 2**63 - 1
LARGEST_INTEGER: Final = 2**31 - 1
"""Of an INTEGER column of a server."""
LATEST_EPOCH: Final = 32_503_680_000
"""The first second of the year 3000: an epoch in milliseconds lies behind it."""
NONE: Final = "none"
"""The word for "no limit" where a number may be absent."""

_WHOLE = re.compile(r"-?[0-9]{1,19}")
_DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{0,9})?")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_BUT_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_VARIABLE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_NEXT_VARIABLE = re.compile(r"[\r\n]+|,(?=\s*[A-Za-z0-9_.-]{1,64}\s*=)")
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}")


class Kind(ABC):
    """A kind of value. `takes` ends the sentence "expected ..."; `column` is the Python type of its column."""

    takes: str
    column: ClassVar[type] = str
    nullable: ClassVar[bool] = False

    @abstractmethod
    def parse(self, value: Any) -> Any:
        """The value that is meant. Raises `ValueError` for anything else, without a text: `takes` says it all."""

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """JSON Schema."""

    def stored(self, value: Any) -> Any:
        """The value as a column or a JSON text holds it."""
        return value

    def load(self, stored: Any) -> Any:
        """The value from what is stored. Raises `ValueError` when that is damaged."""
        return self.parse(stored)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.parse)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**self.schema(), "description": self.takes}


@frozen
class Whole(Kind):
    """A whole number from `minimum` to `maximum`."""

    minimum: int
    maximum: int
    column: ClassVar[type] = int

    @property
    def takes(self) -> str:  # type: ignore[override]
        """The bounds in words."""
        return f"a whole number from {self.minimum} to {self.maximum}"

    def parse(self, value: Any) -> int:
        """From digits, or from a JSON number without a fraction."""
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not self.minimum <= value <= self.maximum:
            raise ValueError
        return value

    def schema(self) -> dict[str, Any]:
        """An integer with its bounds."""
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}


@frozen
class Nullable(Kind):
    """A value that may be absent: null, an empty text or the word `none`."""

    kind: Kind
    nullable: ClassVar[bool] = True

    @property
    def takes(self) -> str:  # type: ignore[override]
        """The same as of the value, or none."""
        return f"{self.kind.takes}, or {NONE}"

    @property
    def column(self) -> type:  # type: ignore[override]
        """The type of the value's column."""
        return self.kind.column

    def parse(self, value: Any) -> Any:
        """None, or the value."""
        return None if value is None or value in ("", NONE) else self.kind.parse(value)

    def stored(self, value: Any) -> Any:
        """None, or the stored value."""
        return None if value is None else self.kind.stored(value)

    def load(self, stored: Any) -> Any:
        """None, or the value."""
        return None if stored is None else self.kind.load(stored)

    def schema(self) -> dict[str, Any]:
        """The value's schema, null, or the word."""
        return {"anyOf": [self.kind.schema(), {"type": "null"}, {"type": "string", "enum": ["", NONE]}]}


@frozen
class Flag(Kind):
    """1 or 0."""

    takes = "0 or 1"
    column: ClassVar[type] = bool

    def parse(self, value: Any) -> bool:
        """From "1", 1 or true, and their opposites."""
        if isinstance(value, str) and value in ("0", "1"):
            return value == "1"
        if isinstance(value, int) and value in (0, 1):
            return bool(value)
        raise ValueError

    def schema(self) -> dict[str, Any]:
        """0 or 1."""
        return {"type": "integer", "enum": [0, 1]}


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
        if not math.isfinite(value) or not 0 <= value < LATEST_EPOCH:
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
class Text(Kind):
    """A text without control characters (but for line feeds and tabs, with `lines`), and without blanks around it."""

    longest: int
    shortest: int = 0
    lines: bool = False

    @property
    def takes(self) -> str:  # type: ignore[override]
        """The bounds in words."""
        return f"a text of {self.shortest} to {self.longest} characters, without control characters"

    def parse(self, value: Any) -> str:
        """The text that UTF-8 can carry."""
        if not isinstance(value, str):
            raise ValueError
        text = value.strip()
        forbidden = _CONTROL_BUT_LINES if self.lines else _CONTROL
        if not self.shortest <= len(text) <= self.longest or forbidden.search(text):
            raise ValueError
        text.encode()
        return text

    def schema(self) -> dict[str, Any]:
        """A text with its bounds."""
        return {"type": "string", "minLength": self.shortest, "maxLength": self.longest}


@frozen
class Word(Kind):
    """One of some words, or a whole number from 1 to `numbers`."""

    words: tuple[str, ...]
    numbers: int = 0

    @property
    def takes(self) -> str:  # type: ignore[override]
        """The words."""
        return " or ".join([*self.words, *([f"a whole number from 1 to {self.numbers}"] if self.numbers else [])])

    def parse(self, value: Any) -> str:
        """The word or the digits."""
        if value in self.words:
            return str(value)
        return str(Whole(1, self.numbers).parse(value))

    def schema(self) -> dict[str, Any]:
        """The words."""
        return {"type": "string", "enum": [*self.words, *(str(number + 1) for number in range(self.numbers))]}


@frozen
class Member(Kind):
    """A member of an enum: by its value, or where that is a number by its name in lower case with hyphens."""

    members: type[enum.Enum]

    @property
    def _numbered(self) -> bool:
        return issubclass(self.members, int)

    @property
    def column(self) -> type:  # type: ignore[override]
        """Of the members' values."""
        return int if self._numbered else str

    @property
    def takes(self) -> str:  # type: ignore[override]
        """The words."""
        if self._numbered:
            return f"one of {', '.join(map(word_of, self.members))}"
        return " or ".join(str(each.value) for each in self.members)

    def parse(self, value: Any) -> enum.Enum:
        """The member."""
        for member in self.members:
            if value is member or (not isinstance(value, bool) and value == member.value):
                return member
        text = str(value).strip().lower().replace("_", "-")
        for member in self.members:
            if self._numbered and text in (word_of(member), str(member.value)):
                return member
        raise ValueError

    def stored(self, value: Any) -> Any:
        """The member's value."""
        return self.members(value).value

    def schema(self) -> dict[str, Any]:
        """The values."""
        kind = "integer" if self._numbered else "string"
        return {"type": kind, "enum": [member.value for member in self.members]}


def word_of(member: enum.Enum) -> str:
    """The word for an enum's member: PLAY_AUDIO is `play-audio`."""
    return member.name.lower().replace("_", "-")


DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Weekdays = tuple[bool, bool, bool, bool, bool, bool, bool]
"""Seven flags, Monday first."""


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


@frozen
class Variables(Kind):
    """Additional settings of a contact: a JSON object of texts and numbers, that object as a text, or `key=value` pairs."""

    most: int = 100
    longest: int = 1000

    @property
    def takes(self) -> str:  # type: ignore[override]
        """The bounds in words."""
        return (
            "a JSON object of texts, or key=value pairs separated by commas; keys of 1 to 64 letters, digits, _ . and -; at "
            f"most {self.most} pairs, values of at most {self.longest} characters, without control characters"
        )

    def parse(self, value: Any) -> Mapping[str, str]:
        """Texts by their keys."""
        if isinstance(value, str):
            value = self._from_text(value.strip())
        if not isinstance(value, Mapping) or len(value) > self.most:
            raise ValueError
        return {self._key(key): self._value(each) for key, each in value.items()}

    def _from_text(self, text: str) -> Any:
        if text.startswith("{"):
            return orjson.loads(text)
        pairs: dict[str, str] = {}
        for item in filter(None, (part.strip() for part in _NEXT_VARIABLE.split(text))):
            key, equals, value = item.partition("=")
            if not equals or key.strip() in pairs:
                raise ValueError
            pairs[key.strip()] = value.strip()
        return pairs

    def _key(self, key: str) -> str:
        if not _VARIABLE.fullmatch(key):
            raise ValueError
        return key

    def _value(self, value: Any) -> str:
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or len(value) > self.longest or _CONTROL.search(value):
            raise ValueError
        value.encode()
        return value

    def stored(self, value: Mapping[str, str]) -> str:
        """A JSON object as a text."""
        return orjson.dumps(dict(value)).decode() if value else "{}"

    def load(self, stored: Any) -> Mapping[str, str]:
        """Texts by their keys, as they were meant when they were stored."""
        return {name: str(value) for name, value in orjson.loads(stored or "{}").items()}

    def schema(self) -> dict[str, Any]:
        """A text or an object."""
        return {
            "oneOf": [
                {"type": "string"},
                {"type": "object", "maxProperties": self.most, "additionalProperties": {"type": ["string", "number"]}},
            ]
        }


def variables_text(variables: Mapping[str, str]) -> str:
    """Additional settings as `key=value` pairs, or as a JSON object where a value could be taken for a further pair: a text
    that, sent back, gives the same settings."""
    text = ",".join(f"{key}={value}" for key, value in variables.items())
    try:
        same = Variables().parse(text) == dict(variables)
    except ValueError:
        same = False
    return text if same else orjson.dumps(dict(variables)).decode()
