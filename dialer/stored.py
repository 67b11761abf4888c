"""From values to what is stored, and back: entities, rows of statements, and the JSON column.

A row's columns are trusted, since constraints of the database protect them. A rule has no such protection: it is validated
when it is entered, and again when it is read (`load_rules`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar, cast

import orjson
from attrs import NOTHING, frozen

from dialer.declare import NOUNS, RULES, Field, Place, noun_of
from dialer.kinds import Flag, Kind, Member, Nullable, Text, Whole
from dialer.time_kinds import Moment

T = TypeVar("T")


def stored(cls: type, values: Mapping[str, Any], rules: str = "{}") -> dict[str, Any]:
    """Values by the attributes of the entity, ids of other nouns under the names of their columns; those that are rules are
    put into the JSON text `rules`, where others stay as they are."""
    of = noun_of(cls)
    found: dict[str, Any] = {}
    changed: dict[str, Any] = {}
    for name, value in values.items():
        field = of.field(name)
        if field.place is Place.RULE:
            changed[name] = field.kind.stored(value)
        elif isinstance(value, datetime):
            found[name] = value.astimezone(UTC).replace(tzinfo=None)
        else:
            found[name] = field.kind.stored(value)
    if changed or (of.has_rules and rules == "{}"):
        found[RULES] = orjson.dumps({**_object(rules), **changed}).decode()
    return found


def complete(cls: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a new one: what is not named is as declared."""
    defaults = {field.name: field.default for field in noun_of(cls).fields if field.default is not NOTHING}
    return {
        **{name: value for name, value in defaults.items() if noun_of(cls).field(name).place is not Place.JOINED},
        **values,
    }


def _object(text: str) -> dict[str, Any]:
    """A JSON object; nothing when it is damaged: a change of a setting mends it."""
    try:
        found = orjson.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


@frozen
class Rules:
    """The rules of a row: every one of them, and the names of those that are damaged, whose defaults stand in."""

    values: Mapping[str, Any]
    damaged: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def load_rules(cls: type, text: str) -> Rules:
    """Rules from their JSON text. A key that is missing has its default (it may have been declared later), one that is not
    known is of a newer dialer and left alone."""
    values: dict[str, Any] = {}
    damaged: list[str] = []
    try:
        found = orjson.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        found, damaged = {}, [RULES]
    for field in noun_of(cls).rules:
        values[field.name] = field.default
        if field.name in found:
            try:
                values[field.name] = field.kind.load(found[field.name])
            except (ValueError, TypeError):
                damaged.append(field.name)
    return Rules(values, tuple(damaged))


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - of columns, which are in UTC
"""Between these two, a moment gets its zone in a fifth of the time that `replace` takes."""

# --- rows -------------------------------------------------------------------------------------------------------------------


def _from_column(kind: Kind) -> Callable[[Any], Any] | None:
    """From what a statement gives, but for NULL, which is None; None for what is as it must be."""
    match kind:
        case Nullable():
            return _from_column(kind.kind)
        case Moment():
            return _moment
        case Flag():
            return bool
        case Member():
            return {member.value: member for member in kind.members}.__getitem__
        case Whole() | Text():
            return None
    return kind.load


@lru_cache(maxsize=8192)
def _moment(text: str) -> datetime:
    """Rows are read again and again, by who watches a list."""
    return datetime.fromisoformat(text + "+00:00")


@frozen(eq=False)
class Reader(Generic[T]):
    """Makes values from rows whose columns are `columns`."""

    cls: type[T]
    columns: str
    width: int
    _names: Sequence[str]
    _loads: Sequence[tuple[str, Callable[[Any], Any]]]
    """What makes a value of a column, of those that are not as they must be."""
    _rules_at: int | None
    _joined: Sequence[tuple[str, int, Callable[[tuple[Any, ...]], Any]]]
    """Of each its width, and what makes it: few are joined with many rows."""

    def __call__(self, row: Sequence[Any]) -> T:
        """The value. A damaged rule has its default: see `damage`."""
        values = dict(zip(self._names, row, strict=False))
        for name, load in self._loads:
            if (found := values[name]) is not None:
                values[name] = load(found)
        at = len(self._names)
        if self._rules_at is not None:
            values |= load_rules(cast(type, self.cls), row[self._rules_at]).values
            at += 1
        for name, width, make in self._joined:
            values[name] = make(tuple(row[at : at + width]))
            at += width
        return self.cls(**values)

    def damage(self, row: Sequence[Any]) -> tuple[str, ...]:
        """The names of the rules of that row that are damaged."""
        return () if self._rules_at is None else load_rules(cast(type, self.cls), row[self._rules_at]).damaged


def reader(cls: type[T], alias: str, **aliases: str) -> Reader[T]:
    """For rows of a statement in which the table is called `alias`; `aliases` name those of the joined nouns."""
    of = noun_of(cls)
    own = tuple(field.name for field in of.columns)
    loads = [(field.name, load) for field in of.columns if (load := _from_column(field.kind)) is not None]
    names = [f"{alias}.{field.name}" for field in of.columns]
    rules_at = len(names) if of.rules else None
    if of.rules:
        names.append(f"{alias}.{RULES}")
    joins: list[tuple[str, Reader[Any]]] = [
        (field.name, reader(NOUNS[field.refers_to].cls, aliases[field.name]))
        for field in of.fields
        if field.place is Place.JOINED
    ]
    names += [each.columns for _, each in joins]
    width = len(own) + (rules_at is not None) + sum(each.width for _, each in joins)
    joined = [(name, each.width, lru_cache(maxsize=256)(each)) for name, each in joins]
    return Reader(cls, ", ".join(names), width, own, loads, rules_at, joined)


def value_of(cls: type[T], row: Any) -> T:
    """The value of an entity's row."""
    values = {name: load(row) for name, load in _entity_plan(cast(type, cls))}
    return cls(**values, **(load_rules(cast(type, cls), row.rules).values if noun_of(cls).rules else {}))


@lru_cache(maxsize=128)
def _entity_plan(cls: type) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """What makes each field of an entity's row, found out once."""
    return tuple((field.name, _from_entity(field)) for field in noun_of(cls).fields if field.place is not Place.RULE)


def _from_entity(field: Field) -> Callable[[Any], Any]:
    get = attrgetter(field.attribute if field.place is Place.COLUMN else field.name)
    if field.place is Place.JOINED:
        return lambda row: value_of(NOUNS[field.refers_to].cls, get(row))
    if field.refers_to:
        return lambda row: None if (found := get(row)) is None else found.id
    if isinstance(field.kind, Text | Whole):
        return get
    load = field.kind.load

    def loaded(row: Any) -> Any:
        found = get(row)
        if found is None:
            return None
        return _EPOCH + (found - _NAIVE_EPOCH) if isinstance(found, datetime) else load(found)

    return loaded


def insert(cls: type, names: Iterable[str]) -> str:
    """An INSERT of these columns; its parameters are in their order."""
    columns = list(names)
    return f"INSERT INTO {noun_of(cls).table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
