"""What the harness has found in the product, each as a short story of its own."""

from __future__ import annotations

import gc

from dialer.model import AttemptState, OwnCause, SignalKind
from tests.crash.logs import Complaints
from tests.fakes.flow import Flow
from tests.unit.esl.test_outbound import CHANNEL, Here, for_ever
from tests.unit.esl.wire import reply


def test_a_call_that_was_heard_of_after_the_first_connection_had_broken_is_looked_up() -> None:
    flow = Flow()
    uuid = flow.call()
    flow.tell(uuid, SignalKind.RANG)
    flow.switch.ready = False
    flow.lifecycle.switch_down(flow.switch, "connection lost")
    flow.tell(uuid, SignalKind.ANSWERED)
    flow.switch.ready = True
    flow.lifecycle.switch_up(flow.switch)
    assert flow.lifecycle.register.states() == {AttemptState.UNCONFIRMED: 1}
    flow.clock.pump([1.0] * 12)
    assert [finish.outcome.cause for finish in flow.finished] == [OwnCause.UNKNOWN]


def test_a_session_that_opens_late_does_not_end_the_search_for_its_call() -> None:
    flow = Flow()
    uuid = flow.call()
    flow.tell(uuid, SignalKind.RANG)
    flow.switch.ready = False
    flow.lifecycle.switch_down(flow.switch, "connection lost")
    flow.switch.ready = True
    flow.lifecycle.switch_up(flow.switch)
    flow.tell(uuid, SignalKind.SESSION_OPENED)
    flow.tell(uuid, SignalKind.SESSION_CLOSED)
    flow.clock.pump([1.0] * 12)
    assert [finish.outcome.cause for finish in flow.finished] == [OwnCause.UNKNOWN]


def test_a_session_that_fails_while_it_is_set_up_leaves_no_error_unheard() -> None:
    here = Here(for_ever)
    here.answer = _refuses_to_linger  # type: ignore[method-assign]
    with Complaints() as complaints:
        here.open()
        here.settle(20)
        here.wires.clear()
        gc.collect()
    assert complaints.said == []


def _refuses_to_linger(block: str) -> bytes | None:
    if block == "connect":
        return CHANNEL
    return reply("-ERR no") if block.startswith("linger") else None
