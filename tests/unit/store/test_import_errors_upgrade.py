"""The upgrade that brings refused rows into the database: imports that are there stay, and open ones begin anew."""

from __future__ import annotations

from pathlib import Path

from dialer.store.location import dialect_of
from dialer.store.schema import upgrade, upgrades
from tests.grounds import bare_database, rows, script

T = "2026-11-23 10:00:00.000000"
JOB = "'list.csv', 'csv', '', '', '{}', '', 1, 0"
COUNTS = "5, 5, 4, 2, 0, 1, 1, '{}'"


def test_imports_that_are_there_stay_and_open_ones_begin_anew(database_kind: str, tmp_path: Path) -> None:
    url = bare_database(tmp_path)
    steps = upgrades(dialect_of(url))
    upgrade(url, [step for step in steps if step.version <= 25])
    script(
        url,
        f"""
        INSERT INTO user_account (id, username, password_hash, is_superuser, is_active, role, created_at)
            VALUES (1, 'ann', '', 0, 1, 'operator', '{T}');
        INSERT INTO import_job VALUES (3, 1, 7, {JOB}, 'finished', '', {COUNTS}, 'a', 'n', 'n', NULL, 0, '{{}}', 40,
            '{T}', '{T}', '{T}');
        INSERT INTO import_job VALUES (5, 1, 7, {JOB}, 'running', '', {COUNTS}, 'b', 'n', 'n', '{T}', 4, '{{}}', 40,
            '{T}', '{T}', NULL);
        """,
    )
    assert upgrade(url, steps) == [step.version for step in steps if step.version > 25]
    found = rows(url, "SELECT id, state, row_count, taken, refused, errors_size, doubles, sample FROM import_job ORDER BY id")
    assert found == [(3, "finished", 4, 2, 1, 0, "keep", "[]"), (5, "queued", 0, 0, 0, 0, "keep", "[]")]
    assert rows(url, "SELECT held_until, list_id FROM import_job WHERE id = 5") == [(None, None)]
