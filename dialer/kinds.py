"""The kinds of values that people and programs enter: how each is read from a text or from JSON, what it takes in words and as
JSON Schema, and how it is stored.

A form and a command line have texts only; JSON has numbers and truth values as well, and clients of 2011 send numbers as texts
in both. So a number may always come as text, while a text never comes as a number.
"""

from __future__ import annotations

import enum
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import orjson
from attrs import frozen
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

LARGEST_ID: Final = 2**63 - 1
LARGEST_INTEGER: Final = 2**31 - 1
"""Of an INTEGER column of a server."""
LONGEST_LIST: Final = 2**30
"""Characters of a list of numbers. The limits on a body and on the numbers in a request are reached first."""
NONE: Final = "none"
"""The word for "no limit" where a number may be absent."""

_WHOLE = re.compile(r"-?[0-9]{1,19}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_BUT_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_VARIABLE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_NEXT_VARIABLE = re.compile(r"[\r\n]+|,(?=\s*[A-Za-z0-9_.-]{1,64}\s*=)")


def whole_number(text: str) -> int | None:
    """The number that digits mean, up to `LARGEST_ID`; None for any other text. Python reads some thousands of digits only."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_ID)) else None
    return number if number is not None and number <= LARGEST_ID else None


class Inside(ValueError):
    """Something inside of a value is not acceptable: `path` leads to it by names, `takes` ends the sentence "expected ..."."""

    def __init__(self, path: tuple[str, ...], takes: str) -> None:
        super().__init__(f"{'.'.join(path)}: expected {takes}")
        self.path = path
        self.takes = takes


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
        if not self.shortest <= len(text) <= self.longest:
            raise ValueError
        return _without_control(text, _CONTROL_BUT_LINES if self.lines else _CONTROL)

    def schema(self) -> dict[str, Any]:
        """A text with its bounds."""
        return {"type": "string", "minLength": self.shortest, "maxLength": self.longest}


class Number(Text):
    """A telephone number as it is entered; whether it is one, `dialer.numbers` knows. JSON may give it without quotes."""

    @property
    def takes(self) -> str:  # type: ignore[override]
        """A number in words."""
        return f"a telephone number of at most {self.longest} characters"

    def parse(self, value: Any) -> str:
        """The text, whatever it holds."""
        return super().parse(_digits(value))

    def schema(self) -> dict[str, Any]:
        """A text, or a number."""
        return {"oneOf": [super().schema(), {"type": "integer", "minimum": 0}]}


@frozen
class NumberOrText(Text):
    """A text that may be a telephone number: the data of a voice application."""


@frozen
class Numbers(Kind):
    """Several telephone numbers as they are entered."""

    takes = "telephone numbers: one text in which commas separate them, or a JSON list of texts or numbers"

    def parse(self, value: Any) -> str | list[str]:
        """The text, or the items of the list."""
        if isinstance(value, list):
            return [_ONE_NUMBER.parse(item) for item in value]
        return _LISTED_NUMBERS.parse(_digits(value))

    def schema(self) -> dict[str, Any]:
        """A text, a number or a list."""
        one = {"oneOf": [{"type": "string"}, {"type": "integer", "minimum": 0}]}
        return {"oneOf": [*one["oneOf"], {"type": "array", "items": one}]}


def _digits(value: Any) -> Any:
    """A JSON number as the text that it would be."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else value


def _without_control(text: str, forbidden: re.Pattern[str]) -> str:
    """The text, when UTF-8 can carry it and nothing in it is forbidden."""
    if text.isascii() and text.isprintable():
        return text
    if forbidden.search(text):
        raise ValueError
    text.encode()
    return text


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


_ONE_NUMBER: Final = Number(1000)
"""An item of a list, which is refused by its own words when it is no number."""
_LISTED_NUMBERS: Final = Text(LONGEST_LIST, 1, lines=True)


def word_of(member: enum.Enum) -> str:
    """The word for an enum's member: PLAY_AUDIO is `play-audio`."""
    return member.name.lower().replace("_", "-")


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
        return {self._key(key): self.value(each) for key, each in value.items()}

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

    def value(self, value: Any) -> str:
        """The text of one variable. Raises `ValueError`."""
        if not isinstance(value, str | bool) and isinstance(value, int | float):
            value = str(value)
        if not isinstance(value, str) or len(value) > self.longest:
            raise ValueError
        return _without_control(value, _CONTROL)

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
