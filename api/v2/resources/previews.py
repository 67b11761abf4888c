"""`campaigns/<id>/preview`: who will be called within a horizon, who later, who never, and why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from twisted.internet.defer import Deferred

from api.newfies.answers import STATES
from api.v2.attributes import Attribute, answer
from api.v2.pages import Page, Portion, page_of
from api.v2.resources.campaigns import MOMENT_OR_NONE
from api.v2.routes import Asked, Route
from api.v2.shapes import Schema, shown_moment
from dialer.kinds import LARGEST_ID, Member
from dialer.management import previews
from dialer.model import Scope
from dialer.model.preview import Outlook, PreviewSummary, Prospect, ProspectGroup
from dialer.time_kinds import Span

_NUMBER: Final[Schema] = {"type": "integer"}
_PROSPECT: Final[Schema] = {"type": "string", "enum": [str(each) for each in Prospect]}
_GROUP: Final[Schema] = {"type": "string", "enum": [str(each) for each in ProspectGroup]}

HORIZON: Final = Attribute(
    name="horizon",
    kind=Span(round(previews.LONGEST.total_seconds())),
    doc="how far to look ahead, such as 1h or 1d",
    default=timedelta(hours=1),
)


def _moment(at: Any) -> str | None:
    return None if at is None else shown_moment(at)


def _outlook(found: Outlook) -> dict[str, Any]:
    return {
        "contact_id": found.contact_id,
        "number": found.number,
        "prospect": str(found.prospect),
        "at": _moment(found.at),
        "attempt": found.attempt,
        "retry": found.is_retry,
        "text": found.text or found.prospect.text,
    }


OUTLOOK: Final = answer(
    "Outlook",
    "A contact with what is to be expected for it.",
    {
        "contact_id": _NUMBER,
        "number": {"type": "string"},
        "prospect": _PROSPECT,
        "at": {**MOMENT_OR_NONE, "description": "when it is called, or may be called at the earliest, where that is known"},
        "attempt": {**_NUMBER, "description": "the number of the attempt that is next"},
        "retry": {"type": "boolean", "description": "whether it was tried before"},
        "text": {"type": "string", "description": "why"},
    },
    _outlook,
)

_REASON: Final = answer(
    "PreviewReason",
    "Contacts with the same prospect.",
    {
        "prospect": _PROSPECT,
        "group": _GROUP,
        "text": {"type": "string"},
        "contacts": _NUMBER,
        "retries": {
            **_NUMBER,
            "description": "those of them that were tried before, where they are called or have a turn later",
        },
        "first_at": {
            **MOMENT_OR_NONE,
            "description": "when the first of them is called, or may be called at the earliest, where that is known",
        },
        "examples": {"type": "array", "maxItems": previews.EXAMPLES, "items": OUTLOOK.schema},
    },
    dict,
)


def _shown(found: PreviewSummary) -> dict[str, Any]:
    return {
        "campaign_id": found.campaign.id,
        "from": shown_moment(found.begin),
        "until": shown_moment(found.end),
        **{str(group): found.in_group(group) for group in ProspectGroup},
        "reasons": [
            {
                "prospect": str(prospect),
                "group": str(prospect.group),
                "text": prospect.text,
                "contacts": count,
                "retries": found.retries.get(prospect, 0),
                "first_at": _moment(found.first_at.get(prospect)),
                "examples": [_outlook(each) for each in found.examples.get(prospect, ())],
            }
            for prospect, count in found.counts.items()
            if count
        ],
        "others": {word: found.done.get(status, 0) for status, word in STATES.items()},
        "first_call_at": _moment(found.first_call_at),
        "last_call_at": _moment(found.last_call_at),
        "calls_per_minute": found.calls_per_minute,
        "call_seconds": found.call_seconds,
        "refusal": found.refusal or None,
    }


PREVIEW: Final = answer(
    "Preview",
    "Who will be called within the horizon, if the campaign is started: contacts by what is to be expected for them.",
    {
        "campaign_id": _NUMBER,
        "from": {"type": "string", "format": "date-time"},
        "until": {"type": "string", "format": "date-time"},
        "called": {**_NUMBER, "description": "within the horizon"},
        "later": _NUMBER,
        "never": _NUMBER,
        "reasons": {"type": "array", "items": _REASON.schema},
        "others": answer(
            "PreviewOthers", "Contacts that are not pending, by state.", dict.fromkeys(STATES.values(), _NUMBER), dict
        ).schema,
        "first_call_at": MOMENT_OR_NONE,
        "last_call_at": {**MOMENT_OR_NONE, "description": "the last one within the horizon"},
        "calls_per_minute": {"type": "number", "description": "the pace that was taken: its frequency, or what switches take"},
        "call_seconds": {"type": "number", "description": "how long each call was taken to last"},
        "refusal": {"type": ["string", "null"], "description": "why the campaign may not call anybody, as it is"},
    },
    _shown,
)


def _preview(asked: Asked) -> Deferred[PreviewSummary]:
    """Who a campaign will call within a horizon, who later, who never, and why."""
    return Deferred.fromCoroutine(
        previews.preview(asked.management, asked.who, asked.path["campaign_id"], asked.query["horizon"])
    )


def _contacts(asked: Asked) -> Deferred[Portion]:
    """The contacts of a preview that have one prospect; those that are called in their order."""
    return Deferred.fromCoroutine(_page(asked))


async def _page(asked: Asked) -> Portion:
    found, place = await previews.page(
        asked.management,
        asked.who,
        asked.path["campaign_id"],
        asked.query["horizon"],
        asked.query["prospect"],
        asked.after,
        asked.limit - 1,
    )
    return Portion(entries=found, place=place)


def _cursor(place: tuple[str, int]) -> str:
    return f"{place[0]} {place[1]}"


def _place(text: str) -> tuple[str, int]:
    key, _, after = text.partition(" ")
    place = key, int(after)
    if _cursor(place) != text or not 0 <= place[1] <= LARGEST_ID:
        raise ValueError
    return place


ROUTES: Final = (
    Route(
        method="GET",
        path="campaigns/<campaign_id>/preview",
        scope=Scope.READ,
        serve=_preview,
        answer=PREVIEW,
        parameters=(HORIZON,),
    ),
    Route(
        method="GET",
        path="campaigns/<campaign_id>/preview/contacts",
        scope=Scope.READ,
        serve=_contacts,
        answer=page_of(OUTLOOK),
        page=Page(place=_cursor, by=str, behind=_place),
        parameters=(
            HORIZON,
            Attribute(name="prospect", kind=Member(Prospect), doc="those with this one", default=Prospect.CALLED),
        ),
    ),
)
