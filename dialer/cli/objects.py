"""`add`, `list`, `show`, `set` and `remove`, made of the declaration of a noun: an option for each field that can be entered.

They work beside a running dialer: it reads what was changed anew at each tick.
"""

from __future__ import annotations

import argparse
import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any, ClassVar

from attrs import Factory, frozen

from dialer.cli.blocking import (
    are_caller_ids_strict,
    config_option,
    database_url,
    own_emergency_numbers,
    receivers,
    rules,
    with_database,
)
from dialer.cli.naming import named
from dialer.cli.passwords import text_of
from dialer.cli.showing import Shown, print_all, print_json, print_one
from dialer.declare import Field, noun_of
from dialer.errors import BadValue, NotFound
from dialer.kinds import Flag, Inside, Member, Nullable, Whole, word_of
from dialer.management import Management
from dialer.store.database import Database
from dialer.wall_clock import utc_now


@frozen(kw_only=True)
class Extra:
    """Values from options that are no fields, and what the user has to be told when everything is done."""

    values: Mapping[str, object] = Factory(dict)
    note: str = ""


class NounCommand(ABC):
    """A command on a noun. A subclass names the use cases, and adds what the declaration does not say: `word` is the
    command's name, `key` the field that is a noun's name and `metavar` that name in help texts, `columns` those of the table,
    `actions` what can be done."""

    word: ClassVar[str]
    noun: ClassVar[type]
    help: ClassVar[str]
    columns: ClassVar[Sequence[str]]
    key: ClassVar[str] = "name"
    metavar: ClassVar[str] = "NAME"
    unit_words: ClassVar[Mapping[str, str]] = {}
    actions: ClassVar[Sequence[str]] = ("add", "list", "show", "set")

    async def entries(self, management: Management) -> Sequence[Shown]:
        """All there are. A noun of which there are too many has `listed` and `one` instead."""
        return ()

    async def listed(self, management: Management, arguments: argparse.Namespace) -> Sequence[Shown]:
        """Those that `list` shows."""
        return await self.entries(management)

    async def one(self, management: Management, arguments: argparse.Namespace) -> Shown:
        """The one that is named. Raises `NotFound`, `BadValue`."""
        return find(self, await self.entries(management), arguments.name)

    def print_details(self, entry: Shown) -> None:
        """Show it to people."""
        print_one(entry)

    def remark(self, entries: Sequence[Shown], arguments: argparse.Namespace) -> str:
        """A sentence behind a list, for people."""
        return ""

    @abstractmethod
    def add(self, management: Management, values: Mapping[str, Any], arguments: argparse.Namespace) -> Awaitable[int]:
        """Create one. Fires with its id."""

    async def add_telling(
        self, management: Management, values: Mapping[str, Any], arguments: argparse.Namespace
    ) -> tuple[int, Mapping[str, str]]:
        """Create one. Returns its id, and what is told of it this once."""
        return await self.add(management, values, arguments), {}

    @abstractmethod
    def change(self, management: Management, entry: Shown, values: Mapping[str, Any]) -> Awaitable[object]:
        """Change what `values` names."""

    def more_options(self, parser: Any, action: str) -> None:  # noqa: B027 (most have none)
        """Options that are no fields."""

    def more_values(self, arguments: argparse.Namespace, name: str, action: str) -> Extra:
        """The values of those options, before the database is opened."""
        return Extra()

    def more_actions(self, parsers: Any) -> None:  # noqa: B027 (most have none)
        """Actions of its own."""

    async def details(self, management: Management, entry: Shown) -> Shown:
        """All that `show` tells of one."""
        return entry

    @property
    def options(self) -> list[Field]:
        """The fields that have an option."""
        return [
            field
            for field in noun_of(self.noun).enterable
            if not field.is_hidden and field.name != self.key and field.refers_to != "user"
        ]

    def parse_name(self, text: str) -> str:
        """The name of one. Raises `BadValue`."""
        return str(_parsed(noun_of(self.noun).field(self.key), text, self.key))


class RemovableCommand(NounCommand):
    """A command on a noun that can be removed. `removal` tells when, and what becomes of the rest."""

    actions: ClassVar[Sequence[str]] = ("add", "list", "set", "remove")
    removal: ClassVar[str] = "that nothing uses"

    @abstractmethod
    def remove(self, management: Management, entry: Shown, arguments: argparse.Namespace) -> Awaitable[object]:
        """Remove it, or fail with `InUse`."""


