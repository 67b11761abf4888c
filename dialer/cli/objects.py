"""`add`, `list`, `set` and `remove`, the same for each kind of object that campaigns are made of.

They work beside a running dialer: it reads gateways and voice applications anew at each tick.
"""

from __future__ import annotations

import argparse
import enum
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from attrs import Factory, asdict, frozen
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dialer.cli.blocking import config_option, database_url, with_database
from dialer.errors import BadValue, NotFound
from dialer.service import utc_now
from dialer.store.database import Database

NONE = "none"
WIDTH_ELSEWHERE = 200
"""Columns of a table that does not go to a terminal."""


@frozen(kw_only=True)
class Option:
    """A command-line option `--name-like-this` for the attribute `name_like_this`. `parse` takes the text and the option's
    name, and raises `BadValue`."""

    name: str
    parse: Callable[[str, str], object]
    help: str
    metavar: str = "TEXT"

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")


@frozen(kw_only=True)
class Extra:
    """Attributes from options that are none, and what the user has to be told when everything is done."""

    values: Mapping[str, object] = Factory(dict)
    note: str = ""


class Kind(Protocol):
    """What is different from kind to kind. `word` is the command's name; `key` the attribute that is its name."""

    word: str
    key: str
    help: str
    options: Sequence[Option]
    columns: Sequence[str]

    def parse_name(self, text: str) -> str:
        """Raises `BadValue`."""
        ...

    def more_options(self, parser: Any, *, adding: bool) -> None:
        """Options that are no attributes."""
        ...

    def more_values(self, arguments: argparse.Namespace, name: str, *, adding: bool) -> Extra:
        """What those options mean, before the database is opened."""
        ...

    def entries(self, database: Database) -> Awaitable[Sequence[Any]]:
        """All there are."""
        ...

    def add(self, database: Database, values: dict[str, Any], now: datetime) -> Awaitable[int]:
        """Create one. Fires with its id."""
        ...

    def change(self, database: Database, entry: Any, values: dict[str, Any], now: datetime) -> Awaitable[None]:
        """Change what `values` names."""
        ...

    def remove(self, database: Database, key: int) -> Awaitable[None]:
        """Remove it, or fail with `InUse`."""
        ...


def add_parser(commands: Any, kind: Kind) -> None:
    """Register the command of a kind with its four subcommands."""
    parser = commands.add_parser(kind.word, help=kind.help, description=f"{kind.help[0].upper()}{kind.help[1:]}.")
    actions = parser.add_subparsers(dest="action", required=True, metavar="add|list|set|remove")
    adding = actions.add_parser("add", help=f"add a {kind.word}")
    listing = actions.add_parser("list", help="show them")
    setting = actions.add_parser("set", help=f"change a {kind.word}; what is not named stays as it is")
    removing = actions.add_parser("remove", help=f"remove a {kind.word} that nothing uses")
    adding.add_argument("name", metavar="NAME")
    for existing in (setting, removing):
        existing.add_argument("name", metavar="NAME|ID")
    setting.add_argument(f"--{kind.key}", dest="new_name", metavar="NAME", help="its new name")
    for action in (adding, setting):
        for option in kind.options:
            action.add_argument(option.flag, dest=f"value_{option.name}", metavar=option.metavar, help=option.help)
        kind.more_options(action, adding=action is adding)
    for action in (adding, listing):
        action.add_argument("--json", action="store_true", help="for programs")
    for action, run in ((adding, _add), (listing, _list), (setting, _set), (removing, _remove)):
        config_option(action)
        action.set_defaults(run=partial(run, kind))


# --- the four ---------------------------------------------------------------------------------------------------------------


def _add(kind: Kind, arguments: argparse.Namespace) -> int:
    name = kind.parse_name(arguments.name)
    url = database_url(arguments.config)
    extra = kind.more_values(arguments, name, adding=True)
    values = {kind.key: name, **_values(kind, arguments), **extra.values}
    key = with_database(url, lambda database: kind.add(database, values, utc_now()))
    print(json.dumps({"id": key}) if arguments.json else f"{kind.word} {name} added, id {key}")
    _tell(extra)
    return 0


def _list(kind: Kind, arguments: argparse.Namespace) -> int:
    entries = with_database(database_url(arguments.config), kind.entries)
    if arguments.json:
        print(json.dumps([_plain(entry) for entry in entries], indent=2, ensure_ascii=False))
    else:
        show(kind.columns, entries)
    return 0


