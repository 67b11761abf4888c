"""The values of the flow: from what is ready to be called to the end of an attempt."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime

from attrs import Factory, field, frozen

from dialer.model.caller_id import ShownCaller
from dialer.model.campaign import Campaign
from dialer.model.contact import SubscriberStatus
from dialer.model.disposition import Disposition
from dialer.model.do_not_call import BlockReason
from dialer.model.gateway import Gateway
from dialer.model.installation import SwitchDrain


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
    """The facts for a tick: the started campaigns, the numbers that their users may show as the caller's (by the campaign's
    id, with commas between them; of what is not listed, any), all gateways by id, the other nodes, and the switches that are
    drained, by their names."""

    campaigns: tuple[Campaign, ...]
    gateways: Mapping[int, Gateway]
    others: Others = Others()
    caller_ids: Mapping[int, str] = Factory(dict)
    drained: Mapping[str, SwitchDrain] = Factory(dict)


@frozen(kw_only=True)
class Candidate:
    """A subscriber that is ready to be called. `count_attempt` are the attempts that count; `free_retries` are the ends in
    a row that the switch or the carrier was to blame for; `tally` counts ends by their outcomes (`dialer.calls.tally`);
    `time_zone` is where the contact is known to be."""

    subscriber_id: int
    contact_id: int
    campaign_id: int
    number: str
    identity: str = ""
    count_attempt: int = 0
    free_retries: int = 0
    tally: str = "{}"
    time_zone: str = ""

    @property
    def is_retry(self) -> bool:
        """Whether it was tried before: the lane in which it waits for its turn."""
        return self.count_attempt > 0 or self.free_retries > 0


@frozen
class RefusedContact:
    """A candidate that is not dialled, and why; `until` is when it is looked at again, None for never, or for not before
    something changes by which the reason might."""

    candidate: Candidate
    reason: str
    block: BlockReason = BlockReason.NEVER_DIALLED
    until: datetime | None = None


@frozen(kw_only=True)
class CallRoute:
    """A way for a call: through which gateway, with what dial string, by which FreeSWITCH (its identity). `also` are the
    identities that the number has with and without the prefixes of the gateway, where they are others than the contact's."""

    gateway: Gateway
    dial_string: str
    also: tuple[str, ...] = ()
    switch: str = ""


@frozen(kw_only=True)
class Plan:
    """A call that shall be made: who, through which gateway, with what dial string, when (`due_at`, paced), `also` and
    `switch` as `CallRoute` has them; `caller` is whom the callee sees, None for what the campaign says itself. Where a caller
    id is chosen and several gateways can carry the call, `routes` are all of these in their order, that one first; `busy`
    are the gateways of the campaign that cannot carry it now."""

    call_uuid: str
    candidate: Candidate
    campaign: Campaign
    gateway: Gateway
    dial_string: str
    due_at: datetime
    also: tuple[str, ...] = ()
    switch: str = ""
    caller: ShownCaller | None = None
    routes: tuple[CallRoute, ...] = ()
    busy: tuple[int, ...] = ()

    @property
    def route(self) -> CallRoute:
        """The way that it goes."""
        return CallRoute(gateway=self.gateway, dial_string=self.dial_string, also=self.also, switch=self.switch)

    @property
    def shown(self) -> ShownCaller:
        """The number and the name that the callee sees."""
        return self.caller or ShownCaller(number=self.campaign.caller_id, name=self.campaign.caller_name)


class AttemptState(enum.StrEnum):
    """Where an attempt is. See `dialer.calls.machine` for the table."""

    PLANNED = "planned"
    SUBMITTED = "submitted"
    RINGING = "ringing"
    ANSWERED = "answered"
    CONNECTED = "connected"
    UNCONFIRMED = "adrift"  # the word that a CHECK constraint of existing databases knows
    ENDED = "ended"


@frozen(kw_only=True)
class Attempt:
    """A try that the database knows. `number_of_attempt` starts at 1; `deadline` is the moment after which the switch
    itself must refuse the originate; the rest is what the database held when it was read. `second_gateway_id` is the gateway
    of the second leg that the call has, None when it has none."""

    id: int
    plan: Plan
    number_of_attempt: int
    planned_at: datetime
    deadline: datetime
    state: AttemptState = AttemptState.PLANNED
    core_uuid: str = ""
    sent_at: datetime | None = None
    rang_at: datetime | None = None
    answered_at: datetime | None = None
    second_gateway_id: int | None = None

    @property
    def call_uuid(self) -> str:
        """Our own id of the channel, and of the `bgapi` job that originates it."""
        return self.plan.call_uuid


