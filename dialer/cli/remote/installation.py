"""The dialers of an installation and the rules that hold there, by the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from dialer.cli.remote import values
from dialer.client import Client
from dialer.management import installation, rules_in_force
from dialer.management.installation import NodeEntry
from dialer.management.rules_in_force import AskedNumber
from dialer.model import Account, NodeRecord
from dialer.wall_clock import utc_now


def _nodes(client: Client, who: Account, *_: object) -> list[NodeEntry]:
    moment = utc_now()
    return [_node(each, moment) for each in client.nodes.list()]


def _node(given: Mapping[str, Any], moment: datetime) -> NodeEntry:
    """What guards its transactions is its own business."""
    node = values.read(NodeRecord, given, session=None, commits=0)
    return NodeEntry(
        node=node, open_attempts=given["open_attempts"], moment=moment, alive=given["is_alive"], leased=given["leased"]
    )


def _rows(client: Client, place: str) -> list[Mapping[str, Any]]:
    return [*client.rules.list(place=place or None)]


def _rows_in(client: Client, place: str) -> list[Mapping[str, Any]]:
    return [*client.rules.list(in_=place)]


def _why(client: Client, asked: AskedNumber) -> Mapping[str, Any]:
    purpose: Any = str(asked.purpose)
    found = client.rules.why(
        number=asked.number,
        at=None if asked.at is None else values.rfc3339(asked.at),
        time_zone=asked.time_zone or None,
        purpose=purpose,
        prerecorded=asked.prerecorded,
    )
    return {**found, "until": values.moment(found["until"])}


ASKED: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {
    installation.nodes: _nodes,
    installation.remove_node: lambda client, who, name: client.nodes.delete(name),
    rules_in_force.rows_of: _rows,
    rules_in_force.rows_in: _rows_in,
    rules_in_force.why: _why,
}
