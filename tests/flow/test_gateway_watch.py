"""A SIP gateway that the switch itself knows to be down is not called through, and is again as soon as it is back."""

from __future__ import annotations

from collections import Counter
from unittest import mock

import pytest
from attrs import define, evolve, field
from twisted.internet.defer import fail

from dialer.calls.gateway_watch import AGAIN, GatewayWatch
from dialer.errors import SwitchUnavailable
from dialer.gateways import Backoff
from dialer.model import Gateway, IdleCode
from dialer.model.sip_gateway import SipGateway
from tests.fakes.flow import CAMPAIGN, GATEWAY
from tests.fakes.switch import MemorySwitch
from tests.flow.test_scheduler import Ticking, why_idle

SPARE = Gateway(id=2, name="spare", dial_string="sofia/gateway/spare/{number}")
INTERVAL = 5.0


def sip(name: str = "carrier", status: str = "UP", state: str = "NOREG") -> SipGateway:
    return SipGateway(name=name, profile="external", state=state, status=status)


@define(eq=False)
class Watched(Ticking):
    """With a watch of its one switch; `told` is what others hear of gateways: their names, and the cause or ""."""

    watch: GatewayWatch = field(init=False)
    told: list[tuple[str, str]] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        (member,) = self.fleet
        member.gateway_interval = INTERVAL
        self.switch.sip = [sip()]
        self.watch = GatewayWatch(
            clock=self.clock,
            now=self.now,
            fleet=self.fleet,
            gateways=lambda: self.scheduler.gateways,
            changed=self.heard,
            call_soon=self.scheduler.call_soon,
        )

    def heard(self, gateway: Gateway, backoff: Backoff | None) -> None:
        self.told.append((gateway.name, "" if backoff is None else backoff.cause))

    def run(self, seconds: float, step: float = 0.01) -> None:
        if not self.started:
            super().run(0.05)
            self.watch.start()
        super().run(seconds, step)

    def through(self) -> Counter[str]:
        found = Counter(call.dial_string.split("/")[2] for call in self.switch.submitted)
        self.switch.submitted.clear()
        return found


@pytest.fixture
def watched() -> Watched:
    found = Watched()
    found.contacts(5000)
    return found


def test_a_gateway_that_the_switch_knows_to_be_down_is_not_called_through(watched: Watched) -> None:
    watched.switch.sip = [sip(status="DOWN", state="FAIL_WAIT")]
    watched.run(1)
    watched.through()
    watched.run(20, 0.05)
    assert not watched.through()
    assert why_idle(watched) == "gateway carrier is down, as the switch tells (DOWN, FAIL_WAIT)"
    found = watched.scheduler.explain(CAMPAIGN)
    assert found is not None
    assert found.code is IdleCode.GATEWAY_DOWN
    assert watched.told == [("carrier", "the switch tells that it is down (DOWN, FAIL_WAIT)")]


def test_its_failover_takes_the_calls(watched: Watched) -> None:
    watched.store.gateways |= {1: evolve(GATEWAY, failover_id=2), 2: SPARE}
    watched.switch.sip = [sip(status="DOWN"), sip("spare")]
    watched.run(1)
    watched.through()
    watched.run(5, 0.05)
    assert watched.through().keys() == {"spare"}


def test_it_is_used_at_once_when_it_is_back_whatever_it_was_backed_off_for(watched: Watched) -> None:
    watched.run(1)
    for _ in range(9):
        backoff = watched.health.gateways.get(1, Backoff())
        watched.health.gateways[1] = backoff.after_fault(backoff.until or watched.now(), cause="GATEWAY_DOWN")
    watched.switch.sip = [sip(status="DOWN")]
    watched.run(INTERVAL + 1, 0.05)
    watched.through()
    watched.switch.sip = [sip()]
    watched.watch.look_soon(watched.switch)
    watched.run(1)
    assert sum(watched.through().values()) >= 5
    assert watched.told[-1] == ("carrier", "")
    assert watched.health.of_gateway(1, watched.now()).faults == 0


