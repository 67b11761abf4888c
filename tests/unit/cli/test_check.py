"""`dialer check`, on both kinds of database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dialer.settings_file import settings_file
from dialer.store.connection import Dialect
from dialer.store.location import sqlite_url
from dialer.store.lock import DiallingLock
from dialer.store.times import to_column
from tests.postgresql import Server
from tests.unit.cli.support import Commands
from tests.unit.store.damage import Damaged


@pytest.fixture(params=list(Dialect))
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Damaged]:
    if request.param is Dialect.SQLITE:
        yield Damaged.in_file(tmp_path)
    else:
        with Damaged.on_server(request.getfixturevalue("postgres_server")) as found:
            yield found


@pytest.fixture
def server(postgres_server: Server) -> Iterator[Damaged]:
    with Damaged.on_server(postgres_server) as found:
        yield found


@pytest.fixture
def bare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(tmp_path, capsys)


@pytest.fixture
def commands(bare: Commands, here: Damaged) -> Commands:
    configure(bare, here)
    return bare


def configure(commands: Commands, here: Damaged) -> None:
    commands.config.write_text(settings_file({"database": {"url": here.url}, "simulator": {}}))


def live(here: Damaged) -> None:
    """The node's lease lasts."""
    here.sql("UPDATE node SET lease_until = ?", to_column(datetime.now(UTC) + timedelta(minutes=5)))


def test_a_clean_database_is_told_so(commands: Commands) -> None:
    assert commands.good("check").out == "no dialer is at work, and no attempt is open\nnothing is wrong\n"


def test_open_attempts_alone_are_no_fault(commands: Commands, here: Damaged) -> None:
    here.call(1, 1)
    assert "which the next start takes over: 1" in commands.good("check").out


def test_what_is_wrong_is_named_and_not_touched(commands: Commands, here: Damaged) -> None:
    here.sql("UPDATE subscriber SET status = 6 WHERE id = 1")
    ran = commands.run("check")
    assert ran.status == 1
    assert "claim-without-attempt: 1 subscribers in process" in ran.out
    assert "    subscriber 1 (1001) of campaign 1\n  --repair: the subscriber gets" in ran.out
    assert here.subscriber(1)[0] == 6


def test_a_repair_tells_what_it_did_and_leaves_a_clean_database(commands: Commands, here: Damaged) -> None:
    here.sql("UPDATE subscriber SET status = 6 WHERE id = 1")
    ran = commands.good("check", "--repair")
    assert "repaired claim-without-attempt, rows changed: 1: the subscriber gets the status" in ran.out
    assert ran.out.endswith("\nnothing is wrong any more\n")
    assert here.subscriber(1)[0] == 1
    assert "nothing is wrong\n" in commands.good("check", "--repair").out


def test_what_cannot_be_repaired_stays_a_finding(commands: Commands, here: Damaged) -> None:
    here.sql("UPDATE contact SET identity = '77' WHERE id = 3")
    here.sql("UPDATE subscriber SET status = 5 WHERE id = 1")
    ran = commands.run("check", "--repair")
    assert ran.status == 1
    assert "repaired finished-and-ready" in ran.out
    assert ran.out.endswith("not repaired: foreign-subscriber\n")


def test_the_audit_is_there_for_programs(commands: Commands, here: Damaged) -> None:
    here.sql("UPDATE subscriber SET status = 6 WHERE id = 1")
    ran = commands.run("check", "--json", "--repair")
    assert (ran.status, ran.json["at_work"], ran.json["open_attempts"], ran.json["left"]) == (0, None, 0, [])
    assert [finding["name"] for finding in ran.json["findings"]] == ["claim-without-attempt"]
    assert [(done["name"], done["rows"]) for done in ran.json["repaired"]] == [("claim-without-attempt", 1)]


def test_an_upgrade_that_makes_a_database_says_that_it_is_empty(bare: Commands, tmp_path: Path) -> None:
    bare.use(sqlite_url(tmp_path / "new.db"))
    ran = bare.good("upgrade")
    assert ran.out.startswith("schema upgraded to ")
    assert "new.db is new, and empty" in ran.err
    assert "dialer init" in ran.err
    again = bare.good("upgrade")
    assert (again.out, again.err) == ("the schema is up to date\n", "")


def test_beside_a_dialer_it_is_named_and_nothing_is_repaired(bare: Commands, tmp_path: Path) -> None:
    here = Damaged.in_file(tmp_path)
    configure(bare, here)
    here.call(1, 1)
    lock = DiallingLock(here.path)
    lock.acquire()
    assert f"at work: process {os.getpid()}; open attempts: 1\n" in bare.good("check").out
    assert bare.refused("check", "--repair").startswith("--repair: a dialer is at work with this database: process ")
    lock.release()


def test_beside_nodes_all_are_named_and_nothing_is_repaired(bare: Commands, server: Damaged) -> None:
    configure(bare, server)
    server.call(1, 1)
    live(server)
    assert "at work: here (process 4711 on host); open attempts: 1\n" in bare.good("check").out
    assert "here (process 4711 on host); stop it first" in bare.refused("check", "--repair")


def test_a_schema_that_cannot_be_compared_is_a_note(bare: Commands, server: Damaged) -> None:
    configure(bare, server)
    server.sql("CREATE SCHEMA dialer_check")
    ran = bare.good("check")
    assert "note: the parts of the schema were not compared" in ran.out
    assert ran.out.endswith("nothing is wrong\n")


def test_an_old_schema_is_a_finding(commands: Commands, here: Damaged) -> None:
    here.sql("DELETE FROM schema_version WHERE version > 1")
    ran = commands.run("check", "--repair")
    assert ran.status == 1
    assert "run the upgrade command" in ran.out
