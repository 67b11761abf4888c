"""`dialer run` as a process, in a folder of its own, ended by its process id."""

from __future__ import annotations

import base64
import http.client
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any

from attrs import define, field

from dialer.cli.blocking import with_database
from dialer.cli.main import main
from dialer.model import VoipAppType
from dialer.store.database import Database
from dialer.wall_clock import utc_now
from tests.forks import Forked, dialer
from tests.grounds import rows
from tests.processes import command, environment
from tests.seeding import Seeds
from tests.unit.api.world import cheap_hash

PASSWORD = "correct horse"
PATIENCE = 60.0
"""Seconds."""
BASE = "/api/dialer_campaign/"

PASS_SOCKET = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "api"}
os.execv(sys.argv[2], sys.argv[2:])
"""


_scratch = tempfile.TemporaryDirectory(prefix="dialer-folders-")


@cache
def _template() -> Path:
    folder, password = Path(_scratch.name) / "dialer", Path(_scratch.name) / "password"
    password.write_text(PASSWORD)
    made = dialer("init", folder, "--simulator", "--password-file", password)
    assert made.returncode == 0, made.stderr
    change(folder, endpoint='"tcp:0:interface=127.0.0.1"')
    return folder


def new_folder(folder: Path) -> Path:
    """What `dialer init --simulator` makes, listening on any free port: it is made once, and copied."""
    return Path(shutil.copytree(_template(), folder))


def change(folder: Path, **settings: str) -> None:
    """Set settings that stand in the file once, or whose first place is meant."""
    file = folder / "dialer.toml"
    lines = file.read_text().splitlines()
    for name, value in settings.items():
        index = next(number for number, line in enumerate(lines) if line.removeprefix("#").startswith(f"{name} = "))
        lines[index] = f"{name} = {value}"
    file.write_text("\n".join(lines) + "\n")


def move_to(folder: Path, url: str, username: str = "admin", password: str = PASSWORD) -> None:
    """Another database than the file, with what `dialer init` puts into one."""

    async def seed(database: Database) -> None:
        seeds = Seeds(database, utc_now())
        await seeds.user(username=username, password_hash=cheap_hash(password), is_superuser=True)
        gateway_id = await seeds.gateway(
            name="Default_Gateway",
            description="This is default gateway",
            hostname="localhost",
            dial_string="sofia/gateway/simulator/{number}",
        )
        await seeds.voip_app(name="Default_VoIP_App", type=VoipAppType.DIAL, gateway_id=gateway_id)

    with_database(url, seed)
    (folder / "dialer.db").unlink()
    change(folder, url=f'"{url}"')


def ran(folder: Path, *arguments: object) -> tuple[int, str, str]:
    """Run a command on the configuration in a folder, in this process, beside whatever runs there. Its exit status, and its
    output and errors. A process of its own would take longer to start than the command takes."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main([*map(str, arguments), "-c", str(folder / "dialer.toml")])
    return status, out.getvalue(), err.getvalue()


def good(folder: Path, *arguments: object) -> str:
    """Its output, when it does not fail."""
    status, out, err = ran(folder, *arguments)
    assert status == 0, err
    return out


def until(url: str, statement: str, wanted: object) -> None:
    """Poll a database, which another process writes, for the first value of the first row."""
    last = time.monotonic() + PATIENCE
    while (found := [row[0] for row in rows(url, statement)[:1]]) != [wanted]:
        assert time.monotonic() < last, (statement, found)
        time.sleep(0.05)


@define(eq=False)
class Running:
    """A dialer that runs. Its log is read line by line, so that nothing has to be waited for by time."""

    folder: Path
    process: subprocess.Popen[str]
    lines: list[str] = field(factory=list)

    def wait_for(self, text: str) -> str:
        """The next line of the log that holds `text`."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))
            if text in line:
                return line
        raise AssertionError(f"no {text!r} in {self.lines}")

    @property
    def addresses(self) -> dict[str, Any]:
        return json.loads((self.folder / "ready").read_text())

    def send(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    def end(self) -> int:
        """Read the log to its end; the exit status."""
        assert self.process.stderr is not None
        self.lines += [line.rstrip("\n") for line in self.process.stderr]
        return self.process.wait(30)

    def connection(self) -> http.client.HTTPConnection:
        host, _, port = self.addresses["http"].rpartition(":")
        return http.client.HTTPConnection(host, int(port), timeout=20)

    def request(self, method: str, path: str, body: str | None = None, user: str = "admin") -> tuple[int, Any]:
        connection = self.connection()
        try:
            connection.request(method, BASE + path, body, headers(user, body))
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


def headers(user: str = "admin", body: str | None = None) -> dict[str, str]:
    token = base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()
    form = {} if body is None else {"Content-Type": "application/x-www-form-urlencoded"}
    return {"Authorization": f"Basic {token}", **form}


@contextmanager
def started(
    folder: Path, *, ready: bool = True, interpreted: bool = False, pass_fds: tuple[int, ...] = (), **more: str
) -> Iterator[Running]:
    """Run it, and wait until it says that it is ready. Whatever happens, it is gone afterwards. It is a fork, unless it is to
    be `interpreted` from the start of Python on, as it is when it gets sockets."""
    arguments = command("run", "-c", "dialer.toml", "--ready-file", "ready")
    if pass_fds:
        # As systemd does it: the socket is descriptor 3, and the process is named.
        arguments = [sys.executable, "-c", PASS_SOCKET, str(pass_fds[0]), *arguments]
    begin = subprocess.Popen if interpreted or pass_fds else Forked
    process = begin(arguments, cwd=folder, env=environment(**more), stderr=subprocess.PIPE, text=True, pass_fds=pass_fds)
    running = Running(folder, process)
    try:
        if ready:
            running.wait_for(" ready ")
        yield running
    finally:
        process.kill()
        process.wait(30)
        assert process.stderr is not None
        process.stderr.close()


def refused(folder: Path, **more: str) -> tuple[int, str]:
    """The exit status and the one line of a run that does not start."""
    with started(folder, ready=False, **more) as running:
        status = running.end()
        lines = [line for line in running.lines if " INFO " not in line]
        assert len(lines) == 1, lines
        assert lines[0].startswith("dialer: ")
        return status, lines[0].removeprefix("dialer: ")


@contextmanager
def notify_socket(folder: Path) -> Iterator[tuple[socket.socket, Mapping[str, str]]]:
    """Where systemd would listen, and the environment that says so."""
    path = folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.settimeout(20)
        yield listener, {"NOTIFY_SOCKET": str(path)}
