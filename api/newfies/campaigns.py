"""`campaign/`: who is called, when, how fast, through what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, Final, Self

import attrs
from attrs import define
from pydantic import ConfigDict, create_model, model_validator
from twisted.internet.defer import Deferred

from api.errors import Refusal
from api.long_answers import LongAnswer
from api.newfies.answers import (
    STATES,
    Date,
    GatewayAnswer,
    NewfiesAnswer,
    VoipAppAnswer,
    date,
    default_of,
    encoder,
    gateway,
    model,
    named,
    requested,
    schema,
    voip_app,
)
from api.routes import Attributes, route
from api.whole_lists import whole
from dialer.declare import noun_of
from dialer.errors import AlreadyExists, LimitExceeded, NotFound
from dialer.kinds import LARGEST_ID, Flag, Text, Whole, Word
from dialer.management import Management, campaigns, contacts, removals, reports
from dialer.management.usage import UseOfGateways
from dialer.model import Account, Campaign, CampaignDetails, CampaignReport, CampaignStatus
from dialer.time_kinds import DAYS

Id = Annotated[int, Whole(1, LARGEST_ID)]

PHONEBOOK_DESCRIPTION: Final = "Auto created Phonebook from API"
PENDING: Final = frozenset({CampaignStatus.START, CampaignStatus.PAUSE})
NAMES: Final = named(Campaign)

NONE_FOUND = Refusal(NotFound, "campaign", 404, "Campaign(s) not found")
NOT_FOUND = Refusal(NotFound, "campaign", 404, "Campaign not found.")
NO_PHONEBOOK = Refusal(NotFound, "phonebook", 400, "The PhoneBook ID doesn't exist!")
TOO_MANY_CONTACTS = Refusal(
    LimitExceeded, "contacts", 400, "You have too many contacts per campaign. You are allowed a maximum of {maximum}"
)
TOO_MANY = Refusal(LimitExceeded, "campaigns", 400, "You have too many campaign. Max allowed {maximum}")
ON_VALUES: Final = (
    Refusal(NotFound, "gateway", 400, "The Gateway ID doesn't exist!"),
    Refusal(NotFound, "voip app", 400, "The VoipApp doesn't exist!"),
    Refusal(AlreadyExists, "campaign", 409, "The Campaign name duplicated!"),
    Refusal(LimitExceeded, "frequency", 400, "Maximum Frequency limit of {maximum} exceeded."),
    Refusal(LimitExceeded, "duration", 400, "Maximum Duration limit of {maximum} exceeded."),
    Refusal(LimitExceeded, "retries", 400, "Maximum Retries limit of {maximum} exceeded."),
    Refusal(LimitExceeded, "timeout", 400, "Maximum Timeout limit of {maximum} exceeded."),
)


# --- requests -------------------------------------------------------------------------------------------------------------


class CampaignList(Attributes):
    """The pending campaigns (START or PAUSE), all of them, or those of one status."""

    status: Annotated[str | None, Word(("all",), 4)] = None

    def statuses(self) -> frozenset[CampaignStatus]:
        """Which ones."""
        if self.status is None:
            return PENDING
        return frozenset(CampaignStatus) if self.status == "all" else frozenset({CampaignStatus(int(self.status))})


class CampaignChoice(Attributes):
    """Which one."""

    campaign_id: Id


def _fields() -> dict[str, Any]:
    """The attributes that may be given: as declared, and a flag for each weekday; `extra_data` is a later name of
    `voipapp_data`."""
    found: dict[str, Any] = {}
    for name, described in requested(Campaign, without=("status",)).items():
        found[name] = described
        if name == NAMES["daily_stop"]:
            found |= dict.fromkeys(DAYS, (Annotated[Any, Flag()], None))
        if name == NAMES["voip_app_data"]:
            found["extra_data"] = described
    return found


class _Given(Attributes):
    """A campaign's attributes as they came."""

    @model_validator(mode="after")
    def _one_of_two_names(self) -> Self:
        both = {"voipapp_data", "extra_data"} <= self.model_fields_set
        if both and getattr(self, "voipapp_data") != getattr(self, "extra_data"):  # noqa: B009 - a generated field
            raise ValueError("voipapp_data and extra_data are two names of one attribute; expected one of them")
        return self

    def given(self) -> dict[str, Any]:
        """The attributes that are given, by our names. A weekday that is not named is None: it stays as it was."""
        found = {ours: getattr(self, theirs) for ours, theirs in NAMES.items() if theirs in self.model_fields_set}
        if "extra_data" in self.model_fields_set:
            found["voip_app_data"] = getattr(self, "extra_data")  # noqa: B009
        days = [getattr(self, day) if day in self.model_fields_set else None for day in DAYS]
        if any(day is not None for day in days):
            found["weekdays"] = tuple(days)
        return found


