"""`dialer voipapp`: what an answered call is connected to."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Any

from dialer.cli import objects
from dialer.cli.gateways import LONGEST_TEXT, resolve_gateway
from dialer.cli.objects import Extra, Option, name_value, one_of, text_value
from dialer.errors import BadValue
from dialer.model import VoipAppType
from dialer.store.admin import Admin
from dialer.store.catalogue import Catalogue, VoipAppEntry
from dialer.store.database import Database
from dialer.store.drafts import NewVoipApp


def add_parser(commands: Any) -> None:
    """Register the command."""
    objects.add_parser(commands, VoipApps())


class VoipApps:
    """The kind."""

    word = "voipapp"
    key = "name"
    help = "the voice applications: what an answered call is connected to"
    options: Sequence[Option] = (
        Option(name="type", parse=one_of(VoipAppType), metavar="TYPE", help="dial, play-audio, conference or speak"),
        Option(name="description", parse=text_value(LONGEST_TEXT), help="for people"),
        Option(name="gateway", parse=text_value(255), metavar="GATEWAY", help="through which a second call is made; or none"),
        Option(
            name="data",
            parse=text_value(LONGEST_TEXT),
            help="a number to dial, a file to play, a conference's name or a text to speak; a campaign's voipapp_data wins",
        ),
    )
    columns: Sequence[str] = ("id", "name", "type", "gateway", "data", "description")

    def parse_name(self, text: str) -> str:
        """A line of text."""
        return name_value(text, self.key)

    def more_options(self, parser: Any, *, adding: bool) -> None:
        """None."""

    def more_values(self, arguments: argparse.Namespace, name: str, *, adding: bool) -> Extra:
        """None; but a new one must say what it does."""
        if adding and arguments.value_type is None:
            raise BadValue("--type", "is needed: dial, play-audio, conference or speak")
        return Extra()

    def entries(self, database: Database) -> Awaitable[Sequence[VoipAppEntry]]:
        """All voice applications."""
        return Catalogue(database).voip_apps()

    async def add(self, database: Database, values: dict[str, Any], now: datetime) -> int:
        """Create one."""
        return await Admin(database).create_voip_app(NewVoipApp(**await resolve_gateway(database, values, "gateway")), now)

    async def change(self, database: Database, entry: VoipAppEntry, values: dict[str, Any], now: datetime) -> None:
        """Change what is named."""
        await Catalogue(database).change_voip_app(entry.id, await resolve_gateway(database, values, "gateway"), now)

    def remove(self, database: Database, key: int) -> Awaitable[None]:
        """Remove one that no campaign uses."""
        return Catalogue(database).remove_voip_app(key)
