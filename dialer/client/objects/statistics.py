"""Objects of the API v2: statistics.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from typing import Literal, TypedDict


class OverviewCampaignsObject(TypedDict):
    """Campaigns by status."""

    start: int
    pause: int
    abort: int
    end: int


class OverviewContactsObject(TypedDict):
    """Contacts by state."""

    pending: int
    paused: int
    aborted: int
    failed: int
    completed: int
    in_process: int
    not_authorised: int


class OverviewTotalsObject(TypedDict):
    """All attempts of the time."""

    attempts: int
    """that have ended"""
    counted: int
    """of these, the ones that count as attempts of their contacts"""
    answered: int
    """by a person or a machine"""
    answer_rate: float | None
    """answered / counted, from 0 to 1; null when none counts"""
    talk_ms: int
    """from the answer to the end, of all of them together"""
    mean_talk_ms: int | None
    """of those answered; null when none was"""


class OverviewByDispositionObject(TypedDict):
    """The most frequent first."""

    disposition: Literal[
        "ANSWERED", "BUSY", "NO_ANSWER", "REJECTED", "INVALID_NUMBER", "CANCELLED", "CONGESTION", "MACHINE", "FAILED",
        "UNKNOWN",
    ]
    attempts: int
    """that have ended"""
    counted: int
    """of these, the ones that count as attempts of their contacts"""
    answered: int
    """by a person or a machine"""
    answer_rate: float | None
    """answered / counted, from 0 to 1; null when none counts"""
    talk_ms: int
    """from the answer to the end, of all of them together"""
    mean_talk_ms: int | None
    """of those answered; null when none was"""


OverviewObject = TypedDict("OverviewObject", {
    "from": str,
    "to": str,
    "campaigns": OverviewCampaignsObject,
    "contacts": OverviewContactsObject,
    "live_calls": int,
    "totals": OverviewTotalsObject,
    "by_disposition": list[OverviewByDispositionObject],
})
"""All your campaigns together: what they are now, and their attempts that were begun from the hour `from` on, before `to`."""


class CampaignStatisticsContactsObject(TypedDict):
    """Contacts by state."""

    pending: int
    paused: int
    aborted: int
    failed: int
    completed: int
    in_process: int
    not_authorised: int


class CampaignStatisticsTotalsObject(TypedDict):
    """All attempts of the window."""

    attempts: int
    """that have ended"""
    counted: int
    """of these, the ones that count as attempts of their contacts"""
    answered: int
    """by a person or a machine"""
    answer_rate: float | None
    """answered / counted, from 0 to 1; null when none counts"""
    talk_ms: int
    """from the answer to the end, of all of them together"""
    mean_talk_ms: int | None
    """of those answered; null when none was"""


class CampaignStatisticsByDispositionObject(TypedDict):
    """The most frequent first."""

    disposition: Literal[
        "ANSWERED", "BUSY", "NO_ANSWER", "REJECTED", "INVALID_NUMBER", "CANCELLED", "CONGESTION", "MACHINE", "FAILED",
        "UNKNOWN",
    ]
    attempts: int
    """that have ended"""
    counted: int
    """of these, the ones that count as attempts of their contacts"""
    answered: int
    """by a person or a machine"""
    answer_rate: float | None
    """answered / counted, from 0 to 1; null when none counts"""
    talk_ms: int
    """from the answer to the end, of all of them together"""
    mean_talk_ms: int | None
    """of those answered; null when none was"""


class CampaignStatisticsByCauseObject(TypedDict):
    """The most frequent first."""

    disposition: Literal[
        "ANSWERED", "BUSY", "NO_ANSWER", "REJECTED", "INVALID_NUMBER", "CANCELLED", "CONGESTION", "MACHINE", "FAILED",
        "UNKNOWN",
    ]
    cause: str
    attempts: int
    """that have ended"""
    counted: int
    """of these, the ones that count as attempts of their contacts"""
    answered: int
    """by a person or a machine"""
    answer_rate: float | None
    """answered / counted, from 0 to 1; null when none counts"""
    talk_ms: int
    """from the answer to the end, of all of them together"""
    mean_talk_ms: int | None
    """of those answered; null when none was"""


class CampaignStatisticsByHourObject(TypedDict):
    """The hours in which attempts were begun, the newest 744 of them."""

    hour: str
    attempts: int
    """that have ended"""
    counted: int
    """of these, the ones that count as attempts of their contacts"""
    answered: int
    """by a person or a machine"""
    answer_rate: float | None
    """answered / counted, from 0 to 1; null when none counts"""
    talk_ms: int
    """from the answer to the end, of all of them together"""
    mean_talk_ms: int | None
    """of those answered; null when none was"""


class CampaignStatisticsByGatewayObject(TypedDict):
    """`gateway` is its name; null when it was removed."""

    gateway_id: int
    gateway: str | None
    attempts: int
    """that have ended"""
    counted: int
    """of these, the ones that count as attempts of their contacts"""
    answered: int
    """by a person or a machine"""
    answer_rate: float | None
    """answered / counted, from 0 to 1; null when none counts"""
    talk_ms: int
    """from the answer to the end, of all of them together"""
    mean_talk_ms: int | None
    """of those answered; null when none was"""


class CampaignStatisticsByNumberObject(TypedDict):
    """First attempts, second ones, and so on."""

    number_of_attempt: int
    attempts: int
    """that have ended"""
    counted: int
    """of these, the ones that count as attempts of their contacts"""
    answered: int
    """by a person or a machine"""
    answer_rate: float | None
    """answered / counted, from 0 to 1; null when none counts"""
    talk_ms: int
    """from the answer to the end, of all of them together"""
    mean_talk_ms: int | None
    """of those answered; null when none was"""


class CampaignStatisticsAttemptsPerContactObject(TypedDict):
    """A line of it."""

    attempts: int
    contacts: int


class CampaignStatisticsForecastObject(TypedDict):
    """An estimate from what has happened: how many contacts and calls are left, and when the last call may begin."""

    contacts_left: int
    """pending, or being called"""
    calls_left: int
    """with the retries that are to be expected"""
    calls_per_minute: float
    """of the last minutes, or the campaign's frequency"""
    ends_at: str | None
    """within the calling hours"""
    reason: Literal["done", "not-started", "expires-first"] | None
    """why there is no `ends_at`: nobody is left to call, the campaign is not started, or expires before"""


CampaignStatisticsObject = TypedDict("CampaignStatisticsObject", {
    "campaign_id": int,
    "from": str | None,
    "to": str | None,
    "contacts": CampaignStatisticsContactsObject,
    "live_calls": int,
    "totals": CampaignStatisticsTotalsObject,
    "by_disposition": list[CampaignStatisticsByDispositionObject],
    "by_cause": list[CampaignStatisticsByCauseObject],
    "by_hour": list[CampaignStatisticsByHourObject],
    "by_gateway": list[CampaignStatisticsByGatewayObject],
    "by_number": list[CampaignStatisticsByNumberObject],
    "attempts_per_contact": list[CampaignStatisticsAttemptsPerContactObject],
    "forecast": CampaignStatisticsForecastObject,
})
"""The statistics of a campaign: attempts begun in the window, which is all of its time unless `from` and `to` narrow it;
contacts, live calls, attempts per contact and the forecast are those of now."""