def _tell_defaults(found: dict[str, Any]) -> None:
    """The declaration knows what is filled in."""
    for field in noun_of(Campaign).enterable:
        if field.v1 in found["properties"] and (default := default_of(field)) is not None:
            found["properties"][field.v1]["default"] = default
    for day in DAYS:
        found["properties"][day]["default"] = 1


_Settings: Any = create_model("_Settings", __base__=_Given, **_fields())


class NewCampaign(_Settings):
    """What a campaign is made of. Without dates it starts now and expires seven days later. With `phonebook_id` it calls the
    contacts of that phonebook, and gets none of its name."""

    model_config = ConfigDict(json_schema_extra=_tell_defaults)
    name: Annotated[str, Text(255, 1)]
    aleg_gateway: Id
    voipapp: Id
    phonebook_id: Annotated[int | None, Whole(1, LARGEST_ID)] = None


class ChangedCampaign(_Settings):
    """What changes: `status` (1 START, 2 PAUSE, 3 ABORT, 4 END) and whatever a new campaign may be given."""

    campaign_id: Id
    status: Annotated[int | None, Whole(1, 4)] = None

    @model_validator(mode="after")
    def _anything(self) -> Self:
        if self.model_fields_set == {"campaign_id"}:
            raise ValueError("nothing is given to change; expected status, or another attribute of a campaign")
        return self

    def given(self) -> dict[str, Any]:
        """The same with the status."""
        found: dict[str, Any] = super().given()
        return found | ({} if self.status is None else {"status": CampaignStatus(self.status)})


# --- answers --------------------------------------------------------------------------------------------------------------

_AT_THE_END: Final = ("gateway_id", "voip_app_id", "voip_app_data")


class LinkedPhonebook(NewfiesAnswer):
    """A phonebook of a campaign."""

    id: int
    name: str


_encode = encoder(Campaign, _AT_THE_END)


def _with_days(found: dict[str, Any], days: dict[str, Any]) -> dict[str, Any]:
    """The weekdays have their place behind the times of the day."""
    place = list(found).index(NAMES["daily_stop"]) + 1
    items = list(found.items())
    return dict([*items[:place], *days.items(), *items[place:]])


CampaignAnswer = model(
    "CampaignAnswer",
    "A campaign.",
    {
        **_with_days(schema(Campaign, _AT_THE_END), dict.fromkeys(DAYS, (int, ...))),
        "aleg_gateway": (GatewayAnswer, ...),
        "voipapp": (VoipAppAnswer, ...),
        "voipapp_data": (str, ...),
        "phonebook": (list[LinkedPhonebook], ...),
    },
)


def campaign(details: CampaignDetails) -> dict[str, Any]:
    """A campaign in an answer: `CampaignAnswer`."""
    value = details.campaign
    return {
        **_with_days(_encode(value), dict(zip(DAYS, map(int, value.weekdays), strict=True))),
        "aleg_gateway": gateway(details.gateway, details.gateway_use),
        "voipapp": voip_app(value.voip_app),
        "voipapp_data": value.voip_app_data,
        "phonebook": [{"id": book.id, "name": book.name} for book in details.phonebooks],
    }


class ProgressAnswer(NewfiesAnswer):
    """Contacts of the campaign by their state, and the calls under way."""

    pending: int
    paused: int
    aborted: int
    failed: int
    completed: int
    in_process: int
    not_authorised: int
    total: int
    live_calls: int


class IdleAnswer(NewfiesAnswer):
    """Why it is not calling: a stable word, a sentence, and when that may change, where it is known."""

    code: str
    text: str
    until: Date | None


CampaignReportAnswer = model(
    "CampaignReportAnswer",
    "A campaign and how far it is. `idle` is null when nothing keeps it from calling; `finished_at` is when its last call "
    "ended, once nobody is left to call.",
    {"progress": (ProgressAnswer, ...), "idle": (IdleAnswer | None, ...), "finished_at": (Date | None, ...)},
    CampaignAnswer,
)


def report(found: CampaignReport) -> dict[str, Any]:
    """A campaign and how far it is: `CampaignReportAnswer`."""
    reason, subscribers = found.reason, found.progress.subscribers
    until = None if reason is None or reason.until is None else date(reason.until)
    return {
        **campaign(found.details),
        "progress": {
            **{word: subscribers.get(status, 0) for status, word in STATES.items()},
            "total": sum(subscribers.values()),
            "live_calls": found.live_calls,
        },
        "idle": None if reason is None else {"code": str(reason.code), "text": reason.text, "until": until},
        "finished_at": None if found.finished_at is None else date(found.finished_at),
    }


