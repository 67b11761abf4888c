"""`campaign/`: who is called, when, how fast, through what."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Any, Final, Self

from attrs import NOTHING, define, fields_dict
from pydantic import ConfigDict, model_validator
from twisted.internet.defer import Deferred

from api.attributes import LARGEST_ID, ClockTime, Epoch, Flag, Text, Whole, Word
from api.campaign_answers import CampaignAnswer, campaign, campaigns
from api.errors import Refusal
from api.routes import Attributes, route
from dialer.errors import AlreadyExists, LimitExceeded, NotFound
from dialer.interfaces import ApiBackend
from dialer.model import CampaignStatus, UnknownPolicy
from dialer.records import Account, CampaignChange, CampaignDraft, CampaignRecord

Id = Annotated[int, Whole(1, LARGEST_ID)]
Name = Annotated[str, Text(255, 1)]
ApplicationData = Annotated[str | None, Text(500)]
Day = Annotated[bool | None, Flag()]

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PENDING: Final = frozenset({CampaignStatus.START, CampaignStatus.PAUSE})

NONE_FOUND = Refusal(NotFound, "campaign", 404, "Campaign(s) not found")
NOT_FOUND = Refusal(NotFound, "campaign", 404, "Campaign not found.")
TOO_MANY = Refusal(LimitExceeded, "campaigns", 400, "You have too many campaign. Max allowed {maximum}")
ON_VALUES: Final = (
    Refusal(NotFound, "gateway", 400, "The Gateway ID doesn't exist!"),
    Refusal(NotFound, "voip app", 400, "The VoipApp doesn't exist!"),
    Refusal(AlreadyExists, "campaign", 409, "The Campaign name duplicated!"),
    Refusal(LimitExceeded, "Frequency", 400, "Maximum Frequency limit of {maximum} exceeded."),
    Refusal(LimitExceeded, "Duration", 400, "Maximum Duration limit of {maximum} exceeded."),
    Refusal(LimitExceeded, "Retries", 400, "Maximum Retries limit of {maximum} exceeded."),
    Refusal(LimitExceeded, "Timeout", 400, "Maximum Timeout limit of {maximum} exceeded."),
)


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


class _Settings(Attributes):
    """What may be given, to a new campaign and to one that exists. None stands for what is not given."""

    name: Annotated[str | None, Text(255, 1)] = None
    description: Annotated[str | None, Text(2000, lines=True)] = None
    startingdate: Annotated[datetime | None, Epoch()] = None
    expirationdate: Annotated[datetime | None, Epoch()] = None
    daily_start_time: Annotated[time | None, ClockTime()] = None
    daily_stop_time: Annotated[time | None, ClockTime()] = None
    monday: Day = None
    tuesday: Day = None
    wednesday: Day = None
    thursday: Day = None
    friday: Day = None
    saturday: Day = None
    sunday: Day = None
    frequency: Annotated[int | None, Whole(1, 1_000_000)] = None
    callmaxduration: Annotated[int | None, Whole(1, 86_400)] = None
    maxretry: Annotated[int | None, Whole(0, 1000)] = None
    intervalretry: Annotated[int | None, Whole(0, 31_536_000)] = None
    calltimeout: Annotated[int | None, Whole(1, 3600)] = None
    aleg_gateway: Annotated[int | None, Whole(1, LARGEST_ID)] = None
    voipapp: Annotated[int | None, Whole(1, LARGEST_ID)] = None
    voipapp_data: ApplicationData = None
    extra_data: ApplicationData = None
    callerid: Annotated[str | None, Text(33)] = None
    unknown_policy: Annotated[str | None, Word(tuple(UnknownPolicy))] = None

    @model_validator(mode="after")
    def _one_of_two_names(self) -> Self:
        if self.voipapp_data is not None and self.extra_data is not None and self.voipapp_data != self.extra_data:
            raise ValueError("voipapp_data and extra_data are two names of one attribute; expected one of them")
        return self

    def given(self) -> dict[str, Any]:
        """What is given, under the names of `CampaignDraft` and `CampaignChange`."""
        values = {ours: getattr(self, theirs) for theirs, ours in _NAMES}
        if self.extra_data is not None:
            values["voip_app_data"] = self.extra_data
        if self.unknown_policy is not None:
            values["unknown_policy"] = UnknownPolicy(self.unknown_policy)
        return {name: value for name, value in values.items() if value is not None}

    def days(self) -> dict[int, bool]:
        """The weekdays that are given, from 0 for Monday."""
        flags = ((number, getattr(self, day)) for number, day in enumerate(DAYS))
        return {number: flag for number, flag in flags if flag is not None}


_NAMES: Final = (
    ("name", "name"),
    ("description", "description"),
    ("startingdate", "starting_at"),
    ("expirationdate", "expires_at"),
    ("daily_start_time", "daily_start"),
    ("daily_stop_time", "daily_stop"),
    ("frequency", "frequency"),
    ("callmaxduration", "call_max_duration"),
    ("maxretry", "max_retry"),
    ("intervalretry", "interval_retry"),
    ("calltimeout", "call_timeout"),
    ("aleg_gateway", "gateway_id"),
    ("voipapp", "voip_app_id"),
    ("voipapp_data", "voip_app_data"),
    ("callerid", "caller_id"),
    ("unknown_policy", "unknown_policy"),
)


def _tell_defaults(schema: dict[str, Any]) -> None:
    """Write what the backend fills in into the schema: it is the draft that knows."""
    for theirs, ours in _NAMES:
        default = fields_dict(CampaignDraft)[ours].default
        if default is not None and default is not NOTHING:
            schema["properties"][theirs]["default"] = default.isoformat() if isinstance(default, time) else default
    for day in DAYS:
        schema["properties"][day]["default"] = 1


class NewCampaign(_Settings):
    """What a campaign is made of. Without dates it starts now and expires seven days later."""

    model_config = ConfigDict(json_schema_extra=_tell_defaults)

    name: Name
    aleg_gateway: Id
    voipapp: Id

    def draft(self) -> CampaignDraft:
        """For the backend."""
        days = self.days()
        weekdays = tuple(days.get(number, True) for number in range(7))
        return CampaignDraft(**self.given(), weekdays=weekdays)  # type: ignore[arg-type]


class ChangedCampaign(_Settings):
    """What changes: `status` (1 START, 2 PAUSE, 3 ABORT, 4 END) and whatever a new campaign may be given."""

    campaign_id: Id
    status: Annotated[int | None, Whole(1, 4)] = None

    @model_validator(mode="after")
    def _anything(self) -> Self:
        if self.model_fields_set == {"campaign_id"}:
            raise ValueError("nothing is given to change; expected status, or another attribute of a campaign")
        return self

    def change(self) -> CampaignChange:
        """For the backend."""
        status = None if self.status is None else CampaignStatus(self.status)
        return CampaignChange(**self.given(), status=status, weekdays=self.days())


@define(eq=False)
class Campaigns:
    """The resource."""

    backend: ApiBackend

    @route("GET", "campaign/", schema=CampaignList, answer=list[CampaignAnswer], encode=campaigns)
    def read_all(self, who: Account, given: CampaignList) -> Deferred[list[CampaignRecord]]:
        """Pending campaigns, or those of another status, the newest first."""
        return self.backend.campaigns(who, given.statuses())

    @route(
        "GET",
        "campaign/<campaign_id>/",
        schema=CampaignChoice,
        answer=CampaignAnswer,
        encode=campaign,
        refusals=(NONE_FOUND,),
    )
    def read(self, who: Account, given: CampaignChoice) -> Deferred[CampaignRecord]:
        """One campaign."""
        return self.backend.campaign(who, given.campaign_id)

    @route(
        "POST",
        "campaign/",
        schema=NewCampaign,
        answer=CampaignAnswer,
        encode=campaign,
        refusals=(TOO_MANY, *ON_VALUES),
    )
    def create(self, who: Account, given: NewCampaign) -> Deferred[CampaignRecord]:
        """Create a campaign, started, with a phonebook of its name."""
        return self.backend.create_campaign(who, given.draft())

    @route(
        "PUT",
        "campaign/<campaign_id>/",
        schema=ChangedCampaign,
        answer=CampaignAnswer,
        encode=campaign,
        refusals=(NOT_FOUND, *ON_VALUES),
    )
    def change(self, who: Account, given: ChangedCampaign) -> Deferred[CampaignRecord]:
        """Change a campaign's status or settings. It acts at once; ABORT also hangs up its live calls."""
        return self.backend.change_campaign(who, given.campaign_id, given.change())
