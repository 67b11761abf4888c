"""The contracts with a FreeSWITCH, as its inbound Event Socket shows it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from twisted.internet.defer import Deferred

from dialer.model import (
    Execution,
    LiveChannel,
    Origination,
    Signal,
)
from dialer.model.sip_gateway import SipGateway


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

    def lead(self, call_uuid: str, outbound: str) -> Deferred[bool]:
        """Have a call, whenever nobody drives it, ask for a session at `outbound` (host:port) from now on. Fires with False
        when there is no such channel."""
        ...

    def is_alive(self, call_uuid: str) -> Deferred[bool]:
        """Whether the channel exists (`uuid_exists`, which decides where `show channels` lags)."""
        ...

    def live_channels(self) -> Deferred[list[LiveChannel]]:
        """Every channel of the switch."""
        ...

    async def execution(self, call_uuid: str, planned_at: datetime) -> Execution:
        """What the switch made of the originate of a call that was planned then: to be asked after its deadline, when it
        cannot be executed any more."""
        ...

    def sip_gateways(self) -> Deferred[Sequence[SipGateway] | None]:
        """The SIP gateways that it has, with their states; None when it cannot tell."""
        ...

    def forget(self, call_uuid: str) -> None:
        """The end of that call is stored: nobody will ask any more whether it was dialled. Nothing waits or fails."""
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

    def gateways_changed(self, switch: Switch) -> None:
        """The state of one of its SIP gateways is another one: `switch.sip_gateways` tells."""
        ...
