"""A channel, one leg of a call: its variables and times, the events that tell about it, the applications that run on it.

Those of its dialplan run one after the other, those that a controlling connection sends in between. An application that is
sent while another one runs is run at once and the other waits for it, unless the other was sent with `event-lock`
(switch_core_session_dequeue_private_event; recording 21).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from attrs import Factory, define, evolve, field, frozen
from twisted.internet.interfaces import IDelayedCall

from dialer.simulator.bus import EventBus
from dialer.simulator.clock import SwitchClock
from dialer.simulator.config import SimulatorConfig
from dialer.simulator.templates import Slots

# Templates are named after how a call ended: who ended it, before or after the answer.
# `declined` is a refusal after it rang.
REFUSED, DECLINED, CANCELLED, LOCAL, REMOTE = "refused", "declined", "cancelled", "local", "remote"


Start = Callable[["Runner", "Running"], None]


@define(eq=False)
class Room:
    """A room of `conference`, open from its first member to its last. `most` members are what the first one's
    `conference_max_members` says; 0 for any number."""

    most: int = 0
    members: list[Channel] = Factory(list)


class Exchange(Protocol):
    """The switch, as far as a channel and its applications need it."""

    config: SimulatorConfig
    clock: SwitchClock
    bus: EventBus
    new_uuid: Callable[[], str]
    applications: Mapping[str, Start]
    rooms: dict[str, Room]

    def hang_up(self, channel: Channel, cause: str, ending: str = "", sip_status: int = 0, by: str = "switch") -> None:
        """End a call."""
        ...

    def expanded(self, text: str, channel: Channel | None = None) -> str:
        """The text with its `${...}` replaced."""
        ...


@frozen
class CallTarget:
    """Where a call is sent, as `originate` and `transfer` are told it."""

    destination: str = ""
    dialplan: str = "XML"
    context: str = "default"


@frozen
class Action:
    """An application with its argument. `event_uuid` comes back as `Application-UUID`."""

    application: str
    argument: str = ""
    event_uuid: str = ""
    locked: bool = False


@define(eq=False)
class Running:
    """An application that runs. `on_end` tells its owner; `on_digit` gets the keys that the callee types; `on_hangup` lets
    it note what it did when the call ends under it."""

    action: Action
    uuid: str
    finish: Callable[[], None]
    on_end: Callable[[], None] | None = None
    on_digit: Callable[[str], None] | None = None
    on_hangup: Callable[[], None] | None = None
    parked: bool = False
    breakable: bool = False  # it plays something, which `uuid_break` ends
    _timer: IDelayedCall | None = None
    _due: float = 0.0
    _left: float | None = None

    def end_after(self, channel: Channel, seconds: float) -> None:
        """The application ends by itself after so many seconds of running."""
        self._due = channel.switch.clock.now() + seconds
        self._timer = channel.later_call(seconds, self.finish)

    def pause(self, channel: Channel) -> None:
        """Another application runs on top of this one."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
            self._left = self._due - channel.switch.clock.now()

    def resume(self, channel: Channel) -> None:
        """The other one has ended."""
        if self._left is not None:
            left, self._left = self._left, None
            self.end_after(channel, left)

    def stop_timer(self) -> None:
        """It ends for another reason."""
        self._left = None
        if self._timer is not None and self._timer.active():
            self._timer.cancel()


