"""`dialer demo` as a user runs it: a process, its exit status, what it says, and what a signal leaves behind."""

from __future__ import annotations

import json
import select
import signal
import socket
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dialer.cli.main import main
from dialer.model import SubscriberStatus
from tests.forks import Forked, dialer
from tests.processes import command, interpreted, lasting_port

QUICK = ("--time-scale", "0.05", "--interval-retry", "1", "--call-timeout", "2", "--frequency", "3000")
LONG_CALLS = "61*=stays:ring=0.1"


def demo(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return dialer("demo", *arguments, cwd=cwd)


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a demo that does not even begin and ends with status 2, and gives its words; in this process, to save time."""

    def run(*arguments: str | Path) -> str:
        monkeypatch.chdir(tmp_path)
        try:
            status = main(["demo", *map(str, arguments)])
        except SystemExit as ended:
            status = ended.code
        assert status == 2
        said = capsys.readouterr().err
        assert "Traceback" not in said
        return said

    return run


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Poll for what another process does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        select.select([], [], [], 0.05)


def rows(database: Path, statement: str) -> list[tuple]:
    if not database.exists():
        return []
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        try:
            return connection.execute(statement).fetchall()
        except sqlite3.OperationalError:
            return []  # its tables are still being made


def one(database: Path, statement: str) -> int:
    found = rows(database, statement)
    return int(found[0][0]) if found else 0


def contacts_file(folder: Path, how_many: int, prefix: str = "6155500") -> Path:
    path = folder / "contacts.csv"
    lines = [f"{prefix}{index:03}" for index in range(how_many)]
    path.write_text("contact\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A simulator in a process of its own; gives (HOST:PORT, the file of what the callees saw)."""
    port = lasting_port()
    log = tmp_path / "oracle.jsonl"
    options = ("--port", str(port), "--sps", "0", "--callee", LONG_CALLS, "--callee", "62*=answers:ring=0.1,talk=30")
    process = Forked(command("simulate", *options, "--log", log), cwd=tmp_path, stdout=subprocess.DEVNULL)

    def listening() -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_until(listening)
        yield f"127.0.0.1:{port}", log
    finally:
        process.terminate()
        process.wait(10)


def seen(log: Path, what: str) -> list[dict]:
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return [event for event in map(json.loads, lines) if event["what"] == what]


def test_without_arguments_contacts_are_made_up_and_all_are_called(tmp_path: Path) -> None:
    done = interpreted("demo", "--calls", "20", *QUICK, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Attempts by disposition" in done.stdout
    assert str(tmp_path / "dialer-demo.sqlite3") in done.stdout
    database = tmp_path / "dialer-demo.sqlite3"
    assert one(database, "SELECT count(*) FROM subscriber WHERE status IN (4, 5)") == 20
    assert database.stat().st_mode & 0o777 == 0o600


def test_bad_rows_are_named_by_line_and_the_good_ones_are_dialled(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(
        b'\xef\xbb\xbfcontact,first_name\r\n15550000001,Ana\r\nnonsense,Bo\r\n112,Police\r\n15550000002,"Doe, J"\r\n'
    )
    done = demo("--contacts", path, *QUICK, cwd=tmp_path)
    assert done.returncode == 3
    assert f"{path}:3: contact: 'nonsense' is not a number" in done.stderr
    assert f"{path}:4: contact: 112 is an emergency number" in done.stderr
    assert one(tmp_path / "dialer-demo.sqlite3", "SELECT count(*) FROM subscriber WHERE status IN (4, 5)") == 2


@pytest.mark.parametrize("content", [b"", b"name,town\nAna,Lima\n", b"\x89PNG\r\n\x1a\n\x00\x00\xff"])
def test_a_file_that_is_no_contact_list_says_what_was_expected(
    tmp_path: Path, refused: Callable[..., str], content: bytes
) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    assert "one of them `contact`" in refused("--contacts", path)
    assert not (tmp_path / "dialer-demo.sqlite3").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--switch", "127.0.0.1:8021"), "--contacts: is needed with a real switch"),
        (("--switch", "127.0.0.1:8021", "--contacts", "list.csv"), "--gateway: is needed with a real switch"),
        (
            ("--switch", "127.0.0.1:8021:hunter2", "--contacts", "list.csv", "--gateway", "sofia/gateway/a/{number}"),
            "--switch: holds a password, which others see in the list of processes: give env:NAME or file:PATH",
        ),
        (("--switch", "nowhere", "--contacts", "list.csv", "--gateway", "sofia/gateway/a/{number}"), "--switch: expected"),
        (("--gateway", "sofia/gateway/a"), "--gateway: must hold {number} once"),
        (("--gateway", "sofia/gateway/a/{number} &system(id)"), "--gateway: may not contain"),
        (("--frequency", "0"), "at least 1"),
        (("--frequency", "many"), "expected a whole number"),
        (("--outbound", "8084"), "--outbound: expected HOST:PORT"),
    ],
)
def test_wrong_usage_is_told_in_a_line(
    tmp_path: Path, refused: Callable[..., str], arguments: tuple[str, ...], expected: str
) -> None:
    (tmp_path / "list.csv").write_text("contact\n15550000001\n", encoding="utf-8")
    assert expected in refused(*arguments)


def test_wrong_usage_ends_the_process_with_status_two(tmp_path: Path) -> None:
    done = interpreted("demo", "--frequency", "0", cwd=tmp_path)
    assert done.returncode == 2
    assert "at least 1" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_password_is_told_with_host_and_port(tmp_path: Path, switch: tuple[str, Path]) -> None:
    wrong = tmp_path / "password"
    wrong.write_text("wrong\n")
    done = demo(
        *("--switch", f"{switch[0]}:file:{wrong}", "--contacts", contacts_file(tmp_path, 1), "--connect-wait", "1"),
        *("--gateway", "sofia/gateway/a/{number}"),
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert f"{switch[0]}: the switch refused the password" in done.stderr


def test_a_peer_that_is_no_event_socket_is_told_with_host_and_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        process = Forked(
            command(
                *("demo", "--switch", f"127.0.0.1:{port}", "--contacts", contacts_file(tmp_path, 1)),
                *("--gateway", "sofia/gateway/a/{number}", "--connect-wait", "2"),
            ),
            cwd=tmp_path,
            stderr=subprocess.PIPE,
        )
        server.settimeout(0.2)
        while process.poll() is None:
            try:
                peer, _ = server.accept()
            except TimeoutError:
                continue
            with peer:
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n")
    output = process.stderr.read() if process.stderr else ""
    assert process.returncode == 1
    assert f"127.0.0.1:{port}" in output
    assert "Traceback" not in output


def test_a_damaged_database_is_told_and_left_alone(tmp_path: Path) -> None:
    database = tmp_path / "demo.sqlite3"
    database.write_bytes(b"this is no database" * 100)
    done = demo("--database", database, cwd=tmp_path)
    assert done.returncode == 1
    assert str(database) in done.stderr
    assert "Traceback" not in done.stderr
    assert database.read_bytes() == b"this is no database" * 100


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = demo("--database", tmp_path / "missing" / "demo.sqlite3", cwd=tmp_path)
    assert done.returncode == 1
    assert str(tmp_path / "missing") in done.stderr


def test_every_outcome_is_a_line_of_json(tmp_path: Path) -> None:
    done = demo("--calls", "20", "--outcomes", "outcomes.jsonl", *QUICK, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "outcomes.jsonl").read_text(encoding="utf-8").splitlines()
    told = {outcome["call_uuid"]: outcome["disposition"] for outcome in map(json.loads, lines)}
    assert len(told) == len(lines)
    assert told == dict(rows(tmp_path / "dialer-demo.sqlite3", "SELECT call_uuid, disposition FROM attempt"))


def test_with_a_real_switch_the_calling_rules_hold_unless_they_are_switched_off(
    tmp_path: Path, switch: tuple[str, Path]
) -> None:
    (tmp_path / "list.csv").write_text("contact\n+18005550100\n")
    arguments = ("--contacts", "list.csv", "--switch", switch[0], "--gateway", "sofia/gateway/a/{number}", "--max-retry", "0")
    database = tmp_path / "dialer-demo.sqlite3"
    done = demo(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    ((status, reason),) = rows(database, "SELECT status, held_by FROM subscriber")
    assert status == SubscriberStatus.NOT_AUTHORISED
    assert reason.startswith("its time zone is not known: area code 800")
    assert one(database, "SELECT count(*) FROM attempt") == 0
    done = demo(*arguments, "--rules", "none", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert one(database, "SELECT count(*) FROM attempt") == 1


class Interrupted:
    """A demo against `switch` whose calls last for `seconds`; it is interrupted once some of them are answered."""

    def __init__(self, folder: Path, switch: tuple[str, Path], prefix: str, seconds: int = 3) -> None:
        self.database = folder / "demo.sqlite3"
        self.log = switch[1]
        self.arguments = command(
            *("demo", "--contacts", contacts_file(folder, 30, prefix), "--database", self.database, "--switch", switch[0]),
            *("--rules", "none"),
            *("--gateway", "sofia/gateway/a/{number}", "--frequency", "400", "--interval-retry", "1"),
            *("--audio", f"tone_stream://%({seconds}000,0,440)"),
        )
        self.folder = folder
        self.process = self.start()
        wait_until(lambda: len(seen(self.log, "answered")) >= 3)

    def start(self) -> subprocess.Popen[str]:
        return Forked(self.arguments, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def finish(self) -> str:
        output, _ = self.process.communicate(timeout=60)
        return output

    def open_attempts(self) -> int:
        return one(self.database, "SELECT count(*) FROM attempt WHERE ended_at IS NULL")


def test_ctrl_c_lets_live_calls_end_and_the_next_run_goes_on(tmp_path: Path, switch: tuple[str, Path]) -> None:
    run = Interrupted(tmp_path, switch, "6155500")
    run.process.send_signal(signal.SIGINT)
    output = run.finish()
    assert run.process.returncode == 130, output
    assert "the same command goes on" in output
    assert "NOT_SENT" not in output
    assert "not called yet" in output
    assert run.open_attempts() == 0
    assert {event["by"] for event in seen(run.log, "ended")} == {"switch"}
    assert all(
        cause == ("NORMAL_CLEARING",) for cause in rows(run.database, "SELECT cause FROM attempt WHERE counts_as_attempt = 1")
    )
    done = one(run.database, "SELECT count(*) FROM subscriber WHERE status = 5")
    assert 0 < done < 30

    run.process = run.start()
    output = run.finish()
    assert run.process.returncode == 0, output
    assert "Going on with demo-1" in output
    assert one(run.database, "SELECT count(*) FROM subscriber WHERE status = 5") == 30
    run.process = run.start()
    output = run.finish()
    assert run.process.returncode == 0, output
    assert "Nothing is left to call: an earlier run is done with each of the 30 contacts." in output
    rings = Counter(event["number"] for event in seen(run.log, "rang"))
    assert set(rings.values()) == {1}


def test_a_second_ctrl_c_hangs_the_live_calls_up(tmp_path: Path, switch: tuple[str, Path]) -> None:
    run = Interrupted(tmp_path, switch, "6155500", seconds=60)
    assert run.open_attempts() > 0

    def ended() -> bool:
        run.process.send_signal(signal.SIGINT)  # again and again: two that come at the same moment are one
        select.select([], [], [], 0.5)
        return run.process.poll() is not None

    wait_until(ended, 40)
    output = run.finish()
    assert run.process.returncode == 130, output
    assert run.open_attempts() == 0
    assert len(seen(run.log, "ended")) == len(seen(run.log, "invited"))


def test_a_killed_demo_is_gone_on_with_and_nobody_is_called_twice_for_an_attempt(
    tmp_path: Path, switch: tuple[str, Path]
) -> None:
    run = Interrupted(tmp_path, switch, "6155500")
    run.process.kill()
    run.finish()
    assert run.open_attempts() > 0

    run.process = run.start()
    output = run.finish()
    assert run.process.returncode == 0, output
    assert run.open_attempts() == 0
    assert one(run.database, "SELECT count(*) FROM subscriber WHERE status IN (4, 5)") == 30
    per_attempt = Counter(event["uuid"] for event in seen(run.log, "rang"))
    assert max(per_attempt.values()) == 1


def test_a_second_demo_on_a_database_in_use_is_refused(tmp_path: Path, switch: tuple[str, Path]) -> None:
    run = Interrupted(tmp_path, switch, "6155500", seconds=60)
    other = dialer(*run.arguments[3:], cwd=tmp_path)
    run.process.kill()
    run.finish()
    assert other.returncode == 1
    assert str(run.process.pid) in other.stdout + other.stderr
