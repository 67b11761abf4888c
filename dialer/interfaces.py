"""The contracts between the flow (`dialer.calls`, `dialer.campaigns`) and the edges that serve it.

Every Deferred fires on the reactor thread. A failure that is not listed under "Fails with" is a programming error.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from attrs import frozen
from twisted.internet.defer import Deferred

from dialer.model import (
    Attempt,
    AttemptResult,
    AttemptState,
    CallRules,
    Campaign,
    CampaignStatus,
    Candidate,
    Contact,
    Gateway,
    IdleReason,
    LiveChannel,
    Origination,
    Plan,
    Progress,
    Signal,
    Snapshot,
)
from dialer.model.event import EventPlace, Told
from dialer.model.flow import Transfer, Transferred
from dialer.model.readiness import Unready
from dialer.model.webhook import ServedWebhook, Settlement, WebhookDelivery

T = TypeVar("T")

Now = Callable[[], datetime]
"""Returns the current moment, aware, in UTC."""


class FlowStore(Protocol):
    """The durable side of the flow. Fails with: `StoreError`."""

    def snapshot(self, now: datetime | None = None, also: Collection[int] = ()) -> Deferred[Snapshot]:
        """The started campaigns and all gateways; with `now`, only the campaigns that have somebody to call at that moment,
        and those of `also`, as far as they are started."""
        ...

    def candidates(self, campaign_id: int, now: datetime, limit: int, skip: int = 0) -> Deferred[list[Candidate]]:
        """At most `limit` subscribers that are ready at `now`, the longest waiting first, not on the do-not-call list and
        with no attempt open to their number. The first `skip` are left to others, if there are more."""
        ...

    def begin(self, plans: Sequence[Plan], now: datetime, until: datetime, deadline: datetime) -> Deferred[list[Attempt]]:
        """Claim the subscribers and write the attempts, in one transaction for the batch. What is no longer allowed (campaign
        not started, subscriber not ready, number on the do-not-call list, another attempt open to that number) is left out of
        the answer. Where other nodes call, too, the limits that hold over all of them are obeyed: a call may be due later than
        planned, and one that would be due after `until`, or for which there is no headroom, is left out. Fires only when the
        rows are durable."""
        ...

    @property
    def backlog(self) -> int:
        """How many changes wait for the database."""
        ...

    def refuse(self, candidates: Sequence[Candidate]) -> Deferred[None]:
        """These must never be called: they become NOT_AUTHORISED, unless a call of theirs is live."""
        ...

    def move(self, attempt: Attempt, to: AttemptState, at: datetime, core_uuid: str = "") -> None:
        """Note a move forward. Batched: durable soon, before the attempt's end is; an attempt that has ended stays so."""
        ...

    def finish(self, finish: AttemptResult, *, unless_recorded: bool = False) -> Deferred[bool]:
        """End the attempt, set the subscriber, write the events: one transaction. Fires with False, and nothing is
        changed, when the attempt had ended before, is another node's by now, or, with `unless_recorded`, has a pending call
        detail record."""
        ...

    def begin_leg(self, call_uuid: str, gateway: Gateway, now: datetime, wanted: datetime) -> Deferred[datetime]:
        """A second leg of an open call of this node counts in its gateway from now on, for all nodes, until it or the call
        ends; fires, once that is durable, with the moment at which it may be dialled: `wanted` or later. Fails, with nothing
        written, with `BadValue` when the gateway has no room for it, when it is not due soon enough for somebody who waits, or
        when the call is not this node's any more."""
        ...

    def end_leg(self, call_uuid: str) -> Deferred[None]:
        """It is over; nothing when that was known, or when the call is another node's by now."""
        ...

    def pending_cdr(self, attempt: Attempt) -> Deferred[Signal | None]:
        """The HUNG_UP of a call detail record of an open attempt of this node, which had come to another process; None when
        there is none."""
        ...

    def open_attempts(self) -> Deferred[list[Attempt]]:
        """The attempts of this node that have not ended, as the database holds them."""
        ...

    def known(self, call_uuids: Collection[str]) -> Deferred[set[str]]:
        """Those of the calls of which an attempt is open at any node."""
        ...

    def progress(self, campaign_id: int) -> Deferred[Progress]:
        """The subscribers of a campaign by status."""
        ...

    def statuses(self, campaign_ids: Collection[int]) -> Deferred[dict[int, CampaignStatus]]:
        """The statuses of these campaigns, as far as they exist."""
        ...


