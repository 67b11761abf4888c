"""The values that the parts of the dialer hand to each other: frozen, keyword-only, with aware UTC times.

Durations are seconds (`int`) unless the name ends in `_ms`. Vocabulary: a *contact* stands in a *phonebook*; a *subscriber*
is a contact in a *campaign*; an *attempt* is one try to reach a subscriber; a *call* is its live channel on the switch.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime, time

from attrs import Factory, frozen

# --- what is configured ---------------------------------------------------------------------------------------------------


class CampaignStatus(enum.IntEnum):
    """The four values of the 2011 API."""

    START = 1
    PAUSE = 2
    ABORT = 3
    END = 4


class SubscriberStatus(enum.IntEnum):
    """The values of the 2011 API, 6 and 7 included. START is "pending": ready to be called from `ready_at` on."""

    START = 1
    PAUSE = 2
    ABORT = 3
    FAIL = 4
    COMPLETE = 5
    IN_PROCESS = 6
    NOT_AUTHORISED = 7


class GatewayStatus(enum.IntEnum):
    """Whether a gateway may be used."""

    INACTIVE = 0
    ACTIVE = 1


class VoipAppType(enum.IntEnum):
    """The four kinds of voice application of the 2011 API."""

    DIAL = 1
    PLAY_AUDIO = 2
    CONFERENCE = 3
    SPEAK = 4


class UnknownPolicy(enum.StrEnum):
    """What to do with a contact whose attempt ended in a way that nobody can tell any more."""

    RETRY = "retry"
    NEVER = "never"


@frozen(kw_only=True)
class Gateway:
    """A way out of the switch. `dial_string` holds `{number}` where the number goes, after `removeprefix` was taken off
    and `addprefix` put before it. `parameters` are channel variables. `maximum_call` is the highest number of calls at the
    same time, `calls_per_second` how many may be started in one; None for no limit. `failover_id` is the gateway to take when
    this one cannot serve."""

    id: int
    name: str
    dial_string: str
    status: GatewayStatus = GatewayStatus.ACTIVE
    removeprefix: str = ""
    addprefix: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    maximum_call: int | None = None
    calls_per_second: int | None = None
    failover_id: int | None = None


@frozen(kw_only=True)
class VoipApp:
    """What an answered call is connected to."""

    id: int
    name: str
    type: VoipAppType
    gateway_id: int | None = None
    data: str = ""


@frozen(kw_only=True)
class Campaign:
    """The rules of a campaign. `frequency` is calls per minute; `weekdays` are seven flags from Monday on; the daily window
    is local to `time_zone` (IANA name) and may cross midnight. `max_retry` counts the attempts after the first.
    `next_call_at` is the earliest moment at which the pacing allows the next call; None when it never called."""

    id: int
    user_id: int
    name: str
    status: CampaignStatus
    starting_at: datetime
    expires_at: datetime
    daily_start: time
    daily_stop: time
    weekdays: tuple[bool, bool, bool, bool, bool, bool, bool]
    time_zone: str
    frequency: int
    call_max_duration: int
    max_retry: int
    interval_retry: int
    call_timeout: int
    gateway_id: int
    voip_app: VoipApp
    voip_app_data: str = ""
    caller_id: str = ""
    caller_name: str = ""
    unknown_policy: UnknownPolicy = UnknownPolicy.RETRY
    max_concurrent: int | None = None
    next_call_at: datetime | None = None


@frozen(kw_only=True)
class Others:
    """The other nodes of a shared database: how many of them dial, how many of these come before this one, and, where anything
    has a limit, the attempts that are open elsewhere, per gateway and per campaign."""

    dialling: int = 0
    before: int = 0
    gateways: Mapping[int, int] = Factory(dict)
    campaigns: Mapping[int, int] = Factory(dict)


@frozen(kw_only=True)
class Snapshot:
    """What the scheduler needs to decide a tick: the started campaigns, all gateways by id, the other nodes."""

    campaigns: tuple[Campaign, ...]
    gateways: Mapping[int, Gateway]
    others: Others = Others()


# --- from a contact to an attempt -----------------------------------------------------------------------------------------


@frozen(kw_only=True)
class Candidate:
    """A subscriber that is ready to be called. `count_attempt` are the attempts that count; `count_requeue` are the ends in
    a row that the switch or the carrier was to blame for."""

    subscriber_id: int
    contact_id: int
    campaign_id: int
    number: str
    count_attempt: int = 0
    count_requeue: int = 0


@frozen(kw_only=True)
class Plan:
    """A call that shall be made: who, through which gateway, with what dial string, when (`due_at`, paced)."""

    call_uuid: str
    candidate: Candidate
    campaign: Campaign
    gateway: Gateway
    dial_string: str
    due_at: datetime


class AttemptState(enum.StrEnum):
    """Where an attempt is. See `dialer.calls.machine` for the table."""

    PLANNED = "planned"
    SUBMITTED = "submitted"
    RINGING = "ringing"
    ANSWERED = "answered"
    CONNECTED = "connected"
    ADRIFT = "adrift"
    ENDED = "ended"


@frozen(kw_only=True)
class Attempt:
    """A try that the database knows. `number_of_attempt` starts at 1; `deadline` is the moment after which the switch
    itself must refuse the originate; the rest is what the database held when it was read."""

    id: int
    plan: Plan
    number_of_attempt: int
    planned_at: datetime
    deadline: datetime
    state: AttemptState = AttemptState.PLANNED
    core_uuid: str = ""
    rang_at: datetime | None = None
    answered_at: datetime | None = None

    @property
    def call_uuid(self) -> str:
        """Our own id of the channel, and of the `bgapi` job that originates it."""
        return self.plan.call_uuid


@frozen(kw_only=True)
class Origination:
    """What the switch is asked to do for an attempt. `variables` are channel variables beside those that every call gets;
    `timeout` bounds the ringing, `max_duration` the answered call, both in seconds; `outbound` is the `host:port` of the
    outbound Event Socket that shall drive the answered call; with `inline`, the call does not need the shipped dialplan."""

    call_uuid: str
    dial_string: str
    account_code: str
    timeout: int
    max_duration: int
    deadline: datetime
    outbound: str
    inline: bool = False
    caller_id_number: str = ""
    caller_id_name: str = ""
    variables: tuple[tuple[str, str], ...] = ()


# --- from events to an end ------------------------------------------------------------------------------------------------


class SignalKind(enum.StrEnum):
    """What happened to an attempt, in the past tense."""

    SUBMITTED = "submitted"  # the switch accepted the job
    REFUSED = "refused"  # the switch refused the command itself: nothing was dialled
    JOB_SUCCEEDED = "job_succeeded"
    JOB_FAILED = "job_failed"
    RANG = "rang"
    EARLY_MEDIA_STARTED = "early_media_started"
    ANSWERED = "answered"
    SESSION_OPENED = "session_opened"
    SESSION_CLOSED = "session_closed"
    HUNG_UP = "hung_up"
    SWITCH_LOST = "switch_lost"
    FOUND_RINGING = "found_ringing"
    FOUND_ANSWERED = "found_answered"
    FOUND_GONE = "found_gone"


@frozen(kw_only=True)
class Hangup:
    """What the switch told about the end of a call, milliseconds exact. `sip_status` is the final SIP status when there was
    one, `sip_disposition` who ended it (`recv_bye`, `send_cancel`, ...)."""

    cause: str
    q850: int | None = None
    sip_status: int | None = None
    sip_disposition: str = ""
    rang: bool = False
    answered: bool = False
    ring_ms: int = 0
    talk_ms: int = 0
    duration_ms: int = 0


@frozen(kw_only=True)
class Signal:
    """A fact about the call `call_uuid`, at `at` (the switch's own time where it told one). `cause` is FreeSWITCH's word for
    REFUSED, JOB_FAILED and HUNG_UP; `hangup` comes with HUNG_UP."""

    kind: SignalKind
    call_uuid: str
    at: datetime
    cause: str = ""
    hangup: Hangup | None = None


@frozen(kw_only=True)
class LiveChannel:
    """A channel as `show channels` lists it. A leg that somebody called into has `outbound` False (the far half of a loopback
    call carries our account code, too); `bonded_to` is the channel that a leg belongs to, "" or its own UUID when to none."""

    call_uuid: str
    account_code: str
    answered: bool
    outbound: bool = True
    bonded_to: str = ""
    created_at: datetime | None = None


class OwnCause(enum.StrEnum):
    """Causes that the dialer itself gives to an end, beside FreeSWITCH's names."""

    NOT_SENT = "NOT_SENT"  # no byte of the originate was written
    LATE = "LATE"  # the switch refused it after the deadline
    REFUSED = "REFUSED"  # the switch refused the command
    LOST_SWITCH = "LOST_SWITCH"  # the switch restarted under the call
    UNKNOWN = "UNKNOWN"  # the call is gone and nobody can tell how it ended


class Disposition(enum.StrEnum):
    """Why an attempt ended, in business words."""

    ANSWERED = "ANSWERED"
    BUSY = "BUSY"
    NO_ANSWER = "NO_ANSWER"
    REJECTED = "REJECTED"
    INVALID_NUMBER = "INVALID_NUMBER"
    CANCELLED = "CANCELLED"
    CONGESTION = "CONGESTION"
    MACHINE = "MACHINE"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


class RetryClass(enum.StrEnum):
    """What an end means for the contact."""

    DONE = "done"  # reached: complete
    RETRY = "retry"  # try again after the campaign's interval, while attempts are left
    STOP = "stop"  # trying again cannot help
    REQUEUE = "requeue"  # not the contact's fault: again soon, not counted


@frozen(kw_only=True)
class Outcome:
    """All that is known of how an attempt ended: the causes of the switch, or an `OwnCause`."""

    cause: str
    ended_at: datetime
    q850: int | None = None
    sip_status: int | None = None
    sip_disposition: str = ""
    rang_at: datetime | None = None
    answered_at: datetime | None = None
    ring_ms: int = 0
    talk_ms: int = 0
    duration_ms: int = 0
    machine: bool = False
    session: Mapping[str, str] = Factory(dict)  # what the voice application noted


@frozen(kw_only=True)
class Decision:
    """What becomes of the subscriber: its status, from when on it is ready (when START), and whether the attempt counts."""

    status: SubscriberStatus
    ready_at: datetime | None
    counts: bool
    reason: str


@frozen(kw_only=True)
class Finish:
    """The end of an attempt, as it is stored in one transaction."""

    attempt: Attempt
    outcome: Outcome
    disposition: Disposition
    decision: Decision


@frozen(kw_only=True)
class Contact:
    """A contact to be stored, as an import or a request brings it; `number` is validated."""

    number: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    description: str = ""
    additional_vars: Mapping[str, str] = Factory(dict)


@frozen(kw_only=True)
class Progress:
    """How far a campaign is: subscribers by status, and how many of those pending wait for a moment after now."""

    subscribers: Mapping[SubscriberStatus, int]
    waiting: int = 0
    next_ready_at: datetime | None = None

    @property
    def finished(self) -> bool:
        """True when no subscriber will be called any more."""
        return not any(self.subscribers.get(s) for s in (SubscriberStatus.START, SubscriberStatus.IN_PROCESS))


@frozen(kw_only=True)
class Delivery:
    """Something that a hook must be told, as it waits in the outbox: `payload` is a JSON object as text, `tries` how often
    telling it has failed."""

    id: int
    kind: str
    campaign_id: int
    payload: str
    tries: int
    due_at: datetime
