"""`dialer phonebook`: lists of contacts, and the campaigns that use them."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from dialer.cli import objects
from dialer.cli.contact_export import add_phonebook_export
from dialer.cli.objects import RemovableCommand
from dialer.cli.owners import owner, owner_option
from dialer.cli.showing import Shown, shown_noun
from dialer.management import Management, phonebooks, removals, users
from dialer.model import Phonebook
from dialer.model.user import ADMINISTRATOR


def add_parser(commands: Any) -> None:
    """Register the command."""
    objects.add_parser(commands, PhonebooksCommand())


class PhonebooksCommand(RemovableCommand):
    """The command."""

    word = "phonebook"
    noun = Phonebook
    help = "the phonebooks: lists of contacts, which campaigns call"
    actions = ("add", "list", "show", "set", "remove")
    removal = "with its contacts; the attempts of the past stay"
    columns = ("id", "user", "name", "region", "campaigns", "description")

    def more_options(self, parser: Any, action: str) -> None:
        """The user that a new one belongs to."""
        if action == "add":
            owner_option(parser, "the user that it belongs to")

    def more_actions(self, parsers: Any) -> None:
        """The contacts, out."""
        add_phonebook_export(parsers)

    async def entries(self, management: Management) -> Sequence[Shown]:
        """All phonebooks, the oldest first, each with the names of the campaigns that use it."""
        owners = {each.user.id: each.user.username for each in await management.ask(users.listed)}
        uses = await management.ask(phonebooks.uses)
        found = await management.ask(phonebooks.listed, ADMINISTRATOR)
        return [shown_noun(each, {"user": owners}, campaigns=uses.get(each.id, ())) for each in reversed(found)]

    async def details(self, management: Management, entry: Shown) -> Shown:
        """With how many contacts it has."""
        return {**entry, "contacts": await management.ask(phonebooks.size, entry["id"])}

    async def add(self, management: Management, values: Mapping[str, Any], arguments: argparse.Namespace) -> int:
        """Create one without contacts."""
        who = await owner(management, arguments, "the user that the phonebook belongs to")
        return (await management.ask(phonebooks.create, who, values)).id

    def change(self, management: Management, entry: Shown, values: Mapping[str, Any]) -> Awaitable[object]:
        """Change what is named; the region only while there are no contacts."""
        return management.ask(phonebooks.change, ADMINISTRATOR, entry["id"], values)

    def remove(self, management: Management, entry: Shown, arguments: argparse.Namespace) -> Awaitable[object]:
        """Remove one with its contacts; no campaign calls them any more."""
        return management.perform(removals.phonebook, ADMINISTRATOR, entry["id"])
