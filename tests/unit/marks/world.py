"""Apps on their threads, and a reactor that does one thing after the other: what threads hand in, when the test lets it."""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from dialer.errors import DialerError
from dialer.marks.app import load
from dialer.marks.hub import LOOK_EVERY, Hub
from dialer.marks.trouble import HookLimits
from dialer.marks.worker import Worker
from dialer.model.flow import Transfer

PATIENCE = 20.0
"""Seconds of real time, after which something that should happen never will."""

CALL = "11111111-2222-3333-4444-555555555555"
LEG = "99999999-2222-3333-4444-555555555555"


class Turns(Clock):
    """A stepped clock with as much of a reactor as a hub needs."""

    def __init__(self) -> None:
        super().__init__()
        self._handed_in: SimpleQueue[Callable[[], object]] = SimpleQueue()

    def callFromThread(self, function: Callable[..., object], *given: object) -> None:
        self._handed_in.put(lambda: function(*given))

    def drain(self) -> None:
        """Do all that was handed in so far."""
        while not self._handed_in.empty():
            self._handed_in.get()()

    def until(self, done: Callable[[], object]) -> None:
        """Do what threads hand in until `done`."""
        last = time.monotonic() + PATIENCE
        while not done():
            try:
                self._handed_in.get(timeout=0.02)()
            except Empty:
                assert time.monotonic() < last, "it does not happen"


@define(eq=False)
class Channel:
    """Takes what passes the gate."""

    calls: Calls
    uuid: str
    leg: str

    def execute(self, application: str, argument: str = "") -> Deferred[str]:
        return self.calls.did((self.uuid, self.leg, application, argument))

    def bridge(self, transfer: Transfer) -> Deferred[str]:
        return self.calls.did((self.uuid, self.leg, transfer))


@define(eq=False)
class Calls:
    """The dialer's calls, and what was asked of the switch for them."""

    own: set[str] = field(factory=lambda: {CALL})
    done: list[Any] = field(factory=list)
    answer: str | DialerError | None = "+OK"

    def has(self, call_uuid: str) -> bool:
        return call_uuid in self.own

    lives = has

    def channel(self, uuid: str, call_uuid: str, leg: str) -> Channel:
        assert call_uuid in self.own
        return Channel(self, uuid, leg)

    def ask(self, function: str, arguments: str, call_uuid: str) -> Deferred[str]:
        return self.did((function, arguments))

    def did(self, what: Any) -> Deferred[str]:
        self.done.append(what)
        if self.answer is None:
            return Deferred()
        return fail(self.answer) if isinstance(self.answer, DialerError) else succeed(self.answer)


@define(eq=False)
class World:
    """A hub with apps of `tests.hooked`."""

    names: tuple[str, ...]
    limits: HookLimits = field(factory=HookLimits)
    commands: float = 1000.0
    reactor: Turns = field(factory=Turns)
    calls: Calls = field(factory=Calls)
    now: float = 0.0
    told: list[tuple[str, str, str]] = field(factory=list)
    hub: Hub = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.hub = Hub(
            apps=tuple(load(name if ":" in name else f"tests.hooked:{name}") for name in self.names),
            reactor=self.reactor,
            calls=self.calls,
            host="192.0.2.7",
            limits=self.limits,
            commands=self.commands,
            secrets=frozenset({"dialer_proof"}),
            monotonic=lambda: self.now,
            tell=lambda *what: self.told.append(what),
        )

    @property
    def worker(self) -> Worker:
        return self.hub.workers[0]

    @property
    def app(self) -> Any:
        """The object that the first app's thread has made."""
        self.reactor.until(lambda: self.worker.made)
        return self.worker.made

    def start(self) -> World:
        self.hub.start()
        self.hub.switch_up()
        return self

    def stop(self) -> None:
        stopped: list[Any] = []
        Deferred.fromCoroutine(self.hub.stop()).addBoth(stopped.append)
        self.reactor.advance(0)
        for worker in self.hub.workers:
            if not worker.off.startswith("on_"):
                self.reactor.until(lambda worker=worker: not worker.alive)
        self.reactor.drain()
        self.reactor.advance(10)
        self.reactor.drain()
        assert stopped == [None]

    def look(self) -> None:
        """Let the hub look after its apps."""
        self.reactor.advance(LOOK_EVERY)

    def event(self, name: str, uuid: str = CALL, **headers: str) -> None:
        """An event of the switch."""
        known = {"Event-Name": name, "Event-Date-Timestamp": "1795403000000000"}
        if uuid:
            known |= {"Unique-ID": uuid, "Channel-Call-UUID": uuid, "Call-Direction": "outbound"}
        named = {key.replace("_", "-") if key[0].isupper() else key: value for key, value in headers.items()}
        self.hub.event_received(known | named)

    def heard(self) -> Any:
        """The next thing that the app tells."""
        heard = self.app.heard
        self.reactor.until(lambda: not heard.empty())
        return heard.get()

    def do(self, work: Callable[[Any], Any]) -> Any:
        """Have `Commands` do something with the session; what it returned or raised."""
        self.app.todo.put(work)
        self.event("DTMF")
        return self.heard()[1]
