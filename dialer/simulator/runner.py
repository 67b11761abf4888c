"""Runs dialplan applications on an answered channel: those of its dialplan one after the other, those that a controlling
connection sends in between.

An application that is sent while another one runs is run at once and the other waits for it, unless the other was sent
with `event-lock` (switch_core_session_dequeue_private_event; recording 21).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from attrs import Factory, define, evolve, frozen
from twisted.internet.interfaces import IDelayedCall

if TYPE_CHECKING:
    from dialer.simulator.channel import Channel


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


Start = Callable[["Runner", Running], None]


@define(eq=False)
class Runner:
    """The applications of one channel. `applications` are the known ones by name: each starts itself and calls `finish`, at
    once or later."""

    channel: Channel
    applications: dict[str, Start]
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
        channel.put_application(self._headers(running))
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
        channel.put_application(self._headers(running, channel.later.get("current_application_response", "_none_")))
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
