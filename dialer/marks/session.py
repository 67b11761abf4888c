"""A dialer's call as an app sees it: switchio's own session and call, whose commands go through the dialer.

Everything here lives on the thread of its app.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Awaitable, Mapping
from functools import lru_cache
from typing import Any, Final

from dialer.marks import package
from dialer.marks.connection import HookConnection
from dialer.model.masking import MASK, is_secret

models: Any = package.module("models")
utils: Any = package.module("utils")

LINGER: Final = 15.0
"""Seconds that a session is kept after its end, for the events that come behind it: CHANNEL_DESTROY waits until the voice
application's session is closed, 10 s at most."""

ENDS: Final = ("CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE")
END: Final = ENDS[-1]
"""The last one that is always heard: whoever waits for the first gets this one where that is not subscribed to."""

MOST_FAILED: Final = 1000
"""Ended sessions of one cause that are remembered, as switchio does it, without their headers."""

_CARRIERS: Final = frozenset({"Application-Data", "Job-Command-Arg", "variable_current_application_data", "variable_last_arg"})
"""Headers whose value is a command, in which there may be secrets."""

Fields = dict[str, str]


def fields_of(event: Mapping[str, str], secrets: frozenset[str]) -> Fields:
    """An event's headers for an app: those with secrets are masked, `secrets` names some more; the body is `Body`."""
    fields = {name: MASK if value and _is_secret(name, value, secrets) else value for name, value in event.items()}
    if "_body" in fields:
        fields["Body"] = fields.pop("_body")
    return fields


def _is_secret(name: str, value: str, secrets: frozenset[str]) -> bool:
    if name in _CARRIERS:
        return is_secret(value) or any(secret in value for secret in secrets)
    return _named_secret(name) or name.removeprefix("variable_") in secrets


_named_secret = lru_cache(maxsize=4096)(is_secret)
"""An event has two hundred headers, and the next one has them again."""


def name_of(event: Mapping[str, str]) -> str:
    """Its name, or its subclass when it is a CUSTOM one."""
    name = event.get("Event-Name", "")
    return event.get("Event-Subclass", "") if name == "CUSTOM" else name


class KnownEvents(models.Events):
    """What is known of a channel: the newest value of each header, and the last event as a whole."""

    def __init__(self, event: Fields) -> None:
        self._known: Fields = {}
        super().__init__()
        self._events: deque[Fields] = deque(maxlen=1)
        self.update(event)

    def update(self, event: Fields) -> None:
        """A further event."""
        super().update(event)
        self._known.update((name, value) for name, value in event.items() if value)

    def get(self, key: Any, default: Any = None) -> Any:
        """The newest value of a header; `default` when it was never there."""
        return self._known.get(str(key), default)


class HookLoop:
    """The event loop as a session, or an app, may ask for it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, host: str) -> None:
        self.loop = loop
        self.host = host


class HookSession(models.Session):
    """A channel: the callee's, or that of a second leg."""

    def __init__(self, event: Fields, event_loop: HookLoop, uuid: str, con: HookConnection) -> None:
        super().__init__(event, event_loop=event_loop, uuid=uuid, con=con)
        self.events = KnownEvents(event)
        self.cid = "default"
        self._over = False
        created = event.get("Caller-Channel-Created-Time", "")
        if created.isdigit():
            self.times["create"] = int(created) / 1e6

    def recv(self, name: str, timeout: float | None = None) -> Awaitable[Any]:
        """Resumes with the next event of that name; cancelled when the call ends before. `timeout` is in seconds."""
        future = self._futures[name]
        if self._over:
            future.cancel()
        return asyncio.wait_for(future, timeout) if timeout else future

    def heard(self, name: str, event: Fields) -> None:
        """Wake whoever waits for it."""
        for awaited in ENDS if name == END else (name,):
            future = self._futures.pop(awaited, None)
            if future is not None and not future.done():
                future.set_result(event)

    def over(self) -> None:
        """Nothing is waited for any more."""
        self._over = True
        while self._futures:
            self._futures.popitem()[1].cancel()

    def clear_tasks(self) -> None:
        """Refused: the time limit of the call is one of the switch's tasks for it."""
        raise utils.APIError("clear_tasks would remove the time limit of the call, which is one of its tasks on the switch")


