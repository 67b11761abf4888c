"""Voice applications on real sockets: on the simulator always, and on a FreeSWITCH when DIALER_FREESWITCH names one, as the
contract suite does (see `tests/contract/conftest.py`). The FreeSWITCH runs on this machine, and has mod_flite."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from attrs import define, evolve, field
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint

from dialer.apps.runner import VoiceApplications
from dialer.esl import commands
from dialer.esl.outbound import OutboundServer
from dialer.model import Attempt, Origination, VoipAppType
from dialer.settings import AppSettings
from dialer.store.location import sqlite_url
from tests.contract.client import Peer
from tests.contract.conftest import ACCOUNT, EVENTS, PLAN, Connect, Target, connect, sip_targets, target, targets
from tests.postgresql import Server
from tests.unit.apps.world import MemoryAppStore, attempt

__all__ = ["connect", "target"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test runs on every target there is; what only a FreeSWITCH can show asks for `freeswitch`."""
    if "freeswitch" in metafunc.fixturenames:
        chosen = [name for name in targets() if name == "freeswitch"]
        metafunc.parametrize("target", chosen or ["simulator"], indirect=True, ids=chosen or ["simulator"])
    elif "sip" in metafunc.fixturenames:
        metafunc.parametrize("target", sip_targets(), indirect=True, ids=sip_targets())
    elif "target" in metafunc.fixturenames:
        metafunc.parametrize("target", targets(), indirect=True, ids=targets())


@define(eq=False)
class Exchange:
    """Places calls that this run's voice applications drive. `notes` are those of each call, by its UUID, once it is over."""

    peer: Peer
    target: Target
    folder: Path
    settings: AppSettings = field(factory=lambda: AppSettings(opt_out_wait=0.5))
    store: MemoryAppStore = field(factory=MemoryAppStore)
    attempts: dict[str, Attempt] = field(factory=dict)
    notes: dict[str, dict[str, str]] = field(factory=dict)
    server: OutboundServer = field(init=False)
    address: str = ""

    def use(self, **settings: Any) -> None:
        self.settings = evolve(self.settings, **settings)

    async def listen(self) -> Any:
        from twisted.internet import reactor

        self.server = OutboundServer(reactor, self.drive, self.attempts.__contains__, lambda: str(uuid.uuid4()))
        port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(self.server)
        self.address = f"127.0.0.1:{port.getHost().port}"
        return port

    async def drive(self, call: Any) -> None:
        from twisted.internet import reactor

        now = lambda: datetime.now(UTC)  # noqa: E731
        runner = VoiceApplications(settings=self.settings, store=self.store, clock=reactor, now=now)
        self.notes[call.call_uuid] = await runner.run(call, self.attempts[call.call_uuid])

    async def call(
        self, kind: VoipAppType, data: str = "", own: str = "", dial: str = "loopback/answer/default", **more: Any
    ) -> str:
        """Place a call to somebody who answers and stays; its UUID. It is answered when this returns. `more` of the request to
        the switch than what every call has."""
        call, answer = await self.place(kind, data, own, dial, **more)
        assert answer == f"+OK {call}\n"
        return call

    async def place(self, kind: VoipAppType, data: str, own: str, dial: str, **more: Any) -> tuple[str, str]:
        """Place a call; its UUID, and what the switch answers in the end."""
        call = str(uuid.uuid4())
        self.attempts[call] = attempt(kind, data, own)
        origination = Origination(
            call_uuid=call,
            dial_string=dial,
            account_code=ACCOUNT,
            timeout=10,
            max_duration=25,
            deadline=datetime.now(UTC) + timedelta(seconds=30),
            outbound=self.address,
            inline=True,
            **more,
        )
        self.peer.write(commands.originate(origination, timedelta()).payload.decode())
        assert (await self.peer.frame()).reply == f"+OK Job-UUID: {call}"
        return call, await self.peer.job(call)

    async def began(self, call: str, application: str) -> None:
        """Wait until an application runs on the call."""
        await self.peer.event("CHANNEL_EXECUTE", Unique_ID=call, Application=application)

    async def over(self, call: str, seconds: float = 12.0) -> dict[str, str]:
        """Wait for the end of a call and of its session; its notes, with the cause of the end as `cause`."""
        ended = await self.peer.event("CHANNEL_HANGUP_COMPLETE", seconds, Unique_ID=call)
        for _ in range(100):
            if call in self.notes and not (len(self.attempts) == 1 and self.server.sessions):
                break
            await self.peer.pause(0.05)
        return {**self.notes[call], "cause": ended["Hangup-Cause"]}

    async def ask(self, command: str) -> str:
        return (await self.peer.ask(command)).strip()

    async def live(self) -> int:
        """How many channels there are of this run, second legs included."""
        known = [event.uuid for event in self.peer.events if event.name == "CHANNEL_CREATE"]
        return [await self.ask(f"uuid_exists {one}") for one in known].count("true")


@pytest_twisted.async_yield_fixture
async def exchange(connect: Connect, target: Target, tmp_path: Path) -> AsyncIterator[Exchange]:
    """Everything that a call needs; afterwards, no session may be left."""
    found = Exchange(await connect(events=f"{EVENTS} CHANNEL_BRIDGE"), target, tmp_path)
    port = await found.listen()
    yield found
    await found.ask(f"hupall NORMAL_CLEARING accountcode {ACCOUNT}")
    await port.stopListening()
    stopped: Deferred[None] = found.server.stop()
    await stopped


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a new database of each kind."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path / "dialer.db")
    else:
        yield request.getfixturevalue("shared")


@pytest.fixture
def shared(postgres_server: Server) -> Iterator[str]:
    """The URL of a new database that several dialers can share."""
    found = postgres_server.new_database()
    yield found
    postgres_server.drop_database(found)


@pytest.fixture
def freeswitch() -> bool:
    """Whether there is a FreeSWITCH."""
    return bool(os.environ.get("DIALER_FREESWITCH"))


@pytest.fixture
def sip() -> tuple[str, ...]:
    """Asks for a far end over SIP that follows this plan."""
    return PLAN
