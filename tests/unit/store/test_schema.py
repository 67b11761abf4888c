"""The schema: how it comes into being, which one is refused, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import stat
import tempfile
from contextlib import closing, contextmanager
from datetime import time
from importlib import resources
from pathlib import Path

import pytest
from pony import orm

from dialer.errors import StoreError
from dialer.model import Campaign, UnknownPolicy
from dialer.store.connection import Dialect
from dialer.store.entities import make_entities
from dialer.store.location import dialect_of, opened, sqlite_path, sqlite_url
from dialer.store.lock import DiallingLock
from dialer.store.postgresql import Provider, connect_arguments
from dialer.store.schema import Upgrade, check, rendered, upgrade, upgrades
from dialer.store.schema_diff import differences
from dialer.stored import load_rules
from tests.grounds import TABLES, bare_database, dump, furnished_database, rows, script
from tests.seeding import LISTED, SEED, T

NOBODY = 65534
NEWEST = upgrades()[-1].version
EVENTS = f"""
INSERT INTO event VALUES (1, 'k', 1, '{T}', 1, 1, 1, 2, 1, 'one', '{{}}');
INSERT INTO event_consumer VALUES (1, 'c', '*', 0, '', NULL, NULL, '{T}');
INSERT INTO webhook VALUES (1, 1, 'https://a.example/', '*', NULL, 1, 's', '', NULL, 'active', '', 0, NULL, '{T}');
INSERT INTO webhook_delivery VALUES (1, 1, '[1]', 'one', 'due', 0, NULL, NULL, NULL, '', '{T}', '{T}');
INSERT INTO import_job VALUES (1, 1, 1, 'a', 'csv', '', '', '{{}}', '', 1, 0, 'queued', '', 1, 0, 0, 0, 0, 0, 0, '{{}}',
    'f', 'n', '', NULL, 0, '{T}', NULL, NULL, NULL, 'keep', 0, 0, '[]', '');
"""
OUTBOX = f"""
INSERT INTO outbox VALUES (1, 'attempt.finished', 1, 1, '{{}}', 'due', 2, '{T}', '{T}', NULL, 'away'),
    (2, 'attempt.finished', 1, 1, '{{}}', 'delivered', 0, '{T}', '{T}', '{T}', '');
