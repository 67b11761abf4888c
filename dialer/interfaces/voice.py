"""The contracts of answered calls: with the switch, with what drives them, and with what that needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

from twisted.internet.defer import Deferred

from dialer.model import (
    Attempt,
    CallRules,
    Candidate,
    Contact,
    Gateway,
)
from dialer.model.flow import Transfer, Transferred


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


UNFINISHED = "unfinished"
"""The note of a voice application that the callee hung up before it had come to its end. It is not stored; whether such a
contact is called again is the campaign's affair."""


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

    def call_rules(self, user_id: int, identities: Sequence[str], campaign_id: int = 0) -> Deferred[CallRules]:
        """The rules of a user's calls as they are now, and which of these are on a do-not-call list that holds for its
        campaign, or for any of its campaigns when the id is 0."""
        ...

    def never_call(self, candidate: Candidate, now: datetime, reason: str) -> Deferred[None]:
        """Add the number of a subscriber to the do-not-call list of everybody, unless it is there. Fires when that is
        durable."""
        ...


class SecondLegs(Protocol):
    """The limits of gateways and of switches, in which second legs count as attempts do."""

    async def begin(self, call_uuid: str, gateway: Gateway) -> float:
        """The second leg of a call counts in this gateway from now on, until `end` or the end of the call, whoever has it
        by then; an earlier one is over. Returns after how many seconds it may be dialled. Raises `BadValue`, with nothing
        counted, when the gateway, or the switch that has the call, has no room for it, or not soon enough for somebody who
        waits; and `StoreError`."""
        ...

    def end(self, call_uuid: str) -> None:
        """It is over, or was never dialled; nothing when none is counted."""
        ...
