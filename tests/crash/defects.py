"""Deliberate defects of the dialer. A harness that lets one of them pass is worth nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final
from unittest import mock

from attrs import evolve, frozen
from twisted.internet.defer import Deferred

import dialer.esl.commands
import dialer.store.flow
from dialer.calls import retry
from dialer.calls.lifecycle import Lifecycle
from dialer.calls.recovery import Reconciler
from dialer.model import Attempt, AttemptState, Disposition, EventKind, OwnCause, SignalKind, SubscriberStatus
from dialer.store.begin import Beginning
from dialer.store.finish import tell
from dialer.store.flow import Store


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


@frozen
class Defect:
    """`seen_by` is the sweep that must see it."""

    apply: Callable[[], AbstractContextManager[None]]
    seen_by: str = "kills"


DEFECTS: Final[Mapping[str, Defect]] = MappingProxyType(
    {
        "send before commit": Defect(send_before_commit),
        "no deadline in the originate": Defect(no_deadline, "kills with a stalled link"),
        "retry of unknown at once": Defect(unknown_retried_at_once),
        "event by itself": Defect(event_by_itself),
        "adoption without Core-UUID check": Defect(any_core_is_the_same, "switch restarts"),
        "planned treated as never sent": Defect(planned_was_never_sent),
    }
)


class _RolledBackError(Exception):
    """The transaction shall leave nothing behind."""
