"""The contracts between processes that share a database."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from attrs import frozen
from twisted.internet.defer import Deferred

from dialer.model import (
    Attempt,
)


@frozen(kw_only=True)
class NodeState:
    """A node as it sees itself: its switches (`Switch.identity`) with their processes (`core_uuid`; "" for one that is away),
    whether it dials, and figures for people."""

    switches: Mapping[str, str]
    ready: bool
    figures: Mapping[str, int]


@frozen(kw_only=True)
class Pulse:
    """The answer to a heartbeat. `epoch` differs from that of the one before when others took this node for dead; `at` is the
    moment by the database's clock."""

    epoch: int
    at: datetime


class NodeStore(Protocol):
    """The nodes of a database. Fails with: `StoreError`."""

    def beat(self, state: NodeState, now: datetime) -> Deferred[Pulse]:
        """This node is alive: renew its lease. Where it had been taken for dead, it is a node again from now on, without the
        attempts that others have taken over."""
        ...

    def rescue(self, switches: Collection[str]) -> Deferred[list[Attempt]]:
        """Take over the open attempts, on these switches, of nodes whose lease has run out. From then on these nodes write
        nothing any more; their calls are for the caller to find out about."""
        ...

    def leave(self, now: datetime) -> Deferred[None]:
        """This node stops. What it leaves open waits for its return, until its lease has run out."""
        ...

    def interrupt(self) -> None:
        """The database has not answered for too long: give up what it was asked."""
        ...
