"""Deliberate defects of the dialer. A harness that lets one of them pass is worth nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import Any, Final
from unittest import mock

from attrs import evolve
from twisted.internet.defer import Deferred

import dialer.esl.commands
import dialer.store.begin
import dialer.store.blocked
import dialer.store.flow
import dialer.store.ready
from dialer.calls import retry
from dialer.calls.lifecycle import Lifecycle
from dialer.calls.recovery import Reconciler
from dialer.esl.inbound import InboundSwitch
from dialer.model import Attempt, AttemptState, Disposition, EventKind, Execution, OwnCause, SignalKind, SubscriberStatus
from dialer.store.begin import Beginning
from dialer.store.events import add_moves
from dialer.store.finish import tell
from dialer.store.flow import Store
from dialer.store.moves import write_moves
from dialer.store.times import from_column, to_column
from tests.crash.rule_defects import RULE_DEFECTS, Defect


@contextmanager
def send_before_commit() -> Iterator[None]:
    """The originate leaves as soon as the rows are written, and the COMMIT follows."""
    begin = Store.begin

    def hasty(self: Store, plans: Any, now: Any, until: Any, deadline: Any) -> Deferred[Any]:
        database: Any = self.database
        seen: list[Any] = []

        def look(connection: Any) -> None:
            wanted = Beginning(plans=plans, owner=self.node, now=now, until=until, deadline=deadline)
            seen.append(dialer.store.flow.begin(connection, wanted))
            raise _RolledBackError

        if not plans:
            return begin(self, plans, now, until, deadline)
        done: Deferred[Any] = Deferred()
        rolled_back = database.run(look)
        rolled_back.addErrback(lambda _: done.callback(seen[-1]))
        rolled_back.addCallback(lambda _: begin(self, plans, now, until, deadline))
        return done

    with mock.patch.object(Store, "begin", hasty):
        yield


@contextmanager
def no_deadline() -> Iterator[None]:
    """FreeSWITCH is not told until when it may dial."""
    originate = dialer.esl.commands.originate

    def for_ever(call: Any, *more: Any) -> Any:
        return originate(evolve(call, deadline=call.deadline + timedelta(days=365)), *more)

    with mock.patch.object(dialer.esl.commands, "originate", for_ever):
        yield


@contextmanager
def unknown_retried_at_once() -> Iterator[None]:
    """A contact whose attempt ended nobody knows how is called again without the interval."""
    decide = retry.decide

    def impatient(verdict: Any, outcome: Any, candidate: Any, campaign: Any, now: Any, **more: Any) -> Any:
        decision = decide(verdict, outcome, candidate, campaign, now, **more)
        if verdict.disposition is Disposition.UNKNOWN and decision.status is SubscriberStatus.START:
            return evolve(decision, ready_at=now)
        return decision

    with mock.patch.object(retry, "decide", impatient):
        yield


@contextmanager
def event_by_itself() -> Iterator[None]:
    """The event of an end is written in a transaction of its own, after that of the end."""
    finish = dialer.store.flow.finish

    def in_two_parts(self: Store, end: Any, *, unless_recorded: bool = False) -> Deferred[bool]:
        nothing: frozenset[EventKind] = frozenset()
        done = self.database.run(
            lambda connection: finish(connection, end, self.node, nothing, unless_recorded=unless_recorded)
        )
        return done.addCallback(
            lambda changed: self.database.run(lambda connection: told(connection, end, self.wanted, changed))
        )

    def told(connection: Any, end: Any, wanted: frozenset[EventKind], changed: bool) -> bool:
        if changed:
            of = "SELECT status, count_attempt FROM subscriber WHERE id = ?"
            settled = connection.execute(of, (end.attempt.plan.candidate.subscriber_id,)).fetchone()
            tell(connection, end, wanted, settled)
        return changed

    with mock.patch.object(Store, "finish", in_two_parts):
        yield


_COUNT: Final = (
    "UPDATE attempt_count SET attempts = attempts + :sign, counted = counted + :sign * a.counts_as_attempt, "
    "talk_ms = attempt_count.talk_ms + :sign * a.talk_ms FROM attempt a WHERE a.id = :id AND purged = 0 "
    "AND hour = substr(a.planned_at, 1, 13) || ':00:00.000000' AND attempt_count.gateway_id = a.gateway_id "
    "AND attempt_count.number_of_attempt = a.number_of_attempt AND attempt_count.disposition = a.disposition "
    "AND attempt_count.cause = a.cause"
)


@contextmanager
def counted_by_itself() -> Iterator[None]:
    """An end is counted in a transaction of its own, after that of the end."""
    finish = dialer.store.flow.finish

    def in_two_parts(self: Store, end: Any, *, unless_recorded: bool = False) -> Deferred[bool]:
        def without_count(connection: Any) -> bool:
            changed = finish(connection, end, self.node, self.wanted, unless_recorded=unless_recorded)
            if changed:
                connection.execute(_COUNT, {"id": end.attempt.id, "sign": -1})
            return changed

        def count(connection: Any, changed: bool) -> bool:
            if changed:
                connection.execute(_COUNT, {"id": end.attempt.id, "sign": 1})
            return changed

        done = self.database.run(without_count)
        return done.addCallback(lambda changed: self.database.run(lambda connection: count(connection, changed)))

    with mock.patch.object(Store, "finish", in_two_parts):
        yield


@contextmanager
def blocked_by_itself() -> Iterator[None]:
    """That a contact must not be called is told in a transaction of its own, after that in which the contact is set so."""
    candidates, tell_of = Store.candidates, dialer.store.blocked.tell
    late: list[tuple[Any, ...]] = []

    def told(connection: Any) -> None:
        while late:
            tell_of(connection, *late.pop())

    def in_two_parts(self: Store, campaign_id: int, now: Any, limit: int, *more: Any) -> Deferred[Any]:
        late.clear()  # a dialer that was killed takes along what it has not told
        found = candidates(self, campaign_id, now, limit, *more)
        return found.addCallback(lambda ready: self.database.run(told).addCallback(lambda _: ready) if late else ready)

    def later(_: Any, *what: Any) -> None:
        late.append(what)

    with mock.patch.object(dialer.store.blocked, "tell", later), mock.patch.object(Store, "candidates", in_two_parts):
        yield


@contextmanager
def lists_end_early() -> Iterator[None]:
    """An entry of a do-not-call list is taken for expired before it is."""
    moments = dialer.store.ready.moments

    def later(now: str) -> tuple[str, ...]:
        return moments(to_column(from_column(now) + timedelta(hours=1)))

    with mock.patch.object(dialer.store.ready, "moments", later), mock.patch.object(dialer.store.begin, "moments", later):
        yield


@contextmanager
def event_of_a_move_by_itself() -> Iterator[None]:
    """The events of moves are written in a transaction of their own, before that of the moves."""

    def in_two_parts(self: Store) -> None:
        self._timer = None
        moves = self._moves.take()
        told = self.database.run(
            lambda connection: add_moves(
                connection, self.wanted, [(row[6], row[3], row[4]) for row in moves.rows.values()], self.node
            )
        )
        nothing: frozenset[EventKind] = frozenset()
        told.addCallback(lambda _: self.database.run(partial(write_moves, waiting=moves, owner=self.node, wanted=nothing)))

    with mock.patch.object(Store, "_time_is_up", in_two_parts):
        yield


@contextmanager
def any_core_is_the_same() -> Iterator[None]:
    """The identity of the FreeSWITCH process is not compared."""
    is_lost = Reconciler._is_lost

    def trusting(self: Reconciler, live: Any) -> bool:
        live.core_uuid = self.switch.core_uuid
        return is_lost(self, live)

    with mock.patch.object(Reconciler, "_is_lost", trusting):
        yield


@contextmanager
def planned_was_never_sent() -> Iterator[None]:
    """After a crash, `planned` is taken for "not sent"."""
    take_over = Lifecycle.take_over

    def careless(self: Lifecycle, attempts: Iterable[Attempt]) -> None:
        left = list(attempts)
        take_over(self, left)
        for attempt in left:
            if attempt.state is AttemptState.PLANNED:
                self._tell(self.register.find(attempt.call_uuid), SignalKind.REFUSED, OwnCause.NOT_SENT)

    with mock.patch.object(Lifecycle, "take_over", careless):
        yield


@contextmanager
def marks_are_not_asked() -> Iterator[None]:
    """Nobody asks the switch which originates it has executed."""

    async def forgetful(self: InboundSwitch, call_uuid: str, planned_at: Any) -> Execution:
        return Execution.UNTOLD

    with mock.patch.object(InboundSwitch, "execution", forgetful):
        yield


@contextmanager
def executed_was_dialled() -> Iterator[None]:
    """Whoever was not called because the switch refused to is taken for somebody who may have been."""
    execution = InboundSwitch.execution

    async def hasty(self: InboundSwitch, call_uuid: str, planned_at: Any) -> Execution:
        found = await execution(self, call_uuid, planned_at)
        return Execution.DIALLED if found is Execution.NO_CHANNEL else found

    with mock.patch.object(InboundSwitch, "execution", hasty):
        yield


DEFECTS: Final[Mapping[str, Defect]] = MappingProxyType(
    {
        "send before commit": Defect(send_before_commit),
        "no deadline in the originate": Defect(no_deadline, "kills with a stalled link"),
        "retry of unknown at once": Defect(unknown_retried_at_once),
        "event by itself": Defect(event_by_itself),
        "end counted by itself": Defect(counted_by_itself),
        "blocked by itself": Defect(blocked_by_itself),
        "lists end early": Defect(lists_end_early, hidden=False),
        "event of a move by itself": Defect(event_of_a_move_by_itself),
        "adoption without Core-UUID check": Defect(any_core_is_the_same, "switch restarts"),
        "planned treated as never sent": Defect(planned_was_never_sent),
        "marks are not asked": Defect(marks_are_not_asked),
        "executed treated as dialled": Defect(executed_was_dialled, scenario="down"),
        **RULE_DEFECTS,
    }
)


class _RolledBackError(Exception):
    """The transaction shall leave nothing behind."""
