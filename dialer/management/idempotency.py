"""Requests that may come again, because their client does not know whether they arrived: each has its effect once.

The answer is kept in the transaction of the effect. So either both are there, and the same request gets that answer again, or
neither is. A request that is refused has no effect, and nothing is kept of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from attrs import frozen

from dialer.errors import BadValue, DialerError
from dialer.management.management import Around, Transaction, reads
from dialer.store import idempotency as sql
from dialer.store.times import to_column

KEPT_FOR: Final = timedelta(hours=24)
MOST_KEYS: Final = 10_000
"""Answers that are kept for one user: the newest ones."""
LONGEST_KEPT: Final = 32_768
"""Characters of an answer. The usual ones have a tenth of it."""
STEP: Final = 20
"""Answers that one request clears away at most, so that none takes long."""


class KeyReused(DialerError):
    """The key of a request belongs to another request of the same user."""

    code = "key-reused"

    def __init__(self) -> None:
        super().__init__("the key was used for another request: another address, or another body")


@frozen(kw_only=True)
class KeyedRequest:
    """A request with the key that its client made up; `fingerprint` is the same for the same request only."""

    user_id: int
    key: str
    fingerprint: str

    @property
    def digest(self) -> str:
        """The same for the same request of the same user with the same key only: hexadecimal digits."""
        return hashlib.sha256(f"{self.user_id} {self.key} {self.fingerprint}".encode()).hexdigest()


@frozen(kw_only=True)
class Answered:
    """An answer: `body` is what is sent, and `kept` what is sent when the request comes again. `replayed` tells that it is an
    earlier one."""

    status: int
    body: str
    kept: str
    replayed: bool = False


def once(request: KeyedRequest, answer: Callable[[Any], Answered]) -> Around:
    """Around a use case: makes the answer of its result, or finds the one that there is. Raises `KeyReused`,
    and `BadValue` for an answer that is too long to be kept: then nothing was done."""
    who = (request.user_id, request.key)

    def around(t: Transaction, run: Callable[[], Any]) -> Answered:
        expired = to_column(t.now - KEPT_FOR)
        t.connection.execute(sql.FORGET_EXPIRED, (*who, expired))
        claimed = t.connection.execute(sql.CLAIM, (*who, request.fingerprint, to_column(t.now))).fetchall()
        if not claimed:
            return _earlier(t, request)
        ((row_id,),) = claimed
        found = answer(run())
        if len(found.kept) > LONGEST_KEPT:
            problem = f"the answer has {len(found.kept)} characters, and {LONGEST_KEPT} can be kept; leave the key out"
            raise BadValue("Idempotency-Key", problem)
        t.connection.execute(sql.KEEP, (found.status, found.kept, row_id))
        _prune(t, request.user_id, row_id, expired)
        return found

    return around


@reads
def earlier(t: Transaction, request: KeyedRequest) -> Answered | None:
    """The answer of the same request, where it came before: for what cannot be done in one transaction, and has to know that
    it was done before it begins. Raises `KeyReused`."""
    kept = t.connection.execute(sql.KEPT_SINCE, (request.user_id, request.key, to_column(t.now - KEPT_FOR))).fetchone()
    return None if kept is None else _earlier(t, request)


def _earlier(t: Transaction, request: KeyedRequest) -> Answered:
    fingerprint, status, body = t.connection.execute(sql.FOUND, (request.user_id, request.key)).fetchone()
    if fingerprint != request.fingerprint:
        raise KeyReused
    return Answered(status=status, body=body, kept=body, replayed=True)


def _prune(t: Transaction, user_id: int, row_id: int, expired: str) -> None:
    """A little more than comes in, so that it never grows."""
    t.connection.execute(sql.PRUNE_OLD.of(t.connection), (expired, STEP))
    if row_id % STEP == 0:
        t.connection.execute(sql.PRUNE_SURPLUS.of(t.connection), (user_id, 2 * STEP, MOST_KEYS))
