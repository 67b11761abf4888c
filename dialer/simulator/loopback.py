"""A loopback call: two channels, the half that was dialled and the half that the dialplan runs on.

The recordings' dialplan answers, refuses or lets ring by the destination's name. Both halves show in `show channels`.
"""

from __future__ import annotations

from attrs import define, field

from dialer.simulator.calls import Call
from dialer.simulator.channel import LOCAL, REFUSED, Action, Channel, Runner, Running

FOR_EVER = "silence_stream://-1"


@define(eq=False)
class LoopbackCall(Call):
    """The callee is the other half, on this switch: what the callee does are applications of its dialplan."""

    far: Channel = field(init=False)
    dialplan: Runner = field(init=False)

    def create(self) -> None:
        """The near half's events, then those of the far half up to its dialplan."""
        Call.create(self)
        near, switch = self.channel, self.switch
        far = self.far = Channel(
            switch, switch.new_uuid(), "loopback-b", near.number, near.name[:-1] + "b", _inherited(near.originated)
        )
        mine = {"answer": self._far_answers, "ring_ready": self._far_rings, "hangup": self._far_hangs_up}
        self.dialplan = far.runner = Runner(far, {**switch.applications, **mine})
        near.slots.put("other_uuid", far.uuid)
        for slot in ("number", "cid_number", "cid_name", "early"):
            far.slots.put(slot, near.slots.values.get(slot, ""))
        for slot, value in (("uuid", far.uuid), ("channel_name", far.name), ("other_uuid", near.uuid)):
            far.slots.put(slot, value)
        switch.enter(far)
        near.when_hung_up.append(lambda: switch.hang_up(far, near.cause, near.ending))
        far.emit_state("CS_INIT")
        far.emit("CHANNEL_CREATE")
        far.emit_callstate("RINGING")
        far.emit_state("CS_ROUTING")
        far.emit_state("CS_EXECUTE")

    # --- the far half's dialplan ------------------------------------------------------------------------------------------

    def ring(self) -> None:
        """`ring_ready`, and nobody takes the call yet."""
        self.dialplan.run(Action("ring_ready"))
        if self.far.alive:
            self.dialplan.run(Action("sleep", "3600000"))

    def answer(self) -> None:
        """`answer`, and silence."""
        self.dialplan.run(Action("answer"))
        if self.far.alive:
            self.dialplan.run(Action("playback", FOR_EVER))
        if self.channel.alive:
            self.answered(self)

    def refuse(self, cause: str, sip_status: int) -> None:
        """`hangup` with a cause."""
        self.dialplan.run(Action("hangup", cause))

    def callee_hangs_up(self) -> None:
        """The far half ends the answered call."""
        self.switch.hang_up(self.channel, "NORMAL_CLEARING", LOCAL, by="callee")

    # --- its applications -------------------------------------------------------------------------------------------------

    def _far_rings(self, runner: Runner, running: Running) -> None:
        Call.ring(self)
        self.far.progress = self.channel.progress
        self.far.emit("CHANNEL_PROGRESS")
        running.finish()

    def _far_answers(self, runner: Runner, running: Running) -> None:
        self.mark_answered()
        far = self.far
        self.switch.answer(far)
        far.emit("CHANNEL_ANSWER")
        far.set_variable("endpoint_disposition", "ANSWER")
        far.emit_callstate("ACTIVE")
        running.finish()

    def _far_hangs_up(self, runner: Runner, running: Running) -> None:
        cause, switch = running.action.argument, self.switch
        switch.hang_up(self.far, cause, REFUSED)
        switch.hang_up(self.channel, cause, REFUSED, by="callee")


def _inherited(variables: dict[str, str]) -> dict[str, str]:
    """The far half has the near half's variables, but not what is to be run on its answer."""
    return {name: value for name, value in variables.items() if not name.startswith("execute_on_")}