def add_parser(commands: Any, command: NounCommand) -> None:
    """Register a command with its subcommands."""
    word, actions = command.word, command.actions
    described = f"{command.help[0].upper()}{command.help[1:]}."
    parser = commands.add_parser(word, help=command.help, description=described)
    parsers = parser.add_subparsers(dest="action", required=True)
    helps = {
        "add": f"add a {word}",
        "list": "show them",
        "show": f"show all of a {word}",
        "set": f"change a {word}; what is not named stays as it is",
        "remove": f"remove a {word} {getattr(command, 'removal', '')}",
    }
    runs = {"add": partial(_add, command), "list": partial(_list, command), "show": partial(_show, command)}
    runs["set"] = partial(_set, command)
    if isinstance(command, RemovableCommand):
        runs["remove"] = partial(_remove, command)
    for action in actions:
        sub = parsers.add_parser(action, help=helps[action])
        if action != "list":
            sub.add_argument("name", metavar=command.metavar if action == "add" else f"{command.metavar}|ID")
        if action == "set":
            sub.add_argument(
                f"--{command.key}", dest="new_name", metavar=command.metavar, help=f"its new {command.metavar.lower()}"
            )
        if action in ("add", "set"):
            for field in command.options:
                _add_option(sub, field)
        command.more_options(sub, action)
        if action in ("add", "list", "show"):
            sub.add_argument("--json", action="store_true", help="for programs")
        config_option(sub)
        sub.set_defaults(run=runs[action])
    command.more_actions(parsers)
    parsers.metavar = "|".join(parsers.choices)


# --- options --------------------------------------------------------------------------------------------------------------


def flag_of(field: Field) -> str:
    """The option of a field: `--max-frequency`; `--gateway` for the id of one, `--superuser` for `is_superuser`."""
    return "--" + field.attribute.removeprefix("is_").replace("_", "-")


def _add_option(parser: Any, field: Field) -> None:
    nullable = ", or none" if isinstance(field.kind, Nullable) else ""
    described = f"{field.doc}{f' ({field.unit})' if field.unit else ''}{nullable}".replace("%", "%%")
    place = f"value_{field.name}"
    if isinstance(field.kind, Flag):
        parser.add_argument(flag_of(field), dest=place, action=argparse.BooleanOptionalAction, help=described)
    else:
        parser.add_argument(flag_of(field), dest=place, metavar=_metavar(field), help=described)
    if field.secret:
        told = "the same from a file, - is standard input: for secrets, which others could see on the command line"
        parser.add_argument(_file_flag(field), dest=f"file_{field.name}", metavar="FILE", help=told)


def _metavar(field: Field) -> str:
    kind = field.kind.kind if isinstance(field.kind, Nullable) else field.kind
    if field.refers_to:
        return field.refers_to.upper().replace(" ", "")
    if isinstance(kind, Member):
        return "|".join(map(word_of, kind.members))
    return "N" if isinstance(kind, Whole) else "TEXT"


def _parsed(field: Field, text: str, name: str) -> Any:
    """A field's value from the text of an option. Raises `BadValue` naming the option."""
    try:
        value = field.kind.parse(text)
    except Inside as wrong:
        raise BadValue(name, f"{'.'.join(wrong.path)}: expected {wrong.takes}") from None
    except ValueError:
        shown = ascii(text) if not text.isprintable() else repr(text[:40])
        got = "" if field.secret else f", got {shown}"
        raise BadValue(name, f"expected {field.kind.takes}{got}") from None
    return field.check(value, name) if field.check is not None else value


def _values(command: NounCommand, arguments: argparse.Namespace) -> dict[str, Any]:
    """The fields that are named. Another noun is still a text: it is looked up later."""
    found = {}
    for field in command.options:
        given = getattr(arguments, f"value_{field.name}")
        if field.secret:
            given = _without_secrets(field, given, getattr(arguments, f"file_{field.name}"))
        if given is not None:
            as_it_is = field.refers_to or isinstance(given, bool)
            found[field.name] = given if as_it_is else _parsed(field, given, flag_of(field))
    return found


def _file_flag(field: Field) -> str:
    return f"{flag_of(field)}-file"


def _without_secrets(field: Field, given: str | None, file: str | None) -> str | None:
    """The text of a field that may hold secrets. Raises `BadValue` for one that everybody saw who listed the processes."""
    if file is not None:
        if given is not None:
            raise BadValue(_file_flag(field), f"give this or {flag_of(field)}")
        return text_of(file, _file_flag(field))
    if given is not None and field.shown is not None:
        parsed = _parsed(field, given, flag_of(field))
        if field.shown(parsed) != parsed:
            raise BadValue(
                flag_of(field), f"holds a secret, which others see in the list of processes: use {_file_flag(field)}"
            )
    return given