class Switch(Protocol):
    """A FreeSWITCH, seen through its inbound Event Socket. Fails with: `SwitchUnavailable` (whose `sent` decides what may
    follow), `CommandFailed`."""

    @property
    def name(self) -> str:
        """Its name as configured, else `host:port`: for messages."""
        ...

    @property
    def ready(self) -> bool:
        """True while both the event and the command connection are up, authenticated and subscribed."""
        ...

    @property
    def identity(self) -> str:
        """The identity of this FreeSWITCH, the same for all that ask and over its restarts; "" before the first connection."""
        ...

    @property
    def core_uuid(self) -> str:
        """The identity of the running FreeSWITCH process; "" before the first connection."""
        ...

    @property
    def calls_per_second(self) -> float:
        """How many originates it is given at most."""
        ...

    def headroom(self, within: float) -> int:
        """How many more originates can be sent within so many seconds: commands in flight and calls per second."""
        ...

    def submit(self, call: Origination) -> Deferred[None]:
        """Fires when the switch has accepted the job; how the call goes is told by signals."""
        ...

    def kill(self, call_uuid: str, cause: str) -> Deferred[bool]:
        """Hang a call up. Fires with False when there is no such channel."""
        ...

    def is_alive(self, call_uuid: str) -> Deferred[bool]:
        """Whether the channel exists (`uuid_exists`, which decides where `show channels` lags)."""
        ...

    def live_channels(self) -> Deferred[list[LiveChannel]]:
        """Every channel of the switch."""
        ...


class SwitchListener(Protocol):
    """A listener to what a switch does. Called on the reactor thread, never re-entrantly from `Switch` methods."""

    def signal_received(self, signal: Signal) -> None:
        """Something happened to a call. The call may be somebody else's."""
        ...

    def switch_up(self, switch: Switch) -> None:
        """Both connections are up, for the first time or again. `switch.core_uuid` tells whether it is the same process."""
        ...

    def switch_down(self, switch: Switch, reason: str) -> None:
        """A connection was lost; `ready` is False until `switch_up`."""
        ...


class AnsweredCall(Protocol):
    """An answered call that this dialer controls over an outbound Event Socket session. Fails with: `SessionGone` once the
    callee has hung up or the connection was lost, `CommandFailed`."""

    @property
    def call_uuid(self) -> str:
        """The channel's id, which is the attempt's."""
        ...

    @property
    def digits(self) -> str:
        """The DTMF digits that the callee has pressed so far."""
        ...

    def variable(self, name: str) -> str:
        """A channel variable as it was when the session opened; "" when it was not set."""
        ...

    def execute(self, application: str, argument: str = "") -> Deferred[str]:
        """Run a dialplan application; fires with its response when it has completed (CHANNEL_EXECUTE_COMPLETE)."""
        ...

    def bridge(self, transfer: Transfer) -> Deferred[Transferred]:
        """Dial a second leg and connect the callee to it; fires when either has ended, also when it was the callee who hung
        up. A second leg that fails is an answer, not an error."""
        ...

    def stop_playing(self) -> Deferred[None]:
        """Break off what is playing; fires when that has ended, a second later at the latest."""
        ...

    def next_digit(self) -> Deferred[str]:
        """Fires with the next DTMF digit that the callee presses."""
        ...

    def interrupt(self) -> None:
        """The Deferred that the handler of this call awaits fails with `CancelledError`; the switch goes on. Not to be called
        by the handler itself."""
        ...

    def hangup(self, cause: str = "NORMAL_CLEARING") -> Deferred[None]:
        """End the call; fires when the switch has accepted that."""
        ...

    def when_closed(self) -> Deferred[None]:
        """Fires once the session is over, however it ended; each caller gets its own Deferred."""
        ...


