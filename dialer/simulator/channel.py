"""A channel: one leg of a call, its variables and times, and the events that tell about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from attrs import Factory, define, field
from twisted.internet.interfaces import IDelayedCall

from dialer.simulator.causes import q850
from dialer.simulator.clock import stamp
from dialer.simulator.templates import Slots

if TYPE_CHECKING:
    from dialer.simulator.runner import Runner
    from dialer.simulator.switch import Switch

UNSET = "0"
PHRASES = {
    404: "Not Found",
    408: "Request Timeout",
    486: "Busy Here",
    487: "CANCEL",
    503: "Service Unavailable",
    603: "Decline",
}
# Templates are named after how a call ended: who ended it, before or after the answer.
# `declined` is a refusal after it rang.
REFUSED, DECLINED, CANCELLED, LOCAL, REMOTE = "refused", "declined", "cancelled", "local", "remote"


@define(eq=False)
class Channel:
    """`family` chooses the templates (sofia, loopback-a, loopback-b, none); times are microseconds since 1970, 0 for never."""

    switch: Switch
    uuid: str
    family: str
    number: str
    name: str
    originated: dict[str, str]  # the variables that `originate` set
    later: dict[str, str] = Factory(dict)  # those set afterwards, in order of their last change
    callstate: str = "DOWN"
    answer_state: str = "ringing"
    state: str = "CS_NONE"
    created: int = 0
    progress: int = 0
    media: int = 0
    answered: int = 0
    hungup: int = 0
    bridged: int = 0
    bonded_to: str = ""  # the channel that dialled this one
    cause: str = ""
    ending: str = ""
    session_id: int = 0
    digits: str = ""
    amd_result: str = "HUMAN"
    runner: Runner | None = None
    when_hung_up: list[Callable[[], None]] = Factory(list)
    held: int = 0  # connections that keep the ended channel from being destroyed
    slots: Slots = field(init=False)
    _changed: bool = True
    _timers: list[IDelayedCall] = Factory(list)

    def __attrs_post_init__(self) -> None:
        self.slots = Slots.empty(self.switch.bus.templates)

    @property
    def alive(self) -> bool:
        """Not hung up."""
        return not self.cause

    # --- variables --------------------------------------------------------------------------------------------------------

    def variable(self, name: str) -> str | None:
        """A channel variable, as `uuid_getvar` finds it: those that were set, and what FreeSWITCH keeps itself."""
        if name in self.later:
            return self.later[name]
        if name in self.originated:
            return self.originated[name]
        own = {
            "uuid": self.uuid,
            "call_uuid": self.uuid,
            "channel_name": self.name,
            "destination_number": self.number,
            "direction": "inbound" if self.family == "loopback-b" else "outbound",
            "hangup_cause": self.cause,
            "session_id": str(self.session_id),
            "caller_id_number": self.number if self.answered else self.slots.values.get("cid_number", ""),
        }
        return own.get(name) or None

    def set_variable(self, name: str, value: str) -> None:
        """Set a variable; an empty value removes it. The last set comes last, as in FreeSWITCH's list."""
        self._changed = True
        self.originated.pop(name, None)
        self.later.pop(name, None)
        if value:
            self.later[name] = value

    # --- events -----------------------------------------------------------------------------------------------------------

    def emit(self, event: str, detail: str = "") -> None:
        """Tell the subscribers; `detail` is the part of the template's name that tells its variants apart."""
        bus = self.switch.bus
        if not bus.awaited(event, self.uuid):
            bus.sequence += 1
            return
        key = "/".join(filter(None, (self.family, event, detail, self.ending)))
        self.fill()
        bus.emit(event, key, self.slots, self.uuid)

    def emit_state(self, state: str) -> None:
        """CHANNEL_STATE: the channel entered a state."""
        self.state = state
        self.emit("CHANNEL_STATE", state)

    def emit_callstate(self, callstate: str) -> None:
        """CHANNEL_CALLSTATE: the call entered a state."""
        self.slots.put_safe({"callstate_before": self.callstate})
        self.callstate = callstate
        self.emit("CHANNEL_CALLSTATE", callstate)

    def fill(self) -> None:
        """Bring the slots up to date."""
        slots = self.slots
        slots.put_safe(
            {
                "callstate": self.callstate,
                "answer_state": self.answer_state,
                "created": str(self.created),
                "answered": str(self.answered),
                "progress": str(self.progress),
                "media": str(self.media),
                "hangup": str(self.hungup),
                "bridged": str(self.bridged),
            }
        )
        if self._changed:
            self._changed = False
            slots.put_group("*variables", {f"variable_{name}": value for name, value in self.originated.items()})
            slots.put_group("*later", {f"variable_{name}": value for name, value in self.later.items()})

    def put_application(self, headers: Mapping[str, str]) -> None:
        """The headers that CHANNEL_EXECUTE and CHANNEL_EXECUTE_COMPLETE end with."""
        self.slots.put_group("*application", headers)

    def put_cause(self, sip_status: int) -> None:
        """Why the call ended."""
        phrase = PHRASES.get(sip_status, "")
        self.slots.put_safe(
            {"cause": self.cause, "q850": str(q850(self.cause)), "sip_status": str(sip_status), "sip_phrase": phrase}
        )

    def put_end(self) -> None:
        """The figures of the call detail record."""
        slots = self.slots
        values: dict[str, str] = {}
        for slot, micros in (
            ("created", self.created),
            ("answered", self.answered),
            ("progress", self.progress),
            ("media", self.media),
            ("hangup", self.hungup),
        ):
            slots.put(f"{slot}_stamp", stamp(micros) if micros else "")
            values[f"{slot}_s"] = str(micros // 1_000_000)
        for slot, begin, end in (
            ("total", self.created, self.hungup),
            ("flow", self.created if self.answered else 0, self.hungup),
            ("bill", self.answered, self.hungup),
            ("ring", self.created, self.progress),
            ("mediawait", self.created, self.media),
            ("wait", self.created, self.answered),
        ):
            values |= _durations(slot, begin, end)
        slots.put_safe(values)
        if self.runner is not None:
            slots.put_group("*last_app", self.runner.last_application())

    def destroy(self) -> None:
        """The last events of a channel that has ended; they wait while a connection holds it."""
        if not self.held and self.state != "CS_DESTROY":
            self.emit("CHANNEL_DESTROY")
            self.emit_state("CS_DESTROY")

    def let_go(self) -> None:
        """A connection that held the ended channel is gone."""
        self.held -= 1
        self.destroy()

    # --- time -------------------------------------------------------------------------------------------------------------

    def later_call(self, delay: float, function: Callable[[], None]) -> IDelayedCall:
        """Call a function after `delay` seconds unless the channel ends first."""
        timer = self.switch.clock.reactor.callLater(max(delay, 0.0), function)
        self._timers = [t for t in self._timers if t.active()]
        self._timers.append(timer)
        return timer

    def cancel_timers(self) -> None:
        """Nothing that was planned for this channel will happen."""
        for timer in self._timers:
            if timer.active():
                timer.cancel()
        self._timers.clear()


def _durations(slot: str, begin: int, end: int) -> dict[str, str]:
    """Seconds (of whole clock seconds), milliseconds (rounded up as FreeSWITCH does) and microseconds between two moments."""
    if not begin or end < begin:
        return {f"{slot}_s": UNSET, f"{slot}_ms": UNSET, f"{slot}_us": UNSET}
    micros = end - begin
    return {
        f"{slot}_s": str(end // 1_000_000 - begin // 1_000_000),
        f"{slot}_ms": str((end + 500) // 1000 - (begin + 500) // 1000),
        f"{slot}_us": str(micros),
    }