"""
"""Of a schema before 10."""


def another_attempt(call_uuid: str, number: str) -> str:
    return (
        "INSERT INTO attempt (call_uuid, campaign_id, subscriber_id, gateway_id, number, dial_string, number_of_attempt, "
        f"state, owner, epoch, core_uuid, planned_at, due_at, deadline, identity) VALUES "
        f"('{call_uuid}', 1, 1, 1, '{number}', 'x', 1, 'planned', 'here', 1, '', '{T}', '{T}', '{T}', '{number}')"
    )


REFUSED = [
    "INSERT INTO installation VALUES (2, '0123456789abcdef', '', '')",
    "UPDATE user_account SET password_hash = 'plain'",
    "UPDATE user_account SET max_frequency = 0",
    "UPDATE gateway SET status = 2",
    "UPDATE gateway SET failover_id = 1",
    "UPDATE gateway SET failover_id = 77",
    "UPDATE voip_app SET type = 5",
    "UPDATE campaign SET status = 0",
    "UPDATE campaign SET frequency = 0",
    "UPDATE campaign SET rules = '{'",
    "UPDATE campaign SET draft = 2",
    "UPDATE contact SET reference = 'the same'",
    "UPDATE campaign SET starting_at = '2026-11-23'",
    "UPDATE campaign SET gateway_id = 77",
    "DELETE FROM campaign",
    "UPDATE contact SET number = 'abc' WHERE id = 1",
    "UPDATE contact SET number = '200' WHERE id = 1",
    "UPDATE contact SET additional_vars = '{' WHERE id = 1",
    "UPDATE subscriber SET status = 8 WHERE id = 1",
    "UPDATE subscriber SET ready_at = NULL WHERE id = 1",
    "UPDATE subscriber SET requested_status = 2 WHERE id = 1",
    "UPDATE subscriber SET requested_status = 6 WHERE id = 2",
    "UPDATE subscriber SET count_attempt = -1 WHERE id = 1",
    "UPDATE subscriber SET number = '101' WHERE id = 1",
    "UPDATE attempt SET state = 'thinking'",
    "UPDATE attempt SET state = 'ended'",
    f"UPDATE attempt SET ended_at = '{T}'",
    f"UPDATE attempt SET state = 'ended', ended_at = '{T}', cause = 'X', counts_as_attempt = 1, duration_ms = 0",
    "UPDATE attempt SET disposition = 'BUSY'",
    "UPDATE attempt SET ring_ms = -1",
    "UPDATE attempt SET session = '{'",
    another_attempt("one", "100"),
    another_attempt("two", "200"),
    "UPDATE event SET kind = ''",
    "UPDATE event SET data = 'x'",
    "UPDATE event SET sequence = -1",
    "INSERT INTO event_consumer SELECT 2, name, '', 0, '', NULL, NULL, created_at FROM event_consumer",
    "UPDATE webhook SET user_id = 77",
    "UPDATE webhook SET url = ''",
    "UPDATE webhook SET kinds = ''",
    "UPDATE webhook SET secret = ''",
    "UPDATE webhook SET batch_size = 0",
    "UPDATE webhook SET status = 'asleep'",
    "UPDATE webhook SET position = -1",
    "UPDATE webhook_delivery SET events = '['",
    "UPDATE webhook_delivery SET status = 'lost'",
    "UPDATE webhook_delivery SET tries = -1",
    "UPDATE import_job SET user_id = 77",
    "UPDATE import_job SET format = 'xlsx'",
    "UPDATE import_job SET mapping = '{'",
    f"UPDATE import_job SET state = 'lost', ended_at = '{T}'",
    "UPDATE import_job SET state = 'finished'",
    f"UPDATE import_job SET ended_at = '{T}'",
    "UPDATE import_job SET taken = -1",
    "UPDATE import_job SET list_id = 1",
    "UPDATE import_job SET phonebook_id = NULL",
    "UPDATE import_job SET doubles = 'both'",
    "UPDATE import_job SET changed = 1",
    "UPDATE import_job SET sample = '['",
    "UPDATE import_job SET errors_left_out = -1",
    "INSERT INTO import_error (import_id, content) VALUES (77, '')",
    "UPDATE import_job SET file = ''",
    "INSERT INTO do_not_call (list_id, number, identity, created_at) SELECT 1, 'x', 'x', created_at FROM do_not_call",
    "UPDATE user_account SET role = 'king'",
    f"INSERT INTO page_session (user_id, secret_hash, proof, created_at, seen_at) VALUES (1, 'x', '{'x' * 64}', '{T}', '{T}')",
    f"INSERT INTO audit_entry VALUES (1, '{T}', 1, '', '', '', '', '{{}}')",
    f"INSERT INTO audit_entry VALUES (1, '{T}', 1, '', '', 'a', '', '{{')",
    "UPDATE do_not_call SET list_id = 77",
    "UPDATE do_not_call_list SET campaign_id = 1",
    "UPDATE do_not_call_list SET name = ''",
    "UPDATE contact SET consent_basis = 'perhaps'",
    "UPDATE campaign SET consent = 'perhaps'",
]


@pytest.fixture
def url(database_kind, tmp_path: Path) -> str:
    return bare_database(tmp_path)


@pytest.fixture
def furnished(url: str) -> str:
    upgrade(url)
    script(url, SEED + EVENTS + LISTED)
    return url


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return sqlite_path(bare_database(tmp_path))


@contextmanager
def unwritable_folder():
    """A folder in which this process may not write, root included: it is somebody else meanwhile."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield folder
    finally:
        os.seteuid(was)
        folder.chmod(0o700)
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()


