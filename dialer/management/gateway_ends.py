"""How the newest calls through a gateway ended: by cause, the most frequent first."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from attrs import frozen

from dialer.management import gateways
from dialer.management.management import Transaction, reads
from dialer.model import Account, Disposition
from dialer.store import gateway_ends as sql
from dialer.store.times import from_column, to_column

SPAN: Final = timedelta(minutes=15)
MOST: Final = 25
"""Causes that are told."""


@frozen(kw_only=True)
class CauseCount:
    """So many calls ended so, the last one at that moment; `sip_status` is None where the far end gave none."""

    disposition: Disposition
    cause: str
    sip_status: int | None
    calls: int
    last_at: datetime


@reads
def of_late(t: Transaction, who: Account, gateway_id: int) -> list[CauseCount]:
    """The calls of the user's campaigns, of everybody's for a superuser, that were begun within `SPAN` and are over. Raises
    `NotFound`."""
    gateways.read(t, who, gateway_id)
    asked = (to_column(t.now - SPAN), sql.NEWEST, gateway_id, who.is_superuser, who.id, MOST)
    return [
        CauseCount(
            disposition=Disposition(disposition),
            cause=cause,
            sip_status=status or None,
            calls=int(calls),
            last_at=from_column(last_at),
        )
        for disposition, cause, status, calls, last_at in t.connection.execute(sql.ENDS, asked).fetchall()
    ]
