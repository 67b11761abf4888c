"""The switch and the called side: `dialer simulate` as a process, which may be killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from attrs import define, field

from tests.chaos.called_side import CalledSideLog, read_log
from tests.chaos.campaign import callees
from tests.forks import Forked
from tests.harness.node import START
from tests.processes import command, lasting_port


@define(eq=False)
class SwitchLife:
    """One process. Its log is its own: a call without an end in it has ended when the process died."""

    log: Path
    process: subprocess.Popen[str]
    died_at: float | None = None


@define(eq=False)
class Switch:
    """A switch on a port that stays. Each process draws its chance from a seed of its own, and with it its Core-UUID.
    `options` tell who answers."""

    folder: Path
    seed: int
    options: Sequence[str] = field(factory=callees, kw_only=True)
    port: int = field(factory=lasting_port)
    lives: list[SwitchLife] = field(factory=list, init=False)

    def start(self) -> None:
        """Start a process, and wait until it listens."""
        number = len(self.lives) + 1
        log = self.folder / f"calls-{number}.jsonl"
        arguments = command(
            "simulate", "--port", self.port, "--seed", self.seed * 1000 + number, "--log", log,
            "--sps", 0, "--max-sessions", 0, *self.options,
        )  # fmt: skip
        said = self.folder / f"switch-{number}.log"
        with said.open("wb") as errors:
            process = Forked(arguments, stderr=errors)
        self.lives.append(SwitchLife(log, process))
        until = time.monotonic() + START
        while b"listening on" not in said.read_bytes():
            if process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"the switch does not listen: {said.read_text()}")
            time.sleep(0.01)

    @property
    def alive(self) -> bool:
        """Whether a process is there."""
        return bool(self.lives) and self.lives[-1].died_at is None

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it. Nothing can happen after `died_at`."""
        life = self.lives[-1]
        if life.died_at is None:
            os.kill(life.process.pid, how)
            life.process.wait(START)
            life.died_at = time.time()

    def stand_still(self, seconds: float) -> None:
        """It does nothing for so long (SIGSTOP), and has everything."""
        process = self.lives[-1].process.pid
        os.kill(process, signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            os.kill(process, signal.SIGCONT)

    def died_by_itself(self) -> bool:
        """Whether it has ended without having been told to."""
        return self.alive and self.lives[-1].process.poll() is not None

    def seen(self) -> CalledSideLog:
        """What the called side has seen so far."""
        return read_log([(life.log, life.died_at) for life in self.lives])
