"""A switch in memory: remembers what it was asked, and lives or dies as the test says."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed

from dialer.errors import SwitchUnavailable
from dialer.model import LiveChannel, Origination


@define(eq=False)
class MemorySwitch:
    """Accepts every originate at once unless told otherwise; `channels` is what `show channels` lists."""

    name: str = "memory:8021"
    ready: bool = True
    core_uuid: str = "core-1"
    identity: str = "memory"
    free: int = 1_000
    submitted: list[Origination] = field(factory=list)
    killed: list[str] = field(factory=list)
    channels: dict[str, LiveChannel] = field(factory=dict)
    hidden: set[str] = field(factory=set)
    """Channels that exist although the list does not show them."""
    on_submit: Callable[[Origination], None] = lambda _: None
    submit_error: Exception | None = None
    hold: bool = False
    waiting: list[Deferred[None]] = field(factory=list)

    def room(self, within: float) -> int:
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
        return succeed(self.channels.pop(call_uuid, None) is not None)

    def is_alive(self, call_uuid: str) -> Deferred[bool]:
        self._check("uuid_exists")
        return succeed(call_uuid in self.channels or call_uuid in self.hidden)

    def live_channels(self) -> Deferred[list[LiveChannel]]:
        self._check("show channels")
        return succeed(list(self.channels.values()))

    def _check(self, command: str) -> None:
        if not self.ready:
            raise SwitchUnavailable(command, "not connected", sent=False)
