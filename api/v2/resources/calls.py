"""`calls`: one call without a campaign, made now or later."""

from __future__ import annotations

from typing import Any, Final

from attrs import NOTHING, evolve
from twisted.internet.defer import Deferred

from api.v2.attributes import Attribute, Body, Encoder, answer, enterable
from api.v2.pages import Page, page_of
from api.v2.routes import Asked, Route
from api.v2.shapes import Schema, shown_moment
from dialer.declare import noun_of
from dialer.management import calls
from dialer.model import Campaign, Contact, Disposition, Scope
from dialer.model.single_call import LastAttempt, SingleCall, SingleCallState

MOMENT_OR_NONE: Final[Schema] = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}
NUMBER_OR_NONE: Final[Schema] = {"type": ["integer", "null"]}
TEXT_OR_NONE: Final[Schema] = {"type": ["string", "null"]}


def _only(cls: type, names: tuple[str, ...]) -> Encoder:
    return Encoder(cls, tuple(field.name for field in noun_of(cls).fields if field.name not in names))


_OF_CAMPAIGN: Final = _only(Campaign, ("id", "user_id", *calls.SETTINGS, "created_at"))
_OF_CONTACT: Final = _only(Contact, calls.FACTS)
_encode_campaign, _encode_contact = _OF_CAMPAIGN.encoder(), _OF_CONTACT.encoder()

_LAST: Final[dict[str, Schema]] = {
    "attempt_id": {"type": "string", "description": "the UUID of its channel; `attempts/{attempt_id}` has all of it"},
    "gateway_id": {"type": "integer", "description": "the gateway that it went through"},
    "planned_at": {"type": "string", "format": "date-time", "description": "when it was begun"},
    "rang_at": {**MOMENT_OR_NONE, "description": "when it began to ring"},
    "answered_at": {**MOMENT_OR_NONE, "description": "when it was answered"},
    "ended_at": {**MOMENT_OR_NONE, "description": "when it ended"},
    "ring_ms": {**NUMBER_OR_NONE, "description": "for how long it rang"},
    "talk_ms": {**NUMBER_OR_NONE, "description": "from the answer to the end"},
    "disposition": {"enum": [*(str(each) for each in Disposition), None], "description": "why it ended, in business words"},
    "cause": {**TEXT_OR_NONE, "description": "FreeSWITCH's word for the end, or the dialer's own"},
    "sip_status": {**NUMBER_OR_NONE, "description": "the final SIP status of the far end"},
}
_MOMENTS: Final = ("planned_at", "rang_at", "answered_at", "ended_at")


def _shown_last(last: LastAttempt) -> dict[str, Any]:
    found = {name: getattr(last, "call_uuid" if name == "attempt_id" else name) for name in _LAST}
    for name in _MOMENTS:
        found[name] = None if found[name] is None else shown_moment(found[name])
    found["disposition"] = None if last.disposition is None else str(last.disposition)
    return found


_ATTEMPT: Final = answer("LastAttempt", "The newest attempt of a call.", _LAST, _shown_last)


def _shown(call: SingleCall) -> dict[str, Any]:
    next_at = call.next_attempt_at
    return {
        **_encode_campaign(call.campaign),
        **_encode_contact(call.contact),
        "state": str(call.state),
        "attempts": call.count_attempt,
        "next_attempt_at": None if next_at is None else shown_moment(next_at),
        "reason": call.reason,
        "last_attempt": None if call.last is None else _ATTEMPT.encode(call.last),
    }


CALL: Final = answer(
    "Call",
    "A call without a campaign. Events and attempts name it by its id as their `campaign_id`.",
    {
        **_OF_CAMPAIGN.properties,
        **_OF_CONTACT.properties,
        "state": {"type": "string", "enum": [str(state) for state in SingleCallState], "description": "where it is"},
        "attempts": {"type": "integer", "description": "its attempts that count"},
        "next_attempt_at": {**MOMENT_OR_NONE, "description": "when it is made at the earliest, while it waits"},
        "reason": {**TEXT_OR_NONE, "description": "why it waits, was refused, or ended as it did"},
        "last_attempt": {"anyOf": [_ATTEMPT.schema, {"type": "null"}]},
    },
    _shown,
)


def _attributes() -> tuple[Attribute, ...]:
    """The attributes of a call: those of a contact and of a campaign that mean something for one call, and its own dates."""
    declared = {each.name: each for each in (*enterable(Contact), *enterable(Campaign))}
    own: dict[str, dict[str, Any]] = {
        "starting_at": {"doc": "when it is to be made; now, unless it is given", "default": NOTHING},
        "expires_at": {"doc": "until when it may be made; a day later, unless it is given", "default": NOTHING},
        "max_retry": {"default": 0},
    }
    return tuple(evolve(declared[name], **own.get(name, {})) for name in (*calls.FACTS, *calls.SETTINGS))


NEW: Final = Body(name="NewCall", attributes=_attributes())


def _list(asked: Asked) -> Deferred[Any]:
    """Your calls, the newest first."""
    return asked.ask(calls.listed, asked.who, asked.after, asked.limit)


def _read(asked: Asked) -> Deferred[Any]:
    """One call: where it is, and how it ended."""
    return asked.ask(calls.read, asked.who, asked.path["call_id"])


def _create(asked: Asked) -> Deferred[Any]:
    """Make a call, now or later."""
    return asked.ask(calls.create, asked.who, asked.body)


def _cancel(asked: Asked) -> Deferred[Any]:
    """Cancel a call: one that waits is not made, one that is live is hung up."""
    return asked.ask(calls.cancel, asked.who, asked.path["call_id"])


ROUTES: Final = (
    Route(
        method="GET",
        path="calls",
        scope=Scope.READ,
        serve=_list,
        answer=page_of(CALL),
        page=Page(place=lambda call: call.id),
    ),
    Route(
        method="POST",
        path="calls",
        scope=Scope.DIAL,
        serve=_create,
        body=NEW,
        answer=CALL,
        status=201,
        location="calls/{id}",
        refusals=("limit-exceeded",),
    ),
    Route(method="GET", path="calls/<call_id>", scope=Scope.READ, serve=_read, answer=CALL),
    Route(
        method="POST",
        path="calls/<call_id>/cancel",
        scope=Scope.DIAL,
        serve=_cancel,
        answer=CALL,
        refusals=("over",),
    ),
)
