"""Kinds of values that are lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from dialer.kinds import LARGEST_ID, Kind, Text, Variables, Whole


@frozen
class Words(Kind):
    """Some of a few words, each once: a list, or a text with commas between them."""

    words: tuple[str, ...]

    @property
    def takes(self) -> str:  # type: ignore[override]
        """The words."""
        return f"one or more of {', '.join(self.words)}"

    def parse(self, value: Any) -> tuple[str, ...]:
        """In the order in which they are known."""
        given = [word.strip() for word in value.split(",")] if isinstance(value, str) else value
        if not isinstance(given, list | tuple) or not given or any(word not in self.words for word in given):
            raise ValueError
        return tuple(word for word in self.words if word in given)

    def schema(self) -> dict[str, Any]:
        """A list of the words."""
        return {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string", "enum": list(self.words)}}


@frozen
class Texts(Kind):
    """A list of texts, `most` of them at most."""

    most: int
    longest: int = 255

    @property
    def takes(self) -> str:  # type: ignore[override]
        """The bounds in words."""
        return f"a list of at most {self.most} texts of 1 to {self.longest} characters"

    def parse(self, value: Any) -> tuple[str, ...]:
        """Each once, in their order."""
        if not isinstance(value, list | tuple) or len(value) > self.most:
            raise ValueError
        one = Text(self.longest, 1)
        return tuple(dict.fromkeys(one.parse(item) for item in value))

    def schema(self) -> dict[str, Any]:
        """A list of texts."""
        one = {"type": "string", "minLength": 1, "maxLength": self.longest}
        return {"type": "array", "maxItems": self.most, "items": one}


@frozen
class Objects(Kind):
    """A list of JSON objects, from 1 to `most`; what they hold is for others to look at. `described` is their schema."""

    most: int
    described: str = ""

    @property
    def takes(self) -> str:  # type: ignore[override]
        """The bounds in words."""
        return f"a list of 1 to {self.most} objects"

    def parse(self, value: Any) -> list[dict[str, Any]]:
        """The objects, unchanged; their fields are checked by those that take them. Raises `BadValue`."""
        if (
            not isinstance(value, list)
            or not 1 <= len(value) <= self.most
            or not all(isinstance(each, dict) for each in value)
        ):
            raise ValueError
        return value

    def schema(self) -> dict[str, Any]:
        """A list of what the document calls `described`."""
        return {
            "type": "array",
            "minItems": 1,
            "maxItems": self.most,
            "items": {"$ref": f"#/components/schemas/{self.described}"},
        }


@frozen
class VariableChanges(Kind):
    """Additional settings of a contact that are changed: a text sets one, null takes it away."""

    takes = "an object of texts, in which null takes one away"

    def parse(self, value: Any) -> Mapping[str, str]:
        """Texts by their keys, empty ones for what is taken away."""
        if not isinstance(value, dict) or not all(each is None or isinstance(each, str) for each in value.values()):
            raise ValueError
        return Variables().parse({key: each or "" for key, each in value.items()})

    def schema(self) -> dict[str, Any]:
        """An object of texts and nulls."""
        return {"type": "object", "maxProperties": Variables().most, "additionalProperties": {"type": ["string", "null"]}}


@frozen
class Ids(Kind):
    """A list of ids, each once."""

    most: int = 100

    @property
    def takes(self) -> str:  # type: ignore[override]
        """The bounds in words."""
        return f"a list of at most {self.most} ids"

    def parse(self, value: Any) -> tuple[int, ...]:
        """In their order."""
        if not isinstance(value, list | tuple) or len(value) > self.most or any(type(each) is not int for each in value):
            raise ValueError
        return tuple(dict.fromkeys(Whole(1, LARGEST_ID).parse(each) for each in value))

    def stored(self, value: tuple[int, ...]) -> list[int]:
        """A list."""
        return list(value)

    def schema(self) -> dict[str, Any]:
        """A list of whole numbers."""
        return {"type": "array", "maxItems": self.most, "items": Whole(1, LARGEST_ID).schema()}
