"""One app on a thread of its own: it gets events from a bounded queue and may take as long as it likes, for nobody waits for
it.

The reactor's thread calls `put`, `look`, `cut_off` and the like, none of which waits; the methods of the app, the steps of its
coroutines and its sessions are run by the thread's own asyncio loop. Each of them is timed. What went wrong is told by
`report`, on the reactor's thread.
"""

from __future__ import annotations

import asyncio
import ctypes
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Final

from attrs import define, field, frozen

from dialer.marks.app import HookApp, Mark
from dialer.marks.connection import HookConnection
from dialer.marks.prepost import prepared, takes_job
from dialer.marks.requests import Request
from dialer.marks.session import END, AppClient, HookListener, HookLoop, HookSession, fields_of, name_of
from dialer.marks.steps import Stepped, Watch
from dialer.marks.trouble import HookFigures, HookLimits, RunningMethod, Trouble, words

AT_A_TIME: Final = 20
"""Events that an app without coroutines gets in a turn of its loop."""

TURNS: Final = 3
"""Turns of the loop between two events, where coroutines wait: what one of them waits for next may be the next event."""

SETTLE: Final = 0.05
"""Seconds after the end of a call in which those who waited for it go on, before all other waiting is broken off."""

MOST_TASKS: Final = 5000
"""Coroutines of an app that wait for something at the same time."""

START_LIMIT: Final = 10.0
"""Seconds that the making of an app, and its `prepost`, may take."""

MOST_GONE: Final = 10_000
"""Channels of which an app that is too slow is told later that they are gone."""

NEVER: Final = 5
"""A method that has not returned after so many times its limit never will."""


class HookCutOff(BaseException):
    """Raised in a method that does not return, so that it ends if it can."""


@frozen
class _Heard:
    """An event of the channel `uuid` of a call; "" for one of no call."""

    event: Mapping[str, str]
    uuid: str
    call_uuid: str


