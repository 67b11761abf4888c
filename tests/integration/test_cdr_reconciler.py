"""Records against a database: before, after and without the events, in any order, twice."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
import pytest_twisted
from attrs import evolve
from twisted.internet.defer import succeed

from dialer.calls.cdr_reconciler import CdrReconciler, RecordVerdict
from dialer.calls.register import OpenAttempts
from dialer.cdr import read_record
from dialer.errors import StoreError
from dialer.model import AttemptState, Disposition, EventKind, OwnCause, SubscriberStatus
from dialer.store.audit import audit
from dialer.store.corrections import Corrections
from tests.unit.cdr.bodies import ACCOUNT, record
from tests.unit.store.support import LATER, ended, world

pytestmark = pytest.mark.usefixtures("database_kind")

START, FAIL, COMPLETE = SubscriberStatus.START, SubscriberStatus.FAIL, SubscriberStatus.COMPLETE
RETRY_AT = LATER + timedelta(seconds=300)


class Register(OpenAttempts):
    """One that says what the test wants."""

    def __init__(self, state_of, *, is_stored: bool = True) -> None:
        super().__init__()
        self._says = state_of
        self._is_stored = is_stored

    def state_of(self, call_uuid):
        return self._says(call_uuid)

    def when_stored(self, call_uuid):
        return succeed(self._is_stored)


def cdr_reconciler(w, *, alone: bool = False) -> CdrReconciler:
    return CdrReconciler(now=lambda: LATER, account_code=ACCOUNT, store=Corrections(w.database), alone=alone)


async def take(here: CdrReconciler, uuid: str = "call-1", name: str = "answered.json", **more: object) -> RecordVerdict:
    return await here.take(read_record(record(uuid, name, **more)))


def unexplained(attempt, cause: OwnCause = OwnCause.UNKNOWN, **more):
    finish = ended(attempt, more.pop("status", START), ready_at=RETRY_AT, cause=cause, **more)
    return evolve(finish, disposition=Disposition.UNKNOWN)


@pytest.mark.parametrize("cause", [OwnCause.UNKNOWN, OwnCause.LOST_SWITCH])
@pytest_twisted.ensureDeferred
async def test_an_end_that_nobody_could_tell_is_corrected_and_who_was_reached_is_not_called_again(tmp_path, cause):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        await w.store.finish(unexplained(attempt, cause))
        here = cdr_reconciler(w)
        assert await take(here) is RecordVerdict.CORRECTED
        row = w.attempt(attempt)
        assert (row["cause"], row["disposition"], row["talk_ms"], row["q850"]) == ("NORMAL_CLEARING", "ANSWERED", 2020, 16)
        assert row["ended_at"] == "2026-11-23 07:48:32.118024"
        assert row["answered_at"] == "2026-11-23 07:48:30.098034"
        assert row["reason"].startswith("told by a call detail record: ")
        contact = w.subscriber(1)
        assert (contact["status"], contact["ready_at"], contact["count_attempt"]) == (COMPLETE, None, 1)
        assert await take(here, name="busy.json") is RecordVerdict.KNOWN
        assert w.attempt(attempt) == row
        assert audit(w.database.url, LATER).findings == ()


@pytest_twisted.ensureDeferred
async def test_a_corrected_end_that_would_be_tried_again_leaves_the_contact_as_it_is(tmp_path):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        await w.store.finish(unexplained(attempt))
        before = w.subscriber(1)
        assert await take(cdr_reconciler(w), name="busy.json") is RecordVerdict.CORRECTED
        assert w.attempt(attempt)["disposition"] == "BUSY"
        assert w.subscriber(1) == before


@pytest.mark.parametrize(("name", "told"), [("not-found.json", FAIL), ("answered.json", COMPLETE)])
@pytest_twisted.ensureDeferred
async def test_a_contact_that_had_failed_is_told_of_only_when_it_was_reached(tmp_path, name, told):
    async with world(tmp_path) as w:
        w.store.wanted = wanted = frozenset({EventKind.CONTACT_FAILED, EventKind.CONTACT_COMPLETED})
        [attempt] = await w.begun()
        await w.store.finish(unexplained(attempt, status=FAIL))
        store = Corrections(w.database, lambda: wanted)
        assert (
            await take(CdrReconciler(now=lambda: LATER, account_code=ACCOUNT, store=store), name=name)
            is RecordVerdict.CORRECTED
        )
        assert w.subscriber(1)["status"] == told
        expected = ["contact.failed"] + ["contact.completed"] * (told is COMPLETE)
        assert w.sql("SELECT kind FROM event ORDER BY id") == expected


@pytest_twisted.ensureDeferred
async def test_a_contact_that_was_dialled_since_is_not_touched(tmp_path):
    async with world(tmp_path, contacts=1) as w:
        [attempt] = await w.begun()
        await w.store.finish(unexplained(attempt))
        [again] = await w.begin(await w.plans(1, now=RETRY_AT), RETRY_AT)
        before = w.subscriber(1)
        assert await take(cdr_reconciler(w)) is RecordVerdict.CORRECTED
        assert w.attempt(attempt)["disposition"] == "ANSWERED"
        assert w.subscriber(1) == before
        await w.store.finish(ended(again, START, ready_at=RETRY_AT + timedelta(seconds=300)))
        assert w.subscriber(1)["status"] == START


@pytest_twisted.ensureDeferred
async def test_a_later_attempt_that_has_ended_protects_the_contact_too(tmp_path):
    async with world(tmp_path, contacts=1) as w:
        [attempt] = await w.begun()
        await w.store.finish(unexplained(attempt))
        [again] = await w.begin(await w.plans(1, now=RETRY_AT), RETRY_AT)
        await w.store.finish(ended(again, START, ready_at=RETRY_AT + timedelta(seconds=300)))
        assert await take(cdr_reconciler(w)) is RecordVerdict.CORRECTED
        assert w.subscriber(1)["status"] == START


@pytest_twisted.ensureDeferred
async def test_an_end_that_is_known_stays_and_a_code_without_a_name_is_known(tmp_path):
    async with world(tmp_path) as w:
        first, second = await w.begun(2)
        await w.store.finish(ended(first, cause="USER_BUSY"))
        await w.store.finish(unexplained(second, q850=97))
        rows = (w.attempt(first), w.attempt(second))
        assert await take(cdr_reconciler(w), "call-1") is RecordVerdict.KNOWN
        assert await take(cdr_reconciler(w), "call-2") is RecordVerdict.KNOWN
        assert (w.attempt(first), w.attempt(second)) == rows


@pytest_twisted.ensureDeferred
async def test_calls_of_others_are_counted_and_nothing_else(tmp_path):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        await w.store.finish(unexplained(attempt))
        before = w.attempt(attempt)
        here = cdr_reconciler(w)
        assert await take(here, account="dialer-fedcba9876543210") is RecordVerdict.FOREIGN
        assert await take(here, account="") is RecordVerdict.FOREIGN
        assert await take(here, "nobody-knows") is RecordVerdict.UNKNOWN
        assert (
            here.counts[RecordVerdict.FOREIGN],
            here.counts[RecordVerdict.UNKNOWN],
            here.counts[RecordVerdict.CORRECTED],
        ) == (2, 1, 0)
        assert w.attempt(attempt) == before


@pytest_twisted.ensureDeferred
async def test_a_record_of_an_attempt_that_is_open_elsewhere_is_kept_for_who_has_it(tmp_path):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        assert await take(cdr_reconciler(w)) is RecordVerdict.KEPT
        assert w.attempt(attempt)["state"] == "planned"
        assert await w.store.finish(unexplained(attempt), unless_recorded=True) is False
        told = await w.store.pending_cdr(attempt)
        assert told.cause == told.hangup.cause == "NORMAL_CLEARING"
        assert told.hangup.answered
        assert w.attempt(attempt)["state"] == "planned"
        assert await w.store.finish(ended(attempt)) is True
        assert await w.store.pending_cdr(attempt) is None


@pytest_twisted.ensureDeferred
async def test_without_a_pending_record_an_end_that_nobody_could_tell_is_stored(tmp_path):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        assert await w.store.pending_cdr(attempt) is None
        assert await w.store.finish(unexplained(attempt), unless_recorded=True) is True
        assert await take(cdr_reconciler(w)) is RecordVerdict.CORRECTED


@pytest_twisted.ensureDeferred
async def test_who_knows_how_a_call_ended_needs_no_record_of_it(tmp_path):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        assert await take(cdr_reconciler(w)) is RecordVerdict.KEPT
        assert await w.store.finish(ended(attempt)) is True
        assert await take(cdr_reconciler(w)) is RecordVerdict.KNOWN


@pytest_twisted.ensureDeferred
async def test_an_attempt_that_ends_while_its_record_is_looked_at_is_corrected(tmp_path):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        here = cdr_reconciler(w)
        find = here.store.find

        def find_then_end(call_uuid):
            found = find(call_uuid)
            w.store.finish(unexplained(attempt))
            return found

        here.store = SimpleNamespace(find=find_then_end, keep=here.store.keep, correct=here.store.correct)
        assert await take(here) is RecordVerdict.CORRECTED
        assert w.attempt(attempt)["disposition"] == "ANSWERED"


@pytest_twisted.ensureDeferred
async def test_without_a_dialer_a_record_ends_an_open_attempt_by_the_rules_of_the_flow(tmp_path):
    async with world(tmp_path) as w:
        busy, reached = await w.begun(2)
        here = cdr_reconciler(w, alone=True)
        assert await take(here, "call-1", "busy.json") is RecordVerdict.ENDED
        assert await take(here, "call-2") is RecordVerdict.ENDED
        assert await take(here, "call-2") is RecordVerdict.KNOWN
        assert (w.attempt(busy)["disposition"], w.attempt(reached)["disposition"]) == ("BUSY", "ANSWERED")
        assert w.subscriber(2)["status"] == COMPLETE
        assert w.subscriber(1)["count_attempt"] == 1
        assert audit(w.database.url, LATER).findings == ()


@pytest_twisted.ensureDeferred
async def test_a_flow_that_owns_the_call_hears_of_it_and_the_database_is_not_asked(tmp_path):
    async with world(tmp_path) as w:
        told = []
        states = {"live": AttemptState.RINGING}
        here = evolve(cdr_reconciler(w), register=Register(states.get), tell=told.append)
        found = read_record(record("live"))
        assert await here.take(found) is RecordVerdict.ENDED
        assert told == [found.hung_up]


@pytest_twisted.ensureDeferred
async def test_what_somebody_else_has_ended_meanwhile_is_corrected(tmp_path):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        await w.store.finish(unexplained(attempt))
        here = evolve(cdr_reconciler(w), register=Register(lambda _: AttemptState.UNCONFIRMED, is_stored=False))
        assert await take(here) is RecordVerdict.CORRECTED
        assert w.attempt(attempt)["disposition"] == "ANSWERED"


@pytest_twisted.ensureDeferred
async def test_a_flow_that_has_taken_the_call_over_meanwhile_hears_of_it(tmp_path):
    async with world(tmp_path) as w:
        await w.begun()
        told = []
        states = iter([None, AttemptState.UNCONFIRMED])
        here = evolve(cdr_reconciler(w), register=Register(lambda _: next(states)), tell=told.append)
        assert await take(here) is RecordVerdict.ENDED
        assert [signal.call_uuid for signal in told] == ["call-1"]


@pytest_twisted.ensureDeferred
async def test_a_database_that_is_away_is_told_so_that_the_record_comes_again(tmp_path):
    async with world(tmp_path) as w:
        here = cdr_reconciler(w)
        await w.database.stop()
        with pytest.raises(StoreError):
            await take(here)
        assert sum(here.counts.values()) == 0
