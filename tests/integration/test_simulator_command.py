"""`dialer simulate` as a process of its own."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.forks import Forked, dialer
from tests.processes import command, interpreted


@contextmanager
def simulator(*options: str) -> Iterator[tuple[subprocess.Popen[str], socket.socket]]:
    """A running simulator and a connection to it, greeted and authenticated."""
    with Forked(command("simulate", "--port", "0", *options), stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            port = int(said.split("127.0.0.1:")[1].split(",")[0])
            with socket.create_connection(("127.0.0.1", port), 10) as peer:
                assert talk(peer, "") == "Content-Type: auth/request\n\n"
                assert "+OK accepted" in talk(peer, "auth ClueCon\n\n")
                yield process, peer
        finally:
            process.kill()


def talk(peer: socket.socket, text: str, until: str = "\n\n") -> str:
    """Send, and read until something has come."""
    peer.sendall(text.encode())
    said = ""
    while until not in said:
        data = peer.recv(65536)
        assert data, f"closed after {said!r}"
        said += data.decode()
    return said


def test_command_serves_calls_by_its_options_and_ends_on_sigterm(tmp_path: Path) -> None:
    log = tmp_path / "calls.jsonl"
    with simulator("--callee", "1*=busy", "--mix", "rejected=1", "--seed", "3", "--log", str(log)) as (process, peer):
        assert "-ERR USER_BUSY" in talk(peer, "api originate sofia/gateway/carrier/123 &park\n\n", "ERR")
        assert "-ERR CALL_REJECTED" in talk(peer, "api originate sofia/gateway/carrier/999 &park\n\n", "ERR")
        assert "30 session(s) max" not in talk(peer, "api status\n\n", "Stack")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stderr is not None
        summary = process.stderr.read()
    assert "2 calls, 0 answered, at most 1 at a time; USER_BUSY 1, CALL_REJECTED 1" in summary
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["what"], line["number"]) for line in lines if line["what"] == "invited"] == [
        ("invited", "123"),
        ("invited", "999"),
    ]


def test_fault_happens_at_its_time() -> None:
    with simulator("--fault", "drop@2") as (_, peer):  # by then it is connected, on any machine
        peer.settimeout(10)
        with pytest.raises(ConnectionResetError):
            peer.recv(1)


def test_wrong_option_is_explained() -> None:
    for option, value, expected in (
        ("--callee", "1=nobody", "no such callee 'nobody'"),
        ("--mix", "busy", "expected SCRIPT=WEIGHT"),
        ("--fault", "fire@1", "expected NAME@SECONDS"),
    ):
        done = dialer("simulate", option, value)
        assert done.returncode == 2
        assert expected in done.stderr
        assert "Traceback" not in done.stderr


def test_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = interpreted("simulate", "--port", port)
    assert done.returncode == 1
    assert port in done.stderr
    assert "Traceback" not in done.stderr
