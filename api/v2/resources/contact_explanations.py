"""`campaigns/<id>/contacts/<id>/explain`: what keeps a contact from being called."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred

from api.newfies.answers import STATES
from api.v2.attributes import answer
from api.v2.resources.campaigns import MOMENT_OR_NONE
from api.v2.resources.do_not_call import NUMBER
from api.v2.routes import Asked, Route
from api.v2.shapes import Schema, shown_moment
from dialer.management import contact_explanation
from dialer.management.contact_explanation import ContactExplanation
from dialer.model import Disposition, IdleCode, Scope
from dialer.model.contact_obstacle import ContactCode

_OBSTACLE: Final = answer(
    "ContactObstacle",
    "Something that keeps a contact from being called.",
    {
        "code": {"type": "string", "enum": [str(each) for each in ContactCode]},
        "text": {"type": "string"},
        "until": {**MOMENT_OR_NONE, "description": "when that may change, where it is known"},
        "campaign_code": {
            "enum": [*(str(each) for each in IdleCode), None],
            "description": "where it is the campaign's: why that is not calling",
        },
    },
    dict,
)
_TRY: Final = answer(
    "ContactTry",
    "An attempt to reach the contact in this campaign; what its end tells is null while it is open.",
    {
        "planned_at": {"type": "string", "format": "date-time"},
        "ended_at": MOMENT_OR_NONE,
        "disposition": {"enum": [*(str(each) for each in Disposition), None]},
        "cause": {"type": "string"},
        "reason": {"type": "string", "description": "what was decided of the contact, and why"},
    },
    dict,
)
_COUNT: Final[Schema] = {"type": "integer", "description": "contacts that are called before it, where it is ready"}


def _moment(at: Any) -> str | None:
    return None if at is None else shown_moment(at)


def _shown(explained: ContactExplanation) -> dict[str, Any]:
    found = explained.found
    return {
        "campaign_id": explained.campaign_id,
        "contact_id": explained.contact_id,
        "number": found.number,
        "state": None if found.status is None else STATES[found.status],
        "is_next": not explained.obstacles,
        "obstacles": [
            {
                "code": str(each.code),
                "text": each.text,
                "until": _moment(each.until),
                "campaign_code": each.campaign_code or None,
            }
            for each in explained.obstacles
        ],
        "ready_at": _moment(found.ready_at),
        "ahead": found.ahead,
        "attempts": [
            {
                "planned_at": shown_moment(each.planned_at),
                "ended_at": _moment(each.ended_at),
                "disposition": None if each.disposition is None else str(each.disposition),
                "cause": each.cause,
                "reason": each.reason,
            }
            for each in found.tries
        ],
    }


EXPLANATION: Final = answer(
    "ContactExplanation",
    "What keeps a contact from being called now, the strongest first: who changes exactly that has it called.",
    {
        "campaign_id": {"type": "integer"},
        "contact_id": {"type": "integer"},
        "number": {"type": "string"},
        "state": {"enum": [*STATES.values(), None]},
        "is_next": {"type": "boolean", "description": "whether nothing keeps it from being called"},
        "obstacles": {"type": "array", "items": _OBSTACLE.schema},
        "ready_at": {**MOMENT_OR_NONE, "description": "no call before"},
        "ahead": _COUNT,
        "attempts": {"type": "array", "items": _TRY.schema},
    },
    _shown,
)


def _explain(asked: Asked) -> Deferred[ContactExplanation]:
    """What keeps a contact from being called by a campaign."""
    path = asked.path
    return Deferred.fromCoroutine(
        contact_explanation.explain(asked.management, asked.who, path["campaign_id"], path["contact_id"])
    )


def _told_of_number(found: tuple[list[str], dict[str, Any]]) -> dict[str, Any]:
    lines, told = found
    obstacles = [
        {
            "code": str(each["code"]),
            "text": each["text"],
            "until": _moment(each["until"]),
            "campaign_code": each["campaign_code"] or None,
        }
        for each in told["obstacles"]
    ]
    return {"number": told["number"], "identity": told["identity"], "why": lines, "obstacles": obstacles}


OF_NUMBER: Final = answer(
    "NumberExplanation",
    "What keeps a number from being called by a campaign now, the strongest first, and how it was tried.",
    {
        "number": {"type": "string"},
        "identity": {"type": "string", "description": "its canonical digits"},
        "why": {"type": "array", "items": {"type": "string"}, "description": "the same in sentences, then its tries"},
        "obstacles": {"type": "array", "items": _OBSTACLE.schema},
    },
    _told_of_number,
)


def _explain_number(asked: Asked) -> Deferred[Any]:
    """What keeps a number, in any spelling, from being called by a campaign, whether that has it or not."""
    path = asked.path
    return Deferred.fromCoroutine(
        contact_explanation.of_number(asked.management, asked.who, path["campaign_id"], path["number"])
    )


ROUTES: Final = (
    Route(
        method="GET",
        path="campaigns/<campaign_id>/numbers/<number>/explain",
        scope=Scope.READ,
        serve=_explain_number,
        answer=OF_NUMBER,
        parameters=(NUMBER,),
    ),
    Route(
        method="GET",
        path="campaigns/<campaign_id>/contacts/<contact_id>/explain",
        scope=Scope.READ,
        serve=_explain,
        answer=EXPLANATION,
    ),
)
