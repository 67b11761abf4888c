"""A way out that does not work is told: in the log, and by the campaign that waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from attrs import define, field

from dialer.errors import SwitchUnavailable
from dialer.model import IdleCode, Origination, Progress, SignalKind, SubscriberStatus
from tests.fakes.flow import CAMPAIGN
from tests.flow.test_scheduler import Ticking


@define(eq=False)
class Down(Ticking):
    """Each call ends at once with `cause`; with "", it rings, and the callee is busy."""

    cause: str = "GATEWAY_DOWN"
    dialled: int = field(default=0, init=False)

    def note(self, call: Origination) -> None:
        super().note(call)
        if self.cause:
            self.clock.callLater(0.01, self.tell, call.call_uuid, SignalKind.JOB_FAILED, self.cause)
        else:
            self.clock.callLater(0.01, self.hang_up, call.call_uuid, "USER_BUSY", rang=True, sip_status=486, q850=17)


@pytest.fixture
def down() -> Down:
    down = Down()
    down.contacts(500)
    return down


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.mark.parametrize(("cause", "what"), [("GATEWAY_DOWN", "gateway carrier"), ("DESTINATION_OUT_OF_ORDER", "the switch")])
def test_a_way_out_that_fails_every_call_is_told_once_a_minute(down: Down, lines: list[Any], cause: str, what: str) -> None:
    down.cause = cause
    down.run(10)
    (line,) = lines
    assert line["event"] == f"{what} is backed off from"
    assert (line["log_level"], line["cause"], line["faults"], line["seconds"]) == ("warning", cause, 3, 1)
    assert line["until"].startswith("2026-11-23T12:00:0")
    down.run(290, step=0.05)
    assert 2 <= len(lines) <= 6
    assert lines[-1]["faults"] > 3


def test_that_it_serves_again_is_told_once(down: Down, lines: list[Any]) -> None:
    down.run(5)
    down.cause = ""
    down.run(30, step=0.05)
    assert [line["event"] for line in lines] == ["gateway carrier is backed off from", "gateway carrier serves again"]


def test_one_that_comes_and_goes_makes_no_flood(down: Down, lines: list[Any]) -> None:
    for _ in range(30):
        down.cause = "GATEWAY_DOWN"
        down.run(2, step=0.05)
        down.cause = ""
        down.run(2, step=0.05)
    assert len(lines) <= 6


def test_a_gateway_that_works_is_not_told_of(down: Down, lines: list[Any]) -> None:
    down.cause = ""
    down.run(20, step=0.05)
    assert down.finished
    assert lines == []


def changes(down: Down) -> list[tuple[str, str]]:
    """What is told of gateways from now on: names, and causes; "" for one that serves again."""
    found: list[tuple[str, str]] = []
    down.lifecycle.health_log.changed = lambda gateway, backoff: found.append((gateway.name, backoff.cause if backoff else ""))
    return found


def test_others_hear_of_a_gateway_that_goes_down_and_comes_up(down: Down) -> None:
    found = changes(down)
    down.run(5)
    down.cause = ""
    down.run(30, step=0.05)
    assert found == [("carrier", "GATEWAY_DOWN"), ("carrier", "")]


def test_a_switch_that_is_full_is_no_gateway_that_is_down(down: Down) -> None:
    found, down.cause = changes(down), "DESTINATION_OUT_OF_ORDER"
    down.run(10)
    assert found == []


def test_whoever_sees_a_gateway_serve_again_tells_it_and_a_call_that_was_never_sent_says_nothing(down: Down) -> None:
    found = changes(down)
    down.lifecycle.health_log.know_down({"carrier"})
    down.switch.submit_error = SwitchUnavailable("originate", "not connected", sent=False)
    down.run(2)
    assert found == []
    down.switch.submit_error, down.cause = None, ""
    down.run(5)
    assert found == [("carrier", "")]


def test_the_campaign_says_why_it_does_not_call(down: Down) -> None:
    while not down.health.gateways or not down.health.gateways[1].blocks(down.now()):
        down.run(0.05)
    found = down.scheduler.explain(CAMPAIGN)
    assert found is not None
    assert found.code is IdleCode.GATEWAY_PAUSED
    assert found.text == "gateway carrier is backed off from after 3 faults in a row (GATEWAY_DOWN)"


def test_a_campaign_whose_contacts_wait_for_their_next_turn_says_whose_fault_that_is(down: Down) -> None:
    down.run(5)
    progress = Progress(subscribers={SubscriberStatus.START: 5}, waiting=5)
    found = down.scheduler.explain(CAMPAIGN, progress)
    assert found is not None
    assert found.code is IdleCode.RETRIES_LATER
    assert "; gateway carrier had " in found.text
    assert "faults in a row (GATEWAY_DOWN)" in found.text
