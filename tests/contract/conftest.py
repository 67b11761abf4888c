"""What the contract is tried on: the simulator always, a real FreeSWITCH when the environment names one.

DIALER_FREESWITCH=host:port:password adds a FreeSWITCH whose dialplan context `default` has `answer` (answers and stays),
`busy` and `ring` (rings for ever), as the recordings' has. DIALER_FREESWITCH_DIAL=sofia/gateway/carrier/{number} adds the
calls over SIP: the far end follows the number plan of `PLAN` (by first digit). DIALER_FREESWITCH_EXCLUSIVE=1 allows tests
that change the switch's limits.
"""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_twisted
from attrs import frozen
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.protocol import Factory

from dialer.simulator.callees import NumberPlan, parse_pattern
from dialer.simulator.config import SimulatorConfig
from dialer.simulator.service import Simulator
from tests.contract.client import Peer

EVENTS = (
    "CHANNEL_CREATE CHANNEL_ORIGINATE CHANNEL_OUTGOING CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_ANSWER CHANNEL_PARK"
    " CHANNEL_UNPARK CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE CHANNEL_DESTROY"
    " CHANNEL_STATE CHANNEL_CALLSTATE BACKGROUND_JOB DTMF"
)
# The far end by the first digit of the number: busy after ringing, rings for ever, 603, 404, 503, answers and hangs up
# after 2 s, else answers and stays.
PLAN = (
    "1*=busy_ringing",
    "2*=no_answer",
    "3*=rejected",
    "4*=invalid",
    "5*=unavailable",
    "7*=answers:ring=0.2,talk=2",
    "*=stays",
)


@frozen
class Target:
    """A switch to try the contract on. `number` gives the dial string of a number, None without SIP."""

    name: str
    host: str
    port: int
    password: str
    dial: str = ""
    exclusive: bool = False

    def number(self, number: str) -> str:
        """The dial string that reaches a number of the plan."""
        return self.dial.format(number=number)


def targets() -> list[str]:
    """The targets of this run."""
    return ["simulator"] + (["freeswitch"] if os.environ.get("DIALER_FREESWITCH") else [])


def sip_targets() -> list[str]:
    """Those that reach a far end over SIP."""
    return ["simulator"] + (["freeswitch"] if os.environ.get("DIALER_FREESWITCH_DIAL") else [])


def exclusive_targets() -> list[str]:
    """Those whose limits may be changed."""
    return ["simulator"] + (["freeswitch"] if os.environ.get("DIALER_FREESWITCH_EXCLUSIVE") else [])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test runs on every target that it can run on; none is skipped."""
    if "target" in metafunc.fixturenames:
        chosen = targets()
        if metafunc.definition.get_closest_marker("needs_sip"):
            chosen = [name for name in chosen if name in sip_targets()]
        if metafunc.definition.get_closest_marker("needs_exclusive"):
            chosen = [name for name in chosen if name in exclusive_targets()]
        metafunc.parametrize("target", chosen, indirect=True, ids=chosen)


def pytest_configure(config: pytest.Config) -> None:
    """The markers of this suite."""
    config.addinivalue_line("markers", "needs_sip: the far end is reached over SIP")
    config.addinivalue_line("markers", "needs_exclusive: changes the limits of the switch")


@pytest_twisted.async_yield_fixture
async def target(request: pytest.FixtureRequest) -> AsyncIterator[Target]:
    """The switch."""
    from twisted.internet import reactor

    if request.param == "freeswitch":
        host, port, password = os.environ["DIALER_FREESWITCH"].split(":")
        yield Target(
            "freeswitch",
            host,
            int(port),
            password,
            os.environ.get("DIALER_FREESWITCH_DIAL", ""),
            bool(os.environ.get("DIALER_FREESWITCH_EXCLUSIVE")),
        )
        return
    plan = NumberPlan(tuple(parse_pattern(text) for text in PLAN))
    config = SimulatorConfig(plan=plan, sps=200, gateways=frozenset({"carrier"}))
    simulator = Simulator(reactor, config, random.Random(1))
    port = await simulator.start()
    yield Target("simulator", "127.0.0.1", port, config.password, "sofia/gateway/carrier/{number}", exclusive=True)
    await simulator.stop()


Connect = Callable[..., Awaitable[Peer]]


@pytest_twisted.async_yield_fixture
async def connect(target: Target) -> AsyncIterator[Connect]:
    """Opens connections; closes them, and ends the calls that were made, after the test."""
    from twisted.internet import reactor

    peers: list[Peer] = []

    async def connect(*, login: bool = True, events: str = "", form: str = "json") -> Peer:
        peer = Peer(reactor)
        peers.append(peer)
        await connectProtocol(TCP4ClientEndpoint(reactor, target.host, target.port), peer)
        if login:
            assert (await peer.frame()).type == "auth/request"
            assert (await peer.command(f"auth {target.password}")).reply == "+OK accepted"
        if events:
            assert (await peer.command(f"event {form} {events}")).reply == f"+OK event listener enabled {form}"
        return peer

    yield connect
    sweeper = await connect()
    await sweeper.ask(f"hupall NORMAL_CLEARING accountcode {ACCOUNT}")
    for peer in peers:
        peer.close()
        await peer.until(lambda peer=peer: peer.closed)


ACCOUNT = f"contract-{os.getpid()}"


@frozen
class Dialer:
    """Originates calls that belong to this run."""

    peer: Peer
    target: Target

    async def call(self, dial: str, then: str = "&park", *, verb: str = "originate", **variables: str) -> str:
        """Start a call; its UUID, which is its job's, too."""
        call = str(uuid.uuid4())
        known = {"origination_uuid": call, "accountcode": ACCOUNT, "ignore_early_media": "true", "originate_timeout": "5"}
        text = ",".join(f"{name}={value}" for name, value in (known | variables).items())
        reply = await self.peer.command(f"bgapi {verb} {{{text}}}{dial} {then}\nJob-UUID: {call}")
        assert reply.reply == f"+OK Job-UUID: {call}"
        return call

    async def answered(self, dial: str = "loopback/answer/default", then: str = "&park", **variables: str) -> str:
        """Start a call and wait until it is there."""
        call = await self.call(dial, then, **variables)
        assert await self.peer.job(call) == f"+OK {call}\n"
        return call


@pytest_twisted.async_fixture
async def dialer(connect: Connect, target: Target) -> Dialer:
    """A connection that hears everything, with which calls are made."""
    return Dialer(await connect(events=EVENTS), target)


@frozen
class Sockets:
    """Listens for the connections of the `socket` application."""

    port: int
    accepted: list[Peer]
    peer: Peer  # only lends its patience

    async def next(self, seconds: float = 20.0) -> Peer:
        """The next connection that came."""
        while not self.accepted and seconds > 0:
            await self.peer.pause(0.02)
            seconds -= 0.02
        assert self.accepted, "nobody connected"
        return self.accepted.pop(0)


@pytest_twisted.async_yield_fixture
async def sockets(connect: Connect) -> AsyncIterator[Sockets]:
    """A listener for outbound sessions on a port of its own."""
    from twisted.internet import reactor

    accepted: list[Peer] = []
    everyone: list[Peer] = []

    class Accepting(Factory):
        noisy = False

        def buildProtocol(self, addr: Any) -> Peer:
            peer = Peer(reactor)
            accepted.append(peer)
            everyone.append(peer)
            return peer

    listening = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(Accepting())
    yield Sockets(listening.getHost().port, accepted, await connect())
    for peer in everyone:
        peer.close()
    await listening.stopListening()