@frozen(kw_only=True)
class Origination:
    """The request to the switch for an attempt. `variables` are channel variables beside those that every call gets;
    `timeout` bounds the ringing, `max_duration` the answered call, both in seconds; `outbound` is the `host:port` of the
    outbound Event Socket that shall drive the answered call, and for which the call waits up to `wait_for_dialer` seconds
    whenever nobody drives it; with `inline`, the call does not need the shipped dialplan."""

    call_uuid: str
    dial_string: str
    account_code: str
    timeout: int
    max_duration: int
    deadline: datetime
    outbound: str
    wait_for_dialer: int = 60
    inline: bool = False
    caller_id_number: str = ""
    caller_id_name: str = ""
    variables: tuple[tuple[str, str], ...] = field(default=(), repr=False)


class SignalKind(enum.StrEnum):
    """The kinds of signals, in the past tense."""

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
    """The end of a call as the switch told it, milliseconds exact. `sip_status` is the final SIP status when there was
    one, `sip_disposition` who ended it (`recv_bye`, `send_cancel`, ...). The moments are those that the switch tells of its
    channel, None where it tells none."""

    cause: str
    q850: int | None = None
    sip_status: int | None = None
    sip_disposition: str = ""
    rang: bool = False
    answered: bool = False
    ring_ms: int = 0
    talk_ms: int = 0
    duration_ms: int = 0
    rang_at: datetime | None = None
    answered_at: datetime | None = None


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


class Execution(enum.Enum):
    """What a switch remembers of an originate after its deadline, when it cannot begin with it any more."""

    NEVER = "never"  # it was never executed, or refused as late
    NO_CHANNEL = "no channel"  # it was executed, and there was no channel until now: nobody has been called
    DIALLED = "dialled"  # there was a channel, or nobody can tell that there was none
    UNTOLD = "untold"  # the switch cannot tell


class OwnCause(enum.StrEnum):
    """Causes that the dialer itself gives to an end, beside FreeSWITCH's names."""

    NOT_SENT = "NOT_SENT"  # no byte of the originate was written
    LATE = "LATE"  # the switch refused it after the deadline
    REFUSED = "REFUSED"  # the switch refused the command
    LOST_SWITCH = "LOST_SWITCH"  # the switch restarted under the call
    NEVER_DIALLED = "NEVER_DIALLED"  # it may have been sent, and the switch has never dialled for it
    UNKNOWN = "UNKNOWN"  # the call is gone and nobody can tell how it ended


class RetryClass(enum.StrEnum):
    """The meaning of an end for the contact."""

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
    sent_at: datetime | None = None
    rang_at: datetime | None = None
    answered_at: datetime | None = None
    ring_ms: int = 0
    talk_ms: int = 0
    duration_ms: int = 0
    machine: bool = False
    unfinished: bool = False  # the callee hung up before the voice application had come to its end
    session: Mapping[str, str] = Factory(dict)  # what the voice application noted


@frozen(kw_only=True)
class Decision:
    """The fate of the subscriber: its status, from when on it is ready (when START), whether the attempt counts, and the
    candidate's new `tally`, None where that stays."""

    status: SubscriberStatus
    ready_at: datetime | None
    counts_as_attempt: bool
    reason: str
    tally: str | None = None


@frozen(kw_only=True)
class AttemptResult:
    """The end of an attempt, as it is stored in one transaction."""

    attempt: Attempt
    outcome: Outcome
    disposition: Disposition
    decision: Decision


@frozen(kw_only=True)
class Transfer:
    """Whom an answered call shall be connected to: `dial_string` is one address such as `sofia/gateway/carrier/15551234`.
    `timeout` bounds the ringing, in seconds; `ringback` is the tone that the caller hears meanwhile, such as
    `%(1000,4000,425)`. `variables` are channel variables of the second leg, beside its caller id. Where `dial_string` was made
    of them, `number` is the one that was meant, and `gateway` the one in whose limits the leg counts. `is_contacts_number`
    tells that nobody has set the caller id."""

    dial_string: str
    timeout: int
    ringback: str = ""
    caller_id_number: str = ""
    variables: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    number: str = ""
    gateway: Gateway | None = None
    is_contacts_number: bool = False


@frozen(kw_only=True)
class Transferred:
    """The outcome of the second leg: `cause` is FreeSWITCH's word for its end, `talk_ms` how long both legs were connected.
    `by_contact` tells that the contact hung up, before or after the second leg answered."""

    cause: str
    answered: bool
    talk_ms: int = 0
    by_contact: bool = False
