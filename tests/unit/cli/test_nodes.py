"""`dialer nodes`, on both kinds of database."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dialer.cli.nodes import span
from dialer.settings_file import settings_file
from dialer.store.lock import DiallingLock
from dialer.store.times import to_column
from tests.postgresql import Server
from tests.unit.cli.support import Commands
from tests.unit.store.damage import Damaged

FIGURES = '{"adopted-ringing": 3, "ended-unknown": 1, "lost-switch": 0, "waiting-changes": 70}'


def in_seconds(seconds: float) -> str:
    return to_column(datetime.now(UTC) + timedelta(seconds=seconds))


@pytest.fixture
def server(postgres_server: Server) -> Iterator[Damaged]:
    with Damaged.on_server(postgres_server) as found:
        yield found


@pytest.fixture
def file(tmp_path: Path) -> Damaged:
    return Damaged.in_file(tmp_path)


@pytest.fixture
def bare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(tmp_path, capsys)


@pytest.fixture
def on_server(bare: Commands, server: Damaged) -> Commands:
    bare.config.write_text(settings_file({"database": {"url": server.url}, "simulator": {}}))
    return bare


@pytest.fixture
def in_file(bare: Commands, file: Damaged) -> Commands:
    bare.config.write_text(settings_file({"database": {"url": file.url}, "simulator": {}}))
    return bare


def add(here: Damaged, name: str, *, ready: int = 1, lease: float = 8.0, stopped: bool = False, pid: int = 99) -> None:
    here.sql(
        "INSERT INTO node (name, epoch, host, pid, version, switches, ready, started_at, seen_at, lease_until, "
        "stopped_at, commits, figures) VALUES (?, 3, 'host', ?, '1.0', ?, ?, ?, ?, ?, ?, 0, '{}')",
        name,
        pid,
        '{"fs1:8021": "core"}' if ready else "{}",
        ready,
        *[in_seconds(lease - 10)] * 2,
        in_seconds(lease),
        in_seconds(0) if stopped else None,
    )


def rows(commands: Commands) -> dict[str, str]:
    """The lines of the table, by the name of the node."""
    lines = commands.good("nodes").out.splitlines()
    return {line.split()[0]: " ".join(line.split()) for line in lines if line.strip()}


def test_each_node_is_listed_with_what_it_is_doing(on_server: Commands, server: Damaged) -> None:
    server.call(1, 1)
    add(server, "dials")
    add(server, "blind", ready=0)
    add(server, "gone", ready=0, lease=4.0, stopped=True)
    add(server, "frozen", lease=-600)
    found = rows(on_server)
    assert re.search(r"dials dialling 99 on host \(1\.0\) fs1:8021 \d\.\d s [78]\.\d s 0$", found["dials"])
    assert "blind connected to no switch 99 on host (1.0) - " in found["blind"]
    assert "gone stopped " in found["gone"]
    assert re.search(r"frozen dead 99 on host \(1\.0\) fs1:8021 10 min - 0$", found["frozen"])
    assert re.search(r"here dead, left attempts open 4711 on host \(1\.0\) fs1:8021 .* (s|min) - 1$", found["here"])


def test_what_a_node_put_right_stands_below_the_table(on_server: Commands, server: Damaged) -> None:
    server.sql("UPDATE node SET figures = ?", FIGURES)
    out = on_server.good("nodes").out
    assert "here put right: adopted-ringing 3, ended-unknown 1\n" in out
    assert "here: changes that wait for the database: 70\n" in out
    assert "noticed" not in out


def test_what_a_node_noticed_is_told_apart_from_what_it_put_right(on_server: Commands, server: Damaged) -> None:
    figures = {"adopted-ringing": 3, "outbound-probes": 704, "unreadable-events": 2, "gateways-backed-off": 0}
    server.sql("UPDATE node SET figures = ?", json.dumps(figures))
    out = on_server.good("nodes").out
    assert "here put right: adopted-ringing 3\n" in out
    assert "here noticed: outbound-probes 704, unreadable-events 2\n" in out


def test_the_table_fits_into_80_columns(on_server: Commands, server: Damaged, monkeypatch: pytest.MonkeyPatch) -> None:
    add(server, "pbx-berlin-1.example.com")
    add(server, "blind", ready=0)
    add(server, "dead", lease=-6000)
    server.call(1, 1)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", on_server.good("nodes").out)
    assert max(len(line) for line in plain.splitlines()) <= 80
    assert all(
        word in plain for word in ("connected", "fs1:8021", "pbx-berlin-1", "4711 on", "(1.0)", "lease", "open", "100 min")
    )
    assert re.search(r"- +1$", plain, re.MULTILINE)


def test_nodes_are_there_for_programs(on_server: Commands, server: Damaged) -> None:
    server.call(1, 1)
    server.sql("UPDATE node SET lease_until = ?, figures = ?", in_seconds(5), FIGURES)
    [node] = on_server.good("nodes", "--json").json
    assert (node["name"], node["standing"], node["alive"], node["open_attempts"]) == ("here", "dialling", True, 1)
    assert (node["host"], node["pid"], node["switches"], node["epoch"]) == ("host", 4711, {"fs1:8021": ""}, 1)
    assert 0 < node["lease_seconds_left"] <= 5
    assert node["figures"]["ended-unknown"] == 1
    assert node["started_at"].endswith("+00:00")


def test_a_dead_node_is_removed_and_a_living_one_or_one_with_calls_is_not(on_server: Commands, server: Damaged) -> None:
    add(server, "alive")
    add(server, "stopping", stopped=True)
    add(server, "dead", lease=-1)
    server.call(1, 1)
    assert on_server.refused("nodes", "remove", "alive") == "node: alive is alive (process 99 on host): stop it first"
    assert "has stopped, and its lease ends in " in on_server.refused("nodes", "remove", "stopping")
    assert "here has 1 open attempts" in on_server.refused("nodes", "remove", "here")
    assert on_server.failed("nodes", "remove", "nobody") == "there is no node nobody"
    assert on_server.good("nodes", "remove", "dead").out == "node dead removed\n"
    assert [node["name"] for node in on_server.good("nodes", "--json").json] == ["alive", "here", "stopping"]


def test_the_configuration_may_be_named_before_the_subcommand(on_server: Commands, server: Damaged) -> None:
    add(server, "dead", lease=-1)
    assert on_server.bare("nodes", "-c", on_server.config, "remove", "dead").status == 0


def test_in_a_file_the_node_lives_as_long_as_its_process_has_the_lock(in_file: Commands, file: Damaged) -> None:
    file.sql("UPDATE node SET pid = ?", os.getpid())
    assert " dead " in rows(in_file)["here"]
    lock = DiallingLock(file.path)
    lock.acquire()
    assert f" dialling {os.getpid()} on host " in rows(in_file)["here"]
    assert in_file.refused("nodes", "remove", "here").endswith("stop it first")
    lock.release()
    file.sql("UPDATE node SET stopped_at = ?", in_seconds(0))
    assert " stopped " in rows(in_file)["here"]
    assert "lease" not in in_file.good("nodes").out
    in_file.good("nodes", "remove", "here")
    assert in_file.good("nodes").out == "no dialer has dialled with this database yet\n"


def test_what_a_node_says_of_itself_cannot_write_to_the_terminal(on_server: Commands, server: Damaged) -> None:
    server.sql("UPDATE node SET host = ?", "evil\x1b]0;x\x07")
    assert "\x1b" not in on_server.good("nodes").out


def test_spans_are_told_in_their_largest_unit() -> None:
    assert [span(seconds) for seconds in (0.04, 9.96, 42.4, 119, 120, 7200, 200_000)] == [
        *("0.0 s", "10.0 s", "42 s", "119 s", "2 min", "2 h", "2 d"),
    ]
