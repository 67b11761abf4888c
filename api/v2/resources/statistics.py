"""`statistics` of a campaign."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred

from api.newfies.answers import STATES
from api.v2.attributes import Attribute, answer
from api.v2.problems import Flaw, Problem
from api.v2.resources.campaigns import COUNTS, MOMENT_OR_NONE
from api.v2.routes import Asked, Route
from api.v2.shapes import Schema
from dialer.kinds import word_of
from dialer.management import all_campaigns, statistics
from dialer.model import CampaignStatus, Disposition, Scope
from dialer.model.statistics import CampaignStatistics, NoEnd, OverallStatistics
from dialer.time_kinds import Hour

_NUMBER: Final[Schema] = {"type": "integer"}
_SUMS: Final[dict[str, Schema]] = {
    "attempts": {**_NUMBER, "description": "that have ended"},
    "counted": {**_NUMBER, "description": "of these, the ones that count as attempts of their contacts"},
    "answered": {**_NUMBER, "description": "by a person or a machine"},
    "answer_rate": {"type": ["number", "null"], "description": "answered / counted, from 0 to 1; null when none counts"},
    "talk_ms": {**_NUMBER, "description": "from the answer to the end, of all of them together"},
    "mean_talk_ms": {"type": ["integer", "null"], "description": "of those answered; null when none was"},
}


def _each(name: str, doc: str, key: dict[str, Schema]) -> Schema:
    return {"type": "array", "items": answer(name, doc, {**key, **_SUMS}, dict).schema, "description": doc}


_DISPOSITION: Final[Schema] = {"type": "string", "enum": [str(each) for each in Disposition]}
_FORECAST: Final = answer(
    "Forecast",
    "An estimate from what has happened: how many contacts and calls are left, and when the last call may begin.",
    {
        "contacts_left": {**_NUMBER, "description": "pending, or being called"},
        "calls_left": {**_NUMBER, "description": "with the retries that are to be expected"},
        "calls_per_minute": {"type": "number", "description": "of the last minutes, or the campaign's frequency"},
        "ends_at": {**MOMENT_OR_NONE, "description": "within the calling hours"},
        "reason": {
            "enum": [*(str(each) for each in NoEnd), None],
            "description": "why there is no `ends_at`: nobody is left to call, the campaign is not started, or expires before",
        },
    },
    dict,
).schema


def _shown(found: CampaignStatistics) -> dict[str, Any]:
    return statistics.as_object(found, STATES)


STATISTICS: Final = answer(
    "CampaignStatistics",
    "The statistics of a campaign: attempts begun in the window, which is all of its time unless `from` and `to` narrow it; "
    "contacts, live calls, attempts per contact and the forecast are those of now.",
    {
        "campaign_id": _NUMBER,
        "from": MOMENT_OR_NONE,
        "to": MOMENT_OR_NONE,
        "contacts": COUNTS,
        "live_calls": {**_NUMBER, "description": "attempts that have not ended"},
        "totals": answer("Sums", "All attempts of the window.", _SUMS, dict).schema,
        "by_disposition": _each("OfDisposition", "The most frequent first.", {"disposition": _DISPOSITION}),
        "by_cause": _each("OfCause", "The most frequent first.", {"disposition": _DISPOSITION, "cause": {"type": "string"}}),
        "by_hour": _each(
            "OfHour",
            f"The hours in which attempts were begun, the newest {statistics.MOST_HOURS} of them.",
            {"hour": {"type": "string", "format": "date-time"}},
        ),
        "by_gateway": _each(
            "OfGateway",
            "`gateway` is its name; null when it was removed.",
            {"gateway_id": _NUMBER, "gateway": {"type": ["string", "null"]}},
        ),
        "by_number": _each("OfNumber", "First attempts, second ones, and so on.", {"number_of_attempt": _NUMBER}),
        "attempts_per_contact": {
            "type": "array",
            "description": "How many contacts have so many attempts that count.",
            "items": answer("PerContact", "A line of it.", {"attempts": _NUMBER, "contacts": _NUMBER}, dict).schema,
        },
        "forecast": _FORECAST,
    },
    _shown,
)

_FROM: Final = Attribute(name="from", kind=Hour(), doc="attempts begun from this hour on")
_TO: Final = Attribute(name="to", kind=Hour(), doc="attempts begun before this hour")


def _read(asked: Asked) -> Deferred[CampaignStatistics]:
    """How the calls of a campaign ended, when and through what, and when it may be done."""
    since, until = asked.query.get("from"), asked.query.get("to")
    if since is not None and until is not None and since >= until:
        raise Problem.of_flaws([Flaw.of_parameter("to", "expected an hour after `from`")])
    return Deferred.fromCoroutine(statistics.of_campaign(asked.management, asked.who, asked.path["campaign_id"], since, until))


def _seen(found: OverallStatistics) -> dict[str, Any]:
    return {
        "from": statistics.told_moment(found.since),
        "to": statistics.told_moment(found.until),
        "campaigns": {word_of(status): found.campaigns.get(status, 0) for status in CampaignStatus},
        "contacts": {word: found.contacts.get(status, 0) for status, word in STATES.items()},
        "live_calls": found.live_calls,
        "totals": statistics.told_sums(found.totals),
        "by_disposition": [
            {"disposition": str(key), **statistics.told_sums(sums)} for key, sums in found.by_disposition.items()
        ],
    }


OVERVIEW: Final = answer(
    "Overview",
    "All your campaigns together: what they are now, and their attempts that were begun from the hour `from` on, before `to`.",
    {
        "from": {"type": "string", "format": "date-time"},
        "to": {"type": "string", "format": "date-time"},
        "campaigns": answer(
            "CampaignsByStatus", "Campaigns by status.", {word_of(status): _NUMBER for status in CampaignStatus}, dict
        ).schema,
        "contacts": COUNTS,
        "live_calls": {**_NUMBER, "description": "attempts that have not ended"},
        "totals": answer("Sums", "All attempts of the time.", _SUMS, dict).schema,
        "by_disposition": _each("OfDisposition", "The most frequent first.", {"disposition": _DISPOSITION}),
    },
    _seen,
)


def _overview(asked: Asked) -> Deferred[OverallStatistics]:
    """All your campaigns together: how many, their contacts, and the calls of the last day, or of up to 31 days."""
    return asked.ask(all_campaigns.of_all, asked.who, asked.query.get("from"), asked.query.get("to"))


ROUTES: Final = (
    Route(
        method="GET",
        path="statistics",
        scope=Scope.READ,
        serve=_overview,
        answer=OVERVIEW,
        parameters=(_FROM, _TO),
    ),
    Route(
        method="GET",
        path="campaigns/<campaign_id>/statistics",
        scope=Scope.READ,
        serve=_read,
        answer=STATISTICS,
        parameters=(_FROM, _TO),
    ),
)
