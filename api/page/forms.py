"""Forms, made of the declarations of the nouns: what is typed is checked as it is everywhere else, also while it is typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any, Final

from attrs import NOTHING, Factory, frozen

from api.page.rendering import text_or
from dialer.declare import Field, noun_of, valid
from dialer.errors import BadValue
from dialer.kinds import Flag, Kind, Member, Nullable, Text, Whole, word_of
from dialer.time_kinds import DAYS, ClockTime, Moment, Week

Options = Mapping[str, Sequence[tuple[str, str]]]
"""By fields that refer to something: its id and what it is called."""

_NO_OPTIONS: Final[Options] = {}


@frozen(kw_only=True)
class Control:
    """An entry of a form. `shape` tells which element it is; `options` are values with what they are called; `hint` says what
    it means, `takes` what is expected, `problem` what is wrong with what was typed."""

    name: str
    label: str
    shape: str
    value: str
    options: Sequence[tuple[str, str]] = ()
    hint: str = ""
    takes: str = ""
    unit: str = ""
    required: bool = False
    least: int | None = None
    most: int | None = None
    longest: int | None = None
    problem: str = ""


def controls(
    cls: type,
    names: Sequence[str],
    values: Mapping[str, str],
    problems: Mapping[str, str],
    options: Options = _NO_OPTIONS,
) -> list[Control]:
    """The entries of a noun's fields, with what was typed, or what there is."""
    return [_control(cls, noun_of(cls).field(name), values, problems, options) for name in names]


def _control(cls: type, declared: Field, values: Mapping[str, str], problems: Mapping[str, str], options: Options) -> Control:
    kind = declared.kind.kind if isinstance(declared.kind, Nullable) else declared.kind
    choice = options.get(declared.name)
    noun_name = noun_of(cls).name.replace(" ", "-")
    return Control(
        name=declared.name,
        label=text_or(f"field.{declared.name}", declared.name.removesuffix("_id").replace("_", " ")),
        shape="choice" if choice is not None else _shape(kind, secret=declared.secret),
        value=values.get(declared.name, ""),
        options=_options(kind) if choice is None else choice,
        hint=text_or(f"hint.{noun_name}.{declared.name}", declared.doc),
        takes=declared.kind.takes,
        unit=declared.unit,
        required=declared.required or (not declared.kind.nullable and isinstance(kind, Whole | Moment | ClockTime)),
        least=kind.minimum if isinstance(kind, Whole) else None,
        most=kind.maximum if isinstance(kind, Whole) else None,
        longest=kind.longest if isinstance(kind, Text) else None,
        problem=problems.get(declared.name, ""),
    )


def _shape(kind: Kind, *, secret: bool) -> str:
    if secret:
        return "lines"
    match kind:
        case Whole():
            return "number"
        case Flag():
            return "flag"
        case Member():
            return "choice"
        case Week():
            return "week"
        case Text(lines=True):
            return "lines"
    return "text"


def _options(kind: Kind) -> Sequence[tuple[str, str]]:
    if isinstance(kind, Member):
        words = [word_of(member) if kind.column is int else str(member.value) for member in kind.members]
        return [(word, text_or(f"word.{word}", word.replace("-", " "))) for word in words]
    if isinstance(kind, Week):
        return [(day, text_or(f"day.{day}", day)) for day in DAYS]
    return ()


def typed(kind: Kind, value: Any) -> str:
    """A value as it would be typed."""
    if value is None:
        return ""
    match kind:
        case Nullable():
            return typed(kind.kind, value)
        case Week():
            return ",".join(day for day, flag in zip(DAYS, value, strict=True) if flag)
        case Member():
            return word_of(value) if kind.column is int else str(value.value)
        case Flag():
            return "1" if value else "0"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return value.isoformat("seconds") if isinstance(value, time) else str(value)


def typed_values(cls: type, names: Sequence[str], value: Any) -> dict[str, str]:
    """The fields of a value as they would be typed; of a secret, what may be shown."""
    found = {}
    for name in names:
        declared, each = noun_of(cls).field(name), getattr(value, name)
        found[name] = typed(declared.kind, declared.shown(each) if declared.shown else each)
    return found


def defaults(cls: type, names: Sequence[str]) -> dict[str, str]:
    """What a new one has where nothing is typed."""
    found = {}
    for name in names:
        declared = noun_of(cls).field(name)
        default = declared.default.factory() if isinstance(declared.default, Factory) else declared.default  # type: ignore[arg-type]
        found[name] = "" if default is NOTHING or declared.otherwise else typed(declared.kind, default)
    return found


def check(cls: type, names: Sequence[str], form: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The values of a form, and what is wrong with some, by the names of the fields. A field that has a value of its own where
    nothing is typed is left out then."""
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name in names:
        if name not in form:
            continue
        declared, given = noun_of(cls).field(name), form[name]
        if declared.otherwise and not given.strip():
            continue
        given = _of_browser(declared.kind, given)
        try:
            valid(declared, given)
        except BadValue as error:
            problems[name] = f"{error.problem}"
        else:
            values[name] = given
    return values, problems


def _of_browser(kind: Kind, given: str) -> str:
    """A browser sends a ticked box behind its unticked value, and ends lines with two characters."""
    if isinstance(kind, Flag):
        return given.rpartition(",")[2]
    if isinstance(kind, Week):
        return given.strip(",")
    return given.replace("\r\n", "\n")
