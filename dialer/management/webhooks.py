"""Webhooks: added, changed, tried and removed; what was sent to them, and what is sent again.

A webhook that belongs to somebody else does not exist. Its secret is told twice in its life: when it is made, and when it is
made anew.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from attrs import evolve, frozen

from dialer.declare import entered
from dialer.envelope import envelope, outward_id
from dialer.errors import BadValue, NotFound
from dialer.hooks.addresses import AddressRules
from dialer.hooks.request import body_of
from dialer.hooks.signing import SECRET_BYTES, secret_from, signed_headers
from dialer.interfaces import ReceiverAnswer
from dialer.kinds import LARGEST_ID
from dialer.management import rows
from dialer.management.idempotency import KeyedRequest
from dialer.management.listing import OLDEST_FIRST, Slice, having, rows_of
from dialer.management.management import Management, Transaction, reads, writes
from dialer.model import Account, DeliveryStatus, Event, EventKind, Webhook, WebhookDelivery, WebhookStatus
from dialer.model.event import Told, kinds_of
from dialer.model.webhook import MOST_WEBHOOKS, ServedWebhook
from dialer.store import events
from dialer.store import webhooks as sql
from dialer.store.times import to_entity
from dialer.stored import value_of

KIND: Final = "webhook"
BOTH_VALID: Final = timedelta(days=1)
"""For which the old secret signs, too, after a rotation."""

CHUNK: Final = 500
"""Events that are looked at in one transaction."""
MOST_REPLAYED: Final = 100_000
"""Events of one replay."""
ABOUT: Final = timedelta(minutes=5)
"""Events are in the order of their moments but for about so much."""


@frozen(kw_only=True)
class WithSecret:
    """A webhook whose secret is told now, and not again."""

    webhook: Webhook
    secret: str


@frozen(kw_only=True)
class Replayed:
    """How many events are sent again. `last` is when the last one happened, where there were too many to take all."""

    events: int
    last: datetime | None = None


@reads
def listed(
    t: Transaction,
    who: Account,
    part: Slice = OLDEST_FIRST,
    status: WebhookStatus | None = None,
    campaign_id: int | None = None,
) -> list[Webhook]:
    """The user's webhooks, everybody's for a superuser: those of that status and campaign, where they are given."""
    query = having(t.entities.Webhook.select(), status=None if status is None else str(status), campaign_id=campaign_id)
    if not who.is_superuser:
        query = query.filter(lambda w: w.user.id == who.id)
    return [value_of(Webhook, row) for row in rows_of(query, part)]


@reads
def read(t: Transaction, who: Account, webhook_id: int) -> Webhook:
    """One of them. Raises `NotFound`."""
    return value_of(Webhook, rows.ours(who, t.entities.Webhook.get(id=webhook_id), KIND, webhook_id))


@reads
def locked(t: Transaction, who: Account, webhook_id: int) -> Webhook:
    """The same, for somebody who is about to change it in this transaction: it stays as it is meanwhile."""
    return value_of(Webhook, _found(t, who, webhook_id))


@writes
def add(t: Transaction, who: Account, given: Mapping[str, Any], receivers: AddressRules) -> WithSecret:
    """A webhook of the user that is told what happens from now on. Raises `BadValue`, `LimitExceeded`, `NotFound` (the
    campaign)."""
    checked = _checked(given, receivers)
    user = rows.asking(t, who)
    if user is None:
        raise BadValue("user_id", "is missing; expected the user whose events it is told")
    rows.check_limit("webhooks", user.webhooks.count() + 1, MOST_WEBHOOKS)
    _check_campaign(t, user, checked)
    secret = _new_secret()
    kept = {"user_id": who.id, "secret": secret, "position": events.last(t.connection)}
    return WithSecret(webhook=value_of(Webhook, rows.create(t, Webhook, {**checked, **kept})), secret=secret)


@writes
def change(t: Transaction, who: Account, webhook_id: int, given: Mapping[str, Any], receivers: AddressRules) -> Webhook:
    """Change what is given; it acts within a second. Raises as `add`."""
    checked = _checked(given, receivers)
    row = _found(t, who, webhook_id)
    _check_campaign(t, row.user, checked)
    anew = {"failing_since": None} if checked.get("url", row.url) != row.url else {}
    rows.change(t, Webhook, row, {**checked, **anew})
    return value_of(Webhook, row)


def _checked(given: Mapping[str, Any], receivers: AddressRules) -> dict[str, Any]:
    checked = entered(Webhook, {name: value for name, value in given.items() if name != "user_id"})
    if "url" in checked:
        receivers.check_url(checked["url"])
    return checked


def _new_secret() -> str:
    return secret_from(secrets.token_bytes(SECRET_BYTES))


def _check_campaign(t: Transaction, owner: Any, checked: Mapping[str, Any]) -> None:
    campaign_id = checked.get("campaign_id")
    if campaign_id is not None:
        holder = Account(id=owner.id, username=owner.username, is_superuser=owner.is_superuser)
        rows.ours(holder, t.entities.Campaign.get(id=campaign_id), "campaign", campaign_id)


@writes
def remove(t: Transaction, who: Account, webhook_id: int) -> None:
    """It is told no more; what waits for it goes with it. Raises `NotFound`."""
    _found(t, who, webhook_id).delete()


@writes
def enable(t: Transaction, who: Account, webhook_id: int) -> Webhook:
    """It is told again, from where it was on, of what was kept meanwhile. Raises `NotFound`."""
    row = _found(t, who, webhook_id)
    row.set(status=str(WebhookStatus.ACTIVE), reason="", failing_since=None)
    return value_of(Webhook, row)


@writes
def rotate(t: Transaction, who: Account, webhook_id: int) -> WithSecret:
    """Another secret; for `BOTH_VALID`, requests carry the signatures of both. Raises `NotFound`."""
    row, secret = _found(t, who, webhook_id), _new_secret()
    row.set(secret=secret, old_secret=row.secret, old_secret_until=to_entity(t.now + BOTH_VALID))
    return WithSecret(webhook=value_of(Webhook, row), secret=secret)


def _found(t: Transaction, who: Account, webhook_id: int) -> Any:
    return rows.ours(who, t.entities.Webhook.get_for_update(id=webhook_id), KIND, webhook_id)


# --- what is sent -----------------------------------------------------------------------------------------------------------


async def test(management: Management, who: Account, webhook_id: int, request: KeyedRequest | None = None) -> ReceiverAnswer:
    """Send a `webhook.test` now, once, and tell what came back. Where the client has given its request a key, the event has
    the same id each time that it comes, by which a receiver takes it once. Fails with `NotFound`, `StoreError`."""
    webhook = await management.ask(read, who, webhook_id)
    now = management.now()
    id_ = f"test_{secrets.token_hex(8) if request is None else request.digest[:16]}"
    facts = orjson.dumps({"webhook_id": webhook.id}).decode()
    event = Event(kind=str(EventKind.WEBHOOK_TEST), at=now, user_id=webhook.user_id, data=facts)
    content = body_of([{**envelope(Told(event)), "id": id_}], batched=webhook.batch_size > 1)
    return await management.sender.send(webhook.url, signed_headers(webhook.secrets(now), id_, now, content), content)


@reads
def tested(t: Transaction, who: Account, webhook_id: int, answer: ReceiverAnswer) -> ReceiverAnswer:
    """What a test came to, for whoever keeps it. Raises `NotFound` when the webhook was removed meanwhile."""
    read(t, who, webhook_id)
    return answer


@reads
def deliveries(
    t: Transaction,
    who: Account,
    webhook_id: int,
    before: int | None = None,
    limit: int = 25,
    status: DeliveryStatus | None = None,
) -> list[WebhookDelivery]:
    """At most so many requests to a webhook, the newest first, from behind `before` on. Raises `NotFound`."""
    read(t, who, webhook_id)
    return with_outward_events(t, sql.log(t.connection, webhook_id, LARGEST_ID if before is None else before, limit, status))


@reads
def delivery(t: Transaction, who: Account, webhook_id: int, delivery_id: int) -> WebhookDelivery:
    """One of them. Raises `NotFound`."""
    read(t, who, webhook_id)
    return with_outward_events(t, [_delivery(t, webhook_id, delivery_id)])[0]


def with_outward_events(t: Transaction, found: Sequence[WebhookDelivery]) -> list[WebhookDelivery]:
    """Requests with the ids of the events as receivers know them."""
    (installation,) = t.connection.execute(events.INSTALLATION).fetchone()
    return [
        evolve(each, events=orjson.dumps([outward_id(installation, number) for number in orjson.loads(each.events)]).decode())
        for each in found
    ]


def _delivery(t: Transaction, webhook_id: int, delivery_id: int) -> WebhookDelivery:
    found = sql.one(t.connection, webhook_id, delivery_id)
    if found is None:
        raise NotFound("delivery", delivery_id)
    return found


@writes
def replay(t: Transaction, who: Account, webhook_id: int, delivery_id: int) -> WebhookDelivery:
    """Send the events of a request again, soon. Raises `NotFound`, and `BadValue` when they are not kept any more."""
    _found(t, who, webhook_id)
    earlier = _delivery(t, webhook_id, delivery_id)
    ids = orjson.loads(earlier.events)
    if len(sql.found(t.connection, ids)) < len(ids):
        raise BadValue("delivery_id", f"the events of delivery {delivery_id} are not kept any more")
    return with_outward_events(t, [sql.add_due(t.connection, sql.again(earlier, t.now))])[0]


async def replay_between(management: Management, who: Account, webhook_id: int, since: datetime, until: datetime) -> Replayed:
    """Send the events again that happened from `since` on and before `until`, as far as they are kept and the webhook asks
    for them; events that come meanwhile wait behind them. Fails with `NotFound`, `BadValue`, `StoreError`."""
    if since >= until:
        raise BadValue("until", "expected a later moment than since")
    after, last = await management.ask(_range, who, webhook_id, since - ABOUT, until + ABOUT)
    total = 0
    while after < last:
        count, after, moment = await management.ask(_replay_some, who, webhook_id, (after, last), (since, until))
        total += count
        if total >= MOST_REPLAYED and after < last:
            return Replayed(events=total, last=moment)
    return Replayed(events=total)


@reads
def replayed(t: Transaction, who: Account, webhook_id: int, found: Replayed) -> Replayed:
    """What a replay came to, for whoever keeps it. Raises `NotFound` when the webhook was removed meanwhile."""
    read(t, who, webhook_id)
    return found


@reads
def _range(t: Transaction, who: Account, webhook_id: int, since: datetime, until: datetime) -> tuple[int, int]:
    """The ids between which the events of a time are: behind the first one, up to the second one."""
    read(t, who, webhook_id)
    return sql.id_at(t.connection, since) - 1, min(sql.id_at(t.connection, until), events.last(t.connection))


@writes
def _replay_some(
    t: Transaction, who: Account, webhook_id: int, ids: tuple[int, int], moments: tuple[datetime, datetime]
) -> tuple[int, int, datetime | None]:
    """How many of the next events are sent again, up to which id, and when that one happened."""
    row = _found(t, who, webhook_id)
    served = ServedWebhook(webhook=value_of(Webhook, row), superuser=row.user.is_superuser)
    kinds = kinds_of(served.webhook.kinds)
    found = events.between(t.connection, *ids, CHUNK)
    wanted = [one for one in found if moments[0] <= one.event.at < moments[1] and served.wants(one, kinds)]
    for one in wanted:
        sql.add_due(t.connection, sql.of_event(webhook_id, one, t.now))
    if len(found) < CHUNK:
        return len(wanted), ids[1], None
    return len(wanted), found[-1].event.id, found[-1].event.at
