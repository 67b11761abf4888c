"""Trunks on a real FreeSWITCH: one that refuses us, one that is down, one that is offered certain codecs."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.grounds import rows
from tests.real.campaign import Rules
from tests.real.pinged_gateway import pinged_gateway
from tests.real.stage import Stage, needs
from tests.real.trunk import trunk

pytestmark = [needs("CALLEES"), pytest.mark.timeout(300)]

log = logging.getLogger(__name__)

CONTACTS = 12
RULES = Rules(contacts=CONTACTS, max_retry=0)


@contextmanager
def calling(folder: Path, url: str, dial_string: str, **gateway: Any) -> Iterator[Stage]:
    """A dialer that calls through a gateway with these settings."""
    with Stage(folder, url, RULES) as stage:
        rows(url, "UPDATE gateway SET dial_string = ?, rules = ?", dial_string, json.dumps(gateway))
        node = stage.node()
        node.start()
        stage.until_ready(node)
        yield stage


def contacts(stage: Stage) -> list[tuple[int, int]]:
    return stage.campaign.rows("SELECT status, count_attempt FROM subscriber")


@pytest.mark.parametrize("status", [401, 403, 488])
def test_a_trunk_that_refuses_us_has_its_campaign_paused_charges_nobody_and_all_are_called_once_it_is_mended(
    url: str, tmp_path: Path, status: int
) -> None:
    with trunk() as far, calling(tmp_path, url, f"sofia/external/{{number}}@127.0.0.1:{far.port}", pause_after=4) as stage:
        far.status = status
        [node] = stage.nodes
        paused = "campaign WHERE status = 2"
        stage.until(lambda: stage.campaign.count(paused) == 1, 60.0, "the campaign is not paused")
        [(reason,)] = stage.campaign.rows("SELECT pause_reason FROM campaign")
        log.info("%s after %d calls", reason, len(far.numbers))
        assert reason.startswith("gateway carrier refused 4 calls in a row (")
        assert ("MANDATORY_IE_MISSING" if status == 401 else f"SIP {status}") in reason  # FreeSWITCH has no password for it
        explained = node.command("why", "played")
        assert reason in explained.stdout, explained
        stage.until(lambda: set(contacts(stage)) == {(1, 0)}, 20.0, f"contacts are charged: {contacts(stage)}")
        called = len(far.numbers)
        stage.wait(3.0, 4.0)
        assert len(far.numbers) == called
        far.status = 486
        assert node.command("campaign", "resume", "played").returncode == 0
        stage.until_finished()
        assert set(contacts(stage)) == {(4, 1)}
        assert stage.campaign.rows("SELECT status, pause_reason FROM campaign") == [(1, "")]


@pytest.mark.parametrize(
    ("codecs", "offered"), [("PCMA", (8,)), ("PCMA,PCMU", (8, 0)), ("PCMU@8000h@20i", (0,)), ("", (0, 8))]
)
def test_a_gateways_codecs_are_those_of_the_offer(url: str, tmp_path: Path, codecs: str, offered: tuple[int, ...]) -> None:
    with trunk() as far, calling(tmp_path, url, f"sofia/external/{{number}}@127.0.0.1:{far.port}", codecs=codecs) as stage:
        stage.until(lambda: len(far.offers) >= 3, 30.0, "nobody is called")
        # Beside the codecs, comfort noise (13) and the keys (RFC 4733) are offered.
        assert {tuple(number for number in offer if number < 96 and number != 13) for offer in far.offers} == {offered}


def test_a_gateway_that_the_switch_finds_down_is_not_called_through_until_it_does(url: str, tmp_path: Path) -> None:
    with trunk() as far, Stage(tmp_path, url, RULES) as stage, pinged_gateway(stage, far) as gateway:
        gateway.take_down()
        rows(url, "UPDATE gateway SET dial_string = ?", gateway.dial_string)
        node = stage.node()
        node.start()
        stage.until_ready(node)
        down = "gateway carrier is down, as the switch tells"
        stage.until(lambda: any(down in line.text for line in node.log()), 20.0, "the dialer does not find it down")
        begun = stage.campaign.count("attempt")
        stage.wait(5.0, 6.0)
        assert stage.campaign.count("attempt") == begun
        assert far.numbers == []
        assert stage.campaign.count("told_state WHERE noun = 'gateway'") == 1
        gateway.bring_up()
        stage.until(lambda: bool(far.numbers), 5.0, "nobody is called")
        stage.until_finished()
        assert stage.campaign.count("told_state WHERE noun = 'gateway'") == 0
