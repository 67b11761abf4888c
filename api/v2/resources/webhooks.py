"""`webhooks`: addresses that are told what happens, what was sent to them, and what is sent again."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import Any, Final

import orjson
from attrs import evolve
from twisted.internet.defer import Deferred

from api.v2.attributes import ID, Attribute, Body, Encoder, answer, enterable
from api.v2.nouns import NounRoutes
from api.v2.pages import Page, page_of, sorted_page
from api.v2.resources.attempts import UUID
from api.v2.routes import Asked, Route
from api.v2.shapes import shown_moment
from dialer.interfaces import ReceiverAnswer
from dialer.kinds import Member, Nullable, Word
from dialer.management import attempt_course, webhooks
from dialer.model import DeliveryStatus, Scope, Webhook, WebhookDelivery, WebhookStatus
from dialer.time_kinds import Moment

_SHOWN: Final = Encoder(Webhook, ("archived_at", "position"))
_encode = _SHOWN.encoder()

WEBHOOK: Final = answer("Webhook", "An address that is told what happens, without its secret.", _SHOWN.properties, _encode)


def _with_secret(made: webhooks.WithSecret) -> dict[str, Any]:
    return {**_encode(made.webhook), "secret": made.secret}


WITH_SECRET: Final = answer(
    "WebhookWithSecret",
    "A webhook with its secret, which is told once: it is null when the request comes again, and in no other answer.",
    {**_SHOWN.properties, "secret": {"type": ["string", "null"], "description": "verifies signatures: whsec_ and base64"}},
    _with_secret,
)

_SENT: Final = Encoder(WebhookDelivery, ("events", "attempts"))
_encode_sent = _SENT.encoder()


def _delivery(found: WebhookDelivery) -> dict[str, Any]:
    return {**_encode_sent(found), "events": orjson.loads(found.events), "attempts": found.attempts.split()}


_TEXTS: Final = {"type": "array", "items": {"type": "string"}}
DELIVERY: Final = answer(
    "WebhookDelivery",
    "A request to a webhook, made or to be made.",
    {
        **_SENT.properties,
        "events": {**_TEXTS, "description": "the ids of its events"},
        "attempts": {**_TEXTS, "description": "the UUIDs of the calls that these are about"},
    },
    _delivery,
)


def _tested(found: ReceiverAnswer) -> dict[str, Any]:
    error = "" if found.is_success else found.error or f"the answer was {found.status}"
    return {"arrived": found.is_success, "http_status": found.status, "milliseconds": found.milliseconds, "error": error}


TESTED: Final = answer(
    "WebhookTest",
    "What came of a trial.",
    {
        "arrived": {"type": "boolean"},
        "http_status": {"type": ["integer", "null"], "description": "the receiver's answer; null when there was none"},
        "milliseconds": {"type": "integer", "description": "that it took"},
        "error": {"type": "string", "description": "why it did not arrive"},
    },
    _tested,
)


def _replayed(found: webhooks.Replayed) -> dict[str, Any]:
    return {"events": found.events, "last": None if found.last is None else shown_moment(found.last)}


REPLAYED: Final = answer(
    "WebhookReplay",
    "How many events are sent again.",
    {
        "events": {"type": "integer"},
        "last": {
            "anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}],
            "description": "when the last of them happened, where there are more: the `since` of the next request",
        },
    },
    _replayed,
)


def _referring(attribute: Attribute) -> Attribute:
    """The campaign is told apart from the webhook where there is none."""
    return evolve(attribute, refers_to="campaign") if attribute.name == "campaign_id" else attribute


_ENTERED: Final = tuple(map(_referring, enterable(Webhook)))
NEW: Final = Body(name="NewWebhook", attributes=_ENTERED)
CHANGED: Final = Body(name="ChangedWebhook", attributes=_ENTERED, merges=True)
_SINCE: Final = Attribute(name="since", kind=Moment(), doc="events that happened from then on", required=True)
_UNTIL: Final = Attribute(name="until", kind=Nullable(Moment()), doc="and before; until now when it is null", default=None)
REPLAY: Final = Body(name="NewWebhookReplay", attributes=(_SINCE, _UNTIL))


def _list(asked: Asked) -> Deferred[Any]:
    """Your webhooks, the oldest first."""
    return asked.ask(webhooks.listed, asked.who, asked.part, asked.query.get("status"), asked.query.get("campaign_id"))


def _read(asked: Asked) -> Deferred[Any]:
    """One webhook."""
    return asked.ask(webhooks.read, asked.who, asked.path["webhook_id"])


def _create(asked: Asked) -> Deferred[Any]:
    """Add a webhook, which is told what happens from now on; its secret is in this answer and in no other."""
    return asked.ask(webhooks.add, asked.who, asked.body, asked.management.receivers)


def _change(asked: Asked) -> Deferred[Any]:
    """Change a webhook: a merge patch, which acts within a second."""
    return asked.ask(webhooks.change, asked.who, asked.path["webhook_id"], asked.body, asked.management.receivers)


def _remove(asked: Asked) -> Deferred[Any]:
    """Remove a webhook, with what waits for it."""
    return asked.ask(webhooks.remove, asked.who, asked.path["webhook_id"])


def _enable(asked: Asked) -> Deferred[Any]:
    """Tell a disabled webhook again, from where it was."""
    return asked.ask(webhooks.enable, asked.who, asked.path["webhook_id"])


def _rotate(asked: Asked) -> Deferred[Any]:
    """Give a webhook another secret, which is in this answer and in no other; for a day, the old one signs, too."""
    return asked.ask(webhooks.rotate, asked.who, asked.path["webhook_id"])


def _test(asked: Asked) -> Deferred[Any]:
    """Send a webhook a `webhook.test` now, once, and tell what came back."""
    webhook_id = asked.path["webhook_id"]
    send = partial(webhooks.test, asked.management, asked.who, webhook_id, asked.key)
    return asked.ask_after(send, webhooks.tested, asked.who, webhook_id)


def _deliveries(asked: Asked) -> Deferred[Any]:
    """The requests to a webhook, the newest first."""
    wanted = asked.query.get("status")
    status = None if wanted is None else DeliveryStatus(wanted)
    return asked.ask(webhooks.deliveries, asked.who, asked.path["webhook_id"], asked.after, asked.limit, status)


def _of_attempt(asked: Asked) -> Deferred[Any]:
    """The requests to your webhooks that told of an attempt, the oldest first."""
    wanted = asked.path["attempt_id"], asked.after or 0, asked.limit
    found = asked.ask(attempt_course.deliveries, asked.who, *wanted)
    return found.addCallback(lambda some: [each.delivery for each in some])


def _read_delivery(asked: Asked) -> Deferred[Any]:
    """One request to a webhook."""
    return asked.ask(webhooks.delivery, asked.who, asked.path["webhook_id"], asked.path["delivery_id"])


def _replay_delivery(asked: Asked) -> Deferred[Any]:
    """Send the events of a request again, as a new one."""
    return asked.ask(webhooks.replay, asked.who, asked.path["webhook_id"], asked.path["delivery_id"])


def _replay(asked: Asked) -> Deferred[Any]:
    """Send the events of a time again, as far as they are kept and the webhook asks for them."""
    management, webhook_id, since = asked.management, asked.path["webhook_id"], asked.body["since"]

    def send() -> Awaitable[webhooks.Replayed]:
        until = asked.body.get("until") or management.now()
        return webhooks.replay_between(management, asked.who, webhook_id, since, until)

    return asked.ask_after(send, webhooks.replayed, asked.who, webhook_id)


WEBHOOKS: Final = NounRoutes(
    path="webhooks",
    key="webhook_id",
    answer=WEBHOOK,
    new=NEW,
    changed=CHANGED,
    page=sorted_page(Webhook, "created_at"),
    filters=(
        Attribute(name="status", kind=Member(WebhookStatus), doc="only those of this status"),
        Attribute(name="campaign_id", kind=ID, doc="only those that hear of this campaign alone"),
    ),
    locked=webhooks.locked,
    writers=Scope.DIAL,
    made=WITH_SECRET,
    kept=lambda shown: {**shown, "secret": None},
    refused_new=("limit-exceeded",),
)
_OF: Final = WEBHOOKS.one

ROUTES: Final = (
    *WEBHOOKS.routes(listed=_list, create=_create, read=_read, change=_change, remove=_remove),
    Route(method="POST", path=f"{_OF}/enable", scope=Scope.DIAL, serve=_enable, answer=WEBHOOK),
    Route(
        method="POST",
        path=f"{_OF}/rotate",
        scope=Scope.DIAL,
        serve=_rotate,
        answer=WITH_SECRET,
        kept=lambda shown: {**shown, "secret": None},
    ),
    Route(method="POST", path=f"{_OF}/test", scope=Scope.DIAL, serve=_test, answer=TESTED),
    Route(method="POST", path=f"{_OF}/replay", scope=Scope.DIAL, serve=_replay, body=REPLAY, answer=REPLAYED),
    Route(
        method="GET",
        path=f"{_OF}/deliveries",
        scope=Scope.READ,
        serve=_deliveries,
        answer=page_of(DELIVERY),
        page=Page(place=lambda delivery: delivery.id),
        parameters=(Attribute(name="status", kind=Word(tuple(DeliveryStatus)), doc="only those of this status"),),
    ),
    Route(
        method="GET",
        path="attempts/<attempt_id>/deliveries",
        scope=Scope.READ,
        serve=_of_attempt,
        answer=page_of(DELIVERY),
        page=Page(place=lambda delivery: delivery.id),
        parameters=(UUID,),
    ),
    Route(
        method="GET",
        path=f"{_OF}/deliveries/<delivery_id>",
        scope=Scope.READ,
        serve=_read_delivery,
        answer=DELIVERY,
    ),
    Route(
        method="POST",
        path=f"{_OF}/deliveries/<delivery_id>/replay",
        scope=Scope.DIAL,
        serve=_replay_delivery,
        answer=DELIVERY,
        status=201,
        location="webhooks/{webhook_id}/deliveries/{id}",
    ),
)
