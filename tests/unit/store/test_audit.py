"""The audit names each kind of damage, and a repair mends what a program can decide; on both kinds of database."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dialer.errors import StoreError
from dialer.store.audit import EXAMPLES, Audit, Finding, Repair, audit, repair
from dialer.store.connection import Dialect
from dialer.store.invariants import INVARIANTS
from dialer.store.location import opened
from dialer.store.lock import DiallingLock, holder
from dialer.store.maintenance import LOCKS, MAINTENANCE
from dialer.store.node_statements import CLOCK
from dialer.store.times import from_column, to_column
from tests.postgresql import SUPERUSER, Server
from tests.unit.store.damage import AT, Damaged

NOW = from_column(AT) + timedelta(seconds=1)
NEXT_YEAR = to_column(NOW + timedelta(days=365))


compares_schemas = pytest.mark.usefixtures("schemas_are_compared")
"""For a test of what the schema may be, or of an audit as a whole. In others it is that of the template: on a server, to make
another one to compare it with takes longer than all the rest of the audit."""


@pytest.fixture
def schemas_are_compared() -> None:
    """What `compares_schemas` asks for."""


@pytest.fixture(autouse=True)
def _rows_alone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "schemas_are_compared" not in request.fixturenames:
        monkeypatch.setattr("dialer.store.audit.differences", lambda _: [])


@pytest.fixture(params=list(Dialect))
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Damaged]:
    if request.param is Dialect.SQLITE:
        yield Damaged.in_file(tmp_path)
    else:
        with Damaged.on_server(request.getfixturevalue("postgres_server")) as found:
            yield found


@pytest.fixture
def file(tmp_path: Path) -> Damaged:
    return Damaged.in_file(tmp_path)


@pytest.fixture
def server(postgres_server: Server) -> Iterator[Damaged]:
    with Damaged.on_server(postgres_server) as found:
        yield found


def look(here: Damaged) -> Audit:
    return audit(here.url, NOW)


def mend(here: Damaged) -> list[Repair]:
    return repair(here.url, NOW)


def only(here: Damaged) -> Finding:
    (finding,) = look(here).findings
    return finding


def named(here: Damaged) -> set[str]:
    return {finding.name for finding in look(here).findings}


def is_now(column: str) -> bool:
    """A server has a clock of its own, and `NOW` is when the tests began."""
    return NOW - timedelta(minutes=10) < from_column(column) < datetime.now(UTC) + timedelta(minutes=10)


@contextmanager
def dialer_at_work(here: Damaged) -> Iterator[None]:
    if here.dialect is Dialect.SQLITE:
        lock = DiallingLock(here.path)
        lock.acquire()
        yield
        lock.release()
    else:
        with opened(here.url) as connection:
            connection.execute("SELECT pg_advisory_lock_shared(?, ?)", (LOCKS, MAINTENANCE))
            yield


@compares_schemas
def test_a_database_in_use_is_clean(here: Damaged) -> None:
    here.call(1, 1)
    here.attempt(2, 2, "BUSY")
    here.sql("UPDATE subscriber SET count_attempt = 1 WHERE id = 2")
    here.sql("UPDATE subscriber SET status = 2, ready_at = NULL WHERE id = 3")
    found = look(here)
    assert (found.findings, found.open_attempts, found.notes) == ((), 1, ())


@compares_schemas
def test_looking_changes_nothing(here: Damaged) -> None:
    here.sql("UPDATE subscriber SET status = 6 WHERE id = 1")
    before = everything(here)
    look(here)
    assert everything(here) == before


def everything(here: Damaged) -> object:
    if here.dialect is Dialect.SQLITE:
        return here.path.read_bytes()
    return here.sql("SELECT id, status, xmin::text FROM subscriber ORDER BY id"), here.sql("SELECT nspname FROM pg_namespace")


# --- claims -----------------------------------------------------------------------------------------------------------------


def test_a_claim_without_an_attempt_becomes_ready_now_and_is_not_counted(here: Damaged) -> None:
    here.sql("UPDATE subscriber SET status = 6, ready_at = NULL WHERE id IN (2, 3)")
    finding = only(here)
    assert (finding.name, finding.count, finding.repairable) == ("claim-without-attempt", 2, True)
    assert finding.examples == ("subscriber 2 (1002) of campaign 1", "subscriber 3 (1003) of campaign 1")
    assert [done.rows for done in mend(here)] == [2]
    assert look(here).findings == ()
    status, wish, ready_at, count_attempt = here.subscriber(2)
    assert (status, wish, count_attempt) == (1, None, 0)
    assert is_now(ready_at)


def test_a_claim_without_an_attempt_gets_the_status_that_a_user_wished(here: Damaged) -> None:
    here.sql("UPDATE subscriber SET status = 6, requested_status = 3 WHERE id = 1")
    mend(here)
    assert here.subscriber(1) == (3, None, None, 0)


def test_a_repair_never_lets_a_contact_be_called_that_was_reached_or_has_no_attempt_left(here: Damaged) -> None:
    here.attempt(1, 1, "ANSWERED")
    here.attempt(2, 2, "BUSY")
    here.attempt(3, 2, "NO_ANSWER", number=2)
    here.sql("UPDATE subscriber SET status = 6 WHERE id IN (1, 2)")
    assert named(here) == {"claim-without-attempt", "wrong-count-of-attempts"}
    mend(here)
    assert look(here).findings == ()
    assert here.subscriber(1) == (5, None, None, 1)
    assert here.subscriber(2) == (4, None, None, 2)


def test_an_open_attempt_claims_its_subscriber_again_and_stays_open(here: Damaged) -> None:
    here.attempt(1, 1)
    here.attempt(2, 2)
    here.sql("UPDATE subscriber SET status = 5, ready_at = NULL WHERE id = 2")
    finding = only(here)
    assert (finding.name, finding.count) == ("attempt-without-claim", 2)
    assert finding.examples[0] == "attempt 1 of subscriber 1 (1001), whose status is 1"
    mend(here)
    found = look(here)
    assert (found.findings, found.open_attempts) == ((), 2)
    status, wish, ready_at, _ = here.subscriber(1)
    assert (status, wish, from_column(ready_at)) == (6, None, from_column(AT))
    assert here.subscriber(2)[:2] == (6, 5)


def test_a_finished_subscriber_is_ready_at_no_time(here: Damaged) -> None:
    here.sql("UPDATE subscriber SET status = 5 WHERE id = 1")
    assert only(here).name == "finished-and-ready"
    mend(here)
    assert look(here).findings == ()
    assert here.subscriber(1) == (5, None, None, 0)


# --- attempts ---------------------------------------------------------------------------------------------------------------


@compares_schemas
def test_two_open_attempts_to_a_number_are_named_and_left_to_the_dialer(here: Damaged) -> None:
    here.sql("DROP INDEX attempt_open_identity")
    here.call(1, 1)
    here.attempt(2, 1)
    assert named(here) == {"two-open-attempts", "schema"}
    (finding,) = [finding for finding in look(here).findings if finding.name == "two-open-attempts"]
    assert finding.examples == ("1001: attempts 1, 2",)
    assert mend(here) == []


def test_attempts_are_counted_again(here: Damaged) -> None:
    here.attempt(1, 1, "BUSY")
    here.attempt(2, 1, "CONGESTION", counts=0, number=2)
    here.sql("UPDATE subscriber SET count_attempt = 3 WHERE id = 2")
    finding = only(here)
    assert finding.name == "wrong-count-of-attempts"
    assert finding.examples == ("subscriber 1 (1001): 0 instead of 1", "subscriber 2 (1002): 3 instead of 0")
    mend(here)
    assert look(here).findings == ()
    assert (here.subscriber(1)[3], here.subscriber(2)[3]) == (1, 0)


def test_attempts_are_numbered_again_those_that_do_not_count_like_the_next_one(here: Damaged) -> None:
    here.attempt(1, 1, "CONGESTION", counts=0, number=1)
    here.attempt(2, 1, "BUSY", number=1)
    here.attempt(3, 1, number=3)
    here.attempt(4, 2, number=1)
    here.sql("UPDATE subscriber SET status = 6, count_attempt = 2 - id WHERE id IN (1, 2)")
    finding = only(here)
    assert (finding.name, finding.examples) == ("wrong-number-of-attempt", ("attempt 3 of subscriber 1: 3 instead of 2",))
    assert [done.rows for done in mend(here)] == [1]
    assert here.sql("SELECT number_of_attempt FROM attempt ORDER BY id") == [(1,), (1,), (2,), (1,)]
    assert look(here).findings == ()


def test_an_attempt_that_could_be_sent_next_year_can_be_sent_until_now(here: Damaged) -> None:
    here.call(1, 1)
    here.call(2, 2)
    here.sql("UPDATE attempt SET planned_at = ?, due_at = ?, deadline = ? WHERE id = 1", *[NEXT_YEAR] * 3)
    finding = only(here)
    assert (finding.name, finding.count) == ("attempt-from-the-future", 1)
    assert finding.examples[0].startswith("attempt 1 (1001): ")
    mend(here)
    assert look(here).findings == ()
    assert all(is_now(moment) for moment in here.sql("SELECT planned_at, due_at, deadline FROM attempt WHERE id = 1")[0])


def test_an_open_attempt_to_a_number_that_must_not_be_called_is_named(here: Damaged) -> None:
    here.call(1, 1)
    here.call(2, 2)
    hour_ago = to_column(from_column(AT) - timedelta(hours=1))
    here.sql(
        "INSERT INTO do_not_call (list_id, number, created_at, identity) "
        "VALUES (1, '1001', ?, '1001'), (1, '1002', ?, '1002')",
        hour_ago,
        AT,
    )
    assert only(here).name == "forbidden-attempt"
    assert only(here).examples == ("attempt 1 (1001), call call-1",)
    assert not only(here).repairable


def test_an_attempt_of_another_number_is_named(here: Damaged) -> None:
    here.call(1, 1)
    here.sql("UPDATE attempt SET identity = '999'")
    assert only(here).examples == ("attempt 1 (999, campaign 1) of subscriber 1 (1001, campaign 1)",)
    assert not only(here).repairable


# --- counts and paces -------------------------------------------------------------------------------------------------------


def test_counts_of_subscribers_are_counted_again(here: Damaged) -> None:
    here.miscount(1, 9)
    here.miscount(5, 2)
    finding = only(here)
    assert finding.examples == ("campaign 1, status 1: 9 instead of 4", "campaign 1, status 5: 2 instead of 0")
    mend(here)
    assert look(here).findings == ()
    assert here.sql("SELECT status, subscribers FROM subscriber_count WHERE subscribers <> 0") == [(1, 4)]
    here.sql("UPDATE subscriber SET status = 2, ready_at = NULL WHERE id = 1")
    assert look(here).findings == ()


def test_counts_that_are_gone_are_there_again(file: Damaged) -> None:
    file.sql("DELETE FROM subscriber_count WHERE status = 7")
    assert only(file).examples == ("campaign 1, status 7: nothing instead of 0",)
    mend(file)
    assert look(file).findings == ()


def test_statistics_are_counted_again_and_keep_what_was_deleted(here: Damaged) -> None:
    for key, disposition in enumerate(("BUSY", "BUSY", "NO_ANSWER", "BUSY"), start=1):
        here.attempt(key, key, disposition)
    here.sql("DELETE FROM attempt WHERE id = 4")
    here.sql("UPDATE subscriber SET count_attempt = 1 WHERE id < 4")
    assert look(here).findings == ()
    kept = here.statistics()
    here.miscount_attempts("BUSY", 7)
    here.miscount_attempts("NO_ANSWER", 0)
    finding = only(here)
    assert (finding.name, finding.count, finding.repairable) == ("wrong-statistics", 2, True)
    assert finding.examples[0].startswith("campaign 1, hour ")
    assert finding.examples[0].endswith(
        ", gateway 1, attempt no. 1, BUSY, X: the rows are -5 attempts, 0 that count and 0 ms more than was counted"
    )
    mend(here)
    assert look(here).findings == ()
    assert here.statistics() == kept


def test_statistics_that_are_gone_are_there_again(here: Damaged) -> None:
    here.attempt(1, 1, "BUSY", counts=0)
    kept = here.statistics()
    here.forget_attempts()
    assert only(here).examples[0].endswith(": the rows are 1 attempts, 0 that count and 0 ms more than was counted")
    mend(here)
    assert (here.statistics(), look(here).findings) == (kept, ())


@pytest.mark.parametrize("table", ["campaign", "gateway"])
def test_what_would_call_nobody_before_next_year_may_call_now(here: Damaged, table: str) -> None:
    here.sql(f"UPDATE {table} SET next_call_at = ?", to_column(NOW + timedelta(seconds=60)))
    assert look(here).findings == ()
    here.sql(f"UPDATE {table} SET next_call_at = ?", NEXT_YEAR)
    finding = only(here)
    assert (finding.name, finding.count) == (f"{table}-held-back", 1)
    mend(here)
    assert look(here).findings == ()
    assert here.sql(f"SELECT next_call_at FROM {table}") == [(None,)]


# --- references -------------------------------------------------------------------------------------------------------------


def test_a_subscriber_of_a_phonebook_that_is_not_the_campaigns_is_named(here: Damaged) -> None:
    here.sql("DELETE FROM campaign_phonebook")
    assert (only(here).name, only(here).count) == ("left-behind", 4)


def test_a_subscriber_whose_contact_has_another_number_is_named(here: Damaged) -> None:
    here.sql("UPDATE contact SET identity = '77' WHERE id = 3")
    assert only(here).examples == ("subscriber 3 (1003) of campaign 1, contact 3 (77)",)


def tell(here: Damaged, attempt: int) -> None:
    here.sql(
        "INSERT INTO event (kind, version, at, sequence, campaign_id, attempt_id, call_uuid, data) "
        "VALUES ('attempt.ended', 1, ?, 5, 1, ?, 'call', '{}')",
        AT,
        attempt,
    )


def test_an_event_about_an_open_attempt_is_named(here: Damaged) -> None:
    here.call(1, 1)
    tell(here, 1)
    assert only(here).examples == ("event 1 about attempt 1",)


def test_an_end_that_is_told_twice_is_named(here: Damaged) -> None:
    here.attempt(1, 1, "CONGESTION", counts=0)
    here.attempt(2, 2, "CONGESTION", counts=0)
    for attempt in (1, 1, 2):
        tell(here, attempt)
    assert (only(here).name, only(here).examples) == ("double-event", ("attempt 1: events: 2",))


def test_an_installation_without_its_id_is_named(here: Damaged) -> None:
    here.sql("DELETE FROM installation")
    assert only(here).name == "no-installation"


# --- several nodes ----------------------------------------------------------------------------------------------------------


def test_attempts_of_a_name_that_is_no_node_are_named_on_a_server(server: Damaged) -> None:
    server.call(1, 1)
    server.call(2, 2)
    server.sql("UPDATE attempt SET owner = 'gone'")
    assert (only(server).name, only(server).examples) == ("attempt-of-nobody", ("gone: open attempts: 2",))
    assert mend(server) == []


def test_in_a_file_any_name_will_do_because_the_next_start_takes_over_all(file: Damaged) -> None:
    file.call(1, 1)
    file.sql("UPDATE attempt SET owner = 'gone'")
    file.sql("UPDATE node SET lease_until = '2020-01-01 00:00:00.000000'")
    assert look(file).findings == ()


def test_attempts_of_a_node_that_is_long_dead_are_named_with_its_switch(server: Damaged) -> None:
    server.call(1, 1)
    server.sql(f"UPDATE node SET lease_until = {CLOCK} - interval '9 minutes'")
    assert look(server).findings == ()
    server.sql(f"UPDATE node SET lease_until = {CLOCK} - interval '11 minutes', seen_at = {CLOCK} - interval '12 minutes'")
    assert only(server).name == "attempts-left"
    assert only(server).examples == ("here (process 4711 on host): heard of 12 min ago, switch fs1:8021, open attempts: 1",)
    server.sql("DELETE FROM attempt")
    server.sql("UPDATE subscriber SET status = 1")
    assert look(server).findings == ()


def test_a_lease_of_a_year_ends_now(server: Damaged) -> None:
    server.sql("UPDATE node SET lease_until = ?", NEXT_YEAR)
    assert only(server).name == "endless-lease"
    mend(server)
    assert look(server).findings == ()
    assert is_now(server.sql("SELECT lease_until FROM node")[0][0])


# --- the schema and the file ------------------------------------------------------------------------------------------------


@compares_schemas
def test_a_missing_trigger_is_named(here: Damaged) -> None:
    where = "" if here.dialect is Dialect.SQLITE else " ON subscriber"
    here.sql(f"DROP TRIGGER subscriber_changed{where}")
    assert [example.split()[-1] for example in only(here).examples] == ["missing"]
    assert "subscriber_changed" in only(here).examples[0]


@compares_schemas
@pytest.mark.parametrize(
    ("change", "example"),
    [
        ("DROP INDEX attempt_open_owner", "index attempt_open_owner of attempt is missing"),
        ("DROP TABLE number_pattern", "table number_pattern is missing"),
        ("DROP TABLE event_consumer", "table event_consumer is missing"),
        ("ALTER TABLE gateway DROP CONSTRAINT gateway_status", "constraint gateway_status of gateway is missing"),
        ("ALTER TABLE gateway ALTER hostname DROP NOT NULL", "column hostname of gateway differs"),
        ("ALTER TABLE campaign ALTER frequency TYPE integer", "column frequency of campaign differs"),
        ("ALTER TABLE contact DROP COLUMN email", "column email of contact is missing"),
        ("ALTER TABLE subscriber DISABLE TRIGGER subscriber_changed", "trigger subscriber_changed of subscriber differs"),
        ("DROP VIEW subscriber_count; CREATE VIEW subscriber_count AS SELECT id AS campaign_id, 1 AS status, 0 AS subscribers "
         "FROM campaign", "view subscriber_count differs"),
        ("CREATE OR REPLACE FUNCTION subscriber_stays() RETURNS TRIGGER LANGUAGE plpgsql AS 'BEGIN RETURN new; END'",
         "function subscriber_stays differs"),
    ],
)  # fmt: skip
def test_each_part_of_a_servers_schema_that_is_missing_or_differs_is_named(server: Damaged, change: str, example: str) -> None:
    server.sql(change)
    (finding,) = [finding for finding in look(server).findings if finding.name == "schema"]
    assert finding.examples == (example,)


@compares_schemas
def test_a_part_without_which_nothing_can_be_asked_is_named_all_the_same(here: Damaged) -> None:
    here.sql("DROP TABLE event")
    schema, unusable = look(here).findings
    assert (schema.name, unusable.name) == ("schema", "unusable")
    assert "event" in schema.examples[0]


@compares_schemas
def test_what_an_admin_has_added_to_the_schema_is_no_finding(server: Damaged) -> None:
    server.sql("CREATE INDEX mine ON contact (last_name)")
    server.sql("CREATE TABLE notes (text TEXT)")
    server.sql("ALTER TABLE attempt SET (fillfactor = 60)")
    assert look(server).findings == ()


@compares_schemas
def test_a_backup_that_was_restored_is_as_clean_as_the_database_that_it_is_of(
    postgres_server: Server, server: Damaged
) -> None:
    server.call(1, 1)
    restored = Damaged(postgres_server.new_database())
    dump = [postgres_server.programs / "pg_dump", "--format=custom", server.url]
    restore = [postgres_server.programs / "pg_restore", "--no-owner", f"--dbname={restored.url}"]
    backup = subprocess.run(dump, check=True, capture_output=True).stdout
    subprocess.run(restore, check=True, input=backup)
    found = look(restored)
    postgres_server.drop_database(restored.url)
    assert (found.findings, found.notes, found.open_attempts) == ((), (), 1)


@compares_schemas
def test_where_the_schema_cannot_be_compared_everything_else_is(postgres_server: Server, server: Damaged) -> None:
    name = server.url.rpartition("/")[2]
    owner = Damaged(server.url.replace("//dialer@", f"//{SUPERUSER}@"))
    owner.sql(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
    owner.sql(f'ALTER DATABASE "{name}" OWNER TO {SUPERUSER}')
    owner.sql(f'GRANT CONNECT ON DATABASE "{name}" TO dialer')
    server.sql("UPDATE subscriber SET status = 5 WHERE id = 1")
    found = look(server)
    assert [finding.name for finding in found.findings] == ["finished-and-ready"]
    (note,) = found.notes
    assert "permission denied for database" in note
    assert [done.name for done in mend(server)] == ["finished-and-ready"]


@compares_schemas
def test_a_server_that_only_reads_can_be_audited(server: Damaged) -> None:
    server.sql("ALTER ROLE dialer SET default_transaction_read_only = on")
    try:
        server_found = look(server)
    finally:
        Damaged(server.url.replace("//dialer@", f"//{SUPERUSER}@")).sql("ALTER ROLE dialer RESET ALL")
    assert server_found.findings == ()
    assert "read-only transaction" in server_found.notes[0]


@compares_schemas
def test_a_row_that_refers_to_nothing_is_named_and_nothing_is_repaired(file: Damaged) -> None:
    file.sql("DELETE FROM contact WHERE id = 2")
    file.sql("UPDATE subscriber SET status = 6 WHERE id = 1")
    finding = next(finding for finding in look(file).findings if finding.name == "damaged")
    assert finding.examples == ("row 2 of subscriber refers to a row of contact that does not exist",)
    assert mend(file) == []
    assert file.subscriber(1)[0] == 6


@compares_schemas
def test_a_damaged_page_is_named(file: Damaged) -> None:
    file.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(file.path.read_bytes())
    content[4096 * 2 : 4096 * 30] = b"\xff" * (4096 * 28)
    file.path.write_bytes(content)
    assert named(file) & {"damaged", "unusable"}


@compares_schemas
def test_a_database_that_is_not_there_or_of_another_schema_is_a_finding(here: Damaged) -> None:
    here.sql("DELETE FROM schema_version WHERE version > 1")
    found = look(here)
    assert [finding.name for finding in found.findings] == ["unusable"]
    assert "run the upgrade command" in found.findings[0].remedy
    assert found.open_attempts is None
    assert audit(here.url + "x", NOW).findings[0].name == "unusable"


@compares_schemas
def test_a_server_that_does_not_answer_is_a_finding_without_its_password() -> None:
    (finding,) = audit("postgresql://ann:secret@127.0.0.1:1/dialer", NOW).findings
    assert "dialer at 127.0.0.1:1 does not answer" in finding.remedy
    assert "secret" not in finding.remedy


def test_examples_are_few_and_the_count_is_whole(here: Damaged) -> None:
    for key in range(10, 17):
        here.sql(
            "INSERT INTO do_not_call (list_id, number, created_at, identity) VALUES (1, ?, '2020-01-01 00:00:00.000000', ?)",
            str(key),
            str(key),
        )
        here.sql("INSERT INTO gateway SELECT ?, ?, '', 'LOCAL', '', '', '', '', '', NULL, NULL, NULL, 1, ?, ?, ?, '{}'",
                 key, f"g{key}", AT, AT, NEXT_YEAR)  # fmt: skip
    assert (len(only(here).examples), only(here).count) == (EXAMPLES, 7)


# --- dialers at work --------------------------------------------------------------------------------------------------------


@compares_schemas
def test_no_repair_beside_a_dialer(here: Damaged) -> None:
    here.sql("UPDATE subscriber SET status = 6 WHERE id = 1")
    with dialer_at_work(here), pytest.raises(StoreError, match="dialer"):
        mend(here)
    assert here.subscriber(1)[0] == 6
    mend(here)
    assert here.subscriber(1)[0] == 1


@compares_schemas
def test_looking_beside_a_dialer_is_allowed_and_names_it(here: Damaged) -> None:
    assert look(here).at_work is None
    here.sql("UPDATE node SET lease_until = ?", to_column(datetime.now(UTC) + timedelta(minutes=5)))
    with dialer_at_work(here):
        found = look(here)
    assert found.findings == ()
    assert found.at_work is not None
    assert "process" in found.at_work


@compares_schemas
def test_a_repair_does_not_wait_for_ever_for_somebody_elses_transaction(server: Damaged) -> None:
    server.sql("UPDATE subscriber SET status = 5 WHERE id = 1")
    with opened(server.url) as other:
        other.execute("UPDATE subscriber SET free_retries = 1 WHERE id = 2")
        with pytest.raises(StoreError, match="lock timeout"):
            mend(server)
        other.rollback()
    assert [done.name for done in mend(server)] == ["finished-and-ready"]


@compares_schemas
def test_who_dials_is_told_and_asking_leaves_nothing_behind(file: Damaged) -> None:
    assert holder(file.path) is None
    assert [path.name for path in file.path.parent.glob("*.lock")] == []
    lock = DiallingLock(file.path)
    lock.acquire()
    assert (holder(file.path) or "").isdigit()
    lock.release()
    assert holder(file.path) is None


# --- grants -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("links", "noun", "thing", "option"),
    [("gateway_user", "gateway", "carrier", "--gateway"), ("user_voip_app", "voip app", "hello", "--voip-app")],
)
def test_a_campaign_that_uses_what_its_user_was_not_granted_is_named_and_left_to_an_admin(
    here: Damaged, links: str, noun: str, thing: str, option: str
) -> None:
    here.sql(f"DELETE FROM {links}")
    finding = only(here)
    assert (finding.name, finding.count) == (f"ungranted-{noun.replace(' ', '-')}", 1)
    assert finding.examples == (f"campaign 1 (spring) of ann: {noun} 1 ({thing})",)
    assert option in finding.remedy
    assert mend(here) == []
    here.sql("UPDATE user_account SET is_superuser = 1")
    assert look(here).findings == ()
    here.sql("UPDATE user_account SET is_superuser = 0")
    here.sql("UPDATE campaign SET archived_at = created_at")
    assert look(here).findings == ()


@pytest.mark.parametrize(
    ("links", "column", "noun", "thing"),
    [("gateway_user", "gateway_id", "gateway", "carrier"), ("user_voip_app", "voip_app_id", "voip app", "hello")],
)
def test_a_grant_of_a_user_who_was_removed_is_removed(here: Damaged, links: str, column: str, noun: str, thing: str) -> None:
    here.sql(
        "INSERT INTO user_account (id, username, password_hash, is_superuser, is_active, created_at, archived_at) "
        f"VALUES (2, 'bob', '', 0, 0, '{AT}', '{AT}')"
    )
    here.sql(f"INSERT INTO {links} (user_id, {column}) VALUES (2, 1)")
    finding = only(here)
    assert (finding.name, finding.repairable) == (f"lost-{noun.replace(' ', '-')}-grant", True)
    assert finding.examples == (f"user 2 (bob): {noun} 1 ({thing})",)
    assert [done.rows for done in mend(here)] == [1]
    assert look(here).findings == ()
    assert here.sql(f"SELECT user_id FROM {links}") == [(1,)]


def test_a_grant_of_what_is_not_there_is_named(file: Damaged) -> None:
    file.sql("INSERT INTO gateway_user (user_id, gateway_id) VALUES (1, 77), (88, 1)")
    assert named(file) == {"damaged", "lost-gateway-grant"}
    (finding,) = [finding for finding in look(file).findings if finding.name == "lost-gateway-grant"]
    assert finding.examples == (
        "user 1 (ann): gateway 77, which is not there",
        "user 88, who is not there: gateway 1 (carrier)",
    )


def test_a_second_leg_of_an_attempt_that_has_ended_is_over(here: Damaged) -> None:
    here.attempt(1, 1, "BUSY", counts=0)
    here.sql("UPDATE attempt SET second_gateway_id = 1")
    finding = only(here)
    assert (finding.name, finding.examples) == ("left-second-leg", ("attempt 1 (1001): gateway 1",))
    mend(here)
    assert look(here).findings == ()
    assert here.sql("SELECT second_gateway_id FROM attempt") == [(None,)]


def test_each_invariant_has_a_name_of_its_own() -> None:
    names = [rule.name for rule in INVARIANTS]
    assert len(set(names)) == len(names)


def test_a_caller_name_of_an_earlier_version_that_the_switch_would_decode_is_named(here: Damaged) -> None:
    here.sql("UPDATE campaign SET name = 'fruit', rules = ?", '{"caller_name": "50% apples"}')
    finding = only(here)
    assert (finding.name, finding.count, finding.repairable) == ("caller-name", 1, False)
    assert finding.examples[0].startswith("campaign 1 (fruit): the caller name '50% apples' may not contain '% a'")
    assert "--caller-name" in finding.remedy
    here.sql("UPDATE campaign SET rules = ?", '{"caller_name": "50 per cent"}')
    assert look(here).findings == ()
