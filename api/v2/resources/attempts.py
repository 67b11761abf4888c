"""`attempts`: the records of calls."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred

from api.v2.attributes import Attribute, answer
from api.v2.pages import Page, page_of
from api.v2.routes import Asked, Route
from api.v2.shapes import Schema
from dialer.kinds import Text
from dialer.management import call_records
from dialer.model import AttemptState, Disposition, Scope

_TEXT: Final[Schema] = {"type": "string"}
_NUMBER: Final[Schema] = {"type": "integer"}
_MAYBE_TEXT: Final[Schema] = {"type": ["string", "null"]}
_MAYBE_NUMBER: Final[Schema] = {"type": ["integer", "null"]}
_MAYBE_FLAG: Final[Schema] = {"type": ["boolean", "null"]}
_MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}
_MAYBE_MOMENT: Final[Schema] = {"anyOf": [_MOMENT, {"type": "null"}]}


def _told(schema: Schema, doc: str) -> Schema:
    return {**schema, "description": doc}


ATTEMPT: Final = answer(
    "Attempt",
    "The record of a call. What its end tells is null while it is open.",
    {
        "id": _told(_NUMBER, "grows with each attempt"),
        "attempt_id": _told(_TEXT, "the UUID of the call's channel, by which FreeSWITCH and events know it"),
        "campaign_id": _NUMBER,
        "campaign": _told(_TEXT, "its name"),
        "contact_id": _NUMBER,
        "reference": _told(_TEXT, "your own word for the contact"),
        "number": _told(_TEXT, "as it was entered"),
        "number_of_attempt": _told(_NUMBER, "1 for the first that counts"),
        "gateway_id": _NUMBER,
        "gateway": _told(_TEXT, "its name"),
        "state": {"type": "string", "enum": [str(state) for state in AttemptState]},
        "planned_at": _told(_MOMENT, "when it was begun"),
        "rang_at": _MAYBE_MOMENT,
        "answered_at": _MAYBE_MOMENT,
        "ended_at": _MAYBE_MOMENT,
        "ring_ms": _MAYBE_NUMBER,
        "talk_ms": _told(_MAYBE_NUMBER, "from the answer to the end"),
        "duration_ms": _told(_MAYBE_NUMBER, "from the originate to the end"),
        "disposition": _told({"enum": [*(str(each) for each in Disposition), None]}, "why it ended, in business words"),
        "cause": _told(_MAYBE_TEXT, "FreeSWITCH's word for the end, or the dialer's own"),
        "q850": _told(_MAYBE_NUMBER, "the cause by ITU-T Q.850"),
        "sip_status": _MAYBE_NUMBER,
        "ended_by": _told(_MAYBE_TEXT, "FreeSWITCH's word for the side that ended it"),
        "counts": _told(_MAYBE_FLAG, "whether it is one of the contact's attempts"),
        "reason": _told(_MAYBE_TEXT, "what was decided of the contact, and why"),
        "machine": _told(_MAYBE_FLAG, "whether a machine answered"),
        "session": _told({"type": "object"}, "the voice application's report"),
    },
    call_records.as_object,
)

_UUID: Final = Attribute(name="attempt_id", kind=Text(64, 1), doc="the UUID of the call's channel", required=True)


def _list(asked: Asked) -> Deferred[Any]:
    """The attempts of a campaign, the oldest first."""
    return asked.ask(call_records.of_campaign, asked.who, asked.path["campaign_id"], asked.after, asked.limit)


def _read(asked: Asked) -> Deferred[Any]:
    """One attempt."""
    return asked.ask(call_records.read, asked.who, asked.path["attempt_id"])


ROUTES: Final = (
    Route(
        method="GET",
        path="campaigns/<campaign_id>/attempts",
        scope=Scope.READ,
        serve=_list,
        answer=page_of(ATTEMPT),
        page=Page(place=lambda record: record[0]),
    ),
    Route(method="GET", path="attempts/<attempt_id>", scope=Scope.READ, serve=_read, answer=ATTEMPT, parameters=(_UUID,)),
)