def columns(url: str) -> dict[str, set[str]]:
    """The tables, and the columns of each."""
    found: dict[str, set[str]] = {}
    if dialect_of(url) is Dialect.SQLITE:
        listed = (
            "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table' "
            "AND t.name <> 'sqlite_sequence'"
        )
    else:
        listed = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    for table, column in rows(url, listed):
        found.setdefault(table, set()).add(column)
    return found


def bound(url: str) -> orm.Database:
    """The entities on a database."""
    db = orm.Database()
    make_entities(db)
    if dialect_of(url) is Dialect.SQLITE:
        db.bind(provider="sqlite", filename=str(sqlite_path(url)), create_db=False)
    else:
        db.bind(Provider, **connect_arguments(url, "test"))
    return db


# --- on both kinds ----------------------------------------------------------------------------------------------------------


def test_an_upgrade_makes_a_database_that_is_accepted(url):
    steps = upgrades(dialect_of(url))
    assert upgrade(url) == [step.version for step in steps]
    check(url)
    assert rows(url, "SELECT version, name FROM schema_version ORDER BY version") == [
        (step.version, step.name) for step in steps
    ]


def test_every_installation_has_an_id_of_its_own(url, tmp_path):
    found = set()
    for each in (url, bare_database(tmp_path / "other")):
        upgrade(each)
        ((installation,),) = rows(each, "SELECT installation_id FROM installation")
        assert re.fullmatch("[0-9a-f]{16}", installation)
        found.add(installation)
    assert len(found) == 2


def test_an_upgrade_of_an_up_to_date_database_does_nothing(furnished):
    before = dump(furnished)
    assert upgrade(furnished) == []
    assert dump(furnished) == before


@pytest.mark.parametrize("dialect", Dialect)
def test_upgrades_are_numbered_from_one_without_gaps(dialect):
    steps = upgrades(dialect)
    assert [step.version for step in steps] == list(range(1, len(steps) + 1))


def test_a_text_that_an_upgrade_names_is_inserted_with_the_words_behind_its_name():
    step = "-- {added}:\n    INSERT {0}\n    VALUES {1};\n-- end\nBEGIN\n  {added new 0}\n  {added old 1}\nEND;\n"
    expected = "BEGIN\n  INSERT new\n    VALUES 0;\n  INSERT old\n    VALUES 1;\nEND;\n"
    assert [rendered(step, dialect) for dialect in Dialect] == [expected] * 2


def test_both_kinds_of_database_have_the_same_upgrades():
    assert [(step.version, step.name) for step in upgrades(Dialect.SQLITE)] == [
        (step.version, step.name) for step in upgrades(Dialect.POSTGRESQL)
    ]
    files = [entry.name for entry in resources.files("dialer.store.upgrades").iterdir() if entry.name.endswith(".sql")]
    assert len(files) == len(upgrades())


OF_2026 = """
INSERT INTO campaign VALUES (1, 1, 'c', 'd', 2, '{T}', '{T}', '09:00:00', '17:30:00', 1, 1, 1, 1, 1, 0, 0, 'Europe/Madrid', 10,
    1800, 4, 301, 46, 1, 1, 'say "hello"', '+34600', 'Ana', 'never', 7, NULL, '{T}', '{T}');
"""
"""A campaign of schema 3, by its columns of then."""


