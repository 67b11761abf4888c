"""Between the reactor and the threads of the apps: events of the dialer's own calls go to those that asked for them, and
what they send goes to the switch, paced, through the gate.

Everything here is called on the reactor's thread, and waits for no app. What an app does is watched: one whose method does
not return is given up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from typing import Any, Final, Protocol

import structlog
from attrs import define, field
from twisted.internet.defer import Deferred, TimeoutError, fail

from dialer.errors import BadValue, DialerError
from dialer.marks.app import HookApp
from dialer.marks.command_queue import CommandQueue
from dialer.marks.package import AppLog
from dialer.marks.requests import Ask, Execute, Immediate, Request, SecondLeg
from dialer.marks.session import END, LINGER, name_of
from dialer.marks.trouble import HookLimits, RunningMethod, Trouble
from dialer.marks.worker import NEVER, Worker
from dialer.model.flow import Transfer
from dialer.periodic import PeriodicLoop, RepeatedLog
from dialer.thread_turns import BESIDE_APPS, shortened

log = structlog.get_logger()

LOOK_EVERY: Final = 0.25
"""Seconds between two looks at what the apps are doing."""

STOP_LIMIT: Final = 2.0
"""Seconds that the apps have to finish, all together."""

STATES: Final = ("CHANNEL_ANSWER", END)
"""The events that every session follows: they are always subscribed to."""


class HookedChannel(Protocol):
    """A channel behind the gate. Fails with: `DialerError`."""

    def execute(self, application: str, argument: str = "") -> Deferred[str]:
        """Run an application of the dialplan."""
        ...

    def bridge(self, transfer: Transfer) -> Deferred[str]:
        """Dial a second leg, and connect the channel to it."""
        ...


class Calls(Protocol):
    """The dialer's calls, by their UUIDs."""

    def has(self, call_uuid: str) -> bool:
        """Whether it is this dialer's, until its end is stored."""
        ...

    def lives(self, call_uuid: str) -> bool:
        """Whether it is this dialer's, and has not ended."""
        ...

    def channel(self, uuid: str, call_uuid: str, leg: str) -> HookedChannel:
        """A channel of a call of this dialer that lives."""
        ...

    def ask(self, function: str, arguments: str, call_uuid: str) -> Deferred[str]:
        """Run a function of the switch that has the call; of any switch when it is "". Fails with: `DialerError`."""
        ...


Tell = Callable[[str, str, str], None]
"""Takes the kind of an event (`hook.switched_off`), the name of the app, and the reason."""


