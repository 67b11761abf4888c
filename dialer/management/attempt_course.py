"""The course of an attempt beyond its record: the requests to webhooks that told of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dialer.management.management import Transaction, verb
from dialer.model import Account
from dialer.store import attempt_deliveries as sql
from dialer.store.attempt_deliveries import AttemptDelivery

__all__ = ["AttemptDelivery", "deliveries"]


@verb
def deliveries(t: Transaction, who: Account, call_uuid: str, moments: Sequence[datetime]) -> list[AttemptDelivery]:
    """The requests to the user's webhooks, to everybody's for a superuser, that told of a call, in order: as far as they are
    kept, and were made soon after one of the moments, or of late."""
    return sql.of_attempt(t.connection, call_uuid, moments, None if who.is_superuser else who.id)
