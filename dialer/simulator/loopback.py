"""A loopback call: two channels, the half that was dialled and the half that the dialplan runs on.

The recordings' dialplan answers, refuses or lets ring by the destination's name. Both halves show in `show channels`.
"""

from __future__ import annotations

from attrs import define, field

from dialer.simulator.applications import APPLICATIONS
from dialer.simulator.calls import Call
from dialer.simulator.channel import LOCAL, REFUSED, Channel
from dialer.simulator.runner import Action, Runner


@define(eq=False)
class LoopbackCall(Call):
    """The callee is the other half, on this switch."""

    far: Channel = field(init=False)

    def create(self) -> None:
        """The near half's events, then those of the far half up to its dialplan."""
        Call.create(self)
        near, switch = self.channel, self.channel.switch
        far = self.far = Channel(
            switch, switch.new_uuid(), "loopback-b", near.number, near.name[:-1] + "b", _inherited(near.originated)
        )
        far.runner = Runner(far, APPLICATIONS)
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

    def emit_progress(self) -> None:
        """Both halves progress while the far one runs `ring_ready`."""
        Call.emit_progress(self)
        self._far_runs("ring_ready")
        self.far.progress = self.channel.progress
        self.far.emit("CHANNEL_PROGRESS")

    def answer(self) -> None:
        """The far half answers."""
        far, switch = self.far, self.channel.switch
        self._far_runs("answer")
        switch.answer(far)
        far.set_variable("endpoint_disposition", "ANSWER")
        far.emit("CHANNEL_ANSWER")
        far.emit_callstate("ACTIVE")
        if far.runner is not None:
            far.runner.run(Action("playback", "silence_stream://-1"))
        Call.answer(self)

    def refuse(self, cause: str, sip_status: int) -> None:
        """The far half hangs up with a cause."""
        self.channel.switch.hang_up(self.channel, cause, REFUSED, by="callee")

    def callee_hangs_up(self) -> None:
        """The far half ends the call."""
        self.channel.switch.hang_up(self.channel, "NORMAL_CLEARING", LOCAL, by="callee")

    def _far_runs(self, application: str) -> None:
        if self.far.runner is not None:
            self.far.runner.run(Action(application))


def _inherited(variables: dict[str, str]) -> dict[str, str]:
    """The far half has the near half's variables, but is a channel of its own."""
    return {name: value for name, value in variables.items() if not name.startswith(("origination_uuid", "execute_on_"))}
