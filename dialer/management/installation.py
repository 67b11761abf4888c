"""The installation, for superusers: its nodes, and the switches that these are connected to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from dialer.errors import BadValue, NotFound, WrongState
from dialer.management import rows
from dialer.management.listing import Slice, part_of
from dialer.management.management import Management, Transaction, verb
from dialer.model import Account, OwnSwitch
from dialer.store import nodes as stored
from dialer.store.nodes import NodeEntry, Standing

__all__ = [
    "NodeEntry",
    "Standing",
    "SwitchEntry",
    "node",
    "nodes",
    "own_switches",
    "put_aside",
    "remove_node",
    "switch",
    "switches",
]  # fmt: skip


@frozen(kw_only=True)
class SwitchEntry:
    """A switch that nodes are, or were last, connected to. It is `ready` when one of them is connected to it now;
    `core_uuid` is the FreeSWITCH process that this one sees."""

    name: str
    ready: bool
    core_uuid: str
    nodes: tuple[str, ...]
    open_attempts: int


@verb
def nodes(
    t: Transaction, who: Account, part: Slice, standing: Standing | None = None, switch: str | None = None
) -> list[NodeEntry]:
    """The nodes, as far as they are so. Raises `Forbidden`."""
    found = [
        entry
        for entry in _entries(t, who)
        if (standing is None or entry.standing is standing) and (switch is None or switch in entry.node.switches)
    ]
    return part_of(found, part, lambda entry: entry.node)


@verb
def node(t: Transaction, who: Account, name: str) -> NodeEntry:
    """One of them. Raises `Forbidden`, `NotFound`."""
    for entry in _entries(t, who):
        if entry.node.name == name:
            return entry
    raise NotFound("node", name)


@verb
def remove_node(t: Transaction, who: Account, name: str) -> None:
    """Forget a node that will not come back. Raises `Forbidden`, `NotFound`, and `WrongState` for one that is alive or has
    attempts open."""
    rows.check_superuser(who)
    try:
        stored.remove(t.connection, name, t.now)
    except BadValue as error:
        raise WrongState(str(error)) from None


@verb
def switches(t: Transaction, who: Account, after: str = "", limit: int | None = None) -> list[SwitchEntry]:
    """The switches behind that name, in the order of their names. Raises `Forbidden`."""
    by_name: dict[str, list[NodeEntry]] = {}
    for entry in _entries(t, who):
        for name in entry.node.switches:
            if name > after:
                by_name.setdefault(name, []).append(entry)
    return [_switch(name, by_name[name]) for name in sorted(by_name)][:limit]


@verb
def switch(t: Transaction, who: Account, name: str) -> SwitchEntry:
    """One of them. Raises `Forbidden`, `NotFound`."""
    for entry in switches(t, who):
        if entry.name == name:
            return entry
    raise NotFound("switch", name)


def own_switches(management: Management) -> Mapping[str, OwnSwitch]:
    """Those of the process that answers, by their names; none where no calls are made."""
    return {} if management.flow is None else {one.name: one for one in management.flow.own_switches()}


@verb
def put_aside(t: Transaction, who: Account, name: str, wanted: bool) -> None:
    """Begin no more calls on a switch of the process that answers, until it is taken back or the process ends; those that it
    has go on. Raises `Forbidden`."""
    rows.check_superuser(who)
    t.then(lambda flow: flow.put_aside(name, wanted))


def _switch(name: str, entries: Sequence[NodeEntry]) -> SwitchEntry:
    processes = [entry.node.switches[name] for entry in entries if entry.standing is Standing.DIALLING]
    connected = [process for process in processes if process]
    return SwitchEntry(
        name=name,
        ready=bool(connected),
        core_uuid=connected[0] if connected else "",
        nodes=tuple(entry.node.name for entry in entries),
        open_attempts=sum(entry.open_attempts for entry in entries),
    )


def _entries(t: Transaction, who: Account) -> list[NodeEntry]:
    rows.check_superuser(who)
    return stored.entries(t.connection, t.now)
