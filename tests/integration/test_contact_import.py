"""`dialer contact import` as a process: killed at any moment and run again, and beside a dialer that calls."""

from __future__ import annotations

import json
import random
import select
import signal
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from dialer.cli.blocking import database_url
from dialer.store.connection import Dialect
from dialer.store.times import from_column
from tests.forks import Forked, dialer
from tests.grounds import new_database, rows
from tests.integration.run_support import good, move_to, new_folder, started, until
from tests.processes import command, interpreted

ROWS = 12_000
FAULTS = {0: "x", 700: "112", 1500: "1555,1,2,3", 9000: '1555,"a', 11_990: ""}
"""Rows of the file that are none, by their places."""


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return new_folder(tmp_path_factory.mktemp("template") / "dialer")


@pytest.fixture
def folder(template, tmp_path, database_kind):
    """A copy of the template, in which nothing runs, on a database of each kind."""
    copy = tmp_path / "dialer"
    copy.mkdir(mode=0o700)
    for file in template.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
        (copy / file.name).chmod(0o600)
    if database_kind is Dialect.POSTGRESQL:
        move_to(copy, new_database(tmp_path))
    return copy


def url_of(folder: Path) -> str:
    return database_url(folder / "dialer.toml")


def add_campaign(folder: Path, name: str, *options: object) -> None:
    noun = ("--gateway", "Default_Gateway", "--voip-app", "Default_VoIP_App", "--voip-app-data", "15559999")
    good(folder, "campaign", "add", name, "--user", "admin", *noun, *options)


def make_file(path: Path) -> list[str]:
    """A file with good rows and bad ones; the numbers of the good ones."""
    numbers = [f"1555{n:07}" for n in range(ROWS)]
    random.Random(1).shuffle(numbers)
    lines = [f'{number},Ana,"Lima, {n}"' for n, number in enumerate(numbers)]
    for place, fault in FAULTS.items():
        lines[place] = fault
    path.write_text("\n".join(["contact,first_name,city", *lines]) + "\n")
    return [number for place, number in enumerate(numbers) if place not in FAULTS]


def count(url: str) -> int:
    return int(rows(url, "SELECT count(*) FROM contact")[0][0])


def test_an_import_that_is_killed_at_any_moment_and_run_again_has_each_row_once(folder, tmp_path):
    add_campaign(folder, "spring", "--status", "pause")
    file, url = tmp_path / "list.csv", url_of(folder)
    good_numbers = make_file(file)
    arguments = ("contact", "import", file, "--phonebook", "spring", "--json", "-c", folder / "dialer.toml")
    chance, reached = random.Random(2), 0
    for _ in range(3):
        process = Forked(command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        enough = reached + chance.randrange(1, 1500)  # it goes on while a busy machine does not let us look
        while (reached := count(url)) < enough and process.poll() is None:
            select.select([], [], [], chance.random() * 0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        reached = count(url)
        assert 0 < reached < len(good_numbers), "it was killed too early or too late"
    ended = interpreted(*arguments)
    told = json.loads(ended.stdout)
    assert (ended.returncode, told["refused"]) == (1, len(FAULTS) - 1)  # one of the faults is a blank line
    assert (told["already_there"], told["taken"]) == (reached, len(good_numbers) - reached)
    assert sorted(number for (number,) in rows(url, "SELECT number FROM contact")) == sorted(good_numbers)
    assert sorted(number for (number,) in rows(url, "SELECT number FROM subscriber")) == sorted(good_numbers)
    refused = (tmp_path / "list.csv.errors.csv").read_text().splitlines()
    assert [line.partition(",")[0] for line in refused] == ["contact", "x", "112", "1555", "1555"]
    again = dialer(*arguments)
    assert json.loads(again.stdout)["already_there"] == len(good_numbers)


def test_a_dialer_calls_on_while_a_file_is_imported(folder, tmp_path):
    add_campaign(folder, "calls", "--frequency", 1200)
    add_campaign(folder, "spring", "--status", "pause")
    few, many, url = tmp_path / "few.csv", tmp_path / "many.csv", url_of(folder)
    few.write_text("contact\n" + "".join(f"1444{n:07}\n" for n in range(1000)))
    make_file(many)
    with started(folder) as running:
        good(folder, "contact", "import", few, "--phonebook", "calls")
        until(url, "SELECT 1 FROM attempt LIMIT 1", 1)
        ((before,),) = rows(url, "SELECT max(planned_at) FROM attempt")
        done = dialer("contact", "import", many, "--phonebook", "spring", "--json", "-c", folder / "dialer.toml")
        assert json.loads(done.stdout)["taken"] == ROWS - len(FAULTS)
        running.send(signal.SIGTERM)
        assert running.end() == 0
    assert not [line for line in running.lines if "locked" in line or "ERROR" in line]
    times = [from_column(at) for (at,) in rows(url, "SELECT planned_at FROM attempt WHERE planned_at >= ? ORDER BY 1", before)]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    assert len(times) > 10
    assert max(gaps) < 3.0, "twenty a second were asked for"