@define(eq=False, kw_only=True)
class Hub:
    """`secrets` names channel variables that no app is to see; `commands` is how many an app may give a second."""

    apps: tuple[HookApp, ...]
    reactor: Any
    calls: Calls
    host: str
    limits: HookLimits
    commands: float
    secrets: frozenset[str]
    monotonic: Callable[[], float]
    tell: Tell = lambda _kind, _app, _reason: None
    workers: tuple[Worker, ...] = field(init=False)
    _asked: dict[str, list[Worker]] = field(factory=dict, init=False)
    _queues: dict[str, CommandQueue] = field(factory=dict, init=False)
    _legs: dict[str, str] = field(factory=dict, init=False)
    _ended: deque[tuple[float, str]] = field(factory=deque, init=False)
    _told: dict[str, RunningMethod] = field(factory=dict, init=False)
    _dropped: dict[str, int] = field(factory=dict, init=False)
    _turns: ExitStack = field(factory=ExitStack, init=False)
    _stopping: dict[str, Deferred[None]] = field(factory=dict, init=False)
    _loop: PeriodicLoop = field(init=False)
    _swept: float = field(default=0.0, init=False)
    _failing: RepeatedLog = field(init=False)
    _refused: RepeatedLog = field(init=False)
    _dropping: RepeatedLog = field(init=False)
    _saying: RepeatedLog = field(init=False)
    _log: AppLog = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._loop = PeriodicLoop("hooks", LOOK_EVERY, self._look, self.reactor)
        self._failing = RepeatedLog("a hook failed", self.reactor)
        self._refused = RepeatedLog("a command of a hook was refused", self.reactor)
        self._dropping = RepeatedLog("a hook is too slow: events for it are dropped", self.reactor)
        self._saying = RepeatedLog("a hook says", self.reactor)
        self._log = AppLog(self.reactor.callFromThread, self._say)
        self.workers = tuple(self._worker(app) for app in self.apps)
        for worker in self.workers:
            for name in worker.app.events.union(STATES):
                self._asked.setdefault(name, []).append(worker)

    def _worker(self, app: HookApp) -> Worker:
        self._queues[app.name] = CommandQueue(
            clock=self.reactor,
            commands=self.commands,
            perform=self._perform,
            failed=partial(self._not_performed, app.name),
        )
        return Worker(
            app=app,
            limits=self.limits,
            host=self.host,
            secrets=self.secrets,
            clock=self.monotonic,
            post=self.reactor.callFromThread,
            send=partial(self._send, app.name),
            report=self._report,
            ended=self._thread_ended,
        )

    # --- start, change, stop ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Watch; the apps themselves begin when the switch is there."""
        self._turns.enter_context(shortened(BESIDE_APPS))
        self._log.begin()
        self._loop.start()

    def switch_up(self) -> None:
        """The switch can be asked: begin with the apps."""
        for worker in self.workers:
            if not worker.started and not worker.off:
                worker.start()

    def use(self, limits: HookLimits, commands: float) -> None:
        """Other limits, from now on."""
        self.limits, self.commands = limits, commands
        for worker in self.workers:
            worker.limits = limits
            self._queues[worker.app.name].limit(commands)

    async def stop(self) -> None:
        """Let the apps that are on finish, for a moment."""
        await self._loop.stop()
        for queue in self._queues.values():
            queue.stop()
        for worker in self.workers:
            if worker.alive and not worker.off:
                self._stopping[worker.app.name] = Deferred()
                worker.stop()
        over = self.reactor.seconds() + STOP_LIMIT
        for name, ended in list(self._stopping.items()):
            try:
                await ended.addTimeout(max(0.0, over - self.reactor.seconds()), self.reactor)
            except TimeoutError:
                log.warning("a hook does not stop, and is left behind", app=name)
        self._log.end()
        self._turns.close()

    def _thread_ended(self, worker: Worker) -> None:
        ended = self._stopping.get(worker.app.name)
        if ended is not None and not ended.called:
            ended.callback(None)

    @property
    def figures(self) -> dict[str, int]:
        """For `dialer nodes`."""
        figures = [worker.figures for worker in self.workers]
        return {
            "hook-failures": sum(each.failures for each in figures),
            "hook-events-dropped": sum(each.dropped for each in figures),
            "hooks-off": sum(bool(worker.off) for worker in self.workers),
        }

    # --- events -----------------------------------------------------------------------------------------------------------

    def owns(self, uuid: str) -> bool:
        """Whether a channel is one of this dialer's calls, or of the second leg of one."""
        return uuid in self._legs or self.calls.has(uuid)

    def event_received(self, event: Mapping[str, str]) -> None:
        """Hand an event to the apps that asked for it, unless it is of somebody else's call."""
        name = name_of(event)
        asked = self._asked.get(name)
        if asked is None:
            return
        uuid = event.get("Unique-ID", "") or event.get("Job-UUID", "")
        call_uuid = self._call_of(name, uuid, event) if uuid else ""
        if uuid and not call_uuid:
            return
        for worker in asked:
            worker.put(event, uuid, call_uuid)

    def _call_of(self, name: str, uuid: str, event: Mapping[str, str]) -> str:
        """The call whose leg a channel is, "" when it is somebody else's."""
        call_uuid = self._legs.get(uuid, "")
        if not call_uuid:
            first = next((each for each in (uuid, event.get("Channel-Call-UUID", "")) if each and self.calls.has(each)), "")
            if not first or name == "BACKGROUND_JOB":
                return first
            call_uuid = self._legs[uuid] = first
        if name == END:
            self._ended.append((self.reactor.seconds(), uuid))
        return call_uuid

    def _sweep(self) -> None:
        """Forget channels that ended a while ago, and those of which the end was not heard."""
        now = self.reactor.seconds()
        while self._ended and now - self._ended[0][0] >= LINGER:
            self._legs.pop(self._ended.popleft()[1], None)
        if now - self._swept < LINGER:
            return
        self._swept = now
        ended = {uuid for _, uuid in self._ended}
        for uuid, call_uuid in list(self._legs.items()):
            if uuid not in ended and not self.calls.has(call_uuid):
                del self._legs[uuid]
                for worker in self.workers:
                    worker.forget(uuid)

    # --- commands ---------------------------------------------------------------------------------------------------------

    def _send(self, app: str, request: Request) -> Future[str]:
        """Called on the thread of the app."""
        future: Future[str] = Future()
        self.reactor.callFromThread(self._queues[app].take, request, future)
        return future

    def _perform(self, request: Immediate) -> Deferred[str]:
        uuid = request.uuid
        call_uuid = self._legs.get(uuid, uuid)
        if uuid and not self.calls.lives(call_uuid):
            return fail(BadValue("uuid", f"{uuid} is not a call of this dialer, or has ended"))
        if isinstance(request, Ask) and self.secrets.intersection(request.arguments.split(" ")):
            return fail(BadValue(request.function, f"{request.arguments.rpartition(' ')[2]} is a secret"))
        match request:
            case Ask():
                return self.calls.ask(request.function, request.arguments, call_uuid)
            case Execute():
                return self.calls.channel(uuid, call_uuid, request.leg).execute(request.application, request.argument)
            case SecondLeg():
                return self.calls.channel(uuid, call_uuid, request.leg).bridge(request.transfer)

    def _not_performed(self, app: str, request: Immediate, error: BaseException) -> None:
        if isinstance(error, DialerError):
            self._refused.happened((app, type(error)), app=app, reason=str(error), channel=request.uuid)
        else:
            log.error("a command of a hook failed", app=app, exc_info=error)

    # --- watching ---------------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        self._sweep()
        for worker in self.workers:
            name = worker.app.name
            if worker.figures.dropped > self._dropped.get(name, 0):
                self._dropped[name] = worker.figures.dropped
                self._dropping.happened(name, app=name, dropped=worker.figures.dropped)
            busy = worker.look()
            if busy is None or worker.off:
                continue
            for_seconds = self.monotonic() - busy.since
            if for_seconds > NEVER * busy.limit:
                reason = f"{busy.method} has not returned for {for_seconds:.1f} s"
                worker.cut_off(reason)
                self._switched_off(worker, Trouble(method=busy.method, event=busy.event, reason=reason, off=True))
            elif self._told.get(name) is not busy:
                self._told[name] = busy
                reason = f"has not returned for {for_seconds:.1f} s, more than {busy.limit:g} s"
                self._failing.happened((name, busy.method, "late"), app=name, method=busy.method, on=busy.event, reason=reason)

    def _report(self, worker: Worker, trouble: Trouble) -> None:
        if trouble.off:
            self._switched_off(worker, trouble)
            return
        name = worker.app.name
        key = (name, trouble.method, type(trouble.error))
        self._failing.happened(key, app=name, method=trouble.method, on=trouble.event, reason=trouble.reason)

    def _switched_off(self, worker: Worker, trouble: Trouble) -> None:
        name = worker.app.name
        log.error(
            "a hook is switched off",
            app=name,
            method=trouble.method,
            on=trouble.event,
            reason=trouble.reason,
            exc_info=trouble.error,
        )
        self.tell("hook.switched_off", name, trouble.reason)

    def _say(self, level: str, text: str) -> None:
        self._saying.happened((level, text[:200]), level=level, text=text[:1000])
