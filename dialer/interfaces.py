"""The contracts between the flow (`dialer.calls`, `dialer.campaigns`) and the edges that serve it.

Every Deferred fires on the reactor thread. What is not listed under "Fails with" is a programming error.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

from twisted.internet.defer import Deferred

from dialer.model import (
    Attempt,
    AttemptState,
    Candidate,
    Finish,
    LiveChannel,
    Origination,
    Plan,
    Progress,
    Signal,
    Snapshot,
)

Now = Callable[[], datetime]
"""Returns the current moment, aware, in UTC."""


class FlowStore(Protocol):
    """The durable side of the flow. Fails with: `StoreError`."""

    def snapshot(self) -> Deferred[Snapshot]:
        """The started campaigns and all gateways."""
        ...

    def candidates(self, campaign_id: int, now: datetime, limit: int) -> Deferred[list[Candidate]]:
        """At most `limit` subscribers that are ready at `now`, the longest waiting first, not on the do-not-call list and
        with no attempt open to their number."""
        ...

    def begin(self, plans: Sequence[Plan], now: datetime, deadline: datetime) -> Deferred[list[Attempt]]:
        """Claim the subscribers and write the attempts, in one transaction for the batch. What is no longer allowed (campaign
        not started, subscriber not ready, number on the do-not-call list, another attempt open to that number) is left
        out of the answer. Fires only when the rows are durable."""
        ...

    def refuse(self, candidates: Sequence[Candidate]) -> Deferred[None]:
        """These must never be called: they become NOT_AUTHORISED, unless a call of theirs is live."""
        ...

    def move(self, attempt: Attempt, to: AttemptState, at: datetime, core_uuid: str = "") -> None:
        """Note a move forward. Batched: durable soon, in order with every later write; an attempt that has ended stays so."""
        ...

    def finish(self, finish: Finish) -> Deferred[bool]:
        """End the attempt, set the subscriber, write the outbox rows: one transaction. Fires with False when the attempt
        had ended before (nothing is changed then)."""
        ...

    def open_attempts(self) -> Deferred[list[Attempt]]:
        """The attempts of this node that have not ended, as the database holds them."""
        ...

    def progress(self, campaign_id: int, now: datetime) -> Deferred[Progress]:
        """How far the campaign is."""
        ...


class Switch(Protocol):
    """A FreeSWITCH, seen through its inbound Event Socket. Fails with: `SwitchUnavailable` (whose `sent` decides what may
    follow), `CommandFailed`."""

    @property
    def name(self) -> str:
        """`host:port`, for messages."""
        ...

    @property
    def ready(self) -> bool:
        """True while both the event and the command connection are up, authenticated and subscribed."""
        ...

    @property
    def core_uuid(self) -> str:
        """The identity of the running FreeSWITCH process; "" before the first connection."""
        ...

    def room(self, within: float) -> int:
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
    """Who wants to know what a switch does. Called on the reactor thread, never re-entrantly from `Switch` methods."""

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

    def variable(self, name: str) -> str:
        """A channel variable as it was when the session opened; "" when it was not set."""
        ...

    def execute(self, application: str, argument: str = "") -> Deferred[str]:
        """Run a dialplan application; fires with its response when it has completed (CHANNEL_EXECUTE_COMPLETE)."""
        ...

    def hangup(self, cause: str = "NORMAL_CLEARING") -> Deferred[None]:
        """End the call; fires when the switch has accepted that."""
        ...

    def when_closed(self) -> Deferred[None]:
        """Fires once the session is over, however it ended; each caller gets its own Deferred."""
        ...


CallHandler = Callable[[AnsweredCall], Awaitable[None]]
"""What the outbound server runs for each session; when it returns (or raises), the call is hung up and the session closed."""

VoiceApplication = Callable[[AnsweredCall, Attempt], Awaitable[dict[str, str]]]
"""Drives an answered call; returns what shall be stored with the attempt. Raises `SessionGone` when the callee hangs up."""
