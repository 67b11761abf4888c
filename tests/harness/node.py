"""A dialer: `dialer run` as a process, which may be killed, frozen, stopped and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from attrs import define, field

from dialer.settings_file import settings_file
from tests.forks import Forked, dialer
from tests.harness.dialer_log import LogLine, parse
from tests.processes import command

CONFIG, READY, LOG = "dialer.toml", "ready", "dialer.log"

START = 60.0
"""Seconds that a process of the product may need to be ready on a machine with other things to do."""

STOP = 40.0
"""Seconds in which a process ends that was told to."""


@define(eq=False)
class Life:
    """One process. Times are seconds since 1970; `killed` tells `kill -9` from every other end."""

    process: subprocess.Popen[str]
    started_at: float
    ended_at: float | None = None
    killed: bool = False


@define(eq=False)
class Node:
    """A dialer in a folder of its own. All its processes write to one log."""

    name: str
    folder: Path
    lives: list[Life] = field(factory=list, init=False)
    frozen: bool = field(default=False, init=False)

    @classmethod
    def create(cls, name: str, parent: Path, sections: Mapping[str, Mapping[str, object]]) -> Self:
        """A new folder with a configuration of these sections, ready to be run. It calls made-up numbers at any hour."""
        folder = parent / name
        folder.mkdir()
        (folder / CONFIG).write_text(settings_file({"rules": {"apply": "none"}, **sections}), encoding="utf-8")
        return cls(name, folder)

    # --- the process ------------------------------------------------------------------------------------------------------

    def program(self) -> list[str]:
        """The command line of a process, without the arguments of `dialer`."""
        return command()

    def start(self) -> None:
        """Start a process; `is_ready` tells when it serves."""
        (self.folder / READY).unlink(missing_ok=True)
        arguments = [*self.program(), "run", "-c", CONFIG, "--ready-file", READY]
        with (self.folder / LOG).open("ab") as log:
            process = Forked(arguments, cwd=self.folder, stderr=log)
        self.lives.append(Life(process, time.time()))

    @property
    def alive(self) -> bool:
        """Whether a process is there that was not told to end."""
        return bool(self.lives) and self.lives[-1].ended_at is None

    def is_ready(self) -> bool:
        """Whether calls and requests are served."""
        return self.alive and (self.folder / READY).exists()

    def died_by_itself(self) -> bool:
        """Whether it has ended without having been told to."""
        return self.alive and self.lives[-1].process.poll() is not None

    def buried(self) -> int:
        """Take note of the end of one that has died by itself; its exit status."""
        return self._ended()

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
        self.frozen = True

    def thaw(self) -> None:
        """SIGCONT."""
        self._send(signal.SIGCONT)
        self.frozen = False

    def _send(self, number: signal.Signals) -> None:
        os.kill(self.lives[-1].process.pid, number)

    def _ended(self) -> int:
        life = self.lives[-1]
        status = life.process.wait(STOP)
        life.ended_at = time.time()
        self.frozen = False
        return status

    # --- what it says and is told -----------------------------------------------------------------------------------------

    def command(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Another command on the same configuration, which ends by itself."""
        return dialer(*arguments, "-c", self.folder / CONFIG)

    def log(self) -> Sequence[LogLine]:
        """What its processes said."""
        return list(parse(self._text().splitlines()))

    def last_words(self) -> str:
        """The end of its log."""
        return "\n".join(self._text().splitlines()[-5:])

    def _text(self) -> str:
        return (self.folder / LOG).read_text(errors="replace")
