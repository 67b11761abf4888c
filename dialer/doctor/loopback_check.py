"""A call that the switch places to itself, and that has to come back over the outbound socket.

Nobody outside is called: the far end is the switch's loopback, which answers by a dialplan in the dial string itself. The call
carries the dialer's account code, so that a dialer that looks after its calls looks after this one, too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, TimeoutError, maybeDeferred
from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.internet.protocol import Factory

from dialer.doctor.connection import SwitchConnection
from dialer.doctor.diagnosis import Diagnosis, failure, ok
from dialer.doctor.ports import is_taken
from dialer.errors import BadValue, CannotListen
from dialer.esl.events import EslEvent
from dialer.esl.outbound import OutboundConfig, OutboundServer
from dialer.interfaces import AnsweredCall, Now
from dialer.listening import address_of, listen
from dialer.model import Origination
from dialer.settings import OutboundSettings

CHECK = "outbound"
ITSELF = "loopback/m:~:answer~sleep:20000/dialer/inline"
"""A dial string: an inline dialplan that answers and waits (mod_dptools.c: m:, the separator, a colon, the applications)."""
LONGEST = 15
"""Seconds after which the switch itself ends the call."""
PATIENCE = 4.0
"""Seconds until the call has to be back: less than the dialplan's pause, after which it would try again."""
_PORT = re.compile(r"^tcp6?:(\d+)")
_REFUSED = "CALL_REJECTED"


@frozen
class CallOutcome:
    """The end of a call: `came_from` is where it came back from, "" when it did not; `cause` why it ended."""

    came_from: str = ""
    cause: str = ""


@define(eq=False)
class _Gate(Factory):
    """Lets the server see only what comes from an address that is allowed, and remembers the others."""

    noisy = False
    server: OutboundServer
    strangers: list[str] = field(factory=list)
    allowed: tuple[str, ...] = ()

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: N802
        host = getattr(addr, "host", "")
        if host not in self.allowed:
            self.strangers.append(host)
        return self.server.buildProtocol(addr)


