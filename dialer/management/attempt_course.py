"""The course of an attempt beyond its record: the requests to webhooks that told of it."""

from __future__ import annotations

from attrs import evolve

from dialer.management import call_records, webhooks
from dialer.management.management import Transaction, verb
from dialer.model import Account
from dialer.store import attempt_deliveries as sql
from dialer.store.attempt_deliveries import AttemptDelivery
from dialer.time_kinds import Moment

__all__ = ["AttemptDelivery", "deliveries"]


@verb
def deliveries(t: Transaction, who: Account, call_uuid: str, after: int = 0, limit: int = sql.MOST) -> list[AttemptDelivery]:
    """The requests to the user's webhooks, to everybody's for a superuser, that told of a call, in order: as far as they are
    kept, and were made soon after its begin or its end, or of late. Those with ids above `after`, `limit` of them at most.
    Raises `NotFound` for a call that is not the user's."""
    record = call_records.as_object(call_records.read(t, who, call_uuid))
    moments = [Moment().parse(record[name]) for name in ("planned_at", "ended_at") if record[name] is not None]
    found = sql.of_attempt(t.connection, call_uuid, moments, None if who.is_superuser else who.id, after, limit)
    told = webhooks.with_outward_events(t, [each.delivery for each in found])
    return [evolve(each, delivery=delivery) for each, delivery in zip(found, told, strict=True)]
