"""The subscribers of a campaign, as users read them and set their status."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from attrs import frozen

from dialer.errors import NotFound
from dialer.model import SubscriberStatus
from dialer.records import Account, ContactRecord, SubscriberEntry
from dialer.store.connection import Connection
from dialer.store.contacts import SET_STATUS
from dialer.store.requests import rows, statements
from dialer.store.requests.accounts import limits
from dialer.store.requests.campaigns import check_ours
from dialer.store.times import to_column

PAGE: Final = 1000
"""Subscribers that are read at once: about 3 ms on the database thread."""

DONE: Final = frozenset({SubscriberStatus.ABORT, SubscriberStatus.FAIL, SubscriberStatus.COMPLETE})


@frozen
class Page:
    """Some subscribers, and the number behind which the next page begins; None after the last."""

    entries: list[SubscriberEntry]
    after: str | None


def read_page(connection: Connection, who: Account, campaign_id: int, after: str, *, pending: bool) -> Page:
    """The next subscribers in the order of their numbers, which the index has. Raises `NotFound` for the campaign."""
    check_ours(connection, who, campaign_id)
    found = connection.execute(statements.SUBSCRIBERS, (campaign_id, after, PAGE)).fetchall()
    entries = [rows.subscriber(row) for row in found if not pending or row[1] not in DONE]
    return Page(entries, found[-1][0] if len(found) == PAGE else None)


def read_one(connection: Connection, who: Account, campaign_id: int, number: str) -> list[SubscriberEntry]:
    """The subscriber of that number, if there is one. Raises `NotFound` for the campaign."""
    check_ours(connection, who, campaign_id)
    return [rows.subscriber(row) for row in connection.execute(statements.SUBSCRIBER, (campaign_id, number))]


def set_status(
    connection: Connection, who: Account, campaign_id: int, number: str, status: SubscriberStatus, now: datetime
) -> ContactRecord:
    """What a user asks for; kept as a wish while a call is live. Raises `NotFound`: a subscriber of a campaign that is not
    the user's is as if it did not exist."""
    limits(connection, who)
    try:
        check_ours(connection, who, campaign_id)
    except NotFound:
        raise NotFound("subscriber", number) from None
    wish = int(status)
    if not connection.execute(SET_STATUS, (wish, wish, to_column(now), wish, campaign_id, number)).rowcount:
        raise NotFound("subscriber", number)
    key, shown, contact_id = connection.execute(statements.SUBSCRIBER_STATUS, (campaign_id, number)).fetchone()
    row = connection.execute(statements.CONTACT, (contact_id,)).fetchone()
    return rows.contact(key, shown, row[1:])