def _set(kind: Kind, arguments: argparse.Namespace) -> int:
    values: dict[str, Any] = _values(kind, arguments)
    if arguments.new_name is not None:
        values[kind.key] = kind.parse_name(arguments.new_name)
    extra = kind.more_values(arguments, arguments.name, adding=False)
    values |= extra.values
    if not values:
        raise BadValue("set", "name what shall be changed, see --help")

    async def change(database: Database) -> None:
        entry = find(kind, await kind.entries(database), arguments.name)
        await kind.change(database, entry, values, utc_now())

    with_database(database_url(arguments.config), change)
    print(f"{kind.word} {arguments.name} changed")
    _tell(extra)
    return 0


def _remove(kind: Kind, arguments: argparse.Namespace) -> int:
    async def remove(database: Database) -> None:
        await kind.remove(database, find(kind, await kind.entries(database), arguments.name).id)

    with_database(database_url(arguments.config), remove)
    print(f"{kind.word} {arguments.name} removed")
    return 0


def find(kind: Kind, entries: Sequence[Any], name: str) -> Any:
    """The entry of that name, or else of that id. Raises `NotFound`."""
    for entry in entries:
        if getattr(entry, kind.key) == name:
            return entry
    for entry in entries:
        if str(entry.id) == name:
            return entry
    raise NotFound(kind.word, name)


def _tell(extra: Extra) -> None:
    """On standard error, so that what programs read stays what it is."""
    if extra.note:
        print(extra.note, file=sys.stderr)


def _values(kind: Kind, arguments: argparse.Namespace) -> dict[str, object]:
    given = {option: getattr(arguments, f"value_{option.name}") for option in kind.options}
    return {option.name: option.parse(text, option.flag) for option, text in given.items() if text is not None}


# --- showing ----------------------------------------------------------------------------------------------------------------


def show(columns: Sequence[str], entries: Sequence[Any]) -> None:
    """A table, one row an entry; columns in which no entry has anything are left out."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_ELSEWHERE)
    table = Table()
    used = [name for name in columns if any(getattr(entry, name) not in (None, "", ()) for entry in entries)]
    for column in used or columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for entry in entries:
        table.add_row(*(Text(_shown(getattr(entry, column))) for column in used))
    console.print(table)


def _shown(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case enum.Enum():
            return word_of(value)
        case tuple():
            return " ".join(map(str, value))
        case _:
            text = str(value)
            return text if text.isprintable() else repr(text)


def _plain(entry: Any) -> dict[str, object]:
    return asdict(entry, value_serializer=_as_json)


def _as_json(_: object, __: object, value: object) -> object:
    if isinstance(value, enum.Enum):
        return word_of(value)
    return value.isoformat(" ", "seconds")[:19] if isinstance(value, datetime) else value


# --- parsing, shared by the kinds -------------------------------------------------------------------------------------------


def word_of(value: enum.Enum) -> str:
    """The word of an enum's member on the command line: PLAY_AUDIO is `play-audio`."""
    return value.name.lower().replace("_", "-")


def one_of(members: type[enum.IntEnum]) -> Callable[[str, str], enum.IntEnum]:
    """Parses a member by its word or its number."""

    def parse(text: str, option: str) -> enum.IntEnum:
        for member in members:
            if text.strip().lower().replace("_", "-") in (word_of(member), str(int(member))):
                return member
        raise BadValue(option, f"expected one of {', '.join(map(word_of, members))}, got {text[:40]!r}")

    return parse


def whole_number(lowest: int, highest: int = 2**31 - 1) -> Callable[[str, str], int | None]:
    """Parses a limit: a whole number, or `none` for no limit."""

    def parse(text: str, option: str) -> int | None:
        if text == NONE:
            return None
        if text.isascii() and text.isdigit() and len(text) <= 10 and lowest <= int(text) <= highest:
            return int(text)
        raise BadValue(option, f"expected a whole number from {lowest} on, or {NONE} for no limit, got {text[:40]!r}")

    return parse


def text_value(longest: int) -> Callable[[str, str], str]:
    """Parses a line of text."""

    def parse(text: str, option: str) -> str:
        if len(text) > longest:
            raise BadValue(option, f"is longer than {longest} characters")
        if not text.isprintable():
            raise BadValue(option, "holds a control character, or bytes that are not UTF-8")
        return text

    return parse


def name_value(text: str, field: str, longest: int = 255) -> str:
    """A name: a line of text that is not empty, without white space around it. Raises `BadValue`."""
    name = text_value(longest)(text.strip(), field)
    if not name:
        raise BadValue(field, "is empty")
    return name
