"""The FreeSWITCH that the environment names: asked, listened to, killed and started again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path

from attrs import define, field

from tests.processes import is_alive

PATIENCE = 10.0
"""Seconds for an answer."""

START = 60.0
"""Seconds in which a FreeSWITCH is there again."""


@define(eq=False)
class EventSocket:
    """One connection that is logged in."""

    _wire: socket.socket
    _data: bytes = b""

    @classmethod
    def to(cls, host: str, port: int, password: str) -> EventSocket:
        """Connect and log in."""
        peer = cls(socket.create_connection((host, port), timeout=PATIENCE))
        peer._frame(PATIENCE)
        answer, _ = peer.command(f"auth {password}")
        assert answer.get("Reply-Text") == "+OK accepted", answer
        return peer

    def close(self) -> None:
        """Hang up."""
        self._wire.close()

    def command(self, text: str) -> tuple[Mapping[str, str], str]:
        """Give a command on a connection without events; headers and body of the answer."""
        self._wire.sendall(f"{text}\n\n".encode())
        return self._frame(PATIENCE)

    def event(self, seconds: float) -> Mapping[str, str] | None:
        """The next event, None when none comes in that time. The connection was told which ones."""
        try:
            headers, body = self._frame(seconds)
        except TimeoutError:
            return None
        assert headers["Content-Type"] == "text/event-json", headers
        found: Mapping[str, str] = json.loads(body)
        return found

    def _frame(self, seconds: float) -> tuple[Mapping[str, str], str]:
        until = time.monotonic() + seconds
        while b"\n\n" not in self._data:
            self._read(until)
        head, _, self._data = self._data.partition(b"\n\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\n") if ": " in line)
        length = int(headers.get("Content-Length", 0))
        while len(self._data) < length:
            self._read(time.monotonic() + PATIENCE)
        body, self._data = self._data[:length], self._data[length:]
        return headers, body.decode()

    def _read(self, until: float) -> None:
        self._wire.settimeout(max(until - time.monotonic(), 0.001))
        data = self._wire.recv(65536)
        if not data:
            raise ConnectionError("FreeSWITCH closed the connection")
        self._data += data


@define(eq=False)
class RealSwitch:
    """`deaths` are the times at which it was killed, in seconds since 1970."""

    host: str
    port: int
    password: str
    pid_file: str = ""
    restart: str = ""
    deaths: list[float] = field(factory=list, init=False)

    @classmethod
    def from_environment(cls) -> RealSwitch:
        """What DIALER_FREESWITCH and its kin say."""
        host, port, password = os.environ["DIALER_FREESWITCH"].split(":")
        pid_file, restart = (os.environ.get(f"DIALER_FREESWITCH_{name}", "") for name in ("PID_FILE", "RESTART"))
        return cls(host, int(port), password, pid_file, restart)

    def ask(self, command: str) -> str:
        """The output of an `api` command."""
        with closing(EventSocket.to(self.host, self.port, self.password)) as peer:
            return peer.command(f"api {command}")[1]

    def listen(self, events: str) -> EventSocket:
        """A connection that hears these events from now on."""
        peer = EventSocket.to(self.host, self.port, self.password)
        answer, _ = peer.command(f"event json {events}")
        assert answer["Reply-Text"].startswith("+OK"), answer
        return peer

    def channels(self, account_code: str) -> list[str]:
        """The UUIDs of the channels that carry an account code; the list may show some that are no more."""
        rows = json.loads(self.ask("show channels as json")).get("rows", [])
        listed = [row["uuid"] for row in rows if row["accountcode"] == account_code]
        return [uuid for uuid in listed if self.ask(f"uuid_exists {uuid}") == "true"]

    def kill(self) -> None:
        """`kill -9`; nothing can come from it afterwards."""
        pid = int(Path(self.pid_file).read_text())
        name = Path(f"/proc/{pid}/comm").read_text().strip()
        assert name == "freeswitch", f"the process {pid} of {self.pid_file} is {name}"
        os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + PATIENCE
        while is_alive(pid):
            assert time.monotonic() < until, f"the process {pid} is still there"
            time.sleep(0.005)
        self.deaths.append(time.time())

    def start(self) -> None:
        """Start it, and wait until it answers."""
        nothing = subprocess.DEVNULL  # not a pipe: the switch that it leaves behind would hold it
        subprocess.run(self.restart, shell=True, check=True, timeout=START, stdin=nothing, stdout=nothing, stderr=nothing)
        until = time.monotonic() + START
        while True:
            with suppress(OSError):
                if "is ready" in self.ask("status"):
                    return
            assert time.monotonic() < until, "FreeSWITCH does not answer"
            time.sleep(0.05)


def until_event(peer: EventSocket, seconds: float, **wanted: str) -> Mapping[str, str]:
    """The next event with these headers (`_` for `-`)."""
    until = time.monotonic() + seconds
    for event in _events(peer, until):
        if all(event.get(name.replace("_", "-")) == value for name, value in wanted.items()):
            return event
    raise AssertionError(f"no event {wanted} in {seconds} s")


def _events(peer: EventSocket, until: float) -> Iterator[Mapping[str, str]]:
    while (left := until - time.monotonic()) > 0:
        if (event := peer.event(left)) is not None:
            yield event
