"""A call to somebody: what the callee does becomes what the channel goes through."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define

from dialer.simulator.callees import Act, Callee, ScriptStep
from dialer.simulator.channel import DECLINED, REFUSED, REMOTE, Action, Channel
from dialer.simulator.oracle import CalledSide
from dialer.simulator.switch import SimulatedSwitch

TIMER_B = 32.0  # seconds after which an INVITE that nobody answers is given up (RFC 3261, 64 * T1)


@define(eq=False)
class Call:
    """One leg that is being called. `progressed` is told of early media, `answered` of the answer, `failed` of an end
    before the answer."""

    switch: SimulatedSwitch
    channel: Channel
    callee: Callee
    progressed: Callable[[Call], None]
    answered: Callable[[Call], None]
    failed: Callable[[Call, str], None]
    taken: bool = False  # the originate that made it has succeeded with it

    # --- from the switch to the callee ------------------------------------------------------------------------------------

    def dial(self) -> None:
        """Send the INVITE."""
        channel, switch = self.channel, self.switch
        switch.enter(channel, self)
        channel.emit("CHANNEL_OUTGOING")
        channel.emit_state("CS_INIT")
        self.create()
        now = switch.clock.now()
        seen = CalledSide(channel.uuid, channel.number, self.callee.name, channel.originated.get("accountcode", ""), now)
        seen.caller = channel.originated.get("origination_caller_id_number", "")
        switch.seen[channel.uuid] = seen
        switch.oracle.invited(seen)
        channel.amd_result = "MACHINE" if self.callee.machine else "HUMAN"
        steps = self.callee.steps(switch.rng, switch.config.time_scale)
        if not self.callee.rings and not steps:
            steps = [ScriptStep(TIMER_B, Act.REFUSE, "RECOVERY_ON_TIMER_EXPIRE", 408)]
        self._play(steps, 0)

    def create(self) -> None:
        """The events of a channel that begins to dial."""
        for event in ("CHANNEL_CREATE", "CHANNEL_ORIGINATE"):
            self.channel.emit(event)
        for state in ("CS_ROUTING", "CS_CONSUME_MEDIA"):
            self.channel.emit_state(state)

    def _play(self, steps: list[ScriptStep], index: int) -> None:
        if index < len(steps):
            step = steps[index]

            def act() -> None:
                self._act(step)
                if self.channel.alive:
                    self._play(steps, index + 1)

            if step.after > 0:
                self.channel.later_call(step.after, act)
            else:
                act()

    # --- from the callee to the switch ------------------------------------------------------------------------------------

    def _act(self, step: ScriptStep) -> None:
        {
            Act.RING: self.ring,
            Act.EARLY_MEDIA: self.early_media,
            Act.ANSWER: self.answer,
            Act.REFUSE: lambda: self.refuse(step.value, step.sip_status),
            Act.HANG_UP: self.callee_hangs_up,
            Act.TYPE: lambda: self.switch.type_digits(self.channel, step.value),
        }[step.act]()

    def ring(self) -> None:
        """180: the phone rings."""
        channel, switch = self.channel, self.switch
        channel.progress = switch.clock.micros()
        switch.oracle.rang(switch.seen[channel.uuid], switch.clock.now())
        channel.emit("CHANNEL_PROGRESS")
        channel.emit_callstate("RINGING")

    def early_media(self) -> None:
        """183: something is heard before the answer."""
        channel, switch = self.channel, self.switch
        channel.media = switch.clock.micros()
        channel.answer_state = "early"
        switch.oracle.rang(switch.seen[channel.uuid], switch.clock.now())
        channel.emit("CHANNEL_PROGRESS_MEDIA")
        channel.emit_callstate("EARLY")
        self.progressed(self)

    def answer(self) -> None:
        """200: the call is answered."""
        self.mark_answered()
        if self.channel.alive:
            self.answered(self)

    def mark_answered(self) -> None:
        """The events of the answer, and what the call asked to be run then."""
        channel, switch = self.channel, self.switch
        switch.answer(channel)
        switch.oracle.answered(switch.seen[channel.uuid], switch.clock.now())
        channel.emit("CHANNEL_ANSWER", "early" if channel.media else "")
        on_answer = channel.originated.get("execute_on_answer", "")
        if on_answer:
            application, _, argument = on_answer.replace("::", " ", 1).partition(" ")
            channel.runner.run(Action(application, argument))
        if channel.alive:
            channel.emit_callstate("ACTIVE")

    def refuse(self, cause: str, sip_status: int) -> None:
        """A final refusal."""
        ending = DECLINED if self.channel.progress else REFUSED
        self.switch.hang_up(self.channel, cause, ending, sip_status, by="callee")

    def callee_hangs_up(self) -> None:
        """BYE from the far end."""
        self.switch.hang_up(self.channel, "NORMAL_CLEARING", REMOTE, 200, by="callee")

    def ended(self, channel: Channel) -> None:
        """The channel is gone."""
        if not self.taken:
            self.failed(self, channel.cause)