async def _resolved(management: Management, command: NounCommand, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with the ids of the nouns that they name. Raises `BadValue`."""
    resolved = dict(values)
    for field in command.options:
        if field.refers_to and field.name in resolved:
            text = resolved[field.name]
            absent = isinstance(field.kind, Nullable) and text in ("", "none")
            resolved[field.name] = None if absent else await _id_of(management, field, text)
    return resolved


async def _id_of(management: Management, field: Field, text: str) -> int:
    return await named(management, field.refers_to, text, flag_of(field))


# --- the actions ----------------------------------------------------------------------------------------------------------


def manage(arguments: argparse.Namespace, work: Callable[[Management], Awaitable[Any]]) -> Any:
    """Do something on the database of the configuration, or by the API of the dialer that is named. Raises what `work` raises,
    and `StoreError`."""
    if arguments.server is not None:
        return import_module("dialer.cli.remote").asked_there(arguments, work)

    async def perform(database: Database) -> Any:
        management = Management(
            database,
            utc_now,
            emergency=own_emergency_numbers(arguments.config),
            receivers=receivers(arguments.config),
            rules=rules(arguments.config),
            strict_caller_ids=are_caller_ids_strict(arguments.config),
        )
        return await work(management)

    return with_database(database_url(arguments.config), perform)


async def _named_by_options(values: Mapping[str, Any], command: NounCommand, work: Awaitable[Any]) -> Any:
    """A refusal names the option that gave the value."""
    try:
        return await work
    except BadValue as error:
        if error.field in values and error.field in {field.name for field in command.options}:
            flag = flag_of(noun_of(command.noun).field(error.field))
            raise BadValue(flag, error.problem) from None
        raise


def _add(command: NounCommand, arguments: argparse.Namespace) -> int:
    name = command.parse_name(arguments.name)
    given = _values(command, arguments)
    for field in command.options:
        if field.required and field.name not in given:
            raise BadValue(flag_of(field), f"is needed: {field.doc}")
    extra = command.more_values(arguments, name, "add")

    async def add(management: Management) -> tuple[int, Mapping[str, str]]:
        values = {command.key: name, **await _resolved(management, command, given), **extra.values}
        made: tuple[int, Mapping[str, str]] = await _named_by_options(
            values, command, command.add_telling(management, values, arguments)
        )
        return made

    key, told = manage(arguments, add)
    if arguments.json:
        print(json.dumps({"id": key, **told}))
    else:
        print("\n".join([f"{command.word} {name} added, id {key}", *(f"{word}: {text}" for word, text in told.items())]))
    _tell(extra)
    return 0


def _list(command: NounCommand, arguments: argparse.Namespace) -> int:
    entries = manage(arguments, partial(_listed, command, arguments))
    if arguments.json:
        print_json(entries)
    else:
        print_all(command.columns, entries)
        _tell(Extra(note=command.remark(entries, arguments)))
    return 0


async def _listed(command: NounCommand, arguments: argparse.Namespace, management: Management) -> Sequence[Shown]:
    return await command.listed(management, arguments)


def _show(command: NounCommand, arguments: argparse.Namespace) -> int:
    async def look(management: Management) -> Shown:
        return await command.details(management, await command.one(management, arguments))

    entry = manage(arguments, look)
    if arguments.json:
        print_json(entry)
    else:
        command.print_details(entry)
    return 0


def _set(command: NounCommand, arguments: argparse.Namespace) -> int:
    given: dict[str, Any] = _values(command, arguments)
    if arguments.new_name is not None:
        given[command.key] = command.parse_name(arguments.new_name)
    extra = command.more_values(arguments, arguments.name, "set")
    if not given and not extra.values:
        raise BadValue("set", "name what shall be changed, see --help")

    async def change(management: Management) -> None:
        entry = await command.one(management, arguments)
        values = {**await _resolved(management, command, given), **extra.values}
        await _named_by_options(values, command, command.change(management, entry, values))

    manage(arguments, change)
    print(f"{command.word} {arguments.name} changed")
    _tell(extra)
    return 0


def _remove(command: RemovableCommand, arguments: argparse.Namespace) -> int:
    async def remove(management: Management) -> None:
        await command.remove(management, await command.one(management, arguments), arguments)

    manage(arguments, remove)
    print(f"{command.word} {arguments.name} removed")
    return 0


def find(command: NounCommand, entries: Sequence[Shown], name: str) -> Shown:
    """The entry of that name, or else of that id. Raises `NotFound`, and `BadValue` for a name that several have."""
    named = [entry for entry in entries if entry[command.key] == name]
    if len(named) > 1:
        ids = ", ".join(str(entry["id"]) for entry in named)
        raise BadValue("name", f"{command.word}s of several users are called {name}: name one by its id ({ids})")
    for entry in [*named, *(entry for entry in entries if str(entry["id"]) == name)]:
        return entry
    raise NotFound(command.word, name)


def _tell(extra: Extra) -> None:
    """On standard error, so that what programs read stays what it is."""
    if extra.note:
        print(extra.note, file=sys.stderr)
