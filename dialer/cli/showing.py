"""How nouns are shown: as tables and lists for people, as JSON for programs."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from dialer.cli.tables import Column, console, print_table
from dialer.declare import noun_of
from dialer.kinds import word_of
from dialer.time_kinds import DAYS

Shown = Mapping[str, Any]
"""A noun as it is shown, by the names of its fields; another noun by its name."""


def option_of_json(parser: Any) -> None:
    """The option of what programs read."""
    parser.add_argument("--json", action="store_true", help="for programs")


def shown_noun(value: Any, referred: Mapping[str, Mapping[int, str]] | None = None, **more: Any) -> Shown:
    """A noun as it is shown: its fields but for inner ones and secrets, of which a mask may be left; `referred` has the names
    of other nouns by their ids."""
    found: dict[str, Any] = {}
    for field in noun_of(type(value)).fields:
        shown = not field.read_only or field.is_key or field.name in ("created_at", "updated_at")
        if field.is_hidden or not shown:
            continue
        held = getattr(value, field.name)
        if field.shown is not None:
            held = field.shown(held)
        by_name = (referred or {}).get(field.refers_to)
        found[field.attribute if by_name else field.name] = by_name.get(held) if by_name else held
    return {**found, **more}


def print_json(found: Any) -> None:
    """For programs: enums as words, moments in UTC."""
    print(json.dumps(_plain(found), indent=2, ensure_ascii=False))


def json_line(found: Any) -> str:
    """The same on one line, with its end."""
    return json.dumps(_plain(found), ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    match value:
        case Mapping():
            return {name: _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case enum.Enum():
            return word_of(value)
        case datetime():
            return value.isoformat(" ", "seconds")[:19]
        case bool() | int() | float() | None:
            return value
    return str(value)


def print_all(columns: Sequence[str], entries: Sequence[Shown]) -> None:
    """A table, one row an entry; columns in which no entry has anything are left out."""
    used = [name for name in columns if any(entry[name] not in (None, "", ()) for entry in entries)]
    print_table(
        [
            Column(
                name.replace("_", " "),
                [_shown(entry[name]) for entry in entries],
                right=bool(entries) and all(type(entry[name]) in (int, float, type(None)) for entry in entries),
            )
            for name in used or columns
        ]
    )


def print_one(entry: Shown) -> None:
    """All of an entry, one line a field."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in entry.items():
        table.add_row(Text(name.replace("_", " ")), Text(_shown(value)))
    console().print(table)


def _shown(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case enum.Enum():
            return word_of(value)
        case (bool(), *_) if isinstance(value, tuple) and len(value) == len(DAYS):
            return ",".join(day[:3] for day, flag in zip(DAYS, value, strict=True) if flag)
        case tuple():
            return " ".join(map(str, value))
        case Mapping():
            told = value.get("text") or ", ".join(f"{name} {_shown(each)}" for name, each in value.items())
            return told or "-"
        case datetime():
            return value.isoformat(" ", "seconds")[:19]
        case _:
            text = str(value)
            return text if text.isprintable() else repr(text)