class HookListener:
    """The sessions and calls of this moment; what an app finds as `listener`."""

    def __init__(self, event_loop: HookLoop, con: HookConnection) -> None:
        self.event_loop = event_loop
        self.host = event_loop.host
        self.sessions: OrderedDict[str, HookSession] = OrderedDict()
        self.calls: OrderedDict[str, Any] = OrderedDict()
        self.failed_sessions: OrderedDict[str, deque[str]] = OrderedDict()
        self.bg_jobs: OrderedDict[str, Any] = OrderedDict()
        self.hangup_causes: Counter[str] = Counter()
        self.total_answered_sessions = 0
        self._con = con
        self._ended: dict[str, HookSession] = {}

    def count_sessions(self) -> int:
        """Channels."""
        return len(self.sessions)

    def count_calls(self) -> int:
        """Calls, each with one channel or two."""
        return len(self.calls)

    def count_jobs(self) -> int:
        """Background jobs of apps: none, since they have nothing originated."""
        return len(self.bg_jobs)

    def count_failed(self) -> int:
        """Channels that ended otherwise than by somebody's hanging up."""
        return sum(self.hangup_causes.values()) - self.hangup_causes["NORMAL_CLEARING"]

    def lookup_sess(self, event: Mapping[str, str]) -> tuple[bool, Any]:
        """For handlers: whether the event is of a channel that is known, and its session."""
        session = self.find(event.get("Unique-ID", ""))
        return session is not None, session

    def find(self, uuid: str) -> HookSession | None:
        """The session of a channel, also shortly after its end."""
        return self.sessions.get(uuid) or self._ended.get(uuid)

    def updated(self, name: str, event: Fields, uuid: str, call_uuid: str) -> HookSession:
        """The session of a channel after an event of it, which may be the first one that was heard."""
        session = self.find(uuid)
        if session is None:
            session = HookSession(event, self.event_loop, uuid, self._con)
            self.sessions[uuid] = session
            self._join(session, call_uuid)
        else:
            session.update(event)
        if name == "CHANNEL_ANSWER" and not session.answered:
            session.answered = True
            self.total_answered_sessions += 1
        elif name in ENDS and not session.hungup:
            self._hung_up(session, event)
        return session

    def forget(self, uuid: str) -> None:
        """A channel is gone, whether or not its end was heard."""
        session = self.sessions.get(uuid)
        if session is not None and not session.hungup:
            self._hung_up(session, {})
        gone = self._ended.pop(uuid, None)
        if gone is not None:
            gone.over()

    def _join(self, session: HookSession, call_uuid: str) -> None:
        call = self.calls.get(call_uuid)
        if call is None:
            call = self.calls[call_uuid] = models.Call(call_uuid, session)
        else:
            call.append(session)
        session.call = call

    def _hung_up(self, session: HookSession, event: Fields) -> None:
        session.hungup = True
        cause = event.get("Hangup-Cause", "")
        self.hangup_causes[cause] += 1
        if not session.answered or cause != "NORMAL_CLEARING":
            self.failed_sessions.setdefault(cause, deque(maxlen=MOST_FAILED)).append(session.uuid)
        del self.sessions[session.uuid]
        self._ended[session.uuid] = session
        call = session.call
        if session in call.sessions:
            call.sessions.remove(session)
        if not call.sessions:
            self.calls.pop(call.uuid, None)
        self.event_loop.loop.call_later(LINGER, self.forget, session.uuid)


class AppClient:
    """What an app finds as `client`: commands that read, and those for the dialer's own calls. They wait for their answer."""

    def __init__(self, listener: HookListener, con: HookConnection) -> None:
        self.listener = listener
        self.host = con.host
        self.client = self
        self.log = utils.get_logger("hooks")
        self._con = con

    def api(self, cmd: str, exc: bool = True, timeout: float | None = None) -> Fields:
        """Run a command; the answer's text is its `Body`. Raises `APIError` for one that is refused."""
        return {"Body": self._con.cmd(cmd, timeout)}

    def cmd(self, cmd: str) -> str:
        """Run a command and return what it says. Raises `APIError` for one that is refused."""
        return self._con.cmd(cmd)

    def bgapi(self, cmd: str) -> Awaitable[Fields]:
        """The same without waiting."""
        return self._con.api(cmd)


class Pool:
    """A cluster of one switch: what an app finds as `pool`."""

    def __init__(self, client: AppClient) -> None:
        self.clients = [client]

    def evals(self, expression: str) -> list[Any]:
        """The value of a path such as `listener.host`, or of a call such as `listener.count_calls()`, at each switch. Raises
        `APIError` for any other expression."""
        path = expression.strip().removesuffix("()")
        if not all(part.isidentifier() and not part.startswith("_") for part in path.split(".")):
            raise utils.APIError(f"{expression!r} is not a path such as listener.host")
        found: Any = self.clients[0]
        for part in path.split("."):
            found = getattr(found, part)
        return [found() if expression.strip().endswith("()") else found]
