"""Requests that come close together go to the database thread together.

Handed over one by one, each would wake that thread, and the two threads would take the interpreter's lock from each other in
the middle of their work: that costs several times what the work itself does. So requests are collected while each turn of the
reactor brings more of them, for `LONGEST_WAIT` at most; one that is alone waits for one turn.

Clients that ask the same at the same moment, as several pages do that show one campaign, get one answer.

A refusal travels back as a value, not as an exception: an exception has the whole group of transactions rolled back and run
again one by one, and a client could slow the dialer down by asking for what does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from dialer.errors import BadValue, DialerError, Duplicate, LimitExceeded, NotFound
from dialer.store.faults import refused_value

T = TypeVar("T")

LARGEST_BATCH: Final = 64
"""Requests in one job: at 50 to 100 microseconds each, they keep others from the database thread for some milliseconds."""

LONGEST_WAIT: Final = 0.002
"""Seconds for which requests are collected."""


@frozen(eq=False)
class _Refused:
    error: DialerError


@frozen(eq=False)
class _Request:
    function: Callable[[Any], Any]
    done: Deferred[Any]
    question: Hashable | None = None


@define(eq=False)
class Batches:
    """Collects functions and has `run` run them in order, each with its own answer: all of them take the connection, or all
    of them the entities. `reactor` gives the turns."""

    run: Callable[[Callable[[Any], Any]], Deferred[Any]]
    reactor: Any
    _waiting: list[_Request] = field(factory=list, init=False)
    _began: float = field(default=0.0, init=False)

    def ask(self, function: Callable[[Any], T], question: Hashable | None = None) -> Deferred[T]:
        """`question` is the same for functions that only read and return the same. Fires with what the function returns once
        that is durable. Fails with what it raises, or with `StoreError`; then nothing of it was written."""
        done: Deferred[T] = Deferred()
        if not self._waiting:
            self._began = self.reactor.seconds()
            self.reactor.callLater(0, self._collect, 1)
        self._waiting.append(_Request(function, done, question))
        return done

    def _collect(self, seen: int) -> None:
        """A turn is over, at whose beginning `seen` requests waited."""
        count = len(self._waiting)
        if seen < count < LARGEST_BATCH and self.reactor.seconds() - self._began < LONGEST_WAIT:
            self.reactor.callLater(0, self._collect, count)
        else:
            self._send()

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        for start in range(0, len(waiting), LARGEST_BATCH):
            batch = waiting[start : start + LARGEST_BATCH]
            sent = self.run(partial(_run, batch))
            sent.addCallbacks(_tell, self._alone, callbackArgs=(batch,), errbackArgs=(batch,))

    def _alone(self, failure: Failure, batch: Sequence[_Request]) -> None:
        """One of them raised something, and all were rolled back: only the guilty one shall fail. The rows that another
        process wrote at the same moment are there by now: a request that met with them is asked again, and tells of them as of
        anything known."""
        if len(batch) == 1 and not failure.check(Duplicate):
            batch[0].done.errback(failure)
            return
        for request in batch:
            sent = self.run(partial(_run, [request]))
            sent.addCallbacks(_tell, request.done.errback, callbackArgs=([request],))


def _run(requests: Sequence[_Request], ground: Any) -> list[Any]:
    answers: dict[Hashable, Any] = {}
    results = []
    for request in requests:
        if request.question is None or request.question not in answers:
            result = _refusing(request.function, ground)
            if request.question is not None:
                answers[request.question] = result
        else:
            result = answers[request.question]
        results.append(result)
    return results


def _refusing(function: Callable[[Any], T], ground: Any) -> T | _Refused:
    """The value that the function returns, or its refusal before it wrote anything."""
    connection = ground.db.get_connection() if hasattr(ground, "db") else ground
    written = connection.total_changes
    try:
        return function(ground)
    except (NotFound, BadValue, LimitExceeded) as error:
        if connection.total_changes != written:
            raise
        return _Refused(error)
    except Exception as error:
        refused = refused_value(error)
        if refused is None:
            raise
        raise refused from error


def _tell(results: Sequence[Any], batch: Sequence[_Request]) -> None:
    for request, result in zip(batch, results, strict=True):
        if isinstance(result, _Refused):
            request.done.errback(result.error)
        else:
            request.done.callback(result)