CallHandler = Callable[[AnsweredCall], Awaitable[None]]
"""The outbound server runs it for each session; when it returns (or raises), the call is hung up and the session closed."""

VoiceApplication = Callable[[AnsweredCall, Attempt], Awaitable[dict[str, str]]]
"""Drives an answered call; returns what shall be stored with the attempt. Raises `SessionGone` when the callee hangs up."""

OPT_OUT = "opt_out"
"""The note of a voice application that the callee does not want to be called again: the store of the attempt's end adds
its number to the do-not-call list."""


UNSERVED = "unserved"
"""The note of a voice application that it could do nothing for the callee, and why: nothing to play was found, nobody could be
dialled, the data means nothing. Whether the contact was reached all the same is the campaign's policy."""


class ApplicationStore(Protocol):
    """The reads and writes of voice applications. Fails with: `StoreError`."""

    def contact(self, contact_id: int) -> Deferred[Contact | None]:
        """A contact as it is now; None when it was removed."""
        ...

    def parties(self, gateway_id: int | None, contact_id: int) -> Deferred[tuple[Gateway | None, Contact | None]]:
        """A gateway and a contact as they are now; None for what was removed, and for no gateway."""
        ...

    def gateways(self) -> Deferred[list[Gateway]]:
        """All gateways as they are now."""
        ...

    def call_rules(self, user_id: int, identities: Sequence[str]) -> Deferred[CallRules]:
        """The rules of a user's calls as they are now, and which of these are on the do-not-call list."""
        ...

    def never_call(self, candidate: Candidate, now: datetime, reason: str) -> Deferred[None]:
        """Add the number of a subscriber to the do-not-call list, unless it is there. Fires when that is durable."""
        ...


class SecondLegs(Protocol):
    """The limits of the gateways, in which second legs count as attempts do."""

    async def begin(self, call_uuid: str, gateway: Gateway) -> float:
        """The second leg of a call counts in this gateway from now on, until `end` or the end of the call, whoever has it
        by then; an earlier one is over. Returns after how many seconds it may be dialled. Raises `BadValue`, with nothing
        counted, when the gateway has no room for it, or not soon enough for somebody who waits; and `StoreError`."""
        ...

    def end(self, call_uuid: str) -> None:
        """It is over, or was never dialled; nothing when none is counted."""
        ...


class FlowControl(Protocol):
    """The flow as the use cases need it, so that a change acts at once. Called on the reactor thread; nothing waits or
    fails."""

    def call_soon(self) -> None:
        """Campaigns or contacts changed: do not wait for the next tick."""
        ...

    def release(self, campaign_id: int) -> None:
        """Give back the attempts of a campaign that were begun and of which no byte was written to the switch."""
        ...

    def hang_up(self, campaign_id: int) -> None:
        """The same, and hang up the campaign's live calls."""
        ...

    def live_calls(self, campaign_id: int) -> int:
        """How many attempts of a campaign are open."""
        ...

    def explain(self, campaign: Campaign, progress: Progress) -> IdleReason | None:
        """Why the campaign is not calling; None when nothing keeps it from it."""
        ...


@frozen(kw_only=True)
class NodeState:
    """A node as it sees itself: its switches (`Switch.identity`) with their processes (`core_uuid`; "" for one that is away),
    whether it dials, and figures for people."""

    switches: Mapping[str, str]
    ready: bool
    figures: Mapping[str, int]


@frozen(kw_only=True)
class Pulse:
    """The answer to a heartbeat. `epoch` differs from that of the one before when others took this node for dead; `at` is the
    moment by the database's clock."""

    epoch: int
    at: datetime


