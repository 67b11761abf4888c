"""The installation, for superusers: its nodes, and the switches that these are connected to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve, frozen

from dialer.errors import BadValue, NotFound, WrongState
from dialer.management import rows
from dialer.management.do_not_call_lists import doer
from dialer.management.listing import Slice, part_of
from dialer.management.management import Management, Transaction, call_soon, verb
from dialer.model import Account, OwnSwitch, SwitchDrain
from dialer.store import drains
from dialer.store import nodes as stored
from dialer.store.nodes import NodeEntry, Standing

__all__ = [
    "NodeEntry",
    "Standing",
    "SwitchEntry",
    "drain",
    "node",
    "nodes",
    "own_switches",
    "remove_node",
    "resume",
    "switch",
    "switches",
]  # fmt: skip


@frozen(kw_only=True)
class SwitchEntry:
    """A switch that nodes are, or were last, connected to, or that is drained. It is `ready` when one of them is connected to
    it now; `core_uuid` is the FreeSWITCH process that this one sees."""

    name: str
    ready: bool
    core_uuid: str
    nodes: tuple[str, ...]
    open_attempts: int
    drain: SwitchDrain | None = None


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
def switches(
    t: Transaction, who: Account, after: str = "", limit: int | None = None, is_drained: bool | None = None
) -> list[SwitchEntry]:
    """The switches behind that name, in the order of their names, or those that are drained, or are not. Raises
    `Forbidden`."""
    found = _entries(t, who)
    drained = drains.drains(t.connection)
    by_name: dict[str, list[NodeEntry]] = {name: [] for name in drained}
    for entry in found:
        for name in entry.node.switches:
            by_name.setdefault(name, []).append(entry)
    names = sorted(name for name in by_name if name > after and is_drained in (None, name in drained))
    return [_switch(name, by_name[name], drained.get(name)) for name in names[:limit]]


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
def drain(t: Transaction, who: Account, name: str) -> SwitchEntry:
    """Have no dialer begin calls on a switch, be it restarted meanwhile, until `resume`; those that it has go on, and so do
    their second legs. One that is drained stays as it is. Raises `Forbidden`, `NotFound`."""
    switch(t, who, name)
    drains.add(t.connection, name, doer(who), t.now)
    t.then(call_soon)
    return switch(t, who, name)


@verb
def resume(t: Transaction, who: Account, name: str) -> SwitchEntry:
    """Have dialers begin calls on a switch again, those excepted whose configuration drains it. Raises `Forbidden`,
    `NotFound`."""
    found = switch(t, who, name)
    drains.remove(t.connection, name)
    t.then(call_soon)
    return evolve(found, drain=None)


def _switch(name: str, entries: Sequence[NodeEntry], drained: SwitchDrain | None) -> SwitchEntry:
    processes = [entry.node.switches[name] for entry in entries if entry.standing is Standing.DIALLING]
    connected = [process for process in processes if process]
    return SwitchEntry(
        name=name,
        ready=bool(connected),
        core_uuid=connected[0] if connected else "",
        nodes=tuple(entry.node.name for entry in entries),
        open_attempts=sum(entry.open_attempts for entry in entries),
        drain=drained,
    )


def _entries(t: Transaction, who: Account) -> list[NodeEntry]:
    rows.check_superuser(who)
    return stored.entries(t.connection, t.now)
