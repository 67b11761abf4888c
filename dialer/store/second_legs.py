"""Second legs: an answered call's column that says through which gateway its callee is being connected to somebody.

So it counts there for all nodes, and after a restart; a call that is not transferred costs nothing. The gateway's limits are
asked here, on a server under the lock of its row, as for first legs (`dialer.store.begin`): also with a file, calls may have
been begun since the only process that dials has asked its own memory, which knows of them once they are durable.
"""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from dialer.campaigns.limits import admit_leg, next_through
from dialer.errors import BadValue
from dialer.model import Gateway
from dialer.store import statements
from dialer.store.begin import locked_gateways
from dialer.store.connection import Connection
from dialer.store.times import to_column


@frozen(kw_only=True)
class LegToBegin:
    """The leg that shall be begun for a call of the node `owner`, at `wanted`, which is `now` or later."""

    call_uuid: str
    gateway: Gateway
    owner: str
    now: datetime
    wanted: datetime


def begin_leg(connection: Connection, leg: LegToBegin) -> datetime:
    """The moment at which it may be dialled; it counts from now on. Raises `BadValue`, with nothing written: see
    `FlowStore.begin_leg`."""
    gateway = leg.gateway
    at = admit_leg(gateway, locked_gateways(connection, {gateway.id}).get(gateway.id), leg.wanted, leg.now)
    if not connection.execute(statements.BEGIN_SECOND_LEG, (gateway.id, leg.call_uuid, leg.owner)).rowcount:
        raise BadValue("transfer", "the call has ended, or is another node's by now")
    if gateway.calls_per_second is not None:
        next_call_at = to_column(next_through(gateway, at))
        connection.execute(statements.ADVANCE_GATEWAY, (next_call_at, gateway.id, next_call_at))
    return at


def end_leg(connection: Connection, call_uuid: str, owner: str) -> None:
    """It is over; nothing when it was, or when the call is another node's by now."""
    connection.execute(statements.END_SECOND_LEG, (call_uuid, owner))
