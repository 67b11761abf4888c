"""The audit names each kind of damage, and a repair mends what a program can decide."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dialer.errors import StoreError
from dialer.store.audit import EXAMPLES, Finding, audit, repair
from dialer.store.invariants import INVARIANTS
from dialer.store.lock import DiallingLock, holder
from tests.unit.store.damage import AT, Damaged

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
NOW_COLUMN = "2026-11-24 09:00:00.000000"


@pytest.fixture
def here(tmp_path: Path) -> Damaged:
    return Damaged(tmp_path)


def only(here: Damaged) -> Finding:
    (finding,) = audit(here.url).findings
    return finding


def named(here: Damaged) -> set[str]:
    return {finding.name for finding in audit(here.url).findings}


def test_a_database_in_use_is_clean(here: Damaged) -> None:
    here.call(1, 1)
    here.attempt(2, 2, "BUSY")
    here.sql("UPDATE subscriber SET count_attempt = 1 WHERE id = 2")
    here.sql("UPDATE subscriber SET status = 2, ready_at = NULL WHERE id = 3")
    found = audit(here.url)
    assert (found.findings, found.open_attempts) == ((), 1)


def test_looking_changes_nothing(here: Damaged) -> None:
    here.sql("UPDATE subscriber SET status = 6 WHERE id = 1")
    before = here.path.read_bytes()
    audit(here.url)
    assert here.path.read_bytes() == before


def test_a_claim_without_an_attempt_becomes_ready_now_and_is_not_counted(here: Damaged) -> None:
    here.sql("UPDATE subscriber SET status = 6 WHERE id IN (2, 3)")
    finding = only(here)
    assert (finding.name, finding.count, finding.repairable) == ("claim-without-attempt", 2, True)
    assert finding.examples == ("subscriber 2 (1002) of campaign 1", "subscriber 3 (1003) of campaign 1")
    assert [done.rows for done in repair(here.url, NOW)] == [2]
    assert audit(here.url).findings == ()
    assert here.subscriber(2) == (1, None, NOW_COLUMN, 0)


def test_a_claim_without_an_attempt_gets_the_status_that_a_user_wished(here: Damaged) -> None:
    here.sql("UPDATE subscriber SET status = 6, wanted_status = 3 WHERE id = 1")
    repair(here.url, NOW)
    assert here.subscriber(1) == (3, None, None, 0)


def test_a_repair_never_lets_a_contact_be_called_that_was_reached_or_has_no_attempt_left(here: Damaged) -> None:
    here.attempt(1, 1, "ANSWERED")
    here.attempt(2, 2, "BUSY")
    here.attempt(3, 2, "NO_ANSWER")
    here.sql("UPDATE subscriber SET status = 6 WHERE id IN (1, 2)")
    assert named(here) == {"claim-without-attempt", "wrong-count-of-attempts"}
    repair(here.url, NOW)
    assert audit(here.url).findings == ()
    assert here.subscriber(1) == (5, None, None, 1)
    assert here.subscriber(2) == (4, None, None, 2)


def test_an_open_attempt_claims_its_subscriber_again_and_stays_open(here: Damaged) -> None:
    here.attempt(1, 1)
    here.attempt(2, 2)
    here.sql("UPDATE subscriber SET status = 5, ready_at = NULL WHERE id = 2")
    finding = only(here)
    assert (finding.name, finding.count) == ("attempt-without-claim", 2)
    assert finding.examples[0] == "attempt 1 of subscriber 1 (1001), whose status is 1"
    repair(here.url, NOW)
    found = audit(here.url)
    assert (found.findings, found.open_attempts) == ((), 2)
    assert here.subscriber(1) == (6, None, AT, 0)
    assert here.subscriber(2)[:2] == (6, 5)


def test_two_open_attempts_to_a_number_are_named_and_left_to_the_dialer(here: Damaged) -> None:
    here.sql("DROP INDEX attempt_open_number")
    here.call(1, 1)
    here.attempt(2, 1)
    assert named(here) == {"two-open-attempts", "schema"}
    (finding,) = [finding for finding in audit(here.url).findings if finding.name == "two-open-attempts"]
    assert finding.examples == ("1001: attempts 1, 2",)
    assert repair(here.url, NOW) == []


def test_counts_of_subscribers_are_counted_again(here: Damaged) -> None:
    here.sql("UPDATE subscriber_count SET subscribers = 9 WHERE status = 1")
    here.sql("DELETE FROM subscriber_count WHERE status = 7")
    finding = only(here)
    assert finding.examples == (
        "campaign 1, status 1: 9 instead of 4",
        "campaign 1, status 7: nothing instead of 0",
    )
    repair(here.url, NOW)
    assert audit(here.url).findings == ()
    assert here.sql("SELECT sum(subscribers) FROM subscriber_count") == [(4,)]


def test_attempts_are_counted_again(here: Damaged) -> None:
    here.attempt(1, 1, "BUSY")
    here.attempt(2, 1, "CONGESTION", counts=0)
    here.sql("UPDATE subscriber SET count_attempt = 3 WHERE id = 2")
    finding = only(here)
    assert finding.name == "wrong-count-of-attempts"
    assert finding.examples == ("subscriber 1 (1001): 0 instead of 1", "subscriber 2 (1002): 3 instead of 0")
    repair(here.url, NOW)
    assert audit(here.url).findings == ()
    assert (here.subscriber(1)[3], here.subscriber(2)[3]) == (1, 0)


def test_a_finished_subscriber_is_ready_at_no_time(here: Damaged) -> None:
    here.sql("UPDATE subscriber SET status = 5 WHERE id = 1")
    assert only(here).name == "finished-and-ready"
    repair(here.url, NOW)
    assert audit(here.url).findings == ()
    assert here.subscriber(1) == (5, None, None, 0)


def test_an_attempt_of_another_number_is_named(here: Damaged) -> None:
    here.call(1, 1)
    here.sql("UPDATE attempt SET number = '999'")
    assert only(here).examples == ("attempt 1 (999, campaign 1) of subscriber 1 (1001, campaign 1)",)
    assert not only(here).repairable


def test_a_subscriber_of_a_phonebook_that_is_not_the_campaigns_is_named(here: Damaged) -> None:
    here.sql("DELETE FROM campaign_phonebook")
    assert (only(here).name, only(here).count) == ("foreign-subscriber", 4)


def test_a_subscriber_whose_contact_has_another_number_is_named(here: Damaged) -> None:
    here.sql("UPDATE contact SET number = '77' WHERE id = 3")
    assert only(here).examples == ("subscriber 3 (1003) of campaign 1, contact 3 (77)",)


def test_a_delivery_about_an_open_attempt_is_named(here: Damaged) -> None:
    here.call(1, 1)
    here.sql(
        "INSERT INTO outbox (kind, campaign_id, attempt_id, payload, status, tries, created_at, due_at, last_error) "
        "VALUES ('attempt.finished', 1, 1, '{}', 'due', 0, ?, ?, '')",
        AT,
        AT,
    )
    assert only(here).examples == ("delivery 1 about attempt 1",)


def test_a_row_that_refers_to_nothing_is_named_and_nothing_is_repaired(here: Damaged) -> None:
    here.sql("DELETE FROM contact WHERE id = 2")
    here.sql("UPDATE subscriber SET status = 6 WHERE id = 1")
    finding = next(finding for finding in audit(here.url).findings if finding.name == "damaged")
    assert finding.examples == ("row 2 of subscriber refers to a row of contact that does not exist",)
    assert repair(here.url, NOW) == []
    assert here.subscriber(1)[0] == 6


def test_a_missing_trigger_is_named(here: Damaged) -> None:
    here.sql("DROP TRIGGER subscriber_changed")
    assert only(here).examples == ("subscriber_changed is missing",)


def test_a_damaged_page_is_named(here: Damaged) -> None:
    here.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(here.path.read_bytes())
    content[4096 * 2 : 4096 * 30] = b"\xff" * (4096 * 28)
    here.path.write_bytes(content)
    assert named(here) & {"damaged", "unusable"}


def test_a_database_that_is_not_there_or_of_another_schema_is_a_finding(here: Damaged) -> None:
    here.sql("DELETE FROM schema_version WHERE version > 1")
    found = audit(here.url)
    assert [finding.name for finding in found.findings] == ["unusable"]
    assert "run the upgrade command" in found.findings[0].remedy
    assert found.open_attempts is None
    assert audit(here.url + "x").findings[0].name == "unusable"


def test_examples_are_few_and_the_count_is_whole(here: Damaged) -> None:
    here.sql("DELETE FROM subscriber_count")
    assert (len(only(here).examples), only(here).count) == (EXAMPLES, 7)


def test_no_repair_beside_a_dialer(here: Damaged) -> None:
    here.sql("UPDATE subscriber SET status = 6 WHERE id = 1")
    lock = DiallingLock(here.path)
    lock.acquire()
    with pytest.raises(StoreError, match="another dialer"):
        repair(here.url, NOW)
    lock.release()
    assert here.subscriber(1)[0] == 6


def test_who_dials_is_told_and_asking_leaves_nothing_behind(here: Damaged) -> None:
    assert holder(here.path) is None
    assert [path.name for path in here.path.parent.glob("*.lock")] == []
    lock = DiallingLock(here.path)
    lock.acquire()
    assert (holder(here.path) or "").isdigit()
    lock.release()
    assert holder(here.path) is None


def test_each_invariant_has_a_name_of_its_own() -> None:
    names = [rule.name for rule in INVARIANTS]
    assert len(set(names)) == len(names)