def test_a_database_of_schema_3_keeps_everything(url):
    steps = upgrades(dialect_of(url))
    upgrade(url, steps[:3])
    then = SEED.replace("requested_status", "wanted_status").replace("free_retries", "count_requeue")
    then = re.sub(r", '\d+'\);", ");", then.replace(", identity)", ")"))
    then += f"INSERT INTO do_not_call (number, reason, created_at) VALUES ('300', 'asked', '{T}');"
    campaign = then[then.index("INSERT INTO campaign") : then.index("INSERT INTO phonebook")]
    script(url, then.replace(campaign, OF_2026.format(T=T)))
    end = "cause = 'X', disposition = 'BUSY', counts = 1, duration_ms = 5, record = '{}'"
    rows(url, f"UPDATE attempt SET state = 'ended', ended_at = '{T}', {end}")
    script(url, OUTBOX)
    later = ("campaign", "event", "event_consumer", "webhook", "webhook_delivery", "purged_attempts", "import_job")
    later += (
        "caller_id_pool",
        "caller_id",
        "caller_id_gateway",
        "caller_id_wait",
        "do_not_call",
        "do_not_call_list",
        "switch_drain",
    )
    kept = dump(url, [table for table in TABLES if table not in later])
    assert upgrade(url) == [step.version for step in steps[3:]]
    assert differences_of(url) == []
    after = dump(url)
    for table, found in kept.items():
        assert [row[: len(before)] for row, before in zip(after[table], found, strict=True)] == found
    ((name, retries, frequency, most, rules),) = rows(
        url, "SELECT name, max_retry, frequency, max_concurrent, rules FROM campaign"
    )
    assert (name, retries, frequency, most) == ("c", 4, 10, 7)
    found = load_rules(Campaign, rules)
    assert not found.damaged
    expected = {
        "daily_start": time(9), "daily_stop": time(17, 30), "weekdays": (True,) * 5 + (False,) * 2,
        "time_zone": "Europe/Madrid", "call_max_duration": 1800, "interval_retry": 301, "call_timeout": 46,
        "voip_app_data": 'say "hello"', "caller_id": "+34600", "caller_name": "Ana", "unknown_policy": UnknownPolicy.NEVER,
    }  # fmt: skip
    assert expected.items() <= found.values.items()  # a later setting has its default
    assert rows(url, "SELECT kind, sequence, user_id, campaign_id, contact_id, attempt_id, call_uuid, data FROM event") == [
        ("attempt.ended", 5, 1, 1, 2, 1, "one", "{}")
    ]
    entry = "SELECT list_id, number, identity, reason, created_at, expires_at, removed_at FROM do_not_call"
    assert rows(url, entry) == [(1, "300", "300", "asked", T, None, None)]
    assert rows(url, "SELECT name, kinds, position FROM event_consumer") == [("outcomes", "attempt.ended", 0)]
    ((counts, cdr),) = rows(url, "SELECT counts_as_attempt, pending_cdr FROM attempt")
    assert (counts, cdr) == (1, "{}")


def test_open_attempts_keep_the_switch_of_their_node(url):
    steps = upgrades(dialect_of(url))
    before = next(step.version for step in steps if step.name == "switches") - 1
    upgrade(url, steps[:before])
    script(url, SEED)
    node = f"'h', 1, '1', 'fs1:8021', 'core-1', 1, '{T}', '{T}', '{T}', 0, '{{}}')"
    script(
        url,
        "INSERT INTO node (name, epoch, host, pid, version, switch, core_uuid, ready, started_at, seen_at, lease_until, "
        f"commits, figures) VALUES ('here', 1, {node};",
    )
    upgrade(url)
    assert rows(url, "SELECT switch FROM attempt") == [("fs1:8021",)]
    ((switches,),) = rows(url, "SELECT switches FROM node")
    assert json.loads(switches) == {"fs1:8021": "core-1"}


def differences_of(url):
    with opened(url) as connection:
        found = differences(connection)
        connection.rollback()
    return found


