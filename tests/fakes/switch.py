"""A switch in memory: remembers what it was asked, and lives or dies as the test says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from dialer.errors import SwitchUnavailable
from dialer.model import Execution, LiveChannel, Origination
from dialer.model.sip_gateway import SipGateway

T = TypeVar("T")


@define(eq=False)
class MemorySwitch:
    """Accepts every originate at once unless told otherwise; `channels` is what `show channels` lists. With a `clock`, its
    answers take time: `per_command` seconds each, one after the other, and `round_trip` seconds on the way."""

    name: str = "memory:8021"
    ready: bool = True
    core_uuid: str = "core-1"
    identity: str = "memory"
    free: int = 1_000
    calls_per_second: float = 25.0
    submitted: list[Origination] = field(factory=list)
    killed: list[str] = field(factory=list)
    channels: dict[str, LiveChannel] = field(factory=dict)
    hidden: set[str] = field(factory=set)
    """Channels that exist although the list does not show them."""
    ghosts: set[str] = field(factory=set)
    """Channels that the list shows although they do not exist."""
    on_submit: Callable[[Origination], None] = lambda _: None
    submit_error: Exception | None = None
    hold: bool = False
    waiting: list[Deferred[None]] = field(factory=list)
    clock: Clock | None = None
    per_command: float = 0.001
    round_trip: float = 0.0
    in_flight: int = 0
    most_in_flight: int = 0
    lists: int = 0
    """How often all channels were asked for."""
    asked: list[str] = field(factory=list)
    """The calls of which was asked whether they live."""
    marks: dict[str, Execution] | None = None
    """What became of originates, as far as the switch remembers that: nothing of others; None when it cannot tell."""
    marked_asked: list[str] = field(factory=list)
    forgotten: list[str] = field(factory=list)
    led: list[tuple[str, str]] = field(factory=list)
    """The calls that were told where to ask for their sessions."""
    sip: Sequence[SipGateway] | None = None
    """Its SIP gateways; None when it cannot tell."""
    _busy_until: float = 0.0

    def sip_gateways(self) -> Deferred[Sequence[SipGateway] | None]:
        self._check("sofia")
        return self._answer(lambda: self.sip)

    def headroom(self, within: float) -> int:
        return self.free

    def submit(self, call: Origination) -> Deferred[None]:
        if self.submit_error is not None:
            return fail(self.submit_error)
        self.submitted.append(call)
        self.on_submit(call)
        if self.hold:
            reply: Deferred[None] = Deferred()
            self.waiting.append(reply)
            return reply
        return succeed(None)

    def kill(self, call_uuid: str, cause: str) -> Deferred[bool]:
        self._check("uuid_kill")
        self.killed.append(call_uuid)
        return self._answer(lambda: call_uuid not in self.ghosts and self.channels.pop(call_uuid, None) is not None)

    def lead(self, call_uuid: str, outbound: str) -> Deferred[bool]:
        self._check("uuid_setvar")
        self.led.append((call_uuid, outbound))
        return self._answer(lambda: call_uuid in self.channels)

    def is_alive(self, call_uuid: str) -> Deferred[bool]:
        self._check("uuid_exists")
        self.asked.append(call_uuid)
        return self._answer(lambda: call_uuid in (self.channels.keys() - self.ghosts) | self.hidden)

    def live_channels(self) -> Deferred[list[LiveChannel]]:
        self._check("show channels")
        self.lists += 1
        return self._answer(lambda: list(self.channels.values()))

    async def execution(self, call_uuid: str, planned_at: datetime) -> Execution:
        self._check("hash")
        self.marked_asked.append(call_uuid)
        return Execution.UNTOLD if self.marks is None else self.marks.get(call_uuid, Execution.NEVER)

    def forget(self, call_uuid: str) -> None:
        self.forgotten.append(call_uuid)

    def _answer(self, look: Callable[[], T]) -> Deferred[T]:
        if self.clock is None:
            return succeed(look())
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self._busy_until = max(self._busy_until, self.clock.seconds()) + self.per_command
        answered: Deferred[T] = Deferred()
        self.clock.callLater(self._busy_until - self.clock.seconds() + self.round_trip, self._answered, answered, look)
        return answered

    def _answered(self, answered: Deferred[T], look: Callable[[], T]) -> None:
        self.in_flight -= 1
        answered.callback(look())

    def _check(self, command: str) -> None:
        if not self.ready:
            raise SwitchUnavailable(command, "not connected", sent=False)
