"""Lists, page by page: `{data, has_more, next_cursor}`.

A page begins behind the place of the last entry of the one before, in an order that entries never leave: what comes or goes
meanwhile makes nobody appear twice or be left out. A cursor is that place with a check on it: it belongs to one list with its
filters, and is refused elsewhere. It opens nothing: what a user may see, each page asks anew.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

import orjson
from attrs import NOTHING, frozen

from api.v2.attributes import Answer, Attribute, answer
from api.v2.problems import Flaw, Problem
from api.v2.shapes import Schema
from dialer.declare import noun_of
from dialer.kinds import LARGEST_ID, Text, Whole, Word
from dialer.time_kinds import Moment

MOST: Final = 100
DEFAULT: Final = 25
_CHECK: Final = 6
"""Bytes of the check."""
_LONGEST: Final = 512
"""Characters of a cursor."""

LIMIT: Final = Attribute(name="limit", kind=Whole(1, MOST), doc="entries in a page", default=DEFAULT)
CURSOR: Final = Attribute(
    name="cursor", kind=Text(_LONGEST, 1), doc="`next_cursor` of the page before, as it came", default=NOTHING
)

Place = int | str | list[Any]
"""What an order is by: an id, a text, or a value and an id."""


@frozen(eq=False, slots=False)
class Sorting:
    """The orders that a list can have: by these fields of a noun, upwards or downwards (`-` before the name). `value` finds
    the noun in an entry."""

    cls: type
    fields: tuple[str, ...]
    default: str = "id"
    value: Callable[[Any], Any] = lambda entry: entry

    @cached_property
    def parameter(self) -> Attribute:
        """By which the client chooses."""
        words = tuple(word for name in self.fields for word in (name, f"-{name}"))
        doc = "the field that the list is sorted by; with `-` before it, the largest come first"
        return Attribute(name="sort", kind=Word(words), doc=doc, default=self.default)

    def place(self, entry: Any, sort: str) -> list[Any]:
        """The place of an entry, as a cursor has it."""
        value = self.value(entry)
        found = getattr(value, sort.removeprefix("-"))
        return [found.isoformat() if isinstance(found, datetime) else found, value.id]

    def behind(self, place: Any, sort: str) -> tuple[Any, int]:
        """The place of a cursor, as a use case takes it. Raises `ValueError` for one that there cannot be."""
        value, key = place
        kind = noun_of(self.cls).field(sort.removeprefix("-")).kind
        if type(key) is not int or not 0 <= key <= LARGEST_ID or type(value) is not (int if isinstance(kind, Whole) else str):
            raise ValueError
        if isinstance(kind, Moment):
            moment = datetime.fromisoformat(str(value))
            if moment.tzinfo is None:
                raise ValueError
            return moment.astimezone(UTC), key
        if isinstance(kind, Whole):
            kind.parse(value)
        elif kind.parse(value) != value:
            raise ValueError
        return value, key


@frozen(kw_only=True)
class Page:
    """How a list is paged: `place` is that of an entry in the order of the list, of the type `by`; or else that of the last
    thing that was looked at, which a `Portion` tells. `behind` makes of a place what the use case takes; it raises
    `ValueError` for a place that there cannot be. With a `sorting`, that does it, and the client chooses the order."""

    place: Callable[[Any], Place] = lambda entry: entry.id
    by: type = int
    behind: Callable[[Any], Any] = lambda place: place
    sorting: Sorting | None = None

    def place_of(self, entry: Any, query: Mapping[str, Any]) -> Place:
        """The place of an entry in the list that a query wants."""
        return self.place(entry) if self.sorting is None else self.sorting.place(entry, query["sort"])

    def after(self, place: Place, query: Mapping[str, Any]) -> Any:
        """What the use case takes for a place. Raises `ValueError`."""
        return self.behind(place) if self.sorting is None else self.sorting.behind(place, query["sort"])


def sorted_page(cls: type, *fields: str, default: str = "id", value: Callable[[Any], Any] = lambda entry: entry) -> Page:
    """A page of a list that can be sorted by the id and by these fields."""
    return Page(by=list, sorting=Sorting(cls, ("id", *fields), default, value))


@frozen(kw_only=True)
class Portion:
    """What a use case has found that looks for entries here and there: as many as a page holds, or fewer, and the place behind
    which it goes on; None at the end."""

    entries: Sequence[Any]
    place: Any


def cut(entries: Sequence[Any], limit: int) -> tuple[Sequence[Any], bool]:
    """The entries of a page, and whether more follow, of one more than the page holds."""
    return entries[:limit], len(entries) > limit


def cursor(place: Place, of: bytes) -> str:
    """The cursor behind a place, in the list `of`."""
    text = orjson.dumps(place)
    return base64.urlsafe_b64encode(_check(text, of) + text).decode().rstrip("=")


def place(text: str, of: bytes, by: type) -> Place:
    """The place of a cursor. Raises `Problem` for one that is damaged, or another list's."""
    try:
        found = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        check, inner = found[:_CHECK], found[_CHECK:]
        if check != _check(inner, of):
            raise ValueError
        behind: Place = orjson.loads(inner)
    except (ValueError, binascii.Error):
        behind = b""  # type: ignore[assignment]
    if type(behind) is not by or (isinstance(behind, int) and not 0 <= behind <= LARGEST_ID):
        raise bad_cursor()
    return behind


def bad_cursor() -> Problem:
    """It is none of this list."""
    problem = "is damaged, or was made by another list or with other filters; take next_cursor as it came"
    return Problem("bad-cursor", f"cursor: {problem}", [Flaw.of_parameter("cursor", problem)])


def identity(path: str, filters: Mapping[str, Any]) -> bytes:
    """What a cursor belongs to: a list and its filters. The order of a set is that of a process, and no part of it."""
    told = ((name, sorted(value) if isinstance(value, frozenset) else value) for name, value in filters.items())
    return repr((path, sorted((name, str(value)) for name, value in told))).encode()


def _check(text: bytes, of: bytes) -> bytes:
    return hashlib.blake2b(text, key=hashlib.blake2b(of, digest_size=32).digest(), digest_size=_CHECK).digest()


def page_of(item: Answer) -> Answer:
    """The answer that is a page of such entries: it takes a dict of the three."""
    properties: dict[str, Schema] = {
        "data": {"type": "array", "maxItems": MOST, "items": {"$ref": f"#/components/schemas/{item.name}"}},
        "has_more": {"type": "boolean", "description": "whether more entries follow"},
        "next_cursor": {"type": ["string", "null"], "description": "what `cursor` is for the next page; null at the end"},
    }

    def encode(page: Mapping[str, Any]) -> dict[str, Any]:
        return {**page, "data": [item.encode(each) for each in page["data"]]}

    return answer(f"{item.name}Page", f"A page of a list: {item.schema['description']}", properties, encode, item)
