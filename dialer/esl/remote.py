"""A channel of a call as it is reached without a session of ours: its applications go through the inbound Event Socket."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen
from twisted.internet.defer import Deferred, fail

from dialer.errors import BadValue
from dialer.esl import bridging, commands
from dialer.esl.commands import Command
from dialer.model.flow import Transfer


@frozen
class RemoteChannel:
    """The channel `uuid`, or, with the `leg` bleg or both, the one that it is connected to. What an application does is heard
    in events: the answers tell only that the switch has taken it. Fails with `BadValue`, `SwitchUnavailable`,
    `CommandFailed`."""

    ask: Callable[[Command], Deferred[str]]
    uuid: str
    leg: str = "aleg"

    def execute(self, application: str, argument: str = "") -> Deferred[str]:
        """Run an application of the dialplan, after the one that runs now."""
        try:
            command = commands.broadcast(self.uuid, application, argument, self.leg)
        except BadValue as error:
            return fail(error)
        return self.ask(command)

    def bridge(self, transfer: Transfer) -> Deferred[str]:
        """Dial a second leg, and connect the channel to it."""
        try:
            argument = bridging.argument(transfer)
        except BadValue as error:
            return fail(error)
        return self.execute("bridge", argument)
