"""Contacts of a campaign that are called again, though they were done: those that ended in some way."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final

import orjson
from attrs import frozen

from dialer.errors import BadValue
from dialer.management.management import Management, Transaction, call_soon, verb
from dialer.management.subscribers import DONE, check_ours
from dialer.model import Account, Disposition, SubscriberStatus
from dialer.model.user import ADMINISTRATOR
from dialer.store import redial as sql
from dialer.store.times import to_column

AT_ONCE: Final = 10_000
"""Contacts that one request looks at: some tens of milliseconds on the database thread."""

_EVERY: Final = len(DONE)


@frozen(kw_only=True)
class Redialled:
    """How many contacts were looked at, and how many of them are called again, or would be in a dry run; `after` is the number
    behind which the next request goes on, None at the end."""

    looked_at: int
    changed: int
    after: str | None
    dry_run: bool


@verb
def redial(
    t: Transaction,
    who: Account,
    campaign_id: int,
    statuses: Collection[SubscriberStatus],
    dispositions: Collection[Disposition] = (),
    after: str = "",
    dry_run: bool = False,
) -> Redialled:
    """Contacts of one of the user's campaigns that have one of `statuses`, and whose last attempt ended with one of
    `dispositions` if there are any, are ready at once: each has one more attempt, and further ones as far as the campaign's
    `max_retry` has not been reached. At most `AT_ONCE` contacts are looked at, in the order of their numbers. Raises
    `NotFound`, and `BadValue` for a status of contacts that are not done."""
    if not statuses or not DONE.issuperset(statuses):
        raise BadValue("states", "expected one or more of those that are done: aborted, failed, completed")
    if who is not ADMINISTRATOR:
        check_ours(t.connection, who, campaign_id)
    end, looked_at = t.connection.execute(sql.END, (campaign_id, after, AT_ONCE)).fetchone()
    if end is None:
        return Redialled(looked_at=0, changed=0, after=None, dry_run=dry_run)
    padded = [int(status) for status in statuses] * _EVERY
    listed = orjson.dumps([str(each) for each in dispositions]).decode()
    wanted = (campaign_id, after, end, *padded[:_EVERY], int(not dispositions), listed)
    if dry_run:
        (changed,) = t.connection.execute(sql.COUNT.of(t.connection), wanted).fetchone()
    else:
        changed = t.connection.execute(sql.RENEW.of(t.connection), (to_column(t.now), *wanted)).rowcount
        t.then(call_soon)
    return Redialled(looked_at=looked_at, changed=changed, after=end if looked_at == AT_ONCE else None, dry_run=dry_run)


async def redial_all(
    management: Management,
    who: Account,
    campaign_id: int,
    statuses: Collection[SubscriberStatus],
    dispositions: Collection[Disposition] = (),
    *,
    dry_run: bool = False,
    ask: Callable[..., Any] | None = None,
) -> Redialled:
    """The same of all contacts of the campaign, some at a time, so that others can write between. `ask` runs the first use
    case in place of the management. Fails as `redial`, and with `StoreError`."""
    found: Redialled = await (ask or management.ask)(redial, who, campaign_id, statuses, dispositions, "", dry_run)
    looked_at, changed = found.looked_at, found.changed
    while found.after is not None:
        found = await management.ask_in_short_turn(redial, who, campaign_id, statuses, dispositions, found.after, dry_run)
        looked_at, changed = looked_at + found.looked_at, changed + found.changed
    return Redialled(looked_at=looked_at, changed=changed, after=None, dry_run=dry_run)
