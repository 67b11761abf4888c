"""The outcome of a campaign, contact by contact, and the counts of all campaigns."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, Final

import orjson

from dialer.kinds import word_of
from dialer.management.management import Management, Transaction, verb
from dialer.management.record_files import csv_lines
from dialer.management.subscribers import check_ours
from dialer.model import Account, SubscriberStatus
from dialer.model.user import ADMINISTRATOR
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


async def pages(management: Management, who: Account, campaign_id: int) -> AsyncGenerator[list[dict[str, Any]]]:
    """The contacts of one of the user's campaigns by the thousand, each by `COLUMNS`: its state in a word, and its last try;
    moments in UTC. Fails with `NotFound`, `StoreError`."""
    after: str | None = ""
    while after is not None:
        rows, after = await management.ask_in_turn(page, who, campaign_id, after)
        yield rows


@verb
def page(t: Transaction, who: Account, campaign_id: int, after: str) -> tuple[list[dict[str, Any]], str | None]:
    """The next contacts in the order of their identities, and the identity behind which the page after it begins; None after
    the last. Raises `NotFound`."""
    if who is not ADMINISTRATOR:
        check_ours(t.connection, who, campaign_id)
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


def as_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Some contacts as lines of a table, in UTF-8."""
    return csv_lines([list(row.values()) for row in rows])


def as_json_lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The same as JSON objects, one a line."""
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


FORMATS: Final[Mapping[str, tuple[str, bytes, Callable[[Sequence[Mapping[str, Any]]], bytes]]]] = {
    "csv": ("text/csv; charset=utf-8", csv_lines([COLUMNS]), as_csv),
    "jsonl": ("application/jsonl", b"", as_json_lines),
}
"""By the names that the API knows: the type of the content, what a file begins with, and what makes it of some contacts."""


def _moment(stored: Any) -> str:
    moment = from_column_or_none(stored)
    return "" if moment is None else moment.isoformat(" ", "seconds")[:19]
