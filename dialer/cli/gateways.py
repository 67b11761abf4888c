"""`dialer gateway` and `dialer voipapp`: the ways out of the switch, and what an answered call is connected to."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from dialer.cli import objects
from dialer.cli.naming import names
from dialer.cli.objects import RemovableCommand, find
from dialer.cli.showing import Shown, shown_noun
from dialer.management import Management, gateways, grants
from dialer.model import Gateway, VoipApp
from dialer.model.user import ADMINISTRATOR


def add_parser(commands: Any) -> None:
    """Register the commands."""
    objects.add_parser(commands, GatewaysCommand())
    objects.add_parser(commands, VoipAppsCommand())


class GatewaysCommand(RemovableCommand):
    """The command of gateways."""

    word = "gateway"
    noun = Gateway
    help = "the ways out of the switch: carriers, trunks, the local dialplan"
    columns = (
        "id",
        "name",
        "status",
        "protocol",
        "hostname",
        "dial_string",
        "removeprefix",
        "addprefix",
        "addparameter",
        "maximum_call",
        "calls_per_second",
        "codecs",
        "prefixes",
        "group",
        "weight",
        "pause_after",
        "failover",
        "users",
        "description",
    )

    async def entries(self, management: Management) -> Sequence[Shown]:
        """All gateways, and who may use them beside superusers."""
        found = await management.ask(gateways.listed, ADMINISTRATOR)
        referred = {"gateway": {each.id: each.name for each in found}}
        held = (await management.ask(grants.holders))["gateway"]
        return [shown_noun(each, referred, users=held.get(each.id, ())) for each in found]

    def add(self, management: Management, values: Mapping[str, Any], arguments: argparse.Namespace) -> Awaitable[int]:
        """Create one that can be dialled."""
        return management.ask(gateways.create, values)

    def change(self, management: Management, entry: Shown, values: Mapping[str, Any]) -> Awaitable[object]:
        """Change what is named; it can still be dialled then."""
        return management.ask(gateways.change, entry["id"], values)

    def remove(self, management: Management, entry: Shown, arguments: argparse.Namespace) -> Awaitable[object]:
        """Remove one that nothing uses."""
        return management.ask(gateways.remove, entry["id"])


async def gateway_named(management: Management, name: str) -> Shown:
    """The gateway of that name, or else of that id. Raises `NotFound`."""
    command = GatewaysCommand()
    return find(command, await command.entries(management), name)


class VoipAppsCommand(RemovableCommand):
    """The command of voice applications."""

    word = "voipapp"
    noun = VoipApp
    help = "the voice applications: what an answered call is connected to"
    columns = ("id", "name", "type", "gateway", "data", "users", "description")

    async def entries(self, management: Management) -> Sequence[Shown]:
        """All voice applications, and who may use them beside superusers."""
        referred = {"gateway": {0: "", **await names(management, "gateway")}}
        held = (await management.ask(grants.holders))["voip app"]
        found = await management.ask(gateways.applications, ADMINISTRATOR)
        return [shown_noun(each, referred, users=held.get(each.id, ())) for each in found]

    def add(self, management: Management, values: Mapping[str, Any], arguments: argparse.Namespace) -> Awaitable[int]:
        """Create one."""
        return management.ask(gateways.create_application, values)

    def change(self, management: Management, entry: Shown, values: Mapping[str, Any]) -> Awaitable[object]:
        """Change what is named."""
        return management.ask(gateways.change_application, entry["id"], values)

    def remove(self, management: Management, entry: Shown, arguments: argparse.Namespace) -> Awaitable[object]:
        """Remove one that no campaign uses."""
        return management.ask(gateways.remove_application, entry["id"])
