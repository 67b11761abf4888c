"""One connection to the switch, for as long as the diagnostics take."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.protocol import Factory, Protocol

from dialer.errors import CommandFailed, DialerError, SwitchUnavailable
from dialer.esl import commands
from dialer.esl.connection import CommandReply
from dialer.esl.events import EslEvent
from dialer.esl.link import ClockOffset, Hooks, Link, LinkRules, PreparedEndpoint, explain
from dialer.interfaces import Now
from dialer.model import Origination
from dialer.settings import SwitchSettings

PATIENCE = 5.0
"""Seconds that the switch may take to greet, or to answer a command."""
CLOCK_SAMPLES = 3
_EVENTS = ("BACKGROUND_JOB", "CHANNEL_HANGUP_COMPLETE")


@define(eq=False)
class SwitchConnection:
    """A connection that can be opened once. `heard` is told of the ends of calls and jobs."""

    reactor: Any
    settings: SwitchSettings
    now: Now
    patience: float = PATIENCE
    heard: Callable[[EslEvent], None] = field(default=lambda _: None)
    clock: ClockOffset = field(factory=ClockOffset, init=False)
    _link: Link = field(init=False)
    _there: PreparedEndpoint = field(init=False)

    def __attrs_post_init__(self) -> None:
        settings = self.settings
        there = HostnameEndpoint(self.reactor, settings.host, settings.port, timeout=self.patience)
        rules = LinkRules(password=settings.password, handshake=self.patience, silence=2 * self.patience)
        hooks = Hooks(
            prepare=_nothing_to_prepare,
            up=_ignore,
            down=lambda _link, _reason: None,
            failed=_ignore,
            event=lambda event: self.heard(event),
            pinged=_ignore,
        )
        self._link = Link(self.reactor, there, rules, lambda _: 0.0, hooks)
        self._there = PreparedEndpoint(there, self._link)

    async def open(self) -> None:
        """Connect and log in. Fails with `AddressRefused`, `AuthenticationFailed` or `SwitchUnavailable`."""
        connecting = self._there.connect(Factory.forProtocol(Protocol))
        connecting.addErrback(_in_words)
        await connecting

    async def ask(self, function: str, arguments: str = "") -> str:
        """The output of an API function, refusals included. Fails with `SwitchUnavailable`."""
        return (await self._send(commands.api(function, arguments))).text

    async def offset(self) -> timedelta:
        """The switch's clock minus ours. Fails with `CommandFailed` when it does not tell the time."""
        for _ in range(CLOCK_SAMPLES):
            reply = await self._send(commands.clock())
            if not reply.text.isdigit():
                raise CommandFailed("strmicroepoch", reply.text[:80])
            self.clock.answered(int(reply.text), self.now())
        return self.clock.offset

    async def listen(self) -> None:
        """Let `heard` be told."""
        (await self._send(commands.subscribe(_EVENTS))).checked()

    async def originate(self, call: Origination) -> None:
        """Start a call. Fails with `CommandFailed` when the switch refuses the command itself."""
        (await self._send(commands.originate(call, self.clock.offset))).checked()

    async def kill(self, call_uuid: str) -> None:
        """End a call, should it exist."""
        await self._send(commands.kill(call_uuid, "NORMAL_CLEARING"))

    def close(self) -> None:
        """Close the connection."""
        self._link.drop("the diagnostics are over")

    def _send(self, command: commands.Command) -> Deferred[CommandReply]:
        answered = self._link.send(command)
        # A late answer would be taken for the next command's: the connection is of no more use.
        answered.addTimeout(self.patience, self.reactor, lambda _result, seconds: self._give_up(command, seconds))
        return answered

    def _give_up(self, command: commands.Command, seconds: float) -> None:
        self._link.drop(f"no answer to {command.name}")
        raise SwitchUnavailable(command.name, f"no answer within {seconds:g} seconds", sent=True)


async def _nothing_to_prepare(_link: Link) -> None:
    """A password that is accepted is all that is asked for."""


def _ignore(_: object) -> None:
    """Of no interest here."""


def _in_words(failure: Any) -> Any:
    if failure.check(DialerError):
        return failure
    raise SwitchUnavailable("connect", explain(failure), sent=False)
