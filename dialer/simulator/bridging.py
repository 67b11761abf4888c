"""`bridge`: the channel dials a second leg and is connected to it (seen on FreeSWITCH 1.10.12).

The end of the application tells how that went: `originate_disposition`, after a success `bridge_hangup_cause`, and the time of
the connection. When the channel itself hangs up, the second leg does, and the application ends before the channel's last
events.
"""

from __future__ import annotations

from attrs import define, field

from dialer.simulator.channel import Channel, Runner, Running
from dialer.simulator.dialstring import Arguments, Unparsable, parse_dial
from dialer.simulator.originate import SimulatedOrigination
from dialer.simulator.switch import SimulatedSwitch

CANCELLED = "ORIGINATOR_CANCEL"


@define(eq=False)
class Bridge:
    """One `bridge` application."""

    switch: SimulatedSwitch
    runner: Runner
    running: Running
    dialling: SimulatedOrigination | None = field(default=None, init=False)
    other: Channel | None = field(default=None, init=False)
    over: bool = field(default=False, init=False)

    def start(self) -> None:
        """Dial."""
        self.running.on_hangup = self.first_hung_up
        try:
            groups = parse_dial(self.running.action.argument)
        except Unparsable:
            self.failed("DESTINATION_OUT_OF_ORDER")
            return
        self.dialling = SimulatedOrigination(self.switch, Arguments(dial="", target="&park"), groups, self.dialled)
        self.dialling.next_group()

    def dialled(self, output: str) -> None:
        """The second leg is there, or there is none."""
        verdict, _, what = output.strip().partition(" ")
        if verdict != "+OK":
            self.failed(what)
            return
        channel = self.runner.channel
        other = self.other = self.switch.channels[what]
        other.bonded_to = channel.uuid
        other.when_hung_up.append(self.second_hung_up)
        channel.bridged = self.switch.clock.micros()
        channel.set_variable("originate_disposition", "SUCCESS")
        channel.set_variable("bridge_uuid", other.uuid)
        channel.emit("CHANNEL_BRIDGE")

    def failed(self, cause: str) -> None:
        """Nobody answered: the call goes on, unless its variables say otherwise."""
        if self.over:
            return
        self.over = True
        channel = self.runner.channel
        channel.set_variable("originate_disposition", cause)
        if not channel.alive:
            return
        if channel.variable("continue_on_fail") == "true":
            self.running.finish()
        else:
            self.switch.hang_up(channel, cause)

    def second_hung_up(self) -> None:
        """The second leg has ended."""
        if self.over or self.other is None:
            return
        self.over = True
        channel = self.runner.channel
        channel.set_variable("bridge_hangup_cause", self.other.cause)
        channel.emit("CHANNEL_UNBRIDGE")
        self.running.finish()

    def first_hung_up(self) -> None:
        """The channel is ending: so does the second leg."""
        channel = self.runner.channel
        if self.other is not None:
            self.over = True
            channel.set_variable("bridge_hangup_cause", channel.cause)
            self.switch.hang_up(self.other, channel.cause)
            return
        self.over = True
        channel.set_variable("originate_disposition", CANCELLED)
        for call in list(self.dialling.calls) if self.dialling else ():
            self.switch.hang_up(call.channel, CANCELLED)