BEFORE_GRANTS = f"""
INSERT INTO user_account (id, username, password_hash, is_superuser, is_active, created_at)
    VALUES (2, 'ben', '', 0, 1, '{T}');
INSERT INTO gateway (id, name, description, protocol, hostname, dial_string, removeprefix, addprefix, addparameter, status,
    created_at, updated_at) VALUES (2, 'h', '', 'SIP', 'h', '', '', '', '', 1, '{T}', '{T}');
INSERT INTO voip_app (id, name, description, type, data, created_at, updated_at) VALUES (2, 'w', '', 1, '', '{T}', '{T}');
INSERT INTO campaign (id, user_id, name, description, status, starting_at, expires_at, frequency, max_retry, gateway_id,
    voip_app_id, created_at, updated_at) VALUES (2, 2, 'd', '', 1, '{T}', '{T}', 10, 3, 1, 1, '{T}', '{T}'),
    (3, 2, 'e', '', 4, '{T}', '{T}', 10, 3, 1, 2, '{T}', '{T}');
INSERT INTO campaign (id, user_id, name, description, status, starting_at, expires_at, frequency, max_retry, gateway_id,
    voip_app_id, created_at, updated_at, archived_at)
    VALUES (4, 1, 'f', '', 3, '{T}', '{T}', 10, 3, 2, 2, '{T}', '{T}', '{T}');
"""


def test_after_an_upgrade_users_have_what_their_campaigns_use(url):
    steps = upgrades(dialect_of(url))
    upgrade(url, steps[:7])
    script(url, SEED + BEFORE_GRANTS)
    upgrade(url)
    assert rows(url, "SELECT user_id, gateway_id FROM gateway_user ORDER BY 1, 2") == [(1, 1), (2, 1)]
    assert rows(url, "SELECT user_id, voip_app_id FROM user_voip_app ORDER BY 1, 2") == [(1, 1), (2, 1), (2, 2)]
    assert rows(url, "SELECT max_number_campaign, max_frequency FROM user_account WHERE id = 2") == [(None, None)]
    assert differences_of(url) == []


def test_after_an_upgrade_superusers_are_admins_and_others_operators(url):
    steps = upgrades(dialect_of(url))
    page = next(step.version for step in steps if step.name == "page")
    upgrade(url, steps[: page - 1])
    script(url, SEED)
    rows(
        url,
        "INSERT INTO user_account (id, username, password_hash, is_superuser, is_active, created_at) "
        "VALUES (7, 'root', '', 1, 1, ?)",
        T,
    )
    upgrade(url)
    assert rows(url, "SELECT username, role FROM user_account ORDER BY 1") == [("ann", "operator"), ("root", "admin")]
    assert differences_of(url) == []


BEFORE_STATISTICS = f"""
INSERT INTO attempt (id, call_uuid, campaign_id, subscriber_id, gateway_id, number, dial_string, number_of_attempt, state,
    owner, epoch, core_uuid, planned_at, due_at, deadline, ended_at, cause, disposition, counts_as_attempt, duration_ms,
    talk_ms) VALUES
    (2, 'two', 1, 1, 1, '100', 'x', 1, 'ended', 'here', 1, '', '{T}', '{T}', '{T}', '{T}', 'X', 'BUSY', 1, 0, NULL),
    (3, 'three', 1, 1, 1, '100', 'x', 2, 'ended', 'here', 1, '', '2026-11-23 11:59:59.999999', '{T}', '{T}', '{T}', 'Y',
    'FAILED', 0, 0, 5),
    (4, 'four', 1, 1, 1, '100', 'x', 2, 'ended', 'here', 1, '', '2026-11-23 11:00:00.000000', '{T}', '{T}', '{T}', 'Y',
    'FAILED', 1, 0, 6);
"""


def test_after_an_upgrade_the_attempts_of_the_past_are_in_the_statistics(url):
    steps = upgrades(dialect_of(url))
    upgrade(url, steps[:13])
    script(url, SEED + BEFORE_STATISTICS)
    upgrade(url, steps[:14])
    kept = (
        "SELECT hour, gateway_id, number_of_attempt, disposition, cause, purged, attempts, counted, talk_ms "
        "FROM attempt_count ORDER BY hour"
    )
    assert rows(url, kept) == [
        (T, 1, 1, "BUSY", "X", 0, 1, 1, 0),
        ("2026-11-23 11:00:00.000000", 1, 2, "FAILED", "Y", 0, 2, 1, 11),
    ]
    rows(url, "DELETE FROM attempt")
    assert sum(row[6] for row in rows(url, f"{kept}, purged")) == 3
    rows(url, "DELETE FROM subscriber")
    rows(url, "DELETE FROM campaign")
    assert rows(url, kept) == []


