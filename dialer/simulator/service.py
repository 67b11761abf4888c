"""The simulator as a service: a TCP port, a switch behind it, and the faults that tests ask for."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, cast

from attrs import evolve
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.interfaces import IListeningPort, IStreamServerEndpoint, ITransport

from dialer.simulator import wire
from dialer.simulator.api import SwitchApi
from dialer.simulator.applications import APPLICATIONS
from dialer.simulator.bridging import Bridge
from dialer.simulator.bus import EventBus
from dialer.simulator.channel import Runner, Running
from dialer.simulator.clock import SwitchClock
from dialer.simulator.config import SimulatorConfig, uuid_factory
from dialer.simulator.dialplan import transfer
from dialer.simulator.inbound import InboundFactory, InboundListener
from dialer.simulator.installed import Installed
from dialer.simulator.listener import Listener
from dialer.simulator.oracle import CalledSide, Oracle
from dialer.simulator.outbound import OutboundListener, open_socket
from dialer.simulator.switch import SimulatedSwitch
from dialer.simulator.templates import load


class Simulator:
    """A FreeSWITCH stand-in. Build it, `start` it, dial; `calls` and `oracle` tell what the called side saw.

    `reactor` is anything with the reactor's time and TCP; `rng` decides everything that is left to chance.
    """

    def __init__(self, reactor: Any, config: SimulatorConfig, rng: random.Random) -> None:
        self.config = config
        self.oracle = Oracle(path=Path(config.log_path) if config.log_path else None)
        self._reactor = reactor
        self._rng = rng
        self._new_uuid = uuid_factory(rng)
        self._clock = SwitchClock(reactor, config.clock_offset)
        self._listening: IListeningPort | None = None
        self._outbound: set[OutboundListener] = set()
        self.inbound = InboundFactory(self._inbound_listener, rng)
        self._password = config.password
        self.port = 0
        self._boot()

    @property
    def calls(self) -> list[CalledSide]:
        """Every INVITE, in order."""
        return self.oracle.calls

    @property
    def core_uuid(self) -> str:
        """The identity of the running switch; another one after `restart`."""
        return self.switch.bus.core_uuid

    # --- start and stop ---------------------------------------------------------------------------------------------------

    def start(self, port: int = 0, host: str = "127.0.0.1") -> Deferred[int]:
        """Listen. Fires with the actual port; fails with CannotListenError."""
        return self.listen(TCP4ServerEndpoint(self._reactor, port, interface=host))

    def listen(self, endpoint: IStreamServerEndpoint) -> Deferred[int]:
        """The same on an endpoint of one's own."""

        def listening(port: IListeningPort) -> int:
            self._listening = port
            self.port = cast(Any, port.getHost()).port
            self.switch.start_heartbeat()
            return self.port

        return endpoint.listen(self.inbound).addCallback(listening)

    def stop(self) -> Deferred[None]:
        """Drop everything and stop listening; no event is sent."""
        self.drop_connections()
        self.switch.vanish()
        if self._listening is None:
            return succeed(None)
        port, self._listening = self._listening, None
        stopped: Deferred[None] = cast(Any, port.stopListening())
        return stopped

    def _boot(self) -> None:
        """A new FreeSWITCH process."""
        bus = EventBus(self._clock, load(), self._new_uuid())
        config = self.config
        self.api = SwitchApi(self.shut_down, Installed(config))
        self.switch = SimulatedSwitch(
            config=config,
            clock=self._clock,
            rng=self._rng,
            new_uuid=self._new_uuid,
            bus=bus,
            oracle=self.oracle,
            sps=config.sps,
            max_sessions=config.max_sessions,
            applications={**APPLICATIONS, "bridge": self._bridge, "socket": self._open_socket, "transfer": transfer},
            api=self.api.result,
            globals={"dialer_socket": config.outbound_socket} if config.outbound_socket else {},
        )
        self.api.switch = self.switch

    # --- connections ------------------------------------------------------------------------------------------------------

    def _inbound_listener(self, transport: ITransport) -> InboundListener:
        return InboundListener(self.switch, self.api, transport, password=self._password)

    def _bridge(self, runner: Runner, running: Running) -> None:
        Bridge(self.switch, runner, running).start()

    def _open_socket(self, runner: Runner, running: Running) -> None:
        def make(transport: ITransport) -> OutboundListener:
            flags = running.action.argument.lower().split()
            listener = OutboundListener(
                self.switch,
                self.api,
                transport,
                channel=runner.channel,
                running=running,
                full="full" in flags,
                asynchronous="async" in flags,
            )
            self._outbound.add(listener)
            self._outbound = {one for one in self._outbound if not one.closed}
            return listener

        open_socket(self._reactor, runner, running, make)

    # --- faults -----------------------------------------------------------------------------------------------------------

    def drop_connections(self, *, outbound: bool = True) -> None:
        """Cut every connection without a word; calls and jobs go on."""
        for protocol in list(self.inbound.protocols):
            cast(Any, protocol.transport).abortConnection()
        for listener in list(self._outbound) if outbound else []:
            cast(Any, listener.transport).abortConnection()

    def go_silent(self, *, silent: bool = True) -> None:
        """Keep every connection, answer nothing, send nothing; new connections too."""
        self.inbound.silent = silent
        for listener in self._listeners():
            listener.silent = silent

    def reply_late(self, seconds: float) -> None:
        """Everything that is sent leaves so many seconds late."""
        self.inbound.delay = seconds
        for listener in self._listeners():
            listener.delay = seconds

    def send_garbage(self) -> None:
        """Say something that is no Event Socket, now and to every new connection."""
        self.inbound.garbage = True
        for protocol in self.inbound.protocols:
            cast(Any, protocol.transport).write(self._rng.randbytes(4096) + b"\n\n")

    def refuse_password(self, *, refuse: bool = True) -> None:
        """No password is right from the next connection on."""
        self._password = "\0" if refuse else self.config.password

    def reject_address(self, *, reject: bool = True) -> None:
        """No address is allowed from the next connection on."""
        self.inbound.reject = reject

    def take_down(self, *gateways: str) -> None:
        """These SIP gateways, and no others, do not answer from now on."""
        self.config = evolve(self.config, gateways_down=frozenset(gateways))
        self.switch.config = evolve(self.switch.config, gateways_down=frozenset(gateways))
        self.api.installed.config = self.switch.config

    def restart(self) -> None:
        """Kill the process and start another: all calls are gone without an event, the core's UUID is a new one."""
        self.drop_connections()
        self.switch.vanish()
        self._boot()
        self.switch.start_heartbeat()

    def shut_down(self) -> None:
        """A graceful stop: SHUTDOWN, every call ends with SYSTEM_SHUTDOWN, a notice, no more connections."""
        self.switch.shut_down()
        for listener in self._listeners():
            listener.flush()
            listener.hang_up(wire.disconnect_notice(wire.SHUT_DOWN))
        if self._listening is not None:
            self._listening.stopListening()
            self._listening = None

    def _listeners(self) -> list[Listener]:
        inbound = [protocol.listener for protocol in self.inbound.protocols if protocol.listener is not None]
        return [*inbound, *(one for one in self._outbound if not one.closed)]
