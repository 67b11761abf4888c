"""A campaign: whom to call is its phonebooks' affair, when and how is its own."""

from __future__ import annotations

import enum
from datetime import datetime, time

from attrs import frozen

from dialer.declare import joined, key, noun, reference, rule, setting, stamp
from dialer.kinds import Number, NumberOrText
from dialer.model.consent import ConsentPolicy
from dialer.model.gateway import Gateway, GatewayUse
from dialer.model.phonebook import Phonebook
from dialer.model.rests import AFTER_ABANDONED, rest_list
from dialer.model.voip_app import VoipApp, no_shell
from dialer.numbers import caller_number
from dialer.time_kinds import Week, Weekdays, Zone
from dialer.variables import caller_name

EVERY_DAY: Weekdays = (True, True, True, True, True, True, True)


class CampaignStatus(enum.IntEnum):
    """The four values of the 2011 API."""

    START = 1
    PAUSE = 2
    ABORT = 3
    END = 4


class UnknownPolicy(enum.StrEnum):
    """The fate of a contact whose attempt ended in a way that nobody can tell any more."""

    RETRY = "retry"
    NEVER = "never"


class UnservedPolicy(enum.StrEnum):
    """The fate of a contact that answered, and for whom the voice application could do nothing."""

    RETRY = "retry"
    COMPLETE = "complete"


@noun("campaign", links={"phonebooks": "phonebook"})
@frozen(kw_only=True)
class Campaign:
    """The rules of a campaign. `max_retry` counts the attempts after the first. `next_call_at` is the earliest moment at which
    the pacing allows the next call; None when it never called."""

    id: int = key()
    user_id: int = reference("user", reverse="campaigns", doc="the user that it belongs to")
    name: str = setting(shortest=1, v1="name", doc="its name, unique among its user's")
    description: str = setting("", longest=2000, lines=True, v1="description", doc="for people")
    status: CampaignStatus = setting(CampaignStatus.START, v1="status", doc="started, paused, aborted or ended")
    starting_at: datetime = setting(v1="startingdate", otherwise="now", doc="no call before")
    expires_at: datetime = setting(v1="expirationdate", otherwise="in seven days", doc="no call after")
    daily_start: time = rule(time(0, 0, 0), v1="daily_start_time", doc="the first moment of a day's calls, in `time_zone`")
    daily_stop: time = rule(
        time(23, 59, 59), v1="daily_stop_time", doc="the last moment of a day's calls; may lie behind midnight"
    )
    weekdays: Weekdays = rule(EVERY_DAY, kind=Week(), doc="the days on which it calls; the API of 2011 has a flag for each")
    time_zone: str = rule("UTC", kind=Zone(), v1="time_zone", doc="the zone of the daily times and of the weekdays")
    frequency: int = setting(
        10, ge=1, le=1_000_000, unit="calls per minute", v1="frequency", limited_by="max_frequency", doc="how fast it calls"
    )
    max_concurrent: int | None = setting(None, ge=1, unit="calls", v1="max_concurrent", doc="calls at the same time at most")
    call_max_duration: int = rule(
        1800, ge=1, le=86_400, unit="s", v1="callmaxduration", limited_by="max_duration", doc="an answered call is cut after"
    )
    min_call_duration: int = rule(
        0, le=3600, unit="s", v1="min_call_duration", doc="an answered call that was shorter did not reach the contact"
    )
    max_retry: int = setting(3, le=1000, v1="maxretry", limited_by="max_retries", doc="further attempts after the first")
    interval_retry: int = rule(300, le=31_536_000, unit="s", v1="intervalretry", doc="from an attempt's end to the next one")
    call_timeout: int = rule(
        45, ge=1, le=3600, unit="s", v1="calltimeout", limited_by="max_timeout", doc="how long a call may ring"
    )
    gateway_id: int = reference("gateway", reverse="campaigns", v1="aleg_gateway", doc="the gateway through which it calls")
    voip_app_id: int = reference(
        "voip app", reverse="campaigns", v1="voipapp", doc="the voice application that an answered call gets"
    )
    voip_app: VoipApp = joined("voip app")
    voip_app_data: str = rule(
        "",
        kind=NumberOrText(500),
        v1="voipapp_data",
        check=no_shell,
        doc="the data of the voice application, in place of its own",
    )
    caller_id: str = rule("", kind=Number(64), v1="callerid", check=caller_number, doc="the number that the callee sees")
    caller_name: str = rule(
        "",
        longest=60,
        v1="caller_name",
        check=caller_name,
        doc="the name that the callee sees, where the network shows it; without / : @, at which the switch would cut it",
    )
    unknown_policy: UnknownPolicy = rule(
        UnknownPolicy.RETRY,
        v1="unknown_policy",
        doc="whether a contact is called again when nobody can tell how its call ended",
    )
    unserved_policy: UnservedPolicy = rule(
        UnservedPolicy.RETRY,
        v1="unserved_policy",
        doc="whether a contact is called again that answered, and for whom the voice application could do nothing",
    )
    next_call_at: datetime | None = setting(None, read_only=True, doc="the earliest moment of the next call by the pacing")
    created_at: datetime = stamp("when it was created")
    updated_at: datetime = stamp("when it was last changed")
    archived_at: datetime | None = setting(None, read_only=True, doc="when it was removed; its attempts stay")
    consent: ConsentPolicy = setting(
        ConsentPolicy.NOT_ASKED,
        doc="which consent of a contact it asks for: none; `recorded`: any that is in force; `express`: one whose basis is "
        "express or written",
    )
    rests: str = rule(
        AFTER_ABANDONED,
        longest=500,
        check=rest_list,
        doc="for how many hours no campaign of the user calls a number after a call to it that ended so: `ABANDONED` "
        "(answered, and the voice application could do nothing) or a disposition, such as `ABANDONED=72,REJECTED=24`; empty: "
        "no rests",
    )


@frozen(kw_only=True)
class CampaignDetails:
    """A campaign with what it refers to. `gateway_use` is None while it is not known."""

    campaign: Campaign
    gateway: Gateway
    phonebooks: tuple[Phonebook, ...]
    gateway_use: GatewayUse | None = None