@define(eq=False)
class LoopbackCheck:
    """Places calls over `switch`, for the outbound server that `settings` describe. With `taken`, its port is known to be
    another program's, which is of no interest here: the way back is tried on a free one."""

    reactor: Any
    switch: SwitchConnection
    settings: OutboundSettings
    account_code: str
    new_id: Callable[[], str]
    now: Now
    patience: float = PATIENCE
    taken: bool = False
    _call_uuid: str = field(default="", init=False)
    _over: Deferred[CallOutcome] = field(factory=Deferred, init=False)

    async def run(self) -> list[Diagnosis]:
        """One finding, or two beside a running dialer. Fails with `SwitchUnavailable`."""
        self.switch.heard = self._heard
        await self.switch.listen()
        if not _PORT.match(self.settings.endpoint):
            return [await self._try_running()]
        try:
            return [await self._try_endpoint(self.settings.endpoint, running=False)]
        except CannotListen as error:
            if not is_taken(error):
                return [failure(CHECK, str(error), "see outbound.endpoint")]
        except BadValue as error:
            return [failure(CHECK, str(error), "see outbound.endpoint and outbound.advertise")]
        free = _PORT.sub(lambda found: found[0].replace(found[1], "0"), self.settings.endpoint)
        elsewhere = await self._try_endpoint(free, running=True)
        return [elsewhere] if self.taken else [elsewhere, await self._try_running()]

    # --- an endpoint of our own -------------------------------------------------------------------------------------------

    async def _try_endpoint(self, endpoint: str, *, running: bool) -> Diagnosis:
        server = OutboundServer(
            self.reactor,
            self._came_back,
            lambda call_uuid: call_uuid == self._call_uuid,
            self.new_id,
            OutboundConfig(peers=frozenset(self.settings.allow)),
        )
        gate = _Gate(server, allowed=self.settings.allow)
        port = await listen(self.reactor, endpoint, gate, "outbound.endpoint")
        try:
            address = self._reached_at(port, running=running)
            outcome = await self._place(address)
        finally:
            await server.stop()
            await maybeDeferred(port.stopListening)
        return _judge(address, outcome, gate.strangers, self.patience)

    def _reached_at(self, port: IListeningPort, *, running: bool) -> str:
        here = address_of(port).replace("0.0.0.0:", "127.0.0.1:").replace("[::]:", "127.0.0.1:")
        if not self.settings.advertise:
            return here
        if not running:
            return self.settings.advertise
        return f"{self.settings.advertise.rpartition(':')[0]}:{here.rpartition(':')[2]}"

    # --- the one of the running dialer ------------------------------------------------------------------------------------

    async def _try_running(self) -> Diagnosis:
        """It says no to a call that it has not placed, and so shows that the switch reaches it."""
        address = running_address(self.settings)
        outcome = await self._place(address)
        if outcome.cause == _REFUSED:
            return ok(CHECK, f"the switch reaches the running dialer at {address}")
        return failure(
            CHECK,
            f"something listens at {self.settings.endpoint}, and a call that the switch takes to {address} is not answered "
            f"as a dialer does ({outcome.cause or 'no end'})",
            "see which program has that port (ss -ltnp), and outbound.advertise",
        )

    # --- one call ---------------------------------------------------------------------------------------------------------

    async def _place(self, address: str) -> CallOutcome:
        self._call_uuid = self.new_id()
        self._over = Deferred()
        call = Origination(
            call_uuid=self._call_uuid,
            dial_string=ITSELF,
            account_code=self.account_code,
            timeout=math.ceil(self.patience),
            max_duration=LONGEST,
            deadline=self.now() + timedelta(seconds=LONGEST),
            outbound=address,
            inline=self.settings.inline,
        )
        try:
            await self.switch.originate(call)
            return await self._over.addTimeout(self.patience, self.reactor)
        except TimeoutError:
            return CallOutcome()
        finally:
            await self.switch.kill(self._call_uuid)

    async def _came_back(self, call: AnsweredCall) -> None:
        self._settle(CallOutcome(came_from="the switch"))

    def _heard(self, event: EslEvent) -> None:
        if event.name == "BACKGROUND_JOB" and event.value("Job-UUID") == self._call_uuid:
            if event.body.startswith("-ERR"):
                self._settle(CallOutcome(cause=event.body.removeprefix("-ERR").strip()))
        elif event.name == "CHANNEL_HANGUP_COMPLETE" and event.value("Unique-ID") == self._call_uuid:
            self._settle(CallOutcome(cause=event.value("Hangup-Cause")))

    def _settle(self, outcome: CallOutcome) -> None:
        if not self._over.called:
            self._over.callback(outcome)


def running_address(settings: OutboundSettings) -> str:
    """Where a dialer with these settings is reached, when it listens on TCP."""
    if settings.advertise:
        return settings.advertise
    found = _PORT.match(settings.endpoint)
    interface = re.search(r":interface=([^:]+(?:\\:[^:]*)*)", settings.endpoint)
    host = interface[1].replace("\\:", ":") if interface else "127.0.0.1"
    return f"{'127.0.0.1' if host == '0.0.0.0' else host}:{found[1] if found else 0}"  # noqa: S104


def _judge(address: str, outcome: CallOutcome, strangers: list[str], patience: float) -> Diagnosis:
    if outcome.came_from:
        return ok(CHECK, f"a call of the switch to itself came back over {address}")
    if strangers:
        return failure(
            CHECK,
            f"the switch comes from {strangers[0]}, which may not connect",
            f'write that address into outbound.allow, such as allow = ["{strangers[0]}"]',
        )
    match outcome.cause:
        case "CHAN_NOT_IMPLEMENTED":
            return failure(CHECK, "the switch cannot call itself", "load mod_loopback")
        case "DESTINATION_OUT_OF_ORDER":
            advice = "see its limits (fsctl sps, fsctl max_sessions), and whether it is paused (fsctl resume)"
            return failure(CHECK, "the switch refuses any call", advice)
        case "LOSE_RACE":
            return failure(CHECK, "by the switch's clock, the call came too late", "set both clocks (NTP)")
        case "":
            return failure(
                CHECK,
                f"the switch does not reach {address}: a call to itself did not come back within {patience:g} seconds",
                "see outbound.endpoint and outbound.advertise, firewalls, and the switch's log",
            )
    return failure(
        CHECK,
        f"a call of the switch to itself did not come back over {address}: {outcome.cause}",
        "see the dialplan's context, and the switch's log",
    )
