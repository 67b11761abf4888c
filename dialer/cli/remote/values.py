"""From the JSON of the API v2 to the values that commands show, and back: by the declarations of the nouns."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from api.newfies.answers import STATES
from api.v2.shapes import shape_of
from dialer.declare import noun_of, valid
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
"""Entries that the API gives at once, at most."""
NAMELESS: Final[Mapping[int, str]] = {}
_STATUSES: Final = {word: status for status, word in STATES.items()}
_MOMENT: Final = shape_of(Moment())


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


def entered(cls: type, given: Mapping[str, str]) -> dict[str, Any]:
    """The values of texts, as an option has them. Raises `BadValue`."""
    return {name: valid(noun_of(cls).field(name), text) for name, text in given.items()}


def nameless_application(key: int) -> VoipApp:
    """A voice application of which nothing but the id is known."""
    return VoipApp(id=key, name="", type=VoipAppType.DIAL)


def campaign(given: Mapping[str, Any], names: Mapping[int, str] = NAMELESS) -> CampaignDetails:
    """A campaign; of its gateway and its voice application, the ids; of its phonebooks, too, as far as `names` lacks them."""
    app = nameless_application(given["voip_app_id"])
    way = Gateway(id=given["gateway_id"], name="")
    books = tuple(Phonebook(id=key, user_id=given["user_id"], name=names.get(key, str(key))) for key in given["phonebook_ids"])
    return CampaignDetails(campaign=read(Campaign, given, voip_app=app), gateway=way, phonebooks=books)


def subscribers(given: Mapping[str, Any]) -> dict[SubscriberStatus, int]:
    """Contacts by their states."""
    return {_STATUSES[word]: count for word, count in given.items()}


def moment(text: str | None) -> datetime | None:
    """A moment of an answer, None for null."""
    return None if text is None else known_moment(text)


def known_moment(text: str) -> datetime:
    """The same of one that is always there."""
    found: datetime = _MOMENT.take(text)
    return found


def rfc3339(moment: datetime) -> str:
    """A moment as it is sent."""
    return str(_MOMENT.show(moment.astimezone(UTC)))


def rows_of_table(content: bytes) -> int:
    """How many rows a CSV file has, without its header."""
    lines = content.decode().splitlines(keepends=True)
    return max(sum(1 for _ in csv.reader(lines)) - 1, 0)


def report(given: Mapping[str, Any], explained: Mapping[str, Any], progressed: Mapping[str, Any]) -> CampaignReport:
    """How far a campaign is, and why it is not calling."""
    reason = explained["reason"]
    return CampaignReport(
        details=campaign(given),
        progress=Progress(
            subscribers=subscribers(progressed["contacts"]),
            waiting=progressed["waiting"],
            next_ready_at=moment(progressed["next_ready_at"]),
        ),
        live_calls=progressed["live_calls"],
        reason=None if reason is None else IdleReason(IdleCode(reason["code"]), reason["text"], moment(reason["until"])),
        finished_at=moment(progressed["finished_at"]),
        blocked=tuple(BlockedContacts(**each) for each in explained["blocked"]),
    )


def in_campaign(campaign: Mapping[str, Any], given: Mapping[str, Any]) -> InCampaign:
    """What a contact is in a campaign."""
    return InCampaign(
        campaign_id=campaign["id"],
        campaign=campaign["name"],
        status=_STATUSES[given["state"]],
        count_attempt=given["tries"],
        last_attempt_at=moment(given["last_attempt_at"]),
        ready_at=moment(given["next_attempt_at"]),
    )


def tried(given: Mapping[str, Any]) -> Tried:
    """An attempt."""
    return Tried(
        id=given["id"],
        campaign=given["campaign"],
        number=given["number"],
        planned_at=known_moment(given["planned_at"]),
        state=given["state"],
        disposition=given["disposition"],
        reason=given["reason"],
    )
