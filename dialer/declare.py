"""The reader of declarations: a noun is one frozen attrs class whose fields say all that there is to know of them.

A field is a column (`setting`), a key of the JSON column `rules` of its table (`rule`: what no SQL statement reads), a
reference to another noun (`reference`), or a noun that was read together with it (`joined`). From the declarations come the
entities of Pony, the columns that a statement names, the readers of rows, what may be entered and how it is checked, the
schemas of the APIs, the options of the command line, and the tables of the documentation.

What is stored, and how it is read again, is told by `dialer.stored`.
"""

from __future__ import annotations

import enum
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Final, TypeVar, cast

import attrs
import orjson
from attrs import NOTHING, frozen

from dialer.errors import BadValue
from dialer.kinds import LARGEST_ID, LARGEST_INTEGER, Flag, Inside, Kind, Member, Nullable, Text, Whole, word_of
from dialer.time_kinds import ClockTime, Moment

T = TypeVar("T")
Check = Callable[[Any, str], Any]
"""Takes a value of the right kind and the name of its field; returns the value to store, or raises `BadValue`."""

RULES: Final = "rules"
"""The JSON column."""
_METADATA: Final = "declared"


class Place(enum.Enum):
    """Where a field is stored."""

    COLUMN = enum.auto()
    RULE = enum.auto()
    JOINED = enum.auto()


@frozen(kw_only=True)
class Field:
    """A field as it was declared. `otherwise` tells in words the value of a new one that does not name it. `v1` is its name
    in the API of 2011, "" when that does not have it; `refers_to` is the noun that the id names, whose list of these is
    called `reverse`; `limited_by` is the field of the user that bounds it. A `secret` is in no answer, list or log,
    but for what `shown` leaves of it; a `read_only` field cannot be entered. The fields with `is_key` are the primary key."""

    name: str
    kind: Kind
    place: Place
    default: Any
    doc: str
    unit: str = ""
    otherwise: str = ""
    v1: str = ""
    refers_to: str = ""
    reverse: str = ""
    limited_by: str = ""
    check: Check | None = None
    secret: bool = False
    shown: Callable[[Any], Any] | None = None
    read_only: bool = False
    is_key: bool = False

    @property
    def required(self) -> bool:
        """Whether a new one has to name it."""
        return self.default is NOTHING and not self.read_only and not self.otherwise

    @property
    def is_hidden(self) -> bool:
        """Whether nothing of it is ever shown."""
        return self.secret and self.shown is None

    @property
    def attribute(self) -> str:
        """The name of the entity's attribute: `gateway` for the column `gateway_id`."""
        return self.name.removesuffix("_id") if self.refers_to else self.name


@frozen(eq=False)
class Noun:
    """The declarations of a class."""

    cls: type
    name: str
    table: str
    fields: tuple[Field, ...]
    links: Mapping[str, str]
    """Lists of other nouns through a table of pairs: `phonebooks` of a campaign are `phonebook`s."""

    @property
    def entity(self) -> str:
        """The name of the entity."""
        return self.cls.__name__

    @property
    def columns(self) -> tuple[Field, ...]:
        """The fields that are columns."""
        return tuple(field for field in self.fields if field.place is Place.COLUMN)

    @property
    def rules(self) -> tuple[Field, ...]:
        """The fields that are keys of `rules`."""
        return tuple(field for field in self.fields if field.place is Place.RULE)

    @property
    def has_rules(self) -> bool:
        """Whether the table has the JSON column."""
        return self.table in TABLES_WITH_RULES

    @property
    def enterable(self) -> tuple[Field, ...]:
        """The fields that a user may name."""
        return tuple(field for field in self.fields if field.place is not Place.JOINED and not field.read_only)

    def field(self, name: str) -> Field:
        """The field of that name. Raises `KeyError`."""
        return _by_name(self)[name]


TABLES_WITH_RULES: Final = frozenset({"user_account", "gateway", "voip_app", "campaign", "phonebook"})

NOUNS: Final[dict[str, Noun]] = {}
"""Every noun, by its name."""


# --- declaring --------------------------------------------------------------------------------------------------------------


def noun(name: str, table: str = "", links: Mapping[str, str] | None = None) -> Callable[[type[T]], type[T]]:
    """Around a frozen attrs class: its declarations are read, once. `table` is the noun's name unless it is given."""

    def read(cls: type[T]) -> type[T]:
        hints = typing.get_type_hints(cls)
        fields = tuple(_read(each, hints[each.name]) for each in attrs.fields(cast(Any, cls)) if _METADATA in each.metadata)
        NOUNS[name] = Noun(cls, name, table or name.replace(" ", "_"), fields, links or {})
        return cls

    return read


def _read(attribute: Any, hint: Any) -> Field:
    options = dict(attribute.metadata[_METADATA])
    bounds = {name: options.pop(name) for name in ("ge", "le", "longest", "shortest", "lines") if name in options}
    kind = options.pop("kind", None) or _kind(hint, bounds)
    return Field(name=attribute.name, kind=kind, default=attribute.default, **options)


