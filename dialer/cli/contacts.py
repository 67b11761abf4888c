"""`dialer contact`: the contacts of phonebooks."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

import attrs

from dialer.cli import objects
from dialer.cli.contact_export import add_contact_export, contact_entry
from dialer.cli.contact_import import add_import, phonebook_named, phonebook_options
from dialer.cli.objects import Extra, RemovableCommand
from dialer.cli.showing import Shown, print_all, print_one
from dialer.declare import Field
from dialer.errors import BadValue
from dialer.kinds import whole_number
from dialer.management import Management, contact_list, users
from dialer.management.listing import Slice
from dialer.model import Contact, Phonebook
from dialer.model.user import ADMINISTRATOR

MOST_LISTED = 100
"""Contacts of a list that does not say how many."""


def add_parser(commands: Any) -> None:
    """Register the command."""
    objects.add_parser(commands, ContactsCommand())


class ContactsCommand(RemovableCommand):
    """The command. There may be millions: none is looked for among all."""

    word = "contact"
    noun = Contact
    key = "number"
    metavar = "NUMBER"
    help = "the contacts of phonebooks"
    actions = ("add", "list", "show", "set", "remove")
    removal = "with its other spellings; the attempts of the past stay"
    columns = (
        "id",
        "number",
        "double_of",
        "first_name",
        "last_name",
        "email",
        "description",
        "reference",
        "time_zone",
        "additional_vars",
    )

    @property
    def options(self) -> list[Field]:
        """Variables have an option of their own."""
        return [field for field in super().options if field.name != contact_list.VARIABLES]

    def more_options(self, parser: Any, action: str) -> None:
        """The phonebook, the variables, and how much of a list."""
        phonebook_options(parser)
        if action in ("add", "set"):
            parser.add_argument(
                "--var",
                action="append",
                default=[],
                metavar="KEY=VALUE",
                help="a further value for voice applications; may be repeated"
                + ("" if action == "add" else "; KEY= removes it"),
            )
        if action == "list":
            parser.add_argument(
                "--limit", type=_positive, default=MOST_LISTED, metavar="N", help="at most so many (default: 100)"
            )
            parser.add_argument("--after", type=_key, default=0, metavar="ID", help="those behind the contact of this id")

    def more_actions(self, parsers: Any) -> None:
        """In and out."""
        add_import(parsers)
        add_contact_export(parsers)

    def more_values(self, arguments: argparse.Namespace, name: str, action: str) -> Extra:
        """The variables."""
        variables: dict[str, str] = {}
        for text in arguments.var:
            key, equals, value = text.partition("=")
            if not equals or not key.strip() or key.strip() in variables:
                problem = "is there twice" if equals and key.strip() else "expected KEY=VALUE, such as city=Lima"
                raise BadValue("--var", f"{problem}, got {text[:40]!r}")
            variables[key.strip()] = value
        return Extra(values={contact_list.VARIABLES: variables} if variables else {})

    async def listed(self, management: Management, arguments: argparse.Namespace) -> Sequence[Shown]:
        """A page of a phonebook."""
        phonebook = await _phonebook(management, arguments)
        part = Slice(after=(arguments.after, arguments.after), limit=arguments.limit)
        found = await management.ask(contact_list.page, ADMINISTRATOR, phonebook.id, part)
        return [contact_entry(each) for each in found]

    def remark(self, entries: Sequence[Shown], arguments: argparse.Namespace) -> str:
        """How to see the next ones."""
        return f"there may be more: --after {entries[-1]['id']}" if len(entries) == arguments.limit else ""

    async def one(self, management: Management, arguments: argparse.Namespace) -> Shown:
        """By its number in any spelling, or else by its id."""
        phonebook = await _phonebook(management, arguments)
        found = await management.ask(contact_list.find, ADMINISTRATOR, phonebook.id, arguments.name)
        return {**contact_entry(found), "phonebook_id": phonebook.id}

    async def details(self, management: Management, entry: Shown) -> Shown:
        """With what it is in campaigns, and the attempts to reach it."""
        found = await management.ask(contact_list.read, ADMINISTRATOR, entry["phonebook_id"], entry["id"])
        campaigns = tuple(attrs.asdict(each) for each in found.campaigns)
        attempts = tuple(attrs.asdict(each) for each in found.attempts)
        return {**entry, "doubles": found.doubles, "campaigns": campaigns, "attempts": attempts}

    def print_details(self, entry: Shown) -> None:
        """The campaigns and the attempts are tables of their own."""
        tables = ("campaigns", "attempts")
        print_one({name: value for name, value in entry.items() if name not in tables})
        for name in tables:
            if entry[name]:
                print()
                print_all(tuple(entry[name][0]), entry[name])

    async def add(self, management: Management, values: Mapping[str, Any], arguments: argparse.Namespace) -> int:
        """Add one, in the name of the phonebook's user: its limits hold."""
        phonebook = await _phonebook(management, arguments)
        who = await management.ask(users.account_of, phonebook.user_id)
        return int((await management.perform(contact_list.add, who, phonebook.id, values)).id)

    async def change(self, management: Management, entry: Shown, values: Mapping[str, Any]) -> None:
        """Change what is named."""
        given = {name: value for name, value in values.items() if name != contact_list.VARIABLES}
        key = entry["phonebook_id"], entry["id"]
        await management.ask(contact_list.changed, ADMINISTRATOR, *key, given, values.get(contact_list.VARIABLES))

    def remove(self, management: Management, entry: Shown, arguments: argparse.Namespace) -> Awaitable[object]:
        """Remove one; no campaign calls it any more."""
        return management.ask(contact_list.remove, ADMINISTRATOR, entry["phonebook_id"], entry["id"])


async def _phonebook(management: Management, arguments: argparse.Namespace) -> Phonebook:
    return await phonebook_named(management, arguments.phonebook, arguments.user)


def _positive(text: str) -> int:
    number = _key(text)
    if not 1 <= number <= contact_list.PAGE:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to {contact_list.PAGE}, got {text[:40]!r}")
    return number


def _key(text: str) -> int:
    number = whole_number(text)
    if number is None:
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text[:40]!r}")
    return number
