"""The outcome of a campaign, contact by contact, and the counts of all campaigns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from dialer.kinds import word_of
from dialer.management.management import Management, Transaction, verb
from dialer.model import SubscriberStatus
from dialer.store import reports as sql
from dialer.store.times import from_column_or_none

PAGE: Final = 1000
"""Contacts that are read at once: some milliseconds on the database thread."""

COLUMNS: Final = (
    "contact", "first_name", "last_name", "state", "tries", "disposition", "cause", "reason", "last_try", "ended", "seconds",
)  # fmt: skip


@verb
def counts(t: Transaction) -> dict[int, dict[SubscriberStatus, int]]:
    """Subscribers by campaign and status."""
    found: dict[int, dict[SubscriberStatus, int]] = {}
    for campaign_id, status, subscribers in t.connection.execute(sql.COUNTS_OF_ALL):
        found.setdefault(campaign_id, {})[SubscriberStatus(status)] = int(subscribers)
    return found


async def pages(management: Management, campaign_id: int) -> AsyncIterator[list[dict[str, Any]]]:
    """The contacts of a campaign by the thousand, each by `COLUMNS`: its state in a word, and its last try; moments in UTC.
    Fails with `StoreError`."""
    after: int | None = 0
    while after is not None:
        rows, after = await management.ask(page, campaign_id, after)
        yield rows


@verb
def page(t: Transaction, campaign_id: int, after: int) -> tuple[list[dict[str, Any]], int | None]:
    """The next contacts, and the id behind which the page after it begins; None after the last."""
    found = t.connection.execute(sql.OUTCOMES, (campaign_id, after, PAGE)).fetchall()
    return [_row(each[1:]) for each in found], found[-1][0] if len(found) == PAGE else None


def _row(row: tuple[Any, ...]) -> dict[str, Any]:
    number, first_name, last_name, status, tries, disposition, cause, reason, planned_at, ended_at, talk_ms = row
    state = SubscriberStatus(status)
    values = (
        number,
        first_name,
        last_name,
        "pending" if state is SubscriberStatus.START else word_of(state),
        tries,
        disposition or "",
        cause or "",
        reason or "",
        _moment(planned_at),
        _moment(ended_at),
        "" if talk_ms is None else f"{talk_ms / 1000:.1f}",
    )
    return dict(zip(COLUMNS, values, strict=True))


def _moment(stored: Any) -> str:
    moment = from_column_or_none(stored)
    return "" if moment is None else moment.isoformat(" ", "seconds")[:19]
