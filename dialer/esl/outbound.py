"""The server to which FreeSWITCH's `socket` application hands each answered call."""

from __future__ import annotations

from collections.abc import Callable

from attrs import Factory as Default
from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory

from dialer.esl.events import VariablePacker
from dialer.esl.protocol import EventSocket
from dialer.esl.session import DoorLog, Session, SessionRules
from dialer.interfaces import CallHandler


@frozen(kw_only=True)
class OutboundConfig:
    """`peers` are the addresses that FreeSWITCH may come from; beyond `max_sessions`, calls are hung up at once."""

    peers: frozenset[str] = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
    max_sessions: int = 5_000
    rules: SessionRules = Default(SessionRules)


class OutboundServer(Factory):
    """Runs `handler` for each call for which `is_ours(call_uuid)` is true, and hangs the others up.

    `new_id` makes ids that no earlier session of a channel has used, so that an application which was started for a session
    before cannot be taken for one of ours.
    """

    noisy = False

    def __init__(
        self,
        clock: IReactorTime,
        handler: CallHandler,
        is_ours: Callable[[str], bool],
        new_id: Callable[[], str],
        config: OutboundConfig | None = None,
    ) -> None:
        self._clock = clock
        self._handler = handler
        self._is_ours = is_ours
        self._new_id = new_id
        self._config = config or OutboundConfig()
        self._packer = VariablePacker()
        self.door = DoorLog(clock)
        self._sessions: set[Session] = set()
        self._stopped: list[Deferred[None]] = []
        self._stopping = False

    @property
    def sessions(self) -> int:
        """How many sessions are open."""
        return len(self._sessions)

    def buildProtocol(self, addr: IAddress | None) -> EventSocket | None:
        """Twisted: FreeSWITCH, or a stranger, has connected."""
        host = getattr(addr, "host", "")
        if self._stopping or host not in self._config.peers:
            self.door.refused.happened(peer=host, reason="the dialer is stopping" if self._stopping else "see outbound.allow")
            return None
        session = Session(
            self._clock, self._config.rules, self._handler, self._judge, self._new_id, self._packer, self.door, self._ended
        )
        self._sessions.add(session)
        return session.socket

    def stop(self) -> Deferred[None]:
        """Give all calls back to the dialplan, where the next dialer finds them; fires when the sessions are closed."""
        self._stopping = True
        stopped: Deferred[None] = Deferred()
        self._stopped.append(stopped)
        for session in list(self._sessions):
            session.leave()
        self._tell_stopped()
        return stopped

    def _judge(self, call_uuid: str) -> str:
        if not self._is_ours(call_uuid):
            return "it is not a call of this dialer"
        if len(self._sessions) > self._config.max_sessions:
            return f"there are {self._config.max_sessions} sessions already"
        return ""

    def _ended(self, session: Session) -> None:
        self._sessions.discard(session)
        self._tell_stopped()

    def _tell_stopped(self) -> None:
        if self._stopping and not self._sessions:
            waiting, self._stopped = self._stopped, []
            for stopped in waiting:
                stopped.callback(None)
