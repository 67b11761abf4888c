"""Two dialers on one database and one FreeSWITCH; one is frozen past its lease with originates in its socket, and woken.

What these tests need is told in `tests/real/stage.py`. Their figures are logged: `--log-cli-level=info`.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from attrs import frozen

from tests.harness.network import Link, Network
from tests.harness.node import Node
from tests.real.campaign import Rules
from tests.real.node import LEASE
from tests.real.stage import Stage, needs
from tests.real.switch import until_event

pytestmark = [needs("CALLEES"), pytest.mark.timeout(600)]

ORIGINATE: Final = re.compile(rb"origination_uuid=([0-9a-f-]{36}).*?strepoch\(\)\} >= (\d+)")
"""An originate on the wire: the call's UUID, and the second from which on the switch refuses it."""

HELD = 3
"""Originates that are at least under way when the dialer is frozen."""

log = logging.getLogger(__name__)


@frozen
class Freezing:
    """A campaign that two dialers call; `frozen` has originates in its socket, which are `held`: UUID, and deadline in the
    switch's clock."""

    stage: Stage
    frozen: Node
    survivor: Node
    link: Link
    held: Mapping[str, int]

    def until_taken_over(self) -> None:
        """Wait until the survivor owns what the frozen one had."""
        mine = f"attempt WHERE owner = '{self.frozen.name}' AND ended_at IS NULL"
        self.stage.until(lambda: not self.stage.campaign.count(mine), 3 * LEASE, "the survivor has not taken over")

    def until_late(self) -> None:
        """Wait until the switch refuses what is held."""
        time.sleep(max(max(self.held.values()) + 1 - time.time(), 0.0))

    def release(self) -> Mapping[str, str]:
        """Let the bytes arrive; what FreeSWITCH answers to each of them."""
        with closing(self.stage.switch.listen("BACKGROUND_JOB")) as peer:
            self.link.heal()
            answers: dict[str, str] = {}
            while not self.held.keys() <= answers.keys():
                event = until_event(peer, 10, Event_Name="BACKGROUND_JOB")
                answers[event["Job-UUID"]] = event["_body"].strip()
            return {uuid: answers[uuid] for uuid in self.held}

    def invited(self) -> Iterable[str]:
        """Those of the held calls that the callees have seen."""
        return sorted({call.uuid for call in self.stage.evidence().calls} & self.held.keys())

    def settle(self) -> None:
        """Nothing may be broken at the end."""
        broken = self.stage.settle()
        log.info("held %d; %s", len(self.held), self.stage.figures())
        assert broken == [], "\n".join(map(str, broken))
        rescued = [line for line in self.survivor.log() if line.fields.get("kind") == "rescued"]
        assert {line.fields["call"] for line in rescued} >= self.held.keys()


@pytest.fixture
def freezing(shared: str, tmp_path: Path) -> Iterator[Freezing]:
    """The one that is frozen has sent its originates a moment ago."""
    with Stage(tmp_path, shared, rules=Rules(contacts=150)) as stage, Network() as network:
        link = network.link(stage.switch.port, 0)
        nodes = [stage.node("a", link.switch_port), stage.node("b")]
        for node in nodes:
            node.start()
        stage.until_ready(*nodes)
        stage.until_calling(*nodes)
        link.hold()
        stage.until(lambda: len(originates(link.held())) >= HELD, 10, "nothing is sent")
        nodes[0].freeze()
        yield Freezing(stage, nodes[0], nodes[1], link, originates(link.held()))


def originates(data: bytes) -> dict[str, int]:
    """The originates in some bytes: UUID, and deadline in the switch's clock."""
    return {uuid.decode(): int(deadline) for uuid, deadline in ORIGINATE.findall(data)}


def test_freeswitch_refuses_what_a_frozen_dialer_sends_too_late(freezing: Freezing) -> None:
    freezing.until_taken_over()
    freezing.until_late()
    assert set(freezing.release().values()) == {"-ERR LOSE_RACE"}
    freezing.frozen.thaw()
    freezing.settle()
    assert freezing.invited() == []


def test_freeswitch_refuses_what_was_in_the_socket_of_a_dialer_that_woke_before(freezing: Freezing) -> None:
    freezing.until_taken_over()
    freezing.until_late()
    freezing.frozen.thaw()
    time.sleep(1.0)
    assert set(freezing.release().values()) == {"-ERR LOSE_RACE"}
    freezing.settle()
    assert freezing.invited() == []


def test_what_arrives_before_its_deadline_rings_once_and_is_the_survivors(freezing: Freezing) -> None:
    freezing.until_taken_over()
    assert min(freezing.held.values()) > time.time() + 1, "the survivor was too slow to show anything"
    freezing.link.heal()
    freezing.stage.until(lambda: freezing.invited() == sorted(freezing.held), 5, "not all of them are dialled")
    time.sleep(LEASE)
    freezing.frozen.thaw()
    freezing.settle()
    assert {attempt.owner for attempt in freezing.stage.campaign.attempts() if attempt.uuid in freezing.held} == {"b"}