def test_what_was_backed_off_from_and_never_down_stays_so(watched: Watched) -> None:
    watched.run(1)
    watched.health.gateways[1] = Backoff(faults=9, until=watched.now() + 2 * AGAIN, cause="SIP 503")
    watched.run(20, 0.1)
    assert watched.health.of_gateway(1, watched.now()).faults == 9


@pytest.mark.parametrize("answer", [None, []], ids=["cannot tell", "does not have it"])
def test_a_switch_that_knows_nothing_of_it_changes_nothing(watched: Watched, answer: list[SipGateway] | None) -> None:
    watched.switch.sip = answer
    watched.run(10, 0.05)
    assert sum(watched.through().values()) > 90
    assert watched.told == []


@pytest.mark.parametrize(
    "dial_string", ["sofia/external/{number}@10.0.0.1", "loopback/{number}", "sofia/gateway/carrier2/{number}"]
)
def test_a_gateway_that_is_none_of_the_switch_is_unaffected(watched: Watched, dial_string: str) -> None:
    watched.store.gateways[1] = evolve(GATEWAY, dial_string=dial_string)
    watched.switch.sip = [sip(status="DOWN")]
    watched.run(10, 0.05)
    assert len(watched.switch.submitted) > 90


@pytest.mark.parametrize("name", ["carrier", "external::carrier"])
def test_it_is_known_by_both_of_its_names(watched: Watched, name: str) -> None:
    watched.store.gateways[1] = evolve(GATEWAY, dial_string=f"Sofia/Gateway/{name}/{{number}}")
    watched.switch.sip = [sip(status="DOWN")]
    watched.run(0.5)
    watched.switch.submitted.clear()
    watched.run(3)
    assert not watched.switch.submitted


def test_others_are_told_again_each_minute_while_it_is_down_and_once_that_it_is_back(watched: Watched) -> None:
    watched.switch.sip = [sip(status="DOWN")]
    watched.run(200, 0.1)
    assert 3 <= len(watched.told) <= 5
    watched.switch.sip = [sip()]
    watched.run(60, 0.1)
    assert [cause for _, cause in watched.told].count("") == 1


def test_what_a_switch_had_told_before_it_went_away_holds_until_it_is_back_and_tells_anew(watched: Watched) -> None:
    watched.switch.sip = [sip(status="DOWN")]
    watched.run(1)
    told = list(watched.told)
    watched.switch.ready = False
    watched.run(INTERVAL + 1, 0.05)
    watched.switch.ready = True
    watched.through()
    watched.run(0.5)
    assert not watched.through()
    assert watched.told == told
    watched.switch.sip = [sip()]
    watched.watch.switch_up(watched.switch)
    watched.run(0.5)
    assert watched.through()
    assert [cause for _, cause in watched.told[len(told) :]] == [""]


def test_a_switch_that_cannot_tell_any_more_says_neither_that_it_is_down_nor_that_it_is_up(watched: Watched) -> None:
    watched.switch.sip = [sip(status="DOWN")]
    watched.run(1)
    told = list(watched.told)
    watched.switch.sip = None
    watched.watch.switch_up(watched.switch)
    watched.run(2)
    assert watched.through()
    assert watched.told == told


def test_news_of_a_switch_in_a_row_are_one_question(watched: Watched) -> None:
    watched.run(1)
    asked = []
    ask = watched.switch.sip_gateways
    with mock.patch.object(MemorySwitch, "sip_gateways", lambda _: (asked.append(1), ask())[1]):
        for _ in range(20):
            watched.watch.look_soon(watched.switch)
        watched.run(1)
    assert len(asked) == 1


def test_an_answer_that_does_not_come_is_no_reason_not_to_ask_again(watched: Watched) -> None:
    lost = mock.Mock(side_effect=lambda _: fail(SwitchUnavailable("sofia", "lost", sent=True)))
    with mock.patch.object(MemorySwitch, "sip_gateways", lambda self: lost(self)):
        watched.run(12, 0.05)
    assert lost.call_count == 3
    watched.switch.sip = [sip(status="DOWN")]
    watched.run(INTERVAL + 1, 0.05)
    assert watched.told
