"""The judge sees each broken promise, and nothing in a good run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from attrs import evolve

from tests.chaos.called_side import Refusal, read_log
from tests.chaos.campaign import Rules
from tests.harness.called_side import SeenCall
from tests.harness.campaign import PlayedCallerId, StoredAttempt, StoredContact
from tests.harness.judge import Evidence, Kind, judge

RULES = Rules(max_retry=1, interval=6)
NUMBER = "15550000001"


def call(uuid: str, at: float, number: str = NUMBER, **more: object) -> SeenCall:
    """An INVITE that rings for a second, and is not answered."""
    return SeenCall(uuid, number, at, **{"rang_at": at + 0.1, "ended_at": at + 1.0, **more})


def attempt(uuid: str, at: float, number: str = NUMBER, **more: object) -> StoredAttempt:
    row = {"state": "ended", "owner": "a", "ended_at": at + 1.0, "cause": "NO_ANSWER", "core_uuid": "core"}
    return StoredAttempt(
        uuid=uuid, number=number, **{"planned_at": at - 0.1, "due_at": at, "deadline": at + 3.0, **row, **more}
    )


GOOD = Evidence(
    rules=RULES,
    calls=[call("u1", 100.0), call("u2", 110.0)],
    attempts=[attempt("u1", 100.0), attempt("u2", 110.0), attempt("u9", 104.0, "15550000002", cause="LATE")],
    contacts=[
        StoredContact(number=NUMBER, status=4, ready_at=None, count_attempt=2, counted=2),
        StoredContact(number="15550000002", status=1, ready_at=130.0, count_attempt=0, counted=0),
    ],
    expected=2,
    at=120.0,
)


def seen(*calls: SeenCall) -> Evidence:
    return evolve(GOOD, calls=calls)


def stored(**changed: object) -> Evidence:
    """The second attempt is another one."""
    return evolve(GOOD, attempts=[GOOD.attempts[0], attempt("u2", 110.0, **changed), GOOD.attempts[2]])


def answered_before() -> Evidence:
    """The first attempt has reached somebody."""
    return evolve(GOOD, attempts=[evolve(GOOD.attempts[0], disposition="ANSWERED"), *GOOD.attempts[1:]])


def contact(**changed: object) -> Evidence:
    """The first contact is another one."""
    return evolve(GOOD, contacts=[evolve(GOOD.contacts[0], **changed), GOOD.contacts[1]])


def test_a_good_run_breaks_nothing():
    assert judge(GOOD) == []


@pytest.mark.parametrize(
    ("evidence", "told"),
    [
        (seen(call("u1", 100.0), call("u1", 110.0)), "attempt u1 rang 2 times"),
        (seen(call("u1", 100.0), call("u2", 110.0), call("u9", 118.0)), "rang 3 times, and 2 are allowed"),
        (seen(call("u1", 100.0), call("u2", 100.5)), "while the call u1 to it was live"),
        (seen(call("u1", 100.0, ended_at=None), call("u2", 110.0)), "while the call u1 to it was live"),
        (seen(call("u1", 100.0), call("u2", 106.0)), "was called again 5.0 s after it had rung, not 6"),
        (stored(ended_at=109.0), "1.00 s after its attempt u2 had ended"),
        (stored(deadline=109.0), "1.00 s after the deadline"),
        (stored(cause="NOT_SENT"), "was called, and its attempt u2 ended as NOT_SENT"),
        (stored(planned_at=111.0), "1.00 s before its attempt u2 was planned"),
        (answered_before(), "was called as u2 although u1 counts as answered"),
    ],
)
def test_a_duplicate_is_seen(evidence, told):
    broken = judge(evidence)
    assert any(one.kind is Kind.DUPLICATE and told in one.text for one in broken), broken


@pytest.mark.parametrize(
    ("evidence", "told"),
    [
        (evolve(GOOD, attempts=GOOD.attempts[1:]), "u1, of which the database knows nothing"),
        (seen(call("u1", 100.0), call("u2", 110.0, ended_at=None)), "is still up"),
        (stored(ended_at=None, cause=None, state="adrift"), "is still adrift"),
        (evolve(GOOD, expected=3), "of 3 contacts, 2 are in the campaign"),
        (contact(status=6), "has the status 6"),
        (contact(status=1, ready_at=121.0), "has the status 1 after 2 attempts"),
        (contact(status=1, ready_at=301.0, count_attempt=1), "is not ready before 301.0"),
        (contact(count_attempt=1), "1 attempts in its count and 2 in the table"),
        (contact(status=5), "counts as reached, and nobody answered"),
        (evolve(GOOD, at=None), "15550000002 has the status 1 after 0 attempts"),
    ],
)
def test_what_is_lost_is_seen(evidence, told):
    broken = judge(evidence)
    assert any(one.kind is Kind.LOST and told in one.text for one in broken), broken


def test_a_contact_that_is_charged_for_a_call_that_was_never_made_is_seen_unless_the_switch_died():
    evidence = evolve(stored(cause="UNKNOWN", counts=True), calls=[call("u1", 100.0)])
    (broken,) = judge(evidence)
    assert broken.text == f"{NUMBER} was charged for the attempt u2 (UNKNOWN), and was never called"
    assert judge(evolve(evidence, deaths=[110.5])) == []
    assert judge(evolve(evidence, deaths=[112.0])) == [broken]


def test_a_call_that_died_with_the_switch_and_counts_as_unknown_is_seen():
    evidence = evolve(stored(cause="UNKNOWN"), calls=[call("u1", 100.0), call("u2", 110.0, died=True)])
    assert [(one.kind, "died with the switch" in one.text) for one in judge(evidence)] == [(Kind.OTHER, True)]


def test_a_call_whose_switch_stayed_away_longer_than_it_could_last_may_be_unknown():
    calls = [call("u1", 100.0), call("u2", 110.0, died=True)]
    longest = 113.0 + RULES.call_timeout + RULES.max_duration
    for ended_at, seen in ((longest - 1.0, True), (longest + 1.0, False)):
        broken = judge(evolve(stored(cause="UNKNOWN", ended_at=ended_at), calls=calls, at=longest + 10.0))
        assert any("died with the switch" in one.text for one in broken) is seen


def test_attempts_that_are_due_too_soon_after_one_another_are_seen():
    (broken,) = judge(stored(due_at=104.02))
    assert "were due 20.0 ms apart, not 40.0" in broken.text
    assert judge(stored(due_at=104.04)) == []


def test_a_call_that_rings_not_at_all_needs_no_pause_before_the_next():
    assert judge(seen(call("u1", 100.0, rang_at=None, ended_at=109.0), call("u2", 110.0))) == []


# --- what calls show, and whom they may reach -------------------------------------------------------------------------------

A, B, RESTS = "+12125550001", "+12125550002", "+12125550003"
DAY = 86_400.0
MADE = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
NOON = MADE.timestamp()
POOLED = evolve(
    RULES,
    made_at=MADE,
    caller_ids=(
        PlayedCallerId(number=A, cap=2, first=1),
        PlayedCallerId(number=B),
        PlayedCallerId(number=RESTS, hindrance="rests"),
    ),
)


def showing(*shown: tuple[float, str, str]) -> Evidence:
    """A good run whose calls, at so many seconds, to a contact, showed a number."""
    made = [(f"c{index}", NOON + at, f"1555000{to}", number) for index, (at, to, number) in enumerate(shown)]
    return evolve(
        GOOD,
        rules=POOLED,
        calls=[call(uuid, at, to, caller=number) for uuid, at, to, number in made],
        attempts=[attempt(uuid, at, to, caller=number) for uuid, at, to, number in made],
        contacts=[],
        expected=0,
    )


@pytest.mark.parametrize(
    ("evidence", "told"),
    [
        (showing((0, "1", A), (9, "2", A)), f"2 calls of 2026-11-23 showed {A}, and 1 may"),
        (showing(*((DAY + 9 * n, str(n), A) for n in range(3))), f"3 calls of 2026-11-24 showed {A}, and 2 may"),
        (showing((0, "1", RESTS)), f"was shown {RESTS}, which rests"),
        (showing((0, "1", "+4930555")), "was shown +4930555, which is none of the pool"),
        (showing((0, "1", "")), "was shown no number, which is none of the pool"),
        (showing((0, "1", B), (9, "1", A)), f"shows {A}, and the one before {B}"),
        (showing((0, "1", A), (DAY, "1", B)), f"shows {B}, and the one before {A}"),
    ],
)
def test_a_number_that_should_not_have_been_shown_is_seen(evidence, told):
    (broken,) = judge(evidence)
    assert told in broken.text


def test_a_contact_may_be_shown_another_number_when_its_own_has_its_calls_of_the_day():
    assert judge(showing((0, "1", A), (9, "1", B), (DAY, "2", A), (DAY + 9, "3", A))) == []


def test_a_call_that_shows_another_number_than_its_attempt_is_seen():
    evidence = showing((0, "1", A))
    (broken,) = judge(evolve(evidence, attempts=[evolve(evidence.attempts[0], caller=B)]))
    assert f"was shown {A}, and its attempt c0 has {B}" in broken.text


def test_an_attempt_to_a_number_that_had_been_listed_is_seen():
    assert judge(evolve(GOOD, listed={NUMBER: 109.95})) == []
    (broken,) = judge(evolve(GOOD, listed={NUMBER: 105.0}))
    assert f"the attempt u2 to {NUMBER} was begun 4.90 s after the number had been listed" == broken.text


def test_a_contact_that_is_blocked_is_lost_unless_its_number_was_listed():
    blocked = contact(status=7)
    assert any("has the status 7" in one.text for one in judge(blocked))
    assert judge(evolve(blocked, listed={NUMBER: 115.0})) == []


def test_more_attempts_than_the_rules_let_are_seen():
    assert judge(evolve(GOOD, rules=evolve(RULES, attempts=2))) == []
    (broken,) = judge(evolve(GOOD, rules=evolve(RULES, attempts=1)))
    assert broken.text == f"{NUMBER} was called 2 times within 10.0 s, and 1 times are allowed in 60"


# --- the log ----------------------------------------------------------------------------------------------------------------


def write(path: Path, *lines: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def line(at: float, what: str, uuid: str = "u1", **more: object) -> dict[str, object]:
    return {"at": at, "what": what, "uuid": uuid, "number": NUMBER, **more}


def test_calls_without_an_end_have_died_with_their_switch(tmp_path):
    first = write(
        tmp_path / "1", line(1.0, "invited"), line(1.5, "rang"), line(2.0, "invited", "u2"), line(3.0, "ended", "u2")
    )
    second = write(tmp_path / "2", line(9.0, "invited", "u3"), line(9.5, "answered", "u3"))
    log = read_log([(first, 5.0), (second, None)])
    assert [(one.uuid, one.ended_at, one.died, one.rang) for one in log.calls] == [
        ("u1", 5.0, True, True),
        ("u2", 3.0, False, False),
        ("u3", None, False, True),
    ]


def test_what_the_switch_refused_is_no_call(tmp_path):
    log = read_log([(write(tmp_path / "1", {"at": 1.0, "what": "refused", "uuid": "u1", "cause": "LOSE_RACE"}), None)])
    assert (log.calls, log.refusals) == ([], [Refusal(1.0, "u1", "LOSE_RACE")])


def test_a_switch_that_was_asked_for_nothing_has_no_log(tmp_path):
    assert read_log([(tmp_path / "1", 5.0)]).calls == []
