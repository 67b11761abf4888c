"""The simulator over real sockets: what happens to calls when connections go."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest_twisted
from pytest_twisted import ensureDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.protocol import Factory

from dialer.simulator.callees import NumberPlan, parse_pattern
from dialer.simulator.config import SimulatorConfig
from dialer.simulator.service import Simulator
from tests.contract.client import Peer

PLAN = NumberPlan((parse_pattern("7*=answers:ring=0.1,talk=0.3"), parse_pattern("*=stays")))


@pytest_twisted.async_yield_fixture
async def simulator() -> AsyncIterator[Simulator]:
    """A simulator on a port of its own."""
    from twisted.internet import reactor

    simulator = Simulator(reactor, SimulatorConfig(plan=PLAN), random.Random(1))
    await simulator.start()
    yield simulator
    await simulator.stop()


async def connected(simulator: Simulator, events: str = "") -> Peer:
    """A client that is authenticated and subscribed."""
    from twisted.internet import reactor

    peer = Peer(reactor)
    await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", simulator.port), peer)
    await peer.frame()
    await peer.command("auth ClueCon")
    if events:
        await peer.command(f"event json {events}")
    return peer


@ensureDeferred
async def test_dropped_connections_leave_calls_and_jobs_alone(simulator: Simulator) -> None:
    peer = await connected(simulator)
    await peer.command("bgapi originate {origination_uuid=a}sofia/gateway/carrier/9 &park\nJob-UUID: a")
    simulator.drop_connections()
    await peer.until(lambda: peer.closed)
    again = await connected(simulator, "BACKGROUND_JOB")
    assert await again.job("a") == "+OK a\n"
    assert await again.ask("uuid_exists a") == "true"
    again.close()


@ensureDeferred
async def test_call_is_offered_again_after_a_pause_when_nobody_listens(simulator: Simulator) -> None:
    from twisted.internet import reactor

    peers: list[Peer] = []

    class Accepting(Factory):
        noisy = False

        def buildProtocol(self, addr: Any) -> Peer:
            peers.append(Peer(reactor))
            return peers[-1]

    peer = await connected(simulator, "CHANNEL_EXECUTE CHANNEL_HANGUP_COMPLETE BACKGROUND_JOB")
    listening = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(Accepting())
    port = listening.getHost().port
    await listening.stopListening()
    await peer.command(
        f"bgapi originate {{origination_uuid=a,dialer_socket=127.0.0.1:{port}}}sofia/gateway/carrier/9 dialer XML dialer"
    )
    await peer.event("CHANNEL_EXECUTE", Application="sleep")
    listening = await TCP4ServerEndpoint(reactor, port, interface="127.0.0.1").listen(Accepting())
    await peer.until(lambda: len([e for e in peer.events if e.get("Application") == "socket"]) == 2)
    while not peers:
        await peer.pause(0.01)
    assert (await peers[0].command("connect")).headers["Unique-ID"] == "a"
    await peers[0].command("sendmsg\ncall-command: hangup")
    await peer.event("CHANNEL_HANGUP_COMPLETE", Unique_ID="a")
    await peers[0].until(lambda: peers[0].closed)
    peer.close()
    await listening.stopListening()


@ensureDeferred
async def test_listener_that_leaves_in_the_orphan_window_loses_the_call_for_ever() -> None:
    from twisted.internet import reactor

    peers: list[Peer] = []

    class Accepting(Factory):
        noisy = False

        def buildProtocol(self, addr: Any) -> Peer:
            peers.append(Peer(reactor))
            return peers[-1]

    simulator = Simulator(reactor, SimulatorConfig(plan=PLAN, orphan_window=5.0), random.Random(1))
    await simulator.start()
    listening = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(Accepting())
    peer = await connected(simulator, "BACKGROUND_JOB CHANNEL_EXECUTE")
    target = f"'socket:127.0.0.1:{listening.getHost().port} async full,hangup:USER_BUSY' inline"
    await peer.command(f"bgapi originate {{origination_uuid=a}}sofia/gateway/carrier/9 {target}\nJob-UUID: a")
    await peer.event("CHANNEL_EXECUTE", Application="socket")
    while not peers:
        await peer.pause(0.01)
    await peers[0].command("connect")
    peers[0].close()
    await peers[0].until(lambda: peers[0].closed)
    await peer.pause(0.1)
    assert await peer.ask("uuid_exists a") == "true"
    assert [e["Application"] for e in peer.events if e.name == "CHANNEL_EXECUTE"] == ["socket"]
    peer.close()
    await peer.until(lambda: peer.closed)
    await listening.stopListening()
    await simulator.stop()


@ensureDeferred
async def test_called_side_is_seen_through_the_accessors(simulator: Simulator) -> None:
    peer = await connected(simulator, "CHANNEL_HANGUP_COMPLETE")
    await peer.command("bgapi originate {origination_uuid=a}sofia/gateway/carrier/71 &park")
    await peer.event("CHANNEL_HANGUP_COMPLETE", Unique_ID="a")
    (call,) = simulator.calls
    assert (call.number, call.rang, call.cause, call.ended_by) == ("71", True, "NORMAL_CLEARING", "callee")
    assert simulator.oracle.rings("a") == 1
    peer.close()
    await peer.until(lambda: peer.closed)