@define(eq=False, kw_only=True)
class Worker:
    """`post` has a function called on the reactor's thread, `send` hands a request over; `clock` is monotonic."""

    app: HookApp
    limits: HookLimits
    host: str
    secrets: frozenset[str]
    clock: Callable[[], float]
    post: Callable[..., object]
    send: Callable[[Request], Future[str]]
    report: Callable[[Worker, Trouble], None]
    ended: Callable[[Worker], None] = lambda _: None
    figures: HookFigures = field(factory=HookFigures, init=False)
    off: str = field(default="", init=False)
    """Why the app is switched off; "" while it is on."""
    made: Any = field(default=None, init=False)
    """The object whose methods are called; None before its thread has made and prepared it."""
    _queue: deque[_Heard] = field(factory=deque, init=False)
    _gone: deque[str] = field(factory=lambda: deque(maxlen=MOST_GONE), init=False)
    _awake: bool = field(default=True, init=False)
    _busy: RunningMethod | None = field(default=None, init=False)
    _in_a_row: int = field(default=0, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)
    _loop: asyncio.AbstractEventLoop = field(init=False)
    _listener: HookListener = field(init=False)
    _cut: bool = field(default=False, init=False)
    _undo: Iterator[object] | None = field(default=None, init=False)
    _marks: dict[str, list[tuple[Mark, Any]]] = field(factory=dict, init=False)
    _tasks: set[asyncio.Task[Any]] = field(factory=set, init=False)

    # --- on the reactor's thread ------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Make the app and run its `prepost`; then it gets what is in its queue."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=f"hook {self.app.name}", daemon=True)
        self._thread.start()

    @property
    def started(self) -> bool:
        """Whether it has a thread, or had one."""
        return self._thread is not None

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """How many events wait for it."""
        return len(self._queue)

    def put(self, event: Mapping[str, str], uuid: str, call_uuid: str) -> None:
        """Hand an event over. When the queue is full, the oldest event is dropped."""
        self._put(_Heard(event, uuid, call_uuid))

    def forget(self, uuid: str) -> None:
        """A channel is gone, and its end may not have been heard."""
        if not self.off:
            self._gone.append(uuid)
            self._wake()

    def look(self) -> RunningMethod | None:
        """The method that runs for longer than it may."""
        busy = self._busy
        return busy if busy is not None and self.clock() - busy.since > busy.limit else None

    def cut_off(self, reason: str) -> None:
        """Give the thread up. A method that is in Python code ends; one that waits in the operating system stays there, and
        its thread ends with the process."""
        self.off = reason
        self._cut = True
        self._queue.clear()
        thread = self._thread
        if thread is not None and thread.ident is not None and thread.is_alive():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(HookCutOff))

    def stop(self) -> None:
        """Let the app finish: its `prepost` goes on behind its `yield`. `ended` is told, unless a method does not return."""
        self.off = self.off or "the dialer is stopping"
        self._queue.clear()
        try:
            self._loop.call_soon_threadsafe(self._loop.stop)
        except RuntimeError:
            return  # it has ended by itself

    def _put(self, heard: _Heard) -> None:
        if self.off:
            return
        if len(self._queue) >= self.limits.queue:
            self._drop_oldest()
        self._queue.append(heard)
        self._wake()

    def _wake(self) -> None:
        if not self._awake:
            self._awake = True
            try:
                self._loop.call_soon_threadsafe(self._drain)
            except RuntimeError:
                return  # it has just ended by itself

    def _drop_oldest(self) -> None:
        """Not the news that a channel is gone: its session would stay for ever."""
        try:
            dropped = self._queue.popleft()
        except IndexError:
            return
        self.figures.dropped += 1
        if name_of(dropped.event) == END:
            self._gone.append(dropped.uuid)

    # --- on the app's thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        loop = self._loop
        try:
            asyncio.set_event_loop(loop)
            loop.set_exception_handler(self._loop_failed)
            if self._begin():
                self._awake = False
                self._drain()
                if not self.off:
                    loop.run_forever()
                self._finish()
        except BaseException as error:  # such as SystemExit, which asyncio lets pass
            if not self._cut:
                self._switch_off(Trouble(method="", event="", reason=words(error), error=error, off=True))
        finally:
            self.post(self.ended, self)
            if not loop.is_running():
                loop.close()

    def _begin(self) -> bool:
        con = HookConnection(self._loop, self.host, self.send, self.limits.seconds)
        self._listener = HookListener(HookLoop(self._loop, self.host), con)
        client = AppClient(self._listener, con)
        try:
            with self._watched("prepost", "", START_LIMIT):
                made = self.app.made()
                self._undo = prepared(made, client)
        except Exception as error:
            self._switch_off(Trouble(method="prepost", event="", reason=words(error), error=error, off=True))
            return False
        for mark in self.app.marks:
            self._marks.setdefault(mark.event, []).append((mark, getattr(made, mark.method)))
        self.made = made
        return True

    def _finish(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            self._loop.run_until_complete(asyncio.wait(self._tasks, timeout=self.limits.seconds))
        if self._undo is not None and not self._cut:
            try:
                with self._watched("prepost", "", START_LIMIT):
                    next(self._undo, None)
            except Exception as error:
                self._tell(Trouble(method="prepost", event="", reason=words(error), error=error))

    def _drain(self) -> None:
        self._awake = False
        while self._gone:
            self._listener.forget(self._gone.popleft())
        for _ in range(AT_A_TIME):
            if self.off:
                self._loop.stop()
                return
            try:
                heard = self._queue.popleft()
            except IndexError:
                return
            self._handle(heard)
            if self._tasks:
                break
        self._awake = True
        self._go_on(TURNS if self._tasks else 1)

    def _go_on(self, turns: int) -> None:
        """Handle the next events, after so many turns of the loop."""
        if turns:
            self._loop.call_soon(self._go_on, turns - 1)
        else:
            self._drain()

    def _handle(self, heard: _Heard) -> None:
        event = fields_of(heard.event, self.secrets)
        name = name_of(event)
        session = self._session_of(name, event, heard)
        found: tuple[Any, ...] | None = None if session is None else (session,)
        if session is not None:
            session.heard(name, event)
        for mark, method in self._marks.get(name, ()):
            if mark.kind == "handler":
                found = self._handled(mark, method, event)
            elif found is not None:
                self._called(mark, method, found)
            if self.off:
                return
        if session is not None and name == END:
            self._loop.call_later(SETTLE, session.over)

    def _session_of(self, name: str, event: dict[str, str], heard: _Heard) -> HookSession | None:
        """A job may end without a channel, and the last event of a channel comes behind its end: they make no session."""
        if not heard.uuid:
            return None
        session = self._listener.find(heard.uuid)
        if name == "BACKGROUND_JOB" or (name == "CHANNEL_DESTROY" and session is None):
            return session
        return self._listener.updated(name, event, heard.uuid, heard.call_uuid)

    def _handled(self, mark: Mark, method: Callable[..., Any], event: dict[str, str]) -> tuple[Any, ...] | None:
        """A handler gets the event itself, and says whether it was consumed, and what the callbacks behind it get."""
        answer = self._guarded(mark, method, event)
        if not isinstance(answer, tuple) or not answer or not answer[0]:
            return None
        return answer[1:]

    def _called(self, mark: Mark, method: Callable[..., Any], found: tuple[Any, ...]) -> None:
        given = found if len(found) > 1 or not takes_job(method) else (*found, None)
        if mark.kind == "callback":
            self._guarded(mark, method, *given)
        elif len(self._tasks) >= MOST_TASKS:
            self._failed(Trouble(method=mark.method, event=mark.event, reason=f"{MOST_TASKS} of its coroutines wait"))
        else:
            steps = Stepped(method(*given), lambda: self._watched(mark.method, mark.event))
            task = self._loop.create_task(steps)
            self._tasks.add(task)
            task.add_done_callback(lambda done: self._done(mark, steps, done))

    def _guarded(self, mark: Mark, method: Callable[..., Any], *given: object) -> Any:
        try:
            with self._watched(mark.method, mark.event) as watch:
                answer = method(*given)
        except Exception as error:
            self._failed(Trouble(method=mark.method, event=mark.event, reason=words(error), error=error))
            return None
        if watch.fast:
            self._in_a_row = 0
        return answer

    def _done(self, mark: Mark, steps: Stepped, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, HookCutOff):
            self._loop.stop()
        elif error is None and steps.fast:
            self._in_a_row = 0
        elif error is not None:
            self._failed(Trouble(method=mark.method, event=mark.event, reason=words(error), error=error))

    def _loop_failed(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if self.off:
            self._loop.stop()
            return
        reason = context["message"] if error is None else words(error)
        self._failed(Trouble(method="a task of its own", event="", reason=reason, error=error))

    @contextmanager
    def _watched(self, method: str, event: str, limit: float | None = None) -> Generator[Watch]:
        """Time a method, or a step of a coroutine. One that takes too long has failed, whatever it brings about."""
        limit = self.limits.seconds if limit is None else limit
        busy = self._busy = RunningMethod(method, event, self.clock(), limit)
        watch = Watch()
        try:
            yield watch
        finally:
            self._busy = None
            took = self.clock() - busy.since
            self.figures.calls += 1
            self.figures.slowest = max(self.figures.slowest, took)
            watch.fast = took <= limit
            if not watch.fast:
                self._failed(Trouble(method=method, event=event, reason=f"took {took:.1f} s, more than {limit:g} s"))

    # --- telling ----------------------------------------------------------------------------------------------------------

    def _failed(self, trouble: Trouble) -> None:
        self.figures.failures += 1
        self._in_a_row += 1
        if self._in_a_row < self.limits.failures or self.off:
            self._tell(trouble)
            return
        reason = f"failures in a row: {self._in_a_row}, the last: {trouble.reason}"
        self._switch_off(Trouble(method=trouble.method, event=trouble.event, reason=reason, error=trouble.error, off=True))

    def _switch_off(self, trouble: Trouble) -> None:
        self.off = trouble.reason
        self._queue.clear()
        self._tell(trouble)
        self._loop.stop()

    def _tell(self, trouble: Trouble) -> None:
        self.post(self.report, self, trouble)
