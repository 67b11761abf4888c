"""Records in the flow, beside the events: whichever comes first ends the call, once."""

from __future__ import annotations

from itertools import permutations

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed

from dialer.calls.cdr_reconciler import CdrReconciler, RecordVerdict
from dialer.calls.corrections import Correction
from dialer.cdr import read_record
from dialer.errors import StoreError
from dialer.model import Disposition, Hangup, OwnCause, Signal, SignalKind
from tests.fakes.flow import Flow
from tests.fakes.store import MemoryStore
from tests.unit.cdr.bodies import record


@define
class NoDatabase:
    """Knows no attempt, as a database does whose attempts have all been told of."""

    asked: list[str] = field(factory=list)

    def find(self, call_uuid: str) -> Deferred[None]:
        self.asked.append(call_uuid)
        return succeed(None)


@pytest.fixture
def flow() -> Flow:
    return Flow()


def post(flow: Flow, uuid: str, name: str) -> RecordVerdict:
    here = CdrReconciler(
        now=flow.now,
        account_code="dialer-test",
        store=NoDatabase(),
        register=flow.lifecycle.register,
        tell=flow.lifecycle.signal_received,
    )
    verdicts: list[RecordVerdict] = []
    taken = here.take(read_record(record(uuid, name, account="dialer-test")))
    Deferred.fromCoroutine(taken).addCallback(verdicts.append)
    return verdicts[0]


def test_a_record_alone_ends_the_call(flow: Flow) -> None:
    uuid = flow.call()
    assert post(flow, uuid, "busy.json") is RecordVerdict.ENDED
    assert flow.finished[0].disposition is Disposition.BUSY
    assert post(flow, uuid, "busy.json") is RecordVerdict.UNKNOWN
    assert len(flow.finished) == 1


def test_a_call_that_is_unconfirmed_ends_with_its_real_cause(flow: Flow) -> None:
    uuid = flow.call()
    flow.tell(uuid, SignalKind.RANG)
    flow.lifecycle.switch_down(flow.switch, "connection lost")
    assert post(flow, uuid, "answered.json") is RecordVerdict.ENDED
    assert flow.finished[0].disposition is Disposition.ANSWERED
    assert flow.finished[0].outcome.talk_ms == 2020


@pytest.mark.parametrize("order", list(permutations(["record", "record", "event", "job"])))
def test_in_any_order_the_call_ends_once(flow: Flow, order: tuple[str, ...]) -> None:
    uuid = flow.call()
    for what in order:
        if what == "record":
            post(flow, uuid, "busy.json")
        elif what == "event":
            flow.hang_up(uuid, "USER_BUSY", q850=17, sip_status=486, rang=True)
        else:
            flow.tell(uuid, SignalKind.JOB_FAILED, "USER_BUSY")
    flow.clock.advance(10)
    assert [finish.disposition for finish in flow.finished] == [Disposition.BUSY]


def pending(flow: Flow, uuid: str, cause: str = "USER_BUSY", **facts: object) -> Signal:
    """A record of the call has come to another process."""
    hangup = Hangup(cause=cause, **facts)
    flow.store.pending[uuid] = Signal(kind=SignalKind.HUNG_UP, call_uuid=uuid, at=flow.now(), cause=cause, hangup=hangup)
    return flow.store.pending[uuid]


def lose(flow: Flow, uuid: str) -> None:
    flow.tell(uuid, SignalKind.FOUND_GONE, OwnCause.UNKNOWN)


def test_a_call_that_is_gone_ends_as_the_record_tells_that_came_to_another_process(flow: Flow) -> None:
    uuid = flow.call()
    pending(flow, uuid, q850=17)
    lose(flow, uuid)
    assert [(finish.disposition, finish.outcome.q850) for finish in flow.finished] == [(Disposition.BUSY, 17)]
    assert flow.lifecycle.corrections[Correction.RECORD_ENDED] == 1
    assert not flow.lifecycle.register


def test_a_record_that_comes_while_an_end_is_being_stored_wins(flow: Flow) -> None:
    uuid = flow.call()
    flow.store.error = StoreError("away")
    lose(flow, uuid)
    pending(flow, uuid)
    flow.store.error = None
    flow.clock.advance(1)
    assert [finish.disposition for finish in flow.finished] == [Disposition.BUSY]


def test_a_record_that_cannot_tell_either_ends_the_call_once(flow: Flow) -> None:
    uuid = flow.call()
    pending(flow, uuid, OwnCause.UNKNOWN)
    lose(flow, uuid)
    assert [finish.disposition for finish in flow.finished] == [Disposition.UNKNOWN]


def test_a_pending_record_that_cannot_be_read_now_is_asked_for_again(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    uuid = flow.call()
    pending(flow, uuid)
    with monkeypatch.context() as broken:
        broken.setattr(MemoryStore, "pending_cdr", lambda _self, _attempt: fail(StoreError("away")))
        lose(flow, uuid)
    assert flow.finished == []
    flow.clock.advance(1)
    assert [finish.disposition for finish in flow.finished] == [Disposition.BUSY]


def test_what_has_ended_elsewhere_is_forgotten_without_an_end(flow: Flow) -> None:
    uuid = flow.call()
    flow.store.open.clear()
    lose(flow, uuid)
    assert flow.finished == []
    assert not flow.lifecycle.register
