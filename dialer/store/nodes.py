"""The nodes of a database: heartbeats, the calls of the dead, and who is there.

Leases count by the server's clock. On SQLite there is one node, which has the dialling lock of the file; its row is there
to be looked at.
"""

from __future__ import annotations

import enum
import os
import socket
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from attrs import define, field, frozen
from twisted.internet.defer import Deferred, succeed

from dialer import __version__
from dialer.errors import BadValue, NotFound
from dialer.interfaces import NodeState, Pulse
from dialer.model import Attempt, NodeRecord, Others
from dialer.store import mapping, node_statements, statements
from dialer.store.connection import Connection, Dialect
from dialer.store.database import Database
from dialer.store.leases import moment
from dialer.store.lock import holder
from dialer.store.times import from_column, to_column

if TYPE_CHECKING:
    from dialer.store.claim import NodeClaim


class Standing(enum.StrEnum):
    """The occupation of a node, as far as the database knows."""

    DIALLING = "dialling"
    NO_SWITCH = "connected to no switch"
    STOPPED = "stopped"
    DEAD = "dead"  # it was not stopped, and is not heard of


@frozen(kw_only=True)
class NodeEntry:
    """A node as it is listed; `moment` is that of the look, by the clock that the lease counts by. While it is `alive`, others
    leave its calls alone; it is `leased` unless the lock of a file tells that."""

    node: NodeRecord
    open_attempts: int
    moment: datetime
    alive: bool
    leased: bool = True

    @property
    def standing(self) -> Standing:
        """In one word."""
        if self.node.stopped_at is not None:
            return Standing.STOPPED
        if not self.alive:
            return Standing.DEAD
        return Standing.DIALLING if self.node.ready else Standing.NO_SWITCH


@define(eq=False)
class Nodes:
    """`dialer.interfaces.NodeStore` on a database that dials."""

    database: Database
    started_at: datetime
    _name: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._name = self.database.node.name

    def beat(self, state: NodeState, now: datetime) -> Deferred[Pulse]:
        figures = orjson.dumps(dict(state.figures)).decode()
        claim = self.database.claim
        if claim is None:
            return self.database.run(lambda connection: self._beat_in_file(connection, state, figures, now))
        return self.database.run(lambda connection: _beat(connection, claim, state, figures))

    def rescue(self, switches: Collection[str]) -> Deferred[list[Attempt]]:
        """Take over the open attempts of dead nodes on these switches. A SQLite file has no other node."""
        if not switches or self.database.dialect is Dialect.SQLITE:
            return succeed([])
        return self.database.run(lambda connection: _rescue(connection, list(switches), self._name), alone=True)

    def leave(self, now: datetime) -> Deferred[None]:
        def leave(connection: Connection) -> None:
            connection.execute(node_statements.LEAVE, (to_column(now), self._name))

        return self.database.run(leave)

    def interrupt(self) -> None:
        self.database.interrupt()

    def _beat_in_file(self, connection: Connection, state: NodeState, figures: str, now: datetime) -> Pulse:
        moment, lease = to_column(now), timedelta(seconds=self.database.node.lease)
        row = (
            self._name,
            socket.gethostname(),
            os.getpid(),
            __version__,
            _processes(state),
            int(state.ready),
            to_column(self.started_at),
            moment,
            to_column(now + lease),
            figures,
        )
        (epoch,) = connection.execute(node_statements.ENTER_FILE, row).fetchone()
        return Pulse(epoch=epoch, at=now)


def _beat(connection: Connection, claim: NodeClaim, state: NodeState, figures: str) -> Pulse:
    told = (_processes(state), int(state.ready), figures, claim.bearer.lease)
    row = connection.execute(node_statements.BEAT, (*told, claim.id, claim.epoch)).fetchone()
    if row is None:
        claim.rejoin(connection)
        row = connection.execute(node_statements.BEAT, (*told, claim.id, claim.epoch)).fetchone()
    return Pulse(epoch=claim.epoch, at=from_column(row[0]))


