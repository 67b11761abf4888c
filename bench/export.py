"""`python -m bench.export [RECORDS]`: call records to a file, rows a second and memory, beside a bare loop over the table."""

from __future__ import annotations

import argparse
import csv
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dialer.settings_file import settings_file
from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade

T = "2026-11-23 10:00:00.000000"

SEED = f"""
INSERT INTO user_account (id, username, password_hash, is_superuser, is_active, created_at)
    VALUES (1, 'ann', '', 0, 1, '{T}');
INSERT INTO gateway (id, name, description, protocol, hostname, dial_string, removeprefix, addprefix, addparameter, status,
    created_at, updated_at) VALUES (1, 'g', '', 'SIP', 'h', '', '', '', '', 1, '{T}', '{T}');
INSERT INTO voip_app (id, name, description, type, data, created_at, updated_at) VALUES (1, 'v', '', 1, '', '{T}', '{T}');
INSERT INTO campaign (id, user_id, name, description, status, starting_at, expires_at, frequency, max_retry, gateway_id,
    voip_app_id, created_at, updated_at) VALUES (1, 1, 'c', '', 4, '{T}', '{T}', 10, 3, 1, 1, '{T}', '{T}');
INSERT INTO phonebook (id, user_id, name, description, created_at) VALUES (1, 1, 'p', '', '{T}');
INSERT INTO contact (id, phonebook_id, number, first_name, last_name, email, description, additional_vars, created_at,
    updated_at, identity) VALUES (1, 1, '15551230001', '', '', '', '', '{{}}', '{T}', '{T}', '15551230001');
INSERT INTO subscriber (id, campaign_id, contact_id, number, status, count_attempt, free_retries, identity)
    VALUES (1, 1, 1, '15551230001', 5, 0, 0, '15551230001');
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
INSERT INTO attempt (call_uuid, campaign_id, subscriber_id, gateway_id, number, dial_string, number_of_attempt, state, owner,
    epoch, core_uuid, planned_at, due_at, deadline, rang_at, answered_at, ended_at, cause, disposition, counts_as_attempt,
    reason, q850, sip_status, sip_disposition, ring_ms, talk_ms, duration_ms, machine, session, identity)
    SELECT 'call-' || i, 1, 1, 1, '15551230001', 'x', 1, 'ended', 'here', 1, '', '{T}', '{T}', '{T}', '{T}', '{T}', '{T}',
    'NORMAL_CLEARING', 'ANSWERED', 1, 'reached', 16, 200, 'recv_bye', 4000, 31000, 36000, 0, '{{"digits": "1"}}', '15551230001'
    FROM n;
"""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", type=int, nargs="?", default=1_000_000)
    count = parser.parse_args().records
    with tempfile.TemporaryDirectory(prefix="dialer-bench-") as name:
        folder = Path(name)
        path = folder / "dialer.db"
        upgrade(sqlite_url(path))
        with sqlite3.connect(path) as connection:
            connection.executescript(SEED.replace(":count", str(count)))
        connection.close()
        (folder / "dialer.toml").write_text(settings_file({"database": {"url": sqlite_url(path)}, "simulator": {}}))
        bare = _bare(path, folder / "bare.csv")
        for options in ((), ("--json",)):
            began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
            command = [sys.executable, "-m", "dialer", "cdr", "export", *options, "-c", str(folder / "dialer.toml")]
            with (folder / "out").open("wb") as out:
                subprocess.run(command, stdout=out, check=True)
            seconds = time.perf_counter() - began
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            print(
                f"export {' '.join(options) or 'csv':7} {count:,} records: {seconds:.1f} s, {count / seconds:,.0f} a second, "
                f"{1e6 * cpu / count:.1f} us CPU each, {after.ru_maxrss / 1024:.0f} MB; a bare loop {bare:.1f} s, "
                f"ratio {seconds / bare:.2f}"
            )


def _bare(path: Path, file: Path) -> float:
    """Seconds in which all columns of the table are written as CSV by nothing but Python."""
    began = time.perf_counter()
    connection = sqlite3.connect(path)
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows(connection.execute("SELECT * FROM attempt ORDER BY id"))
    connection.close()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
