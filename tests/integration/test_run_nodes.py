"""Two dialers on one database of a server, as real processes, and the commands beside them."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.forks import dialer
from tests.grounds import rows
from tests.integration.run_support import PASSWORD, Running, change, good, refused, started
from tests.integration.run_support import until as until_found
from tests.postgresql import Server

SECONDS = 30.0


@pytest.fixture
def url(postgres_server: Server) -> Iterator[str]:
    """An empty database; the password is never asked for."""
    fresh = postgres_server.new_database()
    yield fresh.replace("//dialer@", "//dialer:s3cret@")
    postgres_server.drop_database(fresh)


def new_node(folder: Path, url: str, name: str) -> Path:
    password = folder.with_name("password")
    password.write_text(PASSWORD)
    options = ("--simulator", "--node", name, "--password-file", password)
    made = dialer("init", folder, *options, "--database", "-", entered=url)
    assert made.returncode == 0, made.stderr
    change(folder, endpoint='"tcp:0:interface=127.0.0.1"', lease="3.0")
    return folder


def nodes(folder: Path) -> dict[str, Mapping[str, Any]]:
    return {node["name"]: node for node in json.loads(good(folder, "nodes", "--json"))}


def until(folder: Path, **standing: str) -> dict[str, Mapping[str, Any]]:
    """The nodes, once they stand so."""
    deadline = time.monotonic() + SECONDS
    while True:
        found = nodes(folder)
        if {name: node["standing"] for name, node in found.items()} == standing:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def never_told(password: str, *runs: Running) -> bool:
    return not any(password in text for run in runs for text in (*run.lines, json.dumps(run.addresses)))


def test_two_dialers_share_a_database_and_each_is_told_how_it_is(tmp_path: Path, url: str) -> None:
    one, two = new_node(tmp_path / "one", url, "one"), new_node(tmp_path / "two", url, "two")
    with started(one) as first, started(two) as second:
        found = until(one, one="dialling", two="dialling")
        assert (found["one"]["pid"], found["two"]["pid"]) == (first.process.pid, second.process.pid)
        status, campaign = first.request(
            "POST", "campaign/", "name=spring&frequency=600&aleg_gateway=1&voipapp=1&voipapp_data=2000"
        )
        assert (status, second.request("GET", "campaign/?status=all")[1][0]["id"]) == (200, campaign["id"])
        status, line = refused(two)
        assert status == 1
        assert f"another dialer (process {second.process.pid} on " in line
        repair = dialer("check", "--repair", "-c", one / "dialer.toml")
        assert repair.returncode == 2
        assert "one (process " in repair.stderr
        assert "two (process " in repair.stderr
        assert never_told("s3cret", first, second)
        first.send(signal.SIGTERM)
        assert first.end() == 0
        until(two, one="stopped", two="dialling")
    found = until(one, one="stopped", two="dead")
    assert found["two"]["open_attempts"] == 0
    assert good(one, "check").splitlines()[-1] == "nothing is wrong"
    good(one, "nodes", "remove", "two")
    assert set(nodes(one)) == {"one"}


def test_a_command_at_one_of_two_dialers_holds_for_both(tmp_path: Path, url: str) -> None:
    one, two = new_node(tmp_path / "one", url, "one"), new_node(tmp_path / "two", url, "two")
    numbers = [f"1555{n:07}" for n in range(60)]
    (tmp_path / "list.csv").write_text("\n".join(["contact", *numbers]) + "\n")
    for folder in (one, two):
        change(folder, callees='["*=answers:ring=0.1,talk=0.3"]')
    noun = ("--gateway", "Default_Gateway", "--voip-app", "Default_VoIP_App", "--voip-app-data", "2000")
    good(one, "campaign", "add", "spring", "--user", "admin", *noun, "--frequency", 1200, "--status", "pause")
    with started(one), started(two):
        until(one, one="dialling", two="dialling")
        good(two, "contact", "import", tmp_path / "list.csv", "--phonebook", "spring")
        good(one, "dnc", "add", "+1 555 000 0059")
        good(two, "campaign", "start", "spring")
        until_found(url, "SELECT count(DISTINCT owner) FROM attempt", 2)
        good(one, "campaign", "pause", "spring")
        until_found(url, "SELECT count(*) FROM attempt WHERE ended_at IS NULL", 0)
        ((before,),) = rows(url, "SELECT count(*) FROM attempt")
        assert before < len(numbers)
        assert good(two, "why", "spring") == "campaign spring: the campaign is paused\n"
        good(one, "campaign", "start", "spring")
        until_found(url, "SELECT count(*) FROM subscriber WHERE status IN (5, 7)", len(numbers))
        shown = json.loads(good(two, "campaign", "show", "spring", "--json"))
        assert shown["contacts_by_state"] == {"complete": len(numbers) - 1, "not-authorised": 1}
    # Those that were planned when the campaign was paused are not sent, and planned again.
    sent = "SELECT count(*), count(DISTINCT number) FROM attempt WHERE cause <> 'NOT_SENT'"
    assert rows(url, sent) == [(len(numbers) - 1, len(numbers) - 1)]
    assert good(one, "check").splitlines()[-1] == "nothing is wrong"
