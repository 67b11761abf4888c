"""The kinds of attributes: how each is read from a form's text or from JSON, and what it takes, in words and as JSON Schema.

A form has texts only; JSON has numbers and truth values as well, and clients of 2011 send numbers as texts in both. So a
number may always come as text, while a text never comes as a number.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any, Final

import orjson
from attrs import frozen
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

LARGEST_ID: Final = 2**63 - 1
LATEST_EPOCH: Final = 32_503_680_000
"""The first second of the year 3000: an epoch in milliseconds lies behind it."""

_WHOLE = re.compile(r"-?[0-9]{1,19}")
_DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{0,9})?")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_BUT_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_VARIABLE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_NEXT_VARIABLE = re.compile(r"[\r\n]+|,(?=\s*[A-Za-z0-9_.-]{1,64}\s*=)")


class Kind(ABC):
    """A kind of attribute: pydantic asks it for the validator and for the schema. `takes` ends the sentence "expected ..."."""

    takes: str

    @abstractmethod
    def parse(self, value: Any) -> Any:
        """The value that is meant. Raises `ValueError` for anything else, without a text: `takes` says it all."""

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """JSON Schema."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.parse)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**self.schema(), "description": self.takes}


@frozen
class Whole(Kind):
    """A whole number from `minimum` to `maximum`."""

    minimum: int
    maximum: int

    @property
    def takes(self) -> str:  # type: ignore[override]
        """As `Kind.takes`."""
        return f"a whole number from {self.minimum} to {self.maximum}"

    def parse(self, value: Any) -> int:
        """From digits, or from a JSON number without a fraction."""
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not self.minimum <= value <= self.maximum:
            raise ValueError
        return value

    def schema(self) -> dict[str, Any]:
        """As `Kind.schema`."""
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}


@frozen
class Flag(Kind):
    """1 or 0."""

    takes = "0 or 1"

    def parse(self, value: Any) -> bool:
        """From "1", 1 or true, and their opposites."""
        if isinstance(value, str) and value in ("0", "1"):
            return value == "1"
        if isinstance(value, int) and value in (0, 1):
            return bool(value)
        raise ValueError

    def schema(self) -> dict[str, Any]:
        """As `Kind.schema`."""
        return {"type": "integer", "enum": [0, 1]}


@frozen
class Epoch(Kind):
    """A moment as seconds since 1970 in UTC, whole or not."""

    takes = "seconds since 1970 (epoch time), such as 1301392136.0"

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
        """As `Kind.schema`."""
        return {"type": "number", "minimum": 0, "exclusiveMaximum": LATEST_EPOCH}


@frozen
class ClockTime(Kind):
    """A time of day."""

    takes = "a time of day as HH:MM:SS"

    def parse(self, value: Any) -> time:
        """HH:MM:SS, or HH:MM."""
        if not isinstance(value, str) or not _CLOCK.fullmatch(value):
            raise ValueError
        return time.fromisoformat(value)

    def schema(self) -> dict[str, Any]:
        """As `Kind.schema`."""
        return {"type": "string", "pattern": f"^{_CLOCK.pattern}$"}


@frozen
class Text(Kind):
    """A text without control characters (but for line feeds and tabs, with `lines`), and without blanks around it."""

    longest: int
    shortest: int = 0
    lines: bool = False

    @property
    def takes(self) -> str:  # type: ignore[override]
        """As `Kind.takes`."""
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
        """As `Kind.schema`."""
        return {"type": "string", "minLength": self.shortest, "maxLength": self.longest}


@frozen
class Word(Kind):
    """One of some words, or a whole number from 1 to `numbers`."""

    words: tuple[str, ...]
    numbers: int = 0

    @property
    def takes(self) -> str:  # type: ignore[override]
        """As `Kind.takes`."""
        return " or ".join([*self.words, *([f"a whole number from 1 to {self.numbers}"] if self.numbers else [])])

    def parse(self, value: Any) -> str:
        """The word or the digits."""
        if value in self.words:
            return str(value)
        return str(Whole(1, self.numbers).parse(value))

    def schema(self) -> dict[str, Any]:
        """As `Kind.schema`."""
        return {"type": "string", "enum": [*self.words, *(str(number + 1) for number in range(self.numbers))]}


@frozen
class Variables(Kind):
    """Additional settings of a contact: a JSON object of texts and numbers, that object as a text, or `key=value` pairs."""

    most: int = 100
    longest: int = 1000

    @property
    def takes(self) -> str:  # type: ignore[override]
        """As `Kind.takes`."""
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

    def schema(self) -> dict[str, Any]:
        """As `Kind.schema`."""
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
