"""`dialer gateway`: the ways out of the switch."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import asdict, fields

from dialer.cli import objects
from dialer.cli.objects import NONE, Extra, Option, name_value, one_of, text_value, whole_number
from dialer.errors import BadValue, NotFound
from dialer.esl.commands import HARMFUL_VARIABLES, OWN_VARIABLES
from dialer.gateways import dial_string_from, parse_dial_string, parse_parameters, parse_prefix
from dialer.model import GatewayStatus
from dialer.store.admin import Admin
from dialer.store.catalogue import Catalogue, GatewayEntry
from dialer.store.database import Database
from dialer.store.drafts import NewGateway

RESERVED = OWN_VARIABLES | HARMFUL_VARIABLES
LONGEST_TEXT = 4096


def add_parser(commands: Any) -> None:
    """Register the command."""
    objects.add_parser(commands, Gateways())


def _protocol(text: str, option: str) -> str:
    protocol = text.strip().upper()
    if protocol not in ("SIP", "LOCAL"):
        raise BadValue(option, f"expected SIP or LOCAL, got {text[:40]!r}")
    return protocol


def _dial_string(text: str, option: str) -> str:
    return parse_dial_string(text, option) if text.strip() else ""


def _parameters(text: str, option: str) -> str:
    return ",".join(f"{name}={value}" for name, value in parse_parameters(text, option, RESERVED))


class Gateways:
    """The kind."""

    word = "gateway"
    key = "name"
    help = "the ways out of the switch: carriers, trunks, the local dialplan"
    options: Sequence[Option] = (
        Option(name="description", parse=text_value(LONGEST_TEXT), help="for people"),
        Option(name="protocol", parse=_protocol, metavar="SIP|LOCAL", help="how it is dialled without a dial string"),
        Option(name="hostname", parse=text_value(255), metavar="HOST[:PORT]", help="where SIP calls without a dial string go"),
        Option(
            name="dial_string",
            parse=_dial_string,
            metavar="ADDRESS",
            help="what is dialled, such as sofia/gateway/carrier/{number}; empty: as protocol and hostname say",
        ),
        Option(name="removeprefix", parse=parse_prefix, metavar="DIGITS", help="taken off the number when it begins with it"),
        Option(name="addprefix", parse=parse_prefix, metavar="DIGITS", help="put before the number, after that"),
        Option(
            name="addparameter",
            parse=_parameters,
            metavar="NAME=VALUE,...",
            help="channel variables of each call; those that the dialer sets itself are refused",
        ),
        Option(name="maximum_call", parse=whole_number(0), metavar="N", help="calls at the same time, or none"),
        Option(name="calls_per_second", parse=whole_number(1), metavar="N", help="calls that are started, or none"),
        Option(name="failover", parse=text_value(255), metavar="GATEWAY", help="takes over what it cannot carry; or none"),
        Option(name="status", parse=one_of(GatewayStatus), metavar="active|inactive", help="whether it is used"),
    )
    columns: Sequence[str] = (
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
        "failover",
        "description",
    )

    def parse_name(self, text: str) -> str:
        """A line of text."""
        return name_value(text, self.key)

    def more_options(self, parser: Any, *, adding: bool) -> None:
        """None."""

    def more_values(self, arguments: argparse.Namespace, name: str, *, adding: bool) -> Extra:
        """None."""
        return Extra()

    def entries(self, database: Database) -> Awaitable[Sequence[GatewayEntry]]:
        """All gateways."""
        return Catalogue(database).gateways()

    async def add(self, database: Database, values: dict[str, Any], now: datetime) -> int:
        """Create one that can be dialled."""
        draft = NewGateway(**await self._resolved(database, values))
        _check_reachable(draft.protocol, draft.hostname, draft.dial_string)
        return await Admin(database).create_gateway(draft, now)

    async def change(self, database: Database, entry: GatewayEntry, values: dict[str, Any], now: datetime) -> None:
        """Change what is named; it can still be dialled then."""
        resolved = await self._resolved(database, values)
        known = {attribute.name for attribute in fields(NewGateway)}
        after = {name: value for name, value in asdict(entry).items() if name in known} | resolved
        _check_reachable(after["protocol"], after["hostname"], after["dial_string"])
        await Catalogue(database).change_gateway(entry.id, resolved, now)

    def remove(self, database: Database, key: int) -> Awaitable[None]:
        """Remove one that nothing uses."""
        return Catalogue(database).remove_gateway(key)

    async def _resolved(self, database: Database, values: dict[str, Any]) -> dict[str, Any]:
        return await resolve_gateway(database, values, "failover")


async def resolve_gateway(database: Database, values: Mapping[str, Any], reference: str) -> dict[str, Any]:
    """`values` with the id of the gateway that `reference` names, in its place. Raises `BadValue`."""
    resolved = dict(values)
    if reference in resolved:
        name = resolved.pop(reference)
        resolved[f"{reference}_id"] = None if name in ("", NONE) else await _id_of(database, name, reference)
    return resolved


async def _id_of(database: Database, name: str, reference: str) -> int:
    kind = Gateways()
    try:
        return int(objects.find(kind, await kind.entries(database), name).id)
    except NotFound as error:
        raise BadValue(f"--{reference}", str(error)) from None


def _check_reachable(protocol: str, hostname: str, dial_string: str) -> None:
    if not dial_string:
        dial_string_from(protocol, hostname)
