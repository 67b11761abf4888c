"""A dialer: `dialer run` as a process, which may be killed, frozen, stopped and started again."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import time
from contextlib import closing
from pathlib import Path

from attrs import define, field

from dialer.settings_file import settings_file
from tests.chaos import defective
from tests.chaos.campaign import Rules
from tests.chaos.grounds import Ground
from tests.chaos.network import LOCAL, Link, Network
from tests.chaos.switch import START
from tests.integration.run_support import BASE, headers
from tests.processes import command, environment, lasting_port

CONFIG = "dialer.toml"
READY = "ready"
LOG = "dialer.log"


@define(eq=False)
class NodeLife:
    """One process. Times are seconds since 1970."""

    process: subprocess.Popen[bytes]
    started_at: float
    ended_at: float | None = None


@define(eq=False)
class Node:
    """A dialer in a folder of its own, behind a link of its own. All its processes write to one log. `defect` is one of
    `tests.crash.defects`."""

    name: str
    folder: Path
    link: Link
    defect: str = ""
    lives: list[NodeLife] = field(factory=list, init=False)
    frozen: bool = field(default=False, init=False)

    @classmethod
    def create(cls, name: str, parent: Path, ground: Ground, network: Network, switch: int, rules: Rules) -> Node:
        """A new folder, ready to be run, for a switch that listens on the port `switch`."""
        folder, outbound = parent / name, lasting_port()
        folder.mkdir()
        link = network.link(switch, outbound)
        sections = {
            "switch": {
                "name": "switch",
                "port": link.switch_port,
                "password": "ClueCon",
                "calls_per_second": rules.frequency / 60 * 2,
                "silence": rules.silence,
            },
            "http": {"endpoint": f"tcp:0:interface={LOCAL}"},
            "outbound": {"endpoint": f"tcp:{outbound}:interface={LOCAL}", "advertise": f"{LOCAL}:{link.outbound_port}"},
            "recovery": {"grace": rules.grace, "originate_window": rules.window},
            **ground.sections(name),
        }
        (folder / CONFIG).write_text(settings_file(sections), encoding="utf-8")
        return cls(name, folder, link)

    # --- the process ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start a process; `is_ready` tells when it serves."""
        (self.folder / READY).unlink(missing_ok=True)
        arguments = command("run", "-c", CONFIG, "--ready-file", READY)
        if self.defect:
            arguments[1:3] = ["-m", defective.__name__, self.defect]
        with self.log.open("ab") as log:
            process = subprocess.Popen(arguments, cwd=self.folder, env=environment(), stderr=log)
        self.lives.append(NodeLife(process, time.time()))

    @property
    def alive(self) -> bool:
        """Whether a process is there."""
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
        status = life.process.wait(2 * START)
        life.ended_at = time.time()
        self.frozen = False
        return status

    # --- what it says and is told -----------------------------------------------------------------------------------------

    @property
    def log(self) -> Path:
        """What its processes write to standard error."""
        return self.folder / LOG

    def last_words(self, lines: int = 5) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def request(self, method: str, path: str, body: str) -> int:
        """An HTTP request; the status."""
        host, _, port = json.loads((self.folder / READY).read_text())["http"].rpartition(":")
        with closing(http.client.HTTPConnection(host, int(port), timeout=START)) as connection:
            connection.request(method, BASE + path, body, headers(body=body))
            return connection.getresponse().status
