"""A dialer as a process: `dialer run` in a folder of its own, which may be killed, frozen, stopped and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import define, field

from dialer.settings_file import settings_file
from tests.chaos.dialer_log import LogLine, parse
from tests.processes import command, dialer, environment, lasting_port
from tests.real.switch import RealSwitch

LOCAL = "127.0.0.1"
CONFIG, READY, LOG = "dialer.toml", "ready", "dialer.log"
LEASE = 3.0
"""Seconds for which the others of several dialers wait for one of which nothing is heard."""
STOP = 40.0
"""Seconds in which a process ends that was told to."""


@define(eq=False)
class Life:
    """One process. Times are seconds since 1970; `killed` tells `kill -9` from every other end."""

    process: subprocess.Popen[bytes]
    started_at: float
    ended_at: float | None = None
    killed: bool = False


@define(eq=False)
class Node:
    """A dialer for the database at `url` and a switch. All its processes write to one log."""

    name: str
    folder: Path
    lives: list[Life] = field(factory=list, init=False)

    @classmethod
    def create(
        cls, name: str, parent: Path, url: str, switch: RealSwitch, port: int, records: Mapping[str, object] | None = None
    ) -> Node:
        """A new folder, ready to be run. The Event Socket is reached on this machine's `port`; `records` are the settings for
        FreeSWITCH's call detail records."""
        folder = parent / name
        folder.mkdir()
        outbound = lasting_port()
        sections = {
            "database": {"url": url},
            "node": {"name": name, "lease": LEASE},
            "switch": {"name": "real", "port": port, "password": switch.password},
            "http": {"endpoint": f"tcp:0:interface={LOCAL}"},
            "outbound": {"endpoint": f"tcp:{outbound}:interface={LOCAL}"},
            **({"cdr": records} if records else {}),
        }
        (folder / CONFIG).write_text(settings_file(sections), encoding="utf-8")
        return cls(name, folder)

    # --- the process ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start a process; `is_ready` tells when it serves."""
        (self.folder / READY).unlink(missing_ok=True)
        arguments = command("run", "-c", CONFIG, "--ready-file", READY)
        with (self.folder / LOG).open("ab") as log:
            process = subprocess.Popen(arguments, cwd=self.folder, env=environment(), stderr=log)
        self.lives.append(Life(process, time.time()))

    @property
    def alive(self) -> bool:
        """Whether a process is there that was not told to end."""
        return bool(self.lives) and self.lives[-1].ended_at is None

    def is_ready(self) -> bool:
        """Whether calls and requests are served."""
        assert self.lives[-1].process.poll() is None, f"node {self.name} died by itself: {self.last_words()}"
        return (self.folder / READY).exists()

    def kill(self) -> None:
        """`kill -9`."""
        self._send(signal.SIGKILL)
        self._ended()
        self.lives[-1].killed = True

    def stop(self) -> int:
        """SIGTERM, as an administrator does it; the exit status."""
        self._send(signal.SIGTERM)
        return self._ended()

    def freeze(self) -> None:
        """SIGSTOP: it does nothing any more, and has everything."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        os.kill(self.lives[-1].process.pid, number)

    def _ended(self) -> int:
        life = self.lives[-1]
        status = life.process.wait(STOP)
        life.ended_at = time.time()
        return status

    # --- what it says and is told -----------------------------------------------------------------------------------------

    def command(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Another command on the same configuration, which ends by itself."""
        return dialer(*arguments, "-c", self.folder / CONFIG)

    def log(self) -> Sequence[LogLine]:
        """What its processes said."""
        return list(parse((self.folder / LOG).read_text(errors="replace").splitlines()))

    def last_words(self) -> str:
        """The end of its log."""
        return "\n".join((self.folder / LOG).read_text(errors="replace").splitlines()[-5:])
