"""The judge sees each broken promise, and nothing in a good run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from attrs import evolve

from tests.chaos.called_side import Refusal, read_log
from tests.chaos.campaign import Rules
from tests.harness.called_side import SeenCall
from tests.harness.campaign import StoredAttempt, StoredContact
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
