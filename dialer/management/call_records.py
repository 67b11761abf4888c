"""Call records: the attempts of the past and of this moment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from dialer.management.management import Management, Transaction, verb
from dialer.store import call_records as sql
from dialer.store.call_records import Record, Wanted

PAGE: Final = 1000
"""Records that are read at once: some milliseconds on the database thread, for which others wait."""


@verb
def page(t: Transaction, wanted: Wanted, after: int = 0, limit: int = PAGE) -> list[Record]:
    """The next records behind the id `after`, the first of each."""
    return sql.page(t.connection, wanted, after, limit)


async def pages(management: Management, wanted: Wanted) -> AsyncIterator[list[Record]]:
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
