"""The server to which FreeSWITCH's `socket` application hands each answered call."""

from __future__ import annotations

from collections.abc import Callable

from attrs import Factory as Default
from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory

from dialer.esl.door_log import DoorLog
from dialer.esl.events import VariablePacker
from dialer.esl.proof import Proof
from dialer.esl.protocol import EventSocket
from dialer.esl.session import Session, SessionRules
from dialer.interfaces import CallHandler


@frozen(kw_only=True)
class OutboundConfig:
    """`peers` are the addresses that FreeSWITCH may come from; beyond `max_sessions`, calls are hung up at once. Of the
    connections that have not proved to bring a call of ours there are `max_strangers` at most: the oldest one gives way.
    Without a `proof`, a call needs none."""

    peers: frozenset[str] = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
    max_sessions: int = 5_000
    max_strangers: int = 300
    proof: Proof | None = None
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
        self._strangers: dict[Session, None] = {}
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
        if len(self._strangers) >= self._config.max_strangers:
            self._dismiss(next(iter(self._strangers)))
        session = Session(
            self._clock, self._config.rules, self._handler, self._judge, self._new_id, self._packer, self.door, self._ended
        )
        self._sessions.add(session)
        self._strangers[session] = None
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

    def _dismiss(self, stranger: Session) -> None:
        del self._strangers[stranger]
        stranger.socket.abort(f"there are {self._config.max_strangers} connections already that have told of no call of ours")

    def _judge(self, session: Session, token: str) -> str:
        if not self._is_ours(session.call_uuid):
            return "it is not a call of this dialer"
        if self._config.proof is not None and not self._config.proof.holds(session.call_uuid, token):
            return "it does not prove to come from the switch that has the call"
        if len(self._sessions) > self._config.max_sessions:
            return f"there are {self._config.max_sessions} sessions already"
        self._strangers.pop(session, None)
        return ""

    def _ended(self, session: Session) -> None:
        self._sessions.discard(session)
        self._strangers.pop(session, None)
        self._tell_stopped()

    def _tell_stopped(self) -> None:
        if self._stopping and not self._sessions:
            waiting, self._stopped = self._stopped, []
            for stopped in waiting:
                stopped.callback(None)
