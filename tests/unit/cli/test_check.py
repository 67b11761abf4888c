"""`dialer check`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dialer.settings_file import settings_file
from dialer.store.lock import DiallingLock
from tests.unit.cli.support import Commands
from tests.unit.store.damage import Damaged


@pytest.fixture
def here(tmp_path: Path) -> Damaged:
    return Damaged(tmp_path)


@pytest.fixture
def commands(tmp_path: Path, capsys: pytest.CaptureFixture[str], here: Damaged) -> Commands:
    found = Commands(tmp_path, capsys)
    found.config.write_text(settings_file({"database": {"url": "sqlite:///dialer.db"}, "simulator": {}}))
    return found


def test_a_clean_database_is_told_so(commands: Commands) -> None:
    assert commands.good("check").out == "no dialer is at work, and no attempt is open\nnothing is wrong\n"


def test_open_attempts_alone_are_no_fault(commands: Commands, here: Damaged) -> None:
    here.call(1, 1)
    assert "which its next start takes over: 1" in commands.good("check").out


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
    assert "repaired claim-without-attempt, rows changed: 1\nnothing is wrong any more\n" in ran.out
    assert here.subscriber(1)[0] == 1
    assert "nothing is wrong\n" in commands.good("check", "--repair").out


def test_what_cannot_be_repaired_stays_a_finding(commands: Commands, here: Damaged) -> None:
    here.sql("UPDATE contact SET number = '77' WHERE id = 3")
    here.sql("UPDATE subscriber SET status = 5 WHERE id = 1")
    ran = commands.run("check", "--repair")
    assert ran.status == 1
    assert "repaired finished-and-ready" in ran.out
    assert ran.out.endswith("not repaired: foreign-subscriber\n")


def test_the_audit_is_there_for_programs(commands: Commands, here: Damaged) -> None:
    here.sql("UPDATE subscriber SET status = 6 WHERE id = 1")
    ran = commands.run("check", "--json", "--repair")
    assert (ran.status, ran.json["dialer"], ran.json["open_attempts"], ran.json["left"]) == (0, None, 0, [])
    assert [finding["name"] for finding in ran.json["findings"]] == ["claim-without-attempt"]
    assert [(done["name"], done["rows"]) for done in ran.json["repaired"]] == [("claim-without-attempt", 1)]


def test_beside_a_dialer_open_attempts_are_its_own_and_nothing_is_repaired(commands: Commands, here: Damaged) -> None:
    here.call(1, 1)
    lock = DiallingLock(here.path)
    lock.acquire()
    assert f"a dialer (process {os.getpid()}) is at work; open attempts, which are its own: 1" in commands.good("check").out
    assert commands.refused("check", "--repair").startswith("--repair: a dialer (process ")
    lock.release()


def test_an_old_schema_is_a_finding(commands: Commands, here: Damaged) -> None:
    here.sql("DELETE FROM schema_version WHERE version > 1")
    ran = commands.run("check", "--repair")
    assert ran.status == 1
    assert "run the upgrade command" in ran.out