def _kind(hint: Any, bounds: Mapping[str, Any]) -> Kind:
    """The kind that an annotation and the bounds mean."""
    if typing.get_origin(hint) in (UnionType, typing.Union):
        (inner,) = (each for each in typing.get_args(hint) if each is not NoneType)
        return Nullable(_kind(inner, bounds))
    if hint is bool:
        return Flag()
    if hint is int:
        return Whole(bounds.get("ge", 0), bounds.get("le", LARGEST_INTEGER))
    if hint is datetime:
        return Moment()
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return Member(hint)
    if hint is str:
        return Text(bounds.get("longest", 255), bounds.get("shortest", 0), lines=bounds.get("lines", False))
    if hint is time:
        return ClockTime()
    raise TypeError(f"no kind is known for {hint!r}: name one")


def setting(default: Any = NOTHING, *, doc: str, **options: Any) -> Any:
    """A column. Options: `kind`, or the bounds `ge`, `le`, `longest`, `shortest`, `lines`; and those of `Field`."""
    return _declared(default, {"place": Place.COLUMN, "doc": doc, **options})


def rule(default: Any, *, doc: str, **options: Any) -> Any:
    """A key of the JSON column, for what no SQL statement reads. Options as of `setting`."""
    return _declared(default, {"place": Place.RULE, "doc": doc, **options})


def _declared(default: Any, options: dict[str, Any]) -> Any:
    return attrs.field(default=default, repr=not options.get("secret", False), metadata={_METADATA: options})


def reference(to: str, *, reverse: str, doc: str, default: Any = NOTHING, **options: Any) -> Any:
    """The id of another noun."""
    kind: Kind = Whole(1, LARGEST_ID)
    described = {"kind": Nullable(kind) if default is None else kind, "refers_to": to, "reverse": reverse, **options}
    return setting(default, doc=doc, **described)


def key() -> Any:
    """The id of the row; 0 until it is stored."""
    return setting(0, v1="id", doc="its number, given by the database", kind=Whole(1, LARGEST_ID), read_only=True, is_key=True)


def stamp(doc: str, **options: Any) -> Any:
    """A moment that the database keeps; the beginning of time until it is stored."""
    return setting(datetime.min.replace(tzinfo=UTC), doc=doc, read_only=True, **options)


def joined(noun_name: str, *, default: Any = NOTHING) -> Any:
    """Another noun that is read together with this one: that which `<noun>_id` names."""
    metadata = {"place": Place.JOINED, "doc": "", "refers_to": noun_name, "kind": Whole(1, LARGEST_ID), "read_only": True}
    return attrs.field(default=default, metadata={_METADATA: metadata})


@lru_cache(maxsize=64)
def _by_name(of: Noun) -> dict[str, Field]:
    return {field.name: field for field in of.fields}


def noun_of(cls: type) -> Noun:
    """The declarations of a class. Raises `LookupError` for one that is no noun."""
    for each in NOUNS.values():
        if each.cls is cls:
            return each
    raise LookupError(f"{cls.__name__} is no noun")


# --- what is entered --------------------------------------------------------------------------------------------------------


def entered(cls: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a user entered, validated, as they are stored. Raises `BadValue` naming the field, also for one that
    is not there or cannot be entered."""
    known = {field.name: field for field in noun_of(cls).enterable}
    checked = {}
    for name, value in given.items():
        field = known.get(name)
        if field is None:
            raise BadValue(name, f"is not a setting of a {noun_of(cls).name}")
        checked[name] = valid(field, value)
    return checked


def valid(field: Field, value: Any) -> Any:
    """A value that a user entered for a field, as it is stored. Raises `BadValue` naming the field."""
    try:
        parsed = field.kind.parse(value)
    except Inside as wrong:
        raise BadValue(".".join((field.name, *wrong.path)), f"expected {wrong.takes}") from None
    except (ValueError, TypeError):
        raise BadValue(field.name, f"expected {field.kind.takes}") from None
    return parsed if field.check is None else field.check(parsed, field.name)


def refuse_missing(cls: type, given: Mapping[str, Any]) -> None:
    """Raise `BadValue` for the first field that a new one has to name and does not."""
    for field in noun_of(cls).enterable:
        if field.required and field.name not in given:
            raise BadValue(field.name, f"is missing; expected {field.kind.takes}")


# --- documentation ----------------------------------------------------------------------------------------------------------


def documentation(cls: type) -> str:
    """A table of all that can be entered, for people: Markdown."""
    lines = ["| setting | in the API | default | takes | |", "|---|---|---|---|---|"]
    for field in noun_of(cls).enterable:
        if field.refers_to == "user":
            continue  # that of the asking user
        unit = f" ({field.unit})" if field.unit else ""
        default = "needed" if field.required else field.otherwise or _shown(field)
        v1 = f"`{field.v1}`" if field.v1 else ""
        lines.append(f"| `{field.name}` | {v1} | {default} | {field.kind.takes}{unit} | {field.doc} |")
    return "\n".join(lines)


def _shown(field: Field) -> str:
    match field.default:
        case None:
            return "none"
        case "":
            return "empty"
        case enum.IntEnum() as member:
            return f"`{word_of(member)}`"
        case tuple() as days if all(days):
            return "every day"
    return f"`{orjson.dumps(field.kind.stored(field.default)).decode().strip(chr(34))}`"
