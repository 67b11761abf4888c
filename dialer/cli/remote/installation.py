"""The dialers of an installation and their switches, by the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from dialer.cli.remote import values
from dialer.client import Client
from dialer.management import installation
from dialer.management.installation import NodeEntry, SwitchEntry
from dialer.model import Account, NodeRecord, SwitchDrain
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


def _switch(given: Mapping[str, Any]) -> SwitchEntry:
    at = values.moment(given["drained_at"])
    by = given["drained_by"] or ""
    return SwitchEntry(
        name=given["name"],
        ready=given["ready"],
        core_uuid=given["core_uuid"],
        nodes=tuple(given["nodes"]),
        open_attempts=given["open_attempts"],
        drain=None if at is None else SwitchDrain(switch=given["name"], drained_by=by, drained_at=at),
    )


ASKED: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {
    installation.nodes: _nodes,
    installation.remove_node: lambda client, who, name: client.nodes.delete(name),
    installation.switches: lambda client, who: [_switch(each) for each in client.switches.list()],
    installation.drain: lambda client, who, name: _switch(client.switches.drain(name)),
    installation.resume: lambda client, who, name: _switch(client.switches.resume(name)),
}
