"""The second cdr_reconciler: call detail records, which may come before, after or without the events of a call, and twice.

A record of a call that is open ends it, as the event would have. One of an attempt of which nobody could tell how it ended
corrects what is stored; its contact is touched only when it was not dialled since, and only to be called no more. Other
records are none of our business, and counted.

FreeSWITCH tells the end of a call by an event when mod_json_cdr has posted its record (`switch_core_session_reporting_state`),
so the record ends most calls: that is their plain course. It is a correction where the end could not have been heard.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from attrs import define, evolve, field
from twisted.internet.defer import Deferred

from dialer.calls import retry
from dialer.calls.corrections import Correction, CorrectionLog
from dialer.calls.live import LiveAttempt
from dialer.calls.register import OpenAttempts
from dialer.calls.verdict import judge
from dialer.cdr import DetailRecord, Recorded
from dialer.interfaces import Now
from dialer.model import AttemptResult, AttemptState, Signal


class RecordVerdict(enum.StrEnum):
    """The use that a record was of."""

    ENDED = "ended"  # it ended an attempt that was open
    CORRECTED = "corrected"  # it told how an attempt ended of which nobody could
    KNOWN = "known"  # nothing new
    KEPT = "kept"  # its attempt is open in another process, which finds it when nobody else tells how the call ended
    UNKNOWN = "unknown"  # our account code, but no attempt of ours: the second leg of a call, or another database
    FOREIGN = "foreign"  # not our account code


class RecordStore(Protocol):
    """The attempts that records are about. Fails with: `StoreError`."""

    def find(self, call_uuid: str) -> Deferred[Recorded | None]:
        """The attempt of that call."""
        ...

    def end(self, finish: AttemptResult, owner: str) -> Deferred[bool]:
        """End an open attempt of `owner`. Fires with False when it has ended meanwhile."""
        ...

    def keep(self, hung_up: Signal) -> Deferred[bool]:
        """Keep the end of a call with its open attempt, for the node that has that. Fires with False when it has ended
        meanwhile."""
        ...

    def correct(self, finish: AttemptResult) -> Deferred[bool]:
        """Store how an attempt ended of which nobody could tell. Fires with False when that is known by now. The contact stays
        as it is when it was dialled since, or when it would be called again."""
        ...


@define(eq=False, kw_only=True)
class CdrReconciler:
    """Takes records. `register` and `tell` are the flow's of this process; without a flow, an open attempt is ended in the
    database when nobody else dials (`alone`), and the record is kept with it otherwise. `counts` are since the
    start; `corrections` gets those records that told what could not be known without them."""

    now: Now
    account_code: str
    store: RecordStore
    register: OpenAttempts = field(factory=OpenAttempts)
    tell: Callable[[Signal], None] = lambda _: None
    corrections: CorrectionLog = field(factory=CorrectionLog)
    alone: bool = False
    counts: dict[RecordVerdict, int] = field(factory=lambda: dict.fromkeys(RecordVerdict, 0), init=False)

    async def take(self, record: DetailRecord) -> RecordVerdict:
        """Do what the record is good for; when it returns, that is durable, or in the hands of the flow, which waits for the
        end of an answered call's session. Raises `StoreError`: the record may be brought again."""
        verdict = await self._take(record)
        self.counts[verdict] += 1
        return verdict

    async def _take(self, record: DetailRecord) -> RecordVerdict:
        uuid = record.call_uuid
        if record.account_code != self.account_code:
            return RecordVerdict.FOREIGN
        before = self.register.state_of(uuid)
        if before is not None:
            self.tell(record.hung_up)
            if before is AttemptState.UNCONFIRMED:
                self._ended(uuid)
            # What the flow writes at this moment may be the end of which nobody could tell more: that is corrected below.
            stored = await self.register.when_stored(uuid)
            if stored and before is not AttemptState.ENDED:
                return RecordVerdict.ENDED
        known = await self.store.find(uuid)
        if known is None:
            return RecordVerdict.UNKNOWN
        if not known.ended:
            return await self._end(known, record)
        return await self._explain(known, record)

    async def _explain(self, known: Recorded, record: DetailRecord) -> RecordVerdict:
        if known.unexplained and await self.store.correct(ending(known, record.hung_up, self.now())):
            why = f"a record tells how the call ended: {record.hung_up.cause}"
            self.corrections.note(Correction.RECORD_CORRECTED, record.call_uuid, why)
            return RecordVerdict.CORRECTED
        return RecordVerdict.KNOWN

    async def _end(self, known: Recorded, record: DetailRecord) -> RecordVerdict:
        if self.register.state_of(record.call_uuid) is not None:
            self.tell(record.hung_up)  # once more: it may have been taken over since
            return RecordVerdict.ENDED
        if not self.alone:
            if await self.store.keep(record.hung_up):
                return RecordVerdict.KEPT
            return await self._explain(await self.store.find(record.call_uuid) or known, record)
        if not await self.store.end(ending(known, record.hung_up, self.now()), known.owner):
            return RecordVerdict.KNOWN
        self._ended(record.call_uuid)
        return RecordVerdict.ENDED

    def _ended(self, call_uuid: str) -> None:
        self.corrections.note(Correction.RECORD_ENDED, call_uuid, "a record tells the end, which nobody could hear")


def ending(known: Recorded, hung_up: Signal, now: datetime) -> AttemptResult:
    """The end of an attempt, by what the database knows of it and what a record tells; the rules are those of the flow."""
    attempt = known.attempt
    live = LiveAttempt(attempt, AttemptState.UNCONFIRMED, sent=True)
    live.note(hung_up)
    outcome = evolve(live.outcome(now), machine=known.machine)
    verdict = judge(outcome)
    before = evolve(attempt.plan.candidate, count_attempt=attempt.number_of_attempt - 1)
    decision = retry.decide(verdict, outcome, before, attempt.plan.campaign, now)
    return AttemptResult(attempt=attempt, outcome=outcome, disposition=verdict.disposition, decision=decision)