class NodeStore(Protocol):
    """The nodes of a database. Fails with: `StoreError`."""

    def beat(self, state: NodeState, now: datetime) -> Deferred[Pulse]:
        """This node is alive: renew its lease. Where it had been taken for dead, it is a node again from now on, without the
        attempts that others have taken over."""
        ...

    def rescue(self, switches: Collection[str]) -> Deferred[list[Attempt]]:
        """Take over the open attempts, on these switches, of nodes whose lease has run out. From then on these nodes write
        nothing any more; their calls are for the caller to find out about."""
        ...

    def leave(self, now: datetime) -> Deferred[None]:
        """This node stops. What it leaves open waits for its return, until its lease has run out."""
        ...

    def interrupt(self) -> None:
        """The database has not answered for too long: give up what it was asked."""
        ...


@frozen(kw_only=True)
class Scraped:
    """The metrics of a moment as text, of that content type."""

    content_type: str
    body: bytes


class Monitoring(Protocol):
    """A dialer, for machines that watch it. Asked on the reactor thread."""

    def switches(self) -> tuple[int, int]:
        """How many switches are connected, of how many."""
        ...

    def unready(self) -> Sequence[Unready]:
        """Why it does not serve its purpose now; nothing when it does. At hand: nobody is asked."""
        ...

    async def scrape(self, accept: str) -> Scraped:
        """All metrics, in the format that an Accept header wants. Does not fail when the database does not answer."""
        ...


class ConsumerStore(Protocol):
    """The events, and how far each of their readers is. Fails with: `StoreError`."""

    def hold(self, name: str, now: datetime) -> Deferred[EventPlace | None]:
        """Serve that reader for the next seconds, again or anew, and its place; None while another node does."""
        ...

    def read(self, place: EventPlace, limit: int) -> Deferred[tuple[EventPlace, list[Told]]]:
        """The next events, in order, and the place behind them."""
        ...

    def advance(self, name: str, position: int) -> Deferred[bool]:
        """The reader is done with everything up to there. Fires with False, and nothing is changed, when another node serves
        it by now."""
        ...


EventReceiver = Callable[[Sequence[Told]], Awaitable[None]]
"""Takes events, in order; when it returns, all of them have arrived for good. Raises `HookFailed`: none may be counted on, and
all are handed over again, so that a receiver must tell repeated ones by their id."""


@frozen(kw_only=True)
class Answer:
    """The answer to a request: its HTTP status and the text of its Retry-After; or why there is none. `milliseconds` passed
    until then."""

    status: int | None = None
    retry_after: str = ""
    error: str = ""
    milliseconds: int = 0

    @property
    def is_success(self) -> bool:
        """Whether what was sent has arrived: 2xx, and nothing else."""
        return self.status is not None and 200 <= self.status < 300


class WebhookSender(Protocol):
    """Posts to receivers."""

    def send(self, url: str, headers: dict[str, str], body: bytes) -> Deferred[Answer]:
        """One request. Fires with the answer, within a bounded time; never fails."""
        ...


class WebhookStore(Protocol):
    """The webhooks that one node at a time serves. Fails with: `StoreError`."""

    def hold(self, now: datetime) -> Deferred[bool]:
        """Serve all of them for the next seconds, again or anew; False while another node does."""
        ...

    def served(self) -> Deferred[list[ServedWebhook]]:
        """The active ones, whose owners are active."""
        ...

    def due(self, webhook_id: int, limit: int) -> Deferred[list[WebhookDelivery]]:
        """The oldest deliveries that are due."""
        ...

    def events(self, ids: Sequence[int]) -> Deferred[list[Told]]:
        """These events, in order, as far as they are kept."""
        ...

    def read(self, place: EventPlace, limit: int) -> Deferred[tuple[EventPlace, list[Told]]]:
        """The next events, in order, and the place behind them."""
        ...

    def settle(self, settlement: Settlement, now: datetime) -> Deferred[list[WebhookDelivery] | None]:
        """Store what became of requests. Fires with those that are due and new, with their ids; None, with nothing changed,
        when the webhook is active no more or another node serves by now."""
        ...

    def prune(self, before: datetime, limit: int) -> Deferred[int]:
        """Remove up to `limit` deliveries of which nothing became since. Fires with how many went."""
        ...
