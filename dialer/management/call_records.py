"""Call records: the attempts of the past and of this moment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from dialer.errors import NotFound
from dialer.management.management import Management, Transaction, verb
from dialer.model import Account
from dialer.store import call_records as sql
from dialer.store.call_records import Record, RecordFilter, as_object
from dialer.store.contacts import OUR_CAMPAIGN

__all__ = ["as_object", "of_campaign", "page", "pages", "read"]

PAGE: Final = 1000
"""Records that are read at once: some milliseconds on the database thread, for which others wait."""


@verb
def page(t: Transaction, wanted: RecordFilter, after: int = 0, limit: int = PAGE) -> list[Record]:
    """The next records behind the id `after`, the first of each."""
    return sql.page(t.connection, wanted, after, limit)


@verb
def of_campaign(t: Transaction, who: Account, campaign_id: int, after: int | None, limit: int) -> list[Record]:
    """The next records of a campaign. Raises `NotFound`."""
    _refuse_others(t, who, campaign_id)
    return sql.page(t.connection, RecordFilter(campaign_id=campaign_id), after or 0, limit)


@verb
def read(t: Transaction, who: Account, call_uuid: str) -> Record:
    """One of them. Raises `NotFound`."""
    found = sql.one(t.connection, call_uuid, None if who.is_superuser else who.id)
    if found is None:
        raise NotFound("attempt", call_uuid)
    return found


def _refuse_others(t: Transaction, who: Account, campaign_id: int) -> None:
    row = t.connection.execute(OUR_CAMPAIGN, (campaign_id, who.is_superuser, who.id)).fetchone()
    if row is None:
        raise NotFound("user", who.username)
    if not row[0]:
        raise NotFound("campaign", campaign_id)


async def pages(management: Management, wanted: RecordFilter) -> AsyncIterator[list[Record]]:
    """All of them, page by page; the next is read while one is used. Fails with `StoreError`."""
    coming = management.ask(page, wanted)
    while True:
        records = await coming
        if len(records) < PAGE:
            if records:
                yield records
            return
        coming = management.ask(page, wanted, records[-1][0])
        try:
            yield records
        except GeneratorExit:
            coming.addErrback(lambda _: None)
            raise
