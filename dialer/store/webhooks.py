"""The webhooks: which there are, how far each is, and what became of the requests to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

import orjson
from attrs import define, evolve, field, fields_dict
from twisted.internet.defer import Deferred

from dialer.model import EventKind, Webhook, WebhookDelivery
from dialer.model.event import EventPlace, Told
from dialer.model.webhook import DeliveryStatus, ServedWebhook, Settlement
from dialer.store import events
from dialer.store.connection import Connection, Variants
from dialer.store.consumers import HOLDS, Consumers
from dialer.store.database import Database
from dialer.store.mapping import as_text
from dialer.store.times import from_column, to_column, to_column_or_none
from dialer.stored import reader

HOLDER: Final = "webhooks"
"""The reader of events that stands for all webhooks: whoever holds it serves them."""

_READ = reader(Webhook, "w")
_READ_DELIVERY = reader(WebhookDelivery, "d")

SERVED: Final = (
    f"SELECT {_READ.columns}, u.is_superuser, "
    "(SELECT count(*) FROM webhook_delivery d WHERE d.webhook_id = w.id AND d.status = 'due') "
    f"FROM {events.TOLD} ORDER BY w.id"
)
DUE: Final = (
    f"SELECT {_READ_DELIVERY.columns} FROM webhook_delivery d WHERE d.webhook_id = ? AND d.status = 'due' "
    "ORDER BY d.id LIMIT ?"
)
"""Parameters: webhook, limit."""

LOG: Final = (
    f"SELECT {_READ_DELIVERY.columns} FROM webhook_delivery d WHERE d.webhook_id = ? AND d.id < ? ORDER BY d.id DESC LIMIT ?"
)
LOG_OF_STATUS: Final = LOG.replace("AND d.id < ?", "AND d.status = ? AND d.id < ?")
"""Parameters: webhook, perhaps a status, the id before which, limit. The newest first."""

ONE: Final = f"SELECT {_READ_DELIVERY.columns} FROM webhook_delivery d WHERE d.webhook_id = ? AND d.id = ?"

_NAMES: Final = tuple(name for name in fields_dict(WebhookDelivery) if name != "id")
ADD: Final = f"INSERT INTO webhook_delivery ({', '.join(_NAMES)}) VALUES ({', '.join('?' * len(_NAMES))})"
ADD_DUE: Final = f"{ADD} RETURNING id"
CHANGE: Final = (
    "UPDATE webhook_delivery SET status = ?, tries = ?, next_try_at = ?, http_status = ?, milliseconds = ?, error = ?, "
    "updated_at = ? WHERE id = ?"
)

REACHED: Final = (
    "UPDATE webhook SET position = CASE WHEN position < ? THEN ? ELSE position END, failing_since = ? "
    "WHERE id = ? AND status = 'active'"
)
DISABLE: Final = "UPDATE webhook SET status = 'disabled', reason = ? WHERE id = ? RETURNING user_id, url"

_OLD: Final = (
    "SELECT d.id FROM webhook_delivery d WHERE d.id < (SELECT coalesce(min(f.id), 0) + ? FROM webhook_delivery f) "
    "AND d.updated_at < ?"
)
PRUNE: Final = Variants(
    sqlite=f"DELETE FROM webhook_delivery WHERE id IN ({_OLD})",
    postgresql=f"DELETE FROM webhook_delivery WHERE id = ANY (ARRAY({_OLD}))",
)
"""Parameters: how many at most, the moment. In the order of ids, the old ones come first."""

AT: Final = "SELECT e.id, e.at FROM event e WHERE e.id >= ? ORDER BY e.id LIMIT 1"

FORGET: Final = "DELETE FROM webhook WHERE user_id = ?"
"""Those of a user that is removed; their deliveries go in small steps."""


@define(eq=False)
class StoredWebhooks:
    """`dialer.interfaces.WebhookStore` on a database, for the node of that name."""

    database: Database
    node: str
    _readers: Consumers = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._readers = Consumers(self.database, self.node)

    def hold(self, now: datetime) -> Deferred[bool]:
        return self._readers.hold_own(HOLDER, now)

    def served(self) -> Deferred[list[ServedWebhook]]:
        return self.database.run(served)

    def due(self, webhook_id: int, limit: int) -> Deferred[list[WebhookDelivery]]:
        return self.database.run(partial(due, webhook_id=webhook_id, limit=limit))

    def events(self, ids: Sequence[int]) -> Deferred[list[Told]]:
        return self.database.run(partial(found, ids=ids))

    def read(self, place: EventPlace, limit: int) -> Deferred[tuple[EventPlace, list[Told]]]:
        return self._readers.read(place, limit)

    def settle(self, settlement: Settlement, now: datetime) -> Deferred[list[WebhookDelivery] | None]:
        return self.database.run(partial(settle, settlement=settlement, node=self.node, now=now), may_wait=True)

    def prune(self, before: datetime, limit: int) -> Deferred[int]:
        return self.database.run(partial(prune, before=before, limit=limit))


def served(connection: Connection) -> list[ServedWebhook]:
    """The active webhooks, whose owners are active."""
    return [
        ServedWebhook(webhook=_READ(row), superuser=bool(row[-2]), due=int(row[-1]))
        for row in connection.execute(SERVED).fetchall()
    ]


def due(connection: Connection, webhook_id: int, limit: int) -> list[WebhookDelivery]:
    """The oldest deliveries of a webhook that are due, at most so many."""
    return [_READ_DELIVERY(row) for row in connection.execute(DUE, (webhook_id, limit)).fetchall()]


def log(
    connection: Connection, webhook_id: int, before: int, limit: int, status: DeliveryStatus | None = None
) -> list[WebhookDelivery]:
    """The deliveries of a webhook whose ids are smaller, the newest first."""
    if status is None:
        rows = connection.execute(LOG, (webhook_id, before, limit))
    else:
        rows = connection.execute(LOG_OF_STATUS, (webhook_id, str(status), before, limit))
    return [_READ_DELIVERY(row) for row in rows.fetchall()]


def one(connection: Connection, webhook_id: int, delivery_id: int) -> WebhookDelivery | None:
    """A delivery of a webhook; None when it has none of that id."""
    row = connection.execute(ONE, (webhook_id, delivery_id)).fetchone()
    return None if row is None else _READ_DELIVERY(row)


def found(connection: Connection, ids: Sequence[int]) -> list[Told]:
    """These events, in order, as far as they are kept."""
    rows = [connection.execute(events.ONE, (number,)).fetchone() for number in ids]
    return [events.told(row) for row in rows if row is not None]


def settle(connection: Connection, settlement: Settlement, node: str, now: datetime) -> list[WebhookDelivery] | None:
    """Store what became of requests; returns those that are due and new, with their ids. None, with nothing changed, when the
    webhook is active no more or another node serves by now."""
    holder = connection.execute(HOLDS, (HOLDER,)).fetchone()
    if holder is None or holder[0] != node:
        return None
    place, moment = settlement.position, to_column_or_none(settlement.failing_since)
    if not connection.execute(REACHED, (place, place, moment, settlement.webhook_id)).rowcount:
        return None
    added = _store(connection, settlement.deliveries)
    if settlement.disabled:
        disable(connection, settlement.webhook_id, settlement.disabled, now)
    return added


def _store(connection: Connection, deliveries: Sequence[WebhookDelivery]) -> list[WebhookDelivery]:
    """Those that are due and new, with their ids."""
    over = [_row(each) for each in deliveries if not each.id and each.status is not DeliveryStatus.DUE]
    connection.executemany(ADD, over)
    for each in deliveries:
        if each.id:
            connection.execute(CHANGE, _change(each))
    return [add_due(connection, each) for each in deliveries if not each.id and each.status is DeliveryStatus.DUE]


def add_due(connection: Connection, delivery: WebhookDelivery) -> WebhookDelivery:
    """A new delivery, with its id."""
    (number,) = connection.execute(ADD_DUE, _row(delivery)).fetchone()
    return evolve(delivery, id=int(number))


def disable(connection: Connection, webhook_id: int, reason: str, now: datetime) -> None:
    """It is told no more, and its owner hears of that where he is told of anything."""
    row = connection.execute(DISABLE, (reason, webhook_id)).fetchone()
    if row is not None and events.is_wanted(connection, EventKind.WEBHOOK_DISABLED, now):
        facts = {"webhook_id": webhook_id, "url": row[1], "reason": reason}
        events.add(connection, EventKind.WEBHOOK_DISABLED, now, events.About(user_id=row[0]), facts)


def prune(connection: Connection, before: datetime, limit: int) -> int:
    """Remove up to `limit` deliveries of which nothing became since; how many went."""
    return int(connection.execute(PRUNE.of(connection), (limit, to_column(before))).rowcount)


# --- events again -----------------------------------------------------------------------------------------------------------


def id_at(connection: Connection, moment: datetime) -> int:
    """The id of about the first event that happened from that moment on: ids grow about as moments do. Above all ids when
    there is none."""
    low, high = 0, events.last(connection) + 1
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(AT, (middle,)).fetchone()
        if row is None or from_column(row[1]) >= moment:
            high = middle
        else:
            low = int(row[0]) + 1
    return low


# --- rows -------------------------------------------------------------------------------------------------------------------


def again(delivery: WebhookDelivery, now: datetime) -> WebhookDelivery:
    """A new delivery of the same events, due at once."""
    return WebhookDelivery(
        webhook_id=delivery.webhook_id,
        events=delivery.events,
        attempts=delivery.attempts,
        status=DeliveryStatus.DUE,
        next_try_at=now,
        created_at=now,
        updated_at=now,
    )


def of_event(webhook_id: int, told: Told, now: datetime) -> WebhookDelivery:
    """A delivery of one event, due at once."""
    return WebhookDelivery(
        webhook_id=webhook_id,
        events=orjson.dumps([told.event.id]).decode(),
        attempts=told.event.call_uuid,
        status=DeliveryStatus.DUE,
        next_try_at=now,
        created_at=now,
        updated_at=now,
    )


def _row(delivery: WebhookDelivery) -> tuple[Any, ...]:
    values = {name: getattr(delivery, name) for name in _NAMES}
    values |= {
        "status": str(delivery.status),
        "error": as_text(delivery.error),
        "next_try_at": to_column_or_none(delivery.next_try_at),
        "created_at": to_column(delivery.created_at),
        "updated_at": to_column(delivery.updated_at),
    }
    return tuple(values.values())


def _change(delivery: WebhookDelivery) -> tuple[Any, ...]:
    return (
        str(delivery.status),
        delivery.tries,
        to_column_or_none(delivery.next_try_at),
        delivery.http_status,
        delivery.milliseconds,
        as_text(delivery.error),
        to_column(delivery.updated_at),
        delivery.id,
    )
