"""A campaign: whom to call is its phonebooks' affair, when and how is its own."""

from __future__ import annotations

import enum
from datetime import datetime, time
from typing import Final

from attrs import frozen

from dialer.declare import joined, key, noun, reference, rule, setting, stamp
from dialer.errors import BadValue
from dialer.kinds import Number, NumberOrText
from dialer.model.consent import ConsentPolicy
from dialer.model.gateway import Gateway, GatewayUse
from dialer.model.phonebook import Phonebook
from dialer.model.rests import AFTER_ABANDONED, rest_list
from dialer.model.retries import Retries, RetryTable
from dialer.model.voip_app import VoipApp, no_shell
from dialer.numbers import caller_number
from dialer.time_kinds import Week, Weekdays, Zone
from dialer.variables import caller_name

SHORTEST_REASON: Final = 10
"""Characters."""

EVERY_DAY: Weekdays = (True, True, True, True, True, True, True)


def reason_to_override(text: str, field: str) -> str:
    """A reason that says something, or none. Raises `BadValue` naming `field`."""
    if text and len(text) < SHORTEST_REASON:
        raise BadValue(field, f"{text!r} is no reason; expected one of {SHORTEST_REASON} characters or more, or none")
    return text


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


class CallOrder(enum.StrEnum):
    """Who is called first, of those of the same priority."""

    RETRIES_FIRST = "retries-first"
    FRESH_FIRST = "fresh-first"
    MIX = "mix"  # retries have a share of the calls
    LIST = "list"  # in the order in which they became ready: the list from its beginning, each retry in its turn


class Purpose(enum.StrEnum):
    """The reason for which a campaign calls, as the calling rules of places tell them apart."""

    SALES = "sales"
    RESEARCH = "research"
    DEBT = "debt"
    INFORMATIONAL = "informational"


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
    retry: RetryTable = setting(
        RetryTable(),
        kind=Retries(),
        limited_by="max_retries",
        doc="retries by outcome, in place of `max_retry` and `interval_retry`: how many, after how long, growing by what, how "
        "many a day at most",
    )
    order: CallOrder = rule(
        CallOrder.RETRIES_FIRST,
        doc="who is called first, of contacts of the same priority; with mix, retries have the share `retry_share`, with list "
        "who became ready first",
    )
    retry_share: int = rule(50, ge=1, le=99, unit="%", doc="the share of retries in the calls, where the order is mix")
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
    purpose: Purpose = rule(
        Purpose.SALES, v1="purpose", doc="the reason for the calls, by which the calling rules of a place hold or do not"
    )
    override: str = rule(
        "",
        longest=500,
        v1="override",
        check=reason_to_override,
        doc="why the calling rules do not hold for it: a superuser says so, and it is logged; empty: they hold",
    )
    next_call_at: datetime | None = setting(None, read_only=True, doc="the earliest moment of the next call by the pacing")
    recheck: int = setting(
        0, read_only=True, doc="changes after which its held contacts were not looked at again yet by the calling rules"
    )
    created_at: datetime = stamp("when it was created")
    updated_at: datetime = stamp("when it was last changed")
    archived_at: datetime | None = setting(None, read_only=True, doc="when it was removed; its attempts stay")
    caller_id_pool_id: int | None = reference(
        "caller id pool",
        reverse="campaigns",
        default=None,
        doc="the pool that the number comes from that the callee sees, in place of `caller_id`",
    )
    draft: bool = setting(False, read_only=True, doc="whether it was made without being started, and was not started since")
    single: bool = setting(
        False, read_only=True, doc="whether it is a call without a campaign, which has one contact and is in no list"
    )
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
    pause_reason: str = setting(
        "", longest=2000, read_only=True, doc="why the dialer itself has paused it; empty when it has not"
    )


@frozen(kw_only=True)
class CampaignDetails:
    """A campaign with what it refers to. `gateway_use` is None while it is not known."""

    campaign: Campaign
    gateway: Gateway
    phonebooks: tuple[Phonebook, ...]
    gateway_use: GatewayUse | None = None
