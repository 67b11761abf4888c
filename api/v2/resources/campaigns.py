"""`campaigns`: who is called, when, how fast, through what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import asdict
from twisted.internet.defer import Deferred

from api.newfies.answers import STATES
from api.v2.attributes import YES_OR_NO, Attribute, Body, Encoder, answer, enterable, is_yes
from api.v2.pages import page_of, sorted_page
from api.v2.routes import Asked, Current, Route
from api.v2.shapes import shown_moment
from dialer.declare import noun_of
from dialer.kinds import Flag, Word, word_of
from dialer.management import campaigns, removals
from dialer.model import BlockReason, Campaign, CampaignDetails, CampaignStatus, Explanation, IdleCode, Scope

_SHOWN: Final = Encoder(Campaign, ("archived_at", "next_call_at", "recheck", "single"))
_encode = _SHOWN.encoder()


def _shown(details: CampaignDetails) -> dict[str, Any]:
    return {**_encode(details.campaign), "phonebook_ids": [book.id for book in details.phonebooks]}


CAMPAIGN: Final = answer(
    "Campaign",
    "A campaign.",
    {
        **_SHOWN.properties,
        "phonebook_ids": {"type": "array", "items": {"type": "integer"}, "description": "whose contacts it calls"},
    },
    _shown,
)

_WORDS: Final = {word_of(status): status for status in CampaignStatus}


def _explained(found: tuple[Explanation, int]) -> dict[str, Any]:
    explanation, live = found
    progress, reason = explanation.progress, explanation.reason
    moments = (progress.next_ready_at, None if reason is None else reason.until)
    next_ready_at, until = (None if moment is None else shown_moment(moment) for moment in moments)
    return {
        "campaign_id": explanation.campaign.id,
        "calls": reason is None,
        "reason": None if reason is None else {"code": reason.code, "text": reason.text, "until": until},
        "contacts": {word: progress.subscribers.get(status, 0) for status, word in STATES.items()},
        "waiting": progress.waiting,
        "next_ready_at": next_ready_at,
        "live_calls": live,
        "blocked": [asdict(each) for each in explanation.blocked],
    }


MOMENT_OR_NONE: Final = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}
_REASON: Final = answer(
    "IdleReason",
    "Why a campaign is not calling.",
    {
        "code": {"type": "string", "enum": [str(code) for code in IdleCode]},
        "text": {"type": "string"},
        "until": {**MOMENT_OR_NONE, "description": "when that may change, where it is known"},
    },
    dict,
).schema
_BLOCKED: Final = answer(
    "BlockedContacts",
    "Contacts that may not be called for a reason.",
    {
        "reason": {"type": "string", "enum": [str(reason) for reason in BlockReason]},
        "blocked": {"type": "integer", "description": "that are called no more"},
        "waiting": {"type": "integer", "description": "that wait until they may be called"},
    },
    dict,
).schema
COUNTS: Final = answer("Counts", "Contacts by state.", {name: {"type": "integer"} for name in STATES.values()}, dict).schema

EXPLANATION: Final = answer(
    "Explanation",
    "How far a campaign is, and why it is not calling: `reason` is null when nothing keeps it from that.",
    {
        "campaign_id": {"type": "integer"},
        "calls": {"type": "boolean"},
        "reason": {"anyOf": [_REASON, {"type": "null"}]},
        "contacts": COUNTS,
        "waiting": {"type": "integer", "description": "pending contacts whose next attempt is due later"},
        "next_ready_at": {**MOMENT_OR_NONE, "description": "when the first of these is due"},
        "live_calls": {"type": "integer"},
        "blocked": {
            "type": "array",
            "items": _BLOCKED,
            "description": "contacts that may not be called, as far as their turn has come, by what for",
        },
    },
    _explained,
)

_DRAFT: Final = Attribute(
    name="draft", kind=Flag(), doc="true: it is made without being started, and calls nobody until it is", default=False
)
NEW: Final = Body(name="NewCampaign", attributes=(*enterable(Campaign), _DRAFT))
CHANGED: Final = Body(name="ChangedCampaign", attributes=enterable(Campaign, without=("user_id", "status")), merges=True)


def _list(asked: Asked) -> Deferred[Any]:
    """Your campaigns, the newest first."""
    wanted = asked.query.get("status")
    statuses = frozenset(CampaignStatus) if wanted is None else frozenset({_WORDS[wanted]})
    name, draft = asked.query.get("name"), is_yes(asked.query, "draft")
    return asked.ask(campaigns.listed, asked.who, statuses, asked.part, name, draft)


def _read(asked: Asked) -> Deferred[Any]:
    """One campaign."""
    return asked.ask(campaigns.read, asked.who, asked.path["campaign_id"])


def _create(asked: Asked) -> Deferred[Any]:
    """Create a campaign, started unless it is a draft or says otherwise, with a phonebook of its name."""
    given = {name: value for name, value in asked.body.items() if name != _DRAFT.name}
    return asked.ask(campaigns.create, asked.who, given, campaigns.OWN_PHONEBOOK, draft=asked.body.get(_DRAFT.name, False))


def _change(asked: Asked) -> Deferred[Any]:
    """Change the settings of a campaign: a merge patch, which acts at once."""
    return asked.ask(campaigns.change, asked.who, asked.path["campaign_id"], asked.body)


def _delete(asked: Asked) -> Deferred[None]:
    """Remove a campaign; the live calls of one that is started are hung up. Its phonebooks and its attempts stay."""
    removed = removals.campaign(asked.management, asked.who, asked.path["campaign_id"], asked.ask)
    return Deferred.fromCoroutine(removed)


def _resume(asked: Asked) -> Deferred[Any]:
    """Start a campaign that is paused."""
    return asked.ask(campaigns.resume, asked.who, asked.path["campaign_id"])


def _explain(asked: Asked) -> Deferred[tuple[Explanation, int]]:
    """How far a campaign is, and why it is not calling now."""

    async def explain() -> tuple[Explanation, int]:
        key, flow = asked.path["campaign_id"], asked.management.flow
        found = await campaigns.explain(asked.management, asked.who, key)
        return found, flow.live_calls(key) if flow is not None else 0

    return Deferred.fromCoroutine(explain())


def _to(status: CampaignStatus, summary: str, name: str) -> Callable[[Asked], Deferred[Any]]:
    def serve(asked: Asked) -> Deferred[Any]:
        return asked.ask(campaigns.change, asked.who, asked.path["campaign_id"], {"status": status})

    serve.__doc__, serve.__name__ = summary, name
    return serve


_ACTIONS: Final = {
    "start": (CampaignStatus.START, "Start a campaign."),
    "pause": (CampaignStatus.PAUSE, "Pause a campaign: live calls go on."),
    "stop": (CampaignStatus.END, "End a campaign: live calls go on."),
    "abort": (CampaignStatus.ABORT, "Abort a campaign: live calls are hung up."),
}

_CURRENT: Final = Current(
    use_case=campaigns.locked, args=lambda asked: (asked.who, asked.path["campaign_id"]), answer=CAMPAIGN
)

ROUTES: Final = (
    Route(
        method="GET",
        path="campaigns",
        scope=Scope.READ,
        serve=_list,
        answer=page_of(CAMPAIGN),
        page=sorted_page(
            Campaign, "name", "starting_at", "created_at", "updated_at", default="-id", value=lambda entry: entry.campaign
        ),
        parameters=(
            Attribute(name="status", kind=Word(tuple(_WORDS)), doc="only those of this status"),
            Attribute(name="name", kind=noun_of(Campaign).field("name").kind, doc="only those of this name"),
            Attribute(name="draft", kind=YES_OR_NO, doc="only drafts, or only those that are none"),
        ),
    ),
    Route(
        method="POST",
        path="campaigns",
        scope=Scope.DIAL,
        serve=_create,
        body=NEW,
        answer=CAMPAIGN,
        status=201,
        location="campaigns/{id}",
        refusals=("limit-exceeded", "already-exists"),
    ),
    Route(method="GET", path="campaigns/<campaign_id>", scope=Scope.READ, serve=_read, answer=CAMPAIGN),
    Route(
        method="PATCH",
        path="campaigns/<campaign_id>",
        scope=Scope.DIAL,
        serve=_change,
        body=CHANGED,
        answer=CAMPAIGN,
        current=_CURRENT,
        refusals=("limit-exceeded", "already-exists"),
    ),
    Route(method="DELETE", path="campaigns/<campaign_id>", scope=Scope.DIAL, serve=_delete, status=204, current=_CURRENT),
    Route(
        method="POST",
        path="campaigns/<campaign_id>/resume",
        scope=Scope.DIAL,
        serve=_resume,
        answer=CAMPAIGN,
        refusals=("wrong-state",),
    ),
    Route(method="GET", path="campaigns/<campaign_id>/explain", scope=Scope.READ, serve=_explain, answer=EXPLANATION),
    *(
        Route(
            method="POST",
            path=f"campaigns/<campaign_id>/{action}",
            scope=Scope.DIAL,
            serve=_to(status, summary, action),
            answer=CAMPAIGN,
        )
        for action, (status, summary) in _ACTIONS.items()
    ),
)
