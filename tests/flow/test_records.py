"""Records in the flow, beside the events: whichever comes first ends the call, once."""

from __future__ import annotations

from itertools import permutations

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred, succeed

from dialer.calls.witness import Verdict, Witness
from dialer.cdr import read_record
from dialer.model import Disposition, SignalKind
from tests.fakes.flow import Flow
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


def post(flow: Flow, uuid: str, name: str) -> Verdict:
    here = Witness(
        now=flow.now,
        account_code="dialer-test",
        store=NoDatabase(),
        register=flow.lifecycle.register,
        tell=flow.lifecycle.signal_received,
    )
    verdicts: list[Verdict] = []
    taken = here.take(read_record(record(uuid, name, account="dialer-test")))
    Deferred.fromCoroutine(taken).addCallback(verdicts.append)
    return verdicts[0]


def test_a_record_alone_ends_the_call(flow: Flow) -> None:
    uuid = flow.call()
    assert post(flow, uuid, "busy.json") is Verdict.ENDED
    assert flow.finished[0].disposition is Disposition.BUSY
    assert post(flow, uuid, "busy.json") is Verdict.UNKNOWN
    assert len(flow.finished) == 1


def test_a_call_that_is_adrift_ends_with_its_real_cause(flow: Flow) -> None:
    uuid = flow.call()
    flow.tell(uuid, SignalKind.RANG)
    flow.lifecycle.switch_down(flow.switch, "connection lost")
    assert post(flow, uuid, "answered.json") is Verdict.ENDED
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