@define(eq=False)
class Runner:
    """The applications of one channel. `applications` are the known ones by name: each starts itself and calls `finish`, at
    once or later."""

    channel: Channel
    applications: Mapping[str, Start]
    _plan: deque[Action] = Factory(deque)
    _sent: deque[Action] = Factory(deque)
    stack: list[Running] = Factory(list)
    _last: Action | None = None
    _draining: bool = False
    controlled: bool = False  # a connection takes part: what it sends is run

    # --- the dialplan -----------------------------------------------------------------------------------------------------

    def start(self, plan: Sequence[Action]) -> None:
        """Begin with a dialplan; when it is through, the call ends (a dialplan without an end hangs up)."""
        self._plan.extend(plan)
        self._next()

    def divert(self, plan: Sequence[Action]) -> None:
        """Another dialplan in place of what is left of this one."""
        self._plan.clear()
        self._plan.extend(plan)

    def _next(self) -> None:
        if not self.channel.alive:
            return
        if self._plan:
            self.run(self._plan.popleft(), self._next)
        else:
            self.channel.switch.hang_up(self.channel, "NORMAL_CLEARING")

    # --- what a connection sends ------------------------------------------------------------------------------------------

    def send(self, action: Action) -> None:
        """Run an application as soon as the channel takes it."""
        self._sent.append(action)
        self.drain()

    def drain(self) -> None:
        """Run what was sent, unless a locked application runs or nobody has parked the channel yet."""
        if self._draining:
            return
        self._draining = True
        while self._sent and self.channel.alive and self.controlled and not (self.stack and self.stack[-1].action.locked):
            self.run(self._sent.popleft(), self.drain, sent=True)
        self._draining = False

    # --- one application --------------------------------------------------------------------------------------------------

    def run(self, action: Action, on_end: Callable[[], None] | None = None, *, sent: bool = False) -> None:
        """Start an application; `on_end` is called when it has completed. An unknown one ends the call."""
        channel = self.channel
        start = self.applications.get(action.application)
        if start is None:
            channel.switch.hang_up(channel, "DESTINATION_OUT_OF_ORDER")
            return
        # As switch_core_session_exec does it; some applications do it once more with what they get.
        argument = channel.switch.expanded(action.argument, channel)
        if argument != action.argument:
            action = evolve(action, argument=argument)
        if self.stack:
            self.stack[-1].pause(channel)
        running = Running(action, action.event_uuid or channel.switch.new_uuid(), lambda: self.end(running), on_end)
        self.stack.append(running)
        self._last = action
        if sent:
            channel.set_variable("current_loop", "1")
            channel.set_variable("total_loops", "1")
        channel.set_variable("current_application_response", "")
        channel.set_variable("current_application", action.application)
        channel.set_variable("current_application_data", action.argument)
        channel.slots.put_group("*application", self._headers(running))
        channel.emit("CHANNEL_EXECUTE")
        channel.set_variable("current_application_data", action.argument)
        channel.set_variable("current_application", action.application)
        start(self, running)

    def end(self, running: Running) -> None:
        """An application has completed."""
        if running not in self.stack:
            return
        running.stop_timer()
        self.stack.remove(running)
        channel = self.channel
        channel.slots.put_group(
            "*application", self._headers(running, channel.later.get("current_application_response", "_none_"))
        )
        channel.emit("CHANNEL_EXECUTE_COMPLETE")
        channel.set_variable("current_loop", "")
        channel.set_variable("total_loops", "")
        if channel.alive:
            if self.stack:
                self.stack[-1].resume(channel)
            if running.on_end is not None:
                running.on_end()

    def hung_up(self) -> None:
        """The call has ended: everything that runs completes, the innermost first; a parked channel is unparked."""
        self._plan.clear()
        self._sent.clear()
        for running in reversed(list(self.stack)):
            if running.parked:
                self.channel.emit("CHANNEL_UNPARK")
            if running.on_hangup is not None:
                running.on_hangup()
            self.end(running)

    def typed(self, digit: str) -> bool:
        """The callee typed a digit; whether an application took it."""
        for running in reversed(self.stack):
            if running.on_digit is not None:
                running.on_digit(digit)
                return True
        return False

    def break_off(self) -> None:
        """`uuid_break`: what is playing ends, as if it had come to its end."""
        if self.stack and self.stack[-1].breakable:
            self.stack[-1].finish()

    @staticmethod
    def _headers(running: Running, response: str = "") -> dict[str, str]:
        headers = {"Application": running.action.application}
        if running.action.argument:
            headers["Application-Data"] = running.action.argument
        if response:
            headers["Application-Response"] = response
        return headers | {"Application-UUID": running.uuid}

    def last_application(self) -> dict[str, str]:
        """`last_app` and `last_arg` of the call detail record."""
        if self._last is None:
            return {}
        headers = {"variable_last_app": self._last.application}
        if self._last.argument:
            headers["variable_last_arg"] = self._last.argument
        return headers


@define(eq=False)
class Channel:
    """`family` chooses the templates (sofia, loopback-a, loopback-b, none); times are microseconds since 1970, 0 for never."""

    switch: Exchange
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
    route: CallTarget = CallTarget()
    when_hung_up: list[Callable[[], None]] = Factory(list)
    held: int = 0  # connections that keep the ended channel from being destroyed
    slots: Slots = field(init=False)
    runner: Runner = field(init=False)
    _changed: bool = True
    _timers: list[IDelayedCall] = Factory(list)

    def __attrs_post_init__(self) -> None:
        self.slots = Slots.empty(self.switch.bus.templates)
        self.runner = Runner(self, self.switch.applications)

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
