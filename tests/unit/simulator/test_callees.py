"""Callees are scripts, chosen by number or by lot."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from dialer.simulator.callees import CALLEES, DEFAULT_MIX, Act, NumberPlan, parse_callee, parse_mix, parse_pattern


def acts(text: str, scale: float = 1.0) -> list[tuple[float, Act]]:
    return [(step.after, step.act) for step in parse_callee(text).steps(random.Random(1), scale)]


def test_answering_callee_rings_answers_types_and_hangs_up() -> None:
    assert acts("answers:ring=1,talk=5,digits=12,digits_after=2") == [
        (0.0, Act.RING),
        (1.0, Act.ANSWER),
        (2.0, Act.TYPE),
        (3.0, Act.HANG_UP),
    ]


def test_times_are_stretched_and_drawn_from_their_range() -> None:
    assert acts("answers:ring=2,talk=4", 0.5)[1:] == [(1.0, Act.ANSWER), (2.0, Act.HANG_UP)]
    (_, (ring, _), _) = acts("answers:ring=1-3,talk=1")
    assert 1 <= ring <= 3


@pytest.mark.parametrize(
    ("name", "heard"),
    [
        ("busy", [Act.REFUSE]),
        ("no_answer", [Act.RING]),
        ("stays", [Act.RING, Act.ANSWER]),
        ("rejected_ringing", [Act.RING, Act.REFUSE]),
        ("early_media:talk=forever", [Act.EARLY_MEDIA, Act.ANSWER]),
        ("never_replies", []),
        ("gateway_down", []),
    ],
)
def test_callee_does_what_its_name_says(name: str, heard: list[Act]) -> None:
    assert [act for _, act in acts(name) if act is not Act.RING or Act.RING in heard] == heard


def test_first_pattern_that_matches_decides_and_others_get_the_mix() -> None:
    plan = NumberPlan((parse_pattern("55*=busy"), parse_pattern("5*=no_answer")), parse_mix("rejected=1"))
    names = [plan.callee_for(number, random.Random(1)).name for number in ("5512", "512", "9")]
    assert names == ["busy", "no_answer", "rejected"]


def test_mix_follows_its_weights_and_its_seed() -> None:
    plan = NumberPlan((), parse_mix("[answers:ring=1,talk=2]=3,busy=1"))
    rng, again = random.Random(5), random.Random(5)
    drawn = [plan.callee_for("1", rng).name for _ in range(400)]
    assert 250 <= Counter(drawn)["answers"] <= 350
    assert drawn == [plan.callee_for("1", again).name for _ in range(400)]


def test_default_mix_has_mostly_answers_and_some_of_everything() -> None:
    weights = {callee.name: weight for callee, weight in parse_mix(DEFAULT_MIX)}
    assert weights["answers"] > sum(weights.values()) / 2
    assert {"busy", "no_answer", "rejected", "invalid", "machine", "congested"} <= set(weights)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nobody", "no such callee 'nobody'"),
        ("answers:speed=3", "bad setting 'speed=3'"),
        ("answers:ring", "bad setting 'ring'"),
        ("answers:ring=x", "bad setting 'ring=x'"),
        ("answers:ring=3-1", "bad setting 'ring=3-1'"),
        ("answers:talk=-1", "bad setting 'talk=-1'"),
    ],
)
def test_unknown_callee_or_setting_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_callee(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the mix is empty"),
        ("busy=0", "the mix is empty"),
        ("busy", "expected SCRIPT=WEIGHT"),
        ("busy=x", "expected SCRIPT=WEIGHT"),
        ("busy=-1", "expected SCRIPT=WEIGHT"),
        ("nobody=1", "no such callee"),
    ],
)
def test_mix_that_makes_no_sense_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_mix(text)


def test_pattern_without_script_is_refused() -> None:
    with pytest.raises(ValueError, match="PATTERN=SCRIPT"):
        parse_pattern("555")


def test_every_refusal_has_a_sip_status() -> None:
    assert all(callee.sip_status >= 400 for callee in CALLEES.values() if callee.cause)