def _processes(state: NodeState) -> str:
    return orjson.dumps(dict(state.switches)).decode()


def _rescue(connection: Connection, switches: list[str], name: str) -> list[Attempt]:
    """In this order: once the dead node is fenced, nothing of it is committed that could be overlooked."""
    taken: list[int] = []
    for node_id, dead in connection.execute(node_statements.EXPIRED, (name, switches)).fetchall():
        connection.execute(node_statements.FENCE, (node_id,))
        taken += [key for (key,) in connection.execute(node_statements.TAKE_OVER, (name, dead, switches))]
    if not taken:
        return []
    mine = [mapping.attempt(row) for row in connection.execute(statements.OPEN_ATTEMPTS, (name,))]
    wanted = set(taken)
    return [attempt for attempt in mine if attempt.id in wanted]


def others(connection: Connection, name: str, *, count: bool) -> Others:
    """The other nodes, as a node on a server has to know them; with `count`, also their open attempts."""
    everybody = connection.execute(node_statements.EVERYBODY).fetchall()
    if len(everybody) < 2:
        return Others()
    dialling = [other for other, dials in everybody if dials]
    gateways, campaigns = _open_elsewhere(connection, name) if count else ({}, {})
    return Others(
        dialling=sum(1 for other in dialling if other != name),
        before=dialling.index(name) if name in dialling else len(dialling),
        gateways=gateways,
        campaigns=campaigns,
    )


def _open_elsewhere(connection: Connection, name: str) -> tuple[dict[int, int], dict[int, int]]:
    gateways: dict[int, int] = {}
    campaigns: dict[int, int] = {}
    for gateway_id, campaign_id, attempts in connection.execute(node_statements.OPEN_ELSEWHERE, (name, name)):
        gateways[gateway_id] = gateways.get(gateway_id, 0) + attempts
        if campaign_id is not None:
            campaigns[campaign_id] = campaigns.get(campaign_id, 0) + attempts
    return gateways, campaigns


# --- for people -----------------------------------------------------------------------------------------------------------


def entries(connection: Connection, now: datetime) -> list[NodeEntry]:
    """All nodes that ever dialled with the database and were not removed, by their names."""
    at = moment(connection, now)
    found = [(mapping.read_node(row), row[-1]) for row in connection.execute(node_statements.LIST)]
    on_server = connection.dialect is Dialect.POSTGRESQL
    process = None if on_server else _process_at_work(connection)

    def is_alive(node: NodeRecord) -> bool:
        return node.lease_until > at if on_server else process == str(node.pid)

    return [
        NodeEntry(node=node, open_attempts=count, moment=at, alive=is_alive(node), leased=on_server) for node, count in found
    ]


def remove(connection: Connection, name: str, now: datetime) -> None:
    """Forget a node that will not come back. Raises `NotFound`, and `BadValue` for one that is alive or has attempts open."""
    found = [entry for entry in entries(connection, now) if entry.node.name == name]
    if not found:
        raise NotFound("node", name)
    (entry,) = found
    seconds = (entry.node.lease_until - entry.moment).total_seconds()
    if entry.alive and entry.node.stopped_at is not None and seconds > 0:
        raise BadValue("node", f"{name} has stopped, and its lease ends in {seconds:.0f} s: try again then")
    if entry.alive:
        raise BadValue("node", f"{name} is alive (process {entry.node.pid} on {entry.node.host}): stop it first")
    if entry.open_attempts:
        raise BadValue(
            "node",
            f"{name} has {entry.open_attempts} open attempts: start it, or another node with the same switches, to end them",
        )
    connection.execute(node_statements.FORGET, (name,))


def _process_at_work(connection: Connection) -> str | None:
    """The process that holds the lock of a file: the lease says nothing there."""
    _, _, path = connection.execute("PRAGMA database_list").fetchone()
    return holder(Path(path))
