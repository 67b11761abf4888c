"""From the JSON of the API v2 to the values that commands show, and back: by the declarations of the nouns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from api.newfies.answers import STATES
from api.v2.shapes import shape_of
from dialer.declare import noun_of
from dialer.management.contact_list import InCampaign, Tried
from dialer.model import (
    BlockedContacts,
    Campaign,
    CampaignDetails,
    CampaignReport,
    Gateway,
    IdleCode,
    IdleReason,
    Phonebook,
    Progress,
    SubscriberStatus,
    VoipApp,
    VoipAppType,
)
from dialer.time_kinds import Moment

T = TypeVar("T")

PAGE: Final = 100
_STATUSES: Final = {word: status for status, word in STATES.items()}
_moment: Final = shape_of(Moment()).take


def read(cls: type[T], given: Mapping[str, Any], **more: Any) -> T:
    """The value of an answer: what the API does not show is as declared."""
    found = {
        field.name: shape_of(field.kind).take(given[field.name])
        for field in noun_of(cls).fields
        if field.name in given and field.name not in more
    }
    return cls(**found, **more)


def written(cls: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a body."""
    return {name: shape_of(noun_of(cls).field(name).kind).show(value) for name, value in given.items()}


def gateway(given: Mapping[str, Any]) -> Gateway:
    """One whose secrets are masked."""
    return read(Gateway, given)


def application(given: Mapping[str, Any]) -> VoipApp:
    """A voice application."""
    return read(VoipApp, given)


def campaign(given: Mapping[str, Any]) -> CampaignDetails:
    """A campaign; of its gateway and its voice application, the ids."""
    app = VoipApp(id=given["voip_app_id"], name="", type=VoipAppType.DIAL)
    way = Gateway(id=given["gateway_id"], name="")
    books = tuple(Phonebook(id=key, user_id=given["user_id"], name=str(key)) for key in given["phonebook_ids"])
    return CampaignDetails(campaign=read(Campaign, given, voip_app=app), gateway=way, phonebooks=books)


def subscribers(given: Mapping[str, Any]) -> dict[SubscriberStatus, int]:
    """Contacts by their states."""
    return {_STATUSES[word]: count for word, count in given.items()}


def _or_none(text: str | None) -> datetime | None:
    return None if text is None else _moment(text)


def report(given: Mapping[str, Any], explained: Mapping[str, Any], progressed: Mapping[str, Any]) -> CampaignReport:
    """How far a campaign is, and why it is not calling."""
    reason = explained["reason"]
    return CampaignReport(
        details=campaign(given),
        progress=Progress(
            subscribers=subscribers(progressed["contacts"]),
            waiting=progressed["waiting"],
            next_ready_at=_or_none(progressed["next_ready_at"]),
        ),
        live_calls=progressed["live_calls"],
        reason=None if reason is None else IdleReason(IdleCode(reason["code"]), reason["text"], _or_none(reason["until"])),
        finished_at=_or_none(progressed["finished_at"]),
        blocked=tuple(BlockedContacts(**each) for each in explained["blocked"]),
    )


def in_campaign(campaign: Mapping[str, Any], given: Mapping[str, Any]) -> InCampaign:
    """What a contact is in a campaign."""
    return InCampaign(
        campaign_id=campaign["id"],
        campaign=campaign["name"],
        status=_STATUSES[given["state"]],
        count_attempt=given["tries"],
        last_attempt_at=_or_none(given["last_attempt_at"]),
        ready_at=_or_none(given["next_attempt_at"]),
    )


def tried(given: Mapping[str, Any]) -> Tried:
    """An attempt."""
    return Tried(
        id=given["id"],
        campaign=given["campaign"],
        number=given["number"],
        planned_at=_moment(given["planned_at"]),
        state=given["state"],
        disposition=given["disposition"],
        reason=given["reason"],
    )