def test_after_an_upgrade_a_reference_names_one_contact_of_its_phonebook(url):
    steps = upgrades(dialect_of(url))
    upgrade(url, steps[:16])
    script(url, SEED)
    rows(url, "UPDATE contact SET reference = 'A'")
    rows(url, f"UPDATE contact SET archived_at = '{T}' WHERE id = 1")
    for key in (3, 4):
        rows(
            url,
            "INSERT INTO contact (id, phonebook_id, number, first_name, last_name, email, description, additional_vars, "
            f"created_at, updated_at, identity, reference) VALUES ({key}, 1, '{key}00', '', '', '', '', '{{}}', '{T}', '{T}', "
            f"'{key}00', '{'A' if key == 3 else ''}')",
        )
    upgrade(url)
    found = rows(url, "SELECT id, reference FROM contact ORDER BY id")
    assert found == [(1, "A"), (2, "A"), (3, "A (contact 3)"), (4, "")]
    assert rows(url, "SELECT draft FROM campaign") == [(0,)]
    assert differences_of(url) == []


def test_after_an_upgrade_campaigns_that_are_paused_were_paused_by_somebody(url):
    upgrade(url, upgrades(dialect_of(url))[:25])
    script(url, SEED)
    rows(url, "UPDATE campaign SET status = 2")
    upgrade(url)
    assert rows(url, "SELECT status, pause_reason FROM campaign") == [(2, "")]
    assert differences_of(url) == []


def test_a_later_upgrade_keeps_what_is_there(furnished):
    more = [
        *upgrades(dialect_of(furnished)),
        Upgrade(version=NEWEST + 1, name="more", sql="ALTER TABLE contact ADD COLUMN language TEXT;\n"),
    ]
    assert upgrade(furnished, more) == [NEWEST + 1]
    assert rows(furnished, "SELECT number, language FROM contact ORDER BY number") == [("100", None), ("200", None)]
    check(furnished, more)


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(url):
    upgrade(url)
    before = columns(url)
    broken = Upgrade(version=NEWEST + 1, name="broken", sql="CREATE TABLE half (a INT);\nINSERT INTO nowhere VALUES (1);\n")
    with pytest.raises(StoreError, match=r"(my dialer\.db cannot serve: no such table: |relation \")nowhere"):
        upgrade(url, [*upgrades(dialect_of(url)), broken])
    assert columns(url) == before
    check(url)


def test_an_older_schema_is_refused_with_the_command_that_helps(url):
    upgrade(url)
    newer = [*upgrades(dialect_of(url)), Upgrade(version=NEWEST + 1, name="more", sql="")]
    with pytest.raises(StoreError, match=rf"has schema {NEWEST}, and {NEWEST + 1} is needed: run the upgrade command"):
        check(url, newer)


def test_a_newer_schema_is_refused_and_left_alone(url):
    upgrade(url)
    rows(url, "INSERT INTO schema_version VALUES (99, 'future', CURRENT_TIMESTAMP)")
    for refuses in (check, upgrade):
        with pytest.raises(StoreError, match=rf"has schema 99, which is newer than this dialer knows \({NEWEST}\)"):
            refuses(url)


def test_an_empty_database_has_schema_zero(url):
    if dialect_of(url) is Dialect.SQLITE:
        sqlite_path(url).touch()
    with pytest.raises(StoreError, match=f"has schema 0, and {NEWEST} is needed"):
        check(url)
    upgrade(url)
    check(url)


