"""How a kind of value looks in the JSON of this API: what is taken, what is shown, and the JSON Schema of both.

A value has one form. Where the API of 2011 takes a number as a text as well, this one does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import orjson
from attrs import frozen

from dialer.kinds import Flag, Inside, Kind, Member, Nullable, Numbers, Text, Variables, Whole, word_of
from dialer.list_kinds import Ids, Objects, Texts, VariableChanges, Words
from dialer.model.installation import Figures, Processes
from dialer.model.retries import Retries
from dialer.model.token import Scopes
from dialer.model.webhook import WebhookKinds
from dialer.time_kinds import DAYS, Moment, Week

Schema = dict[str, Any]

_MOMENT = re.compile(
    r"(?:19[7-9]|2\d\d)\d-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
"""RFC 3339, with its offset, from 1970 to 2999."""


@frozen(eq=False)
class Shape:
    """`take` makes the value of what came, and raises `ValueError`; `show` makes JSON of a value. `takes` ends the sentence
    "expected ..."."""

    schema: Schema
    take: Callable[[Any], Any]
    show: Callable[[Any], Any]
    takes: str


_CONTAINERS: Final[Mapping[type, tuple[type[Kind], ...]]] = {
    list: (Scopes, Words, Texts, Objects, Ids),
    dict: (VariableChanges, Figures, Processes),
}
"""The kinds that look in JSON as they are."""


@lru_cache(maxsize=512)
def shape_of(kind: Kind) -> Shape:
    """The shape of a kind."""
    for container, kinds in _CONTAINERS.items():
        if isinstance(kind, kinds):
            return Shape(kind.schema(), _only(container, kind.parse), container, kind.takes)
    if (shape := _of_several(kind)) is not None:
        return shape
    match kind:
        case Nullable():
            inner = shape_of(kind.kind)
            return Shape(
                {"anyOf": [inner.schema, {"type": "null"}]},
                lambda value: None if value is None else inner.take(value),
                inner.show if inner.show is as_it_is else lambda value: None if value is None else inner.show(value),
                f"{inner.takes}, or null",
            )
        case Flag():
            return Shape({"type": "boolean"}, _only(bool, bool), bool, "true or false")
        case Moment():
            takes = "a moment as in RFC 3339, such as 2027-03-01T09:00:00+01:00"
            return Shape({"type": "string", "format": "date-time"}, _moment, shown_moment, takes)
        case Member():
            return _members(kind)
        case Week():
            return _week(kind)
        case Whole():
            return Shape(kind.schema(), _only(int, kind.parse), as_it_is, kind.takes)
        case Text():
            return Shape(Text.schema(kind), _only(str, kind.parse), as_it_is, kind.takes)
    show = as_it_is if type(kind).stored is Kind.stored else kind.stored
    return Shape(kind.schema(), _only(str, kind.parse), show, kind.takes)


def _of_several(kind: Kind) -> Shape | None:
    """The shape of a kind that is an object or a list; None for the others."""
    match kind:
        case Variables():
            texts = {"type": "object", "maxProperties": kind.most, "additionalProperties": {"type": "string"}}
            return Shape(texts, _texts(kind), dict, "an object of texts")
        case Retries():
            return Shape(kind.schema(), _only(dict, _numbers_alone(kind)), kind.as_json, "an object of rows by their outcomes")
        case Numbers():
            return Shape({"type": "array", "items": {"type": "string"}}, _numbers(kind), list, "a list of numbers as texts")
        case WebhookKinds():
            return _kinds_of_events(kind)
    return None


@lru_cache(maxsize=8192)
def shown_moment(moment: datetime) -> str:
    """An aware moment in UTC, to the millisecond. Lists are asked for again and again; and orjson takes less than half of the
    time of `isoformat`."""
    seconds = orjson.dumps(moment, option=orjson.OPT_OMIT_MICROSECONDS)[1:20].decode()
    return f"{seconds}.{moment.microsecond // 1000:03}Z"


def as_it_is(value: Any) -> Any:
    """Of a kind whose values are JSON."""
    return value


def _only(wanted: type, parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Takes values of one type of JSON; truth values are no numbers."""

    def take(value: Any) -> Any:
        if type(value) is not wanted:
            raise ValueError
        return parse(value)

    return take


def _moment(value: Any) -> datetime:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError
    found: datetime = Moment().parse(value.upper())
    return found


def _members(kind: Member) -> Shape:
    by_word = {word_of(member) if kind.column is int else str(member.value): member for member in kind.members}
    words = {member: word for word, member in by_word.items()}

    def take(value: Any) -> Any:
        if not isinstance(value, str) or value not in by_word:
            raise ValueError
        return by_word[value]

    return Shape({"type": "string", "enum": list(by_word)}, take, words.__getitem__, f"one of {', '.join(by_word)}")


def _week(kind: Week) -> Shape:
    def take(value: Any) -> Any:
        if not isinstance(value, list) or len(set(map(repr, value))) != len(value) or any(day not in DAYS for day in value):
            raise ValueError
        return kind.parse([day in value for day in DAYS])

    schema = {"type": "array", "uniqueItems": True, "items": {"type": "string", "enum": list(DAYS)}}
    return Shape(
        schema,
        take,
        lambda flags: [day for day, flag in zip(DAYS, flags, strict=True) if flag],
        "a list of days of the week, such as monday",
    )


def _kinds_of_events(kind: WebhookKinds) -> Shape:
    def take(value: Any) -> Any:
        if not isinstance(value, list) or not value or any(word not in kind.words for word in value):
            raise ValueError
        return kind.parse(" ".join(dict.fromkeys(value)))

    schema = {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string", "enum": list(kind.words)}}
    return Shape(schema, take, str.split, f"a list of one or more of {', '.join(kind.words)}")


def _numbers(kind: Numbers) -> Callable[[Any], Any]:
    def take(value: Any) -> Any:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise ValueError
        return kind.parse(value)

    return take


def _numbers_alone(kind: Retries) -> Callable[[Any], Any]:
    """Takes rows whose numbers are no texts."""

    def take(value: Mapping[str, Any]) -> Any:
        for outcome, row in value.items():
            for column, given in row.items() if isinstance(row, dict) else ():
                if isinstance(given, str):
                    raise Inside((outcome, column), "a number")
        return kind.parse(value)

    return take


def _texts(kind: Variables) -> Callable[[Any], Mapping[str, str]]:
    def take(value: Any) -> Mapping[str, str]:
        if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
            raise ValueError
        return kind.parse(value)

    return take