def several(details: list[CampaignDetails]) -> list[dict[str, Any]]:
    """A list of answers."""
    return [campaign(each) for each in details]


# --- the resource ---------------------------------------------------------------------------------------------------------


@define(eq=False)
class Campaigns:
    """The resource."""

    management: Management
    use: UseOfGateways = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.use = UseOfGateways(self.management)

    @route(
        "GET",
        "campaign/",
        schema=CampaignList,
        answer=list[CampaignAnswer],  # type: ignore[valid-type]
        encode=several,
    )
    def read_all(self, who: Account, given: CampaignList) -> Deferred[list[CampaignDetails] | LongAnswer]:
        """Pending campaigns, or those of another status, the newest first."""
        pages = partial(self._read_pages, who, given.statuses())
        return Deferred.fromCoroutine(whole(self.management, pages, lambda each: -each.campaign.id, campaign))

    async def _read_pages(
        self, who: Account, statuses: frozenset[CampaignStatus], take: Callable[[list[CampaignDetails]], Awaitable[None]]
    ) -> None:
        async def with_use(found: list[CampaignDetails]) -> None:
            await take(await self.use.tell_all(found))

        await campaigns.read_pages(self.management, who, statuses, with_use)

    @route(
        "GET",
        "campaign/<campaign_id>/",
        schema=CampaignChoice,
        answer=CampaignReportAnswer,
        encode=report,
        refusals=(NONE_FOUND,),
    )
    def read(self, who: Account, given: CampaignChoice) -> Deferred[CampaignReport]:
        """One campaign, how far it is, and why it is not calling."""
        return Deferred.fromCoroutine(reports.campaign(self.management, self.use, who, given.campaign_id))

    @route(
        "POST",
        "campaign/",
        schema=NewCampaign,
        answer=CampaignAnswer,
        encode=campaign,
        refusals=(TOO_MANY, NO_PHONEBOOK, TOO_MANY_CONTACTS, *ON_VALUES),
        names={**NAMES, "phonebook": "phonebook_id"},
    )
    def create(self, who: Account, given: NewCampaign) -> Deferred[CampaignDetails]:
        """Create a campaign, started, with a phonebook of its name, or for one that is there."""
        created = Deferred.fromCoroutine(self._create(who, given.given(), given.phonebook_id))
        return created.addCallback(self.use.tell)

    async def _create(self, who: Account, given: dict[str, Any], phonebook_id: int | None) -> CampaignDetails:
        found = await self.management.ask(campaigns.create, who, given, PHONEBOOK_DESCRIPTION, phonebook_id=phonebook_id)
        if phonebook_id is not None:
            await contacts.subscribe(self.management, found.campaign.id, phonebook_id)
        return found

    @route(
        "DELETE",
        "campaign/<campaign_id>/",
        schema=CampaignChoice,
        answer=None,
        encode=campaign,
        refusals=(NOT_FOUND,),
    )
    def remove(self, who: Account, given: CampaignChoice) -> Deferred[None]:
        """Remove a campaign: live calls are hung up, its phonebooks and the records of its calls stay."""
        return Deferred.fromCoroutine(removals.campaign(self.management, who, given.campaign_id))

    @route(
        "DELETE",
        "campaign/delete_cascade/<campaign_id>/",
        schema=CampaignChoice,
        answer=None,
        encode=campaign,
        refusals=(NOT_FOUND,),
    )
    def remove_cascade(self, who: Account, given: CampaignChoice) -> Deferred[None]:
        """Remove a campaign with its phonebooks and their contacts, but for phonebooks that other campaigns use."""
        return Deferred.fromCoroutine(removals.campaign_with_phonebooks(self.management, who, given.campaign_id))

    @route(
        "PUT",
        "campaign/<campaign_id>/",
        schema=ChangedCampaign,
        answer=CampaignAnswer,
        encode=campaign,
        refusals=(NOT_FOUND, *ON_VALUES),
        names=NAMES,
    )
    def change(self, who: Account, given: ChangedCampaign) -> Deferred[CampaignDetails]:
        """Change a campaign's status or settings. It acts at once; ABORT also hangs up its live calls."""
        changed = self.management.ask(campaigns.change, who, given.campaign_id, given.given())
        return changed.addCallback(self.use.tell)
