"""`dialer campaign`: who is called, when, how fast, through what."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from dialer.cli import objects
from dialer.cli.objects import Entry, NounCommand, entry_of, names
from dialer.errors import BadValue
from dialer.management import Management, campaigns, users
from dialer.model import Campaign, CampaignStatus
from dialer.model.user import ADMINISTRATOR


def add_parser(commands: Any) -> None:
    """Register the command."""
    objects.add_parser(commands, CampaignsCommand())


class CampaignsCommand(NounCommand):
    """The command."""

    word = "campaign"
    noun = Campaign
    help = "the campaigns: who is called, when, how fast, through what"
    columns = ("id", "user", "name", "status", "frequency", "max_concurrent", "gateway", "voip_app", "time_zone", "phonebooks")

    def more_options(self, parser: Any, action: str) -> None:
        """The user that a new one belongs to."""
        if action == "add":
            parser.add_argument("--user", metavar="NAME", help="the user that it belongs to, whose limits hold")

    async def entries(self, management: Management) -> Sequence[Entry]:
        """All campaigns."""
        owners = {each.user.id: each.user.username for each in await management.ask(users.listed)}
        found = await management.ask(campaigns.listed, ADMINISTRATOR, frozenset(CampaignStatus))
        referred = {
            "gateway": await names(management, "gateway"),
            "voip app": await names(management, "voip app"),
            "user": owners,
        }
        return [
            entry_of(each.campaign, referred, phonebooks=tuple(book.name for book in each.phonebooks))
            for each in reversed(found)
        ]

    async def add(self, management: Management, values: Mapping[str, Any], arguments: argparse.Namespace) -> int:
        """Create one, with a phonebook of its name."""
        if arguments.user is None:
            raise BadValue("--user", "is needed: the user that the campaign belongs to")
        who = await management.ask(users.account, arguments.user)
        return (await management.ask(campaigns.create, who, values)).campaign.id

    async def change(self, management: Management, entry: Entry, values: Mapping[str, Any]) -> None:
        """Change what is named."""
        await management.ask(campaigns.change, ADMINISTRATOR, entry["id"], values)