def test_another_programs_database_is_left_alone(url):
    if dialect_of(url) is Dialect.SQLITE:
        sqlite_path(url).touch()
    rows(url, "CREATE TABLE recipes (name TEXT)")
    for refuses in (check, upgrade):
        with pytest.raises(StoreError, match="is a database of another program"):
            refuses(url)
    assert columns(url) == {"recipes": {"name"}}


def test_entities_map_every_column_of_every_table(url):
    upgrade(url)
    db = bound(url)
    db.generate_mapping(create_tables=False, check_tables=True)
    mapped = {name: {column.name for column in table.column_list} for name, table in db.schema.tables.items()}
    db.disconnect()
    existing = columns(url)
    for without_entity in (
        "schema_version",
        "subscriber_count",
        "subscriber_count_part",
        "attempt_count",
        "attempt_count_part",
        "purged_attempts",
        "told_state",
        "caller_id_count",
        "caller_id_count_part",
        "caller_id_share",
        "caller_id_wait",
        "import_error",
    ):
        existing.pop(without_entity, None)
    assert mapped == existing


def test_entities_refuse_a_table_that_lacks_a_column(url):
    upgrade(url)
    rows(url, "ALTER TABLE do_not_call DROP COLUMN reason")
    db = bound(url)
    with pytest.raises((orm.OperationalError, orm.ProgrammingError), match="reason"):
        db.generate_mapping(create_tables=False, check_tables=True)
    db.disconnect()


def test_a_second_attempt_to_a_number_is_allowed_once_the_first_has_ended(furnished):
    rows(
        furnished,
        f"UPDATE attempt SET state = 'ended', ended_at = '{T}', cause = 'X', disposition = 'BUSY', counts_as_attempt = 1, "
        "duration_ms = 0",
    )
    statement = another_attempt("two", "200").replace("(call_uuid", "(id, call_uuid").replace("('two'", "(2, 'two'")
    rows(furnished, statement)


def test_ids_are_64_bits_wide(furnished):
    rows(
        furnished,
        f"INSERT INTO contact VALUES ({2**63 - 1}, 1, '999', '', '', '', '', '{{}}', '{T}', '{T}', '999', NULL, NULL, '', 5, "
        "'', NULL, NULL, NULL, '')",
    )
    assert rows(furnished, "SELECT max(id) FROM contact") == [(2**63 - 1,)]


# --- files of SQLite --------------------------------------------------------------------------------------------------------


def test_a_file_is_made_for_its_owner_only_and_is_not_touched_when_it_is_up_to_date(path):
    upgrade(sqlite_url(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    upgrade(sqlite_url(path))
    assert path.read_bytes() == before


def test_a_locked_database_is_not_upgraded(path, monkeypatch):
    monkeypatch.setattr("dialer.store.location.BUSY_SECONDS", 0.05)
    upgrade(sqlite_url(path))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="is locked by another program; end what holds a transaction open"):
            upgrade(sqlite_url(path))


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"nowhere/dialer\.db cannot be opened; check that the directory exists"):
        upgrade(sqlite_url(tmp_path / "nowhere" / "dialer.db"))


def test_a_folder_that_cannot_be_written_is_named():
    with unwritable_folder() as folder:
        with pytest.raises(StoreError, match=r"dialer\.db cannot be opened; .* may read and write in it"):
            upgrade(sqlite_url(folder / "dialer.db"))
        with pytest.raises(StoreError, match=r"cannot create .*lock .*: give this user write access to the directory"):
            DiallingLock(folder / "dialer.db").acquire()


@pytest.mark.parametrize("statement", REFUSED)
def test_the_database_refuses(tmp_path, statement):
    """PostgreSQL's answers are compared with these in `test_postgresql_schema`."""
    url = furnished_database(tmp_path, "what refuses", lambda url: script(url, SEED + EVENTS + LISTED))
    with pytest.raises(sqlite3.IntegrityError):
        rows(url, statement)
