"""Those who are called: a SIPp that follows `callees.xml`, and what its log says of each call."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from attrs import define, field

from tests.harness.called_side import SeenCall

SCENARIO = Path(__file__).with_name("callees.xml")
START = 10.0
"""Seconds in which SIPp listens."""


@define(eq=False)
class Callees:
    """A SIPp on `host:port`; a context manager."""

    host: str
    port: int
    folder: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def _log(self) -> Path:
        return self.folder / "callees.log"

    def __enter__(self) -> Callees:
        program = shutil.which("sipp")
        assert program is not None, "sipp is not on PATH"
        arguments: list[object] = [
            program, "-sf", SCENARIO, "-i", self.host, "-p", self.port, "-mi", self.host, "-ci", self.host, "-nostdin",
            "-deadcall_wait", 0,
            "-trace_logs", "-log_file", self._log, "-trace_err", "-error_file", self.folder / "callees.err",
        ]  # fmt: skip
        with (self.folder / "callees.out").open("wb") as out:
            self._process = subprocess.Popen([*map(str, arguments)], cwd=self.folder, stdout=out, stderr=out)
        until = time.monotonic() + START
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > until:
                self.__exit__()
                said = (self.folder / "callees.out").read_text(errors="replace")
                raise AssertionError(f"SIPp does not listen: {said[-500:]}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(START)

    def _listens(self) -> bool:
        sockets = Path("/proc/net/udp").read_text().splitlines()[1:]
        return any(line.split()[1].endswith(f":{self.port:04X}") for line in sockets)

    def calls(self) -> Sequence[SeenCall]:
        """Every call so far by its Call-ID, in the order of the INVITEs."""
        found: dict[str, SeenCall] = {}
        whole = self._log.read_text().rpartition("\n")[0] if self._log.exists() else ""
        for line in whole.splitlines():
            at, what, call_id, number = line.rpartition("\t")[2].split("|")
            match what:
                case "invited":
                    assert call_id not in found, f"two calls are {call_id}"
                    found[call_id] = SeenCall(call_id, number, float(at))
                case "rang":
                    found[call_id].rang_at = float(at)
                case "answered":
                    found[call_id].answered_at = float(at)
                case "ended":
                    found[call_id].ended_at = float(at)
        return list(found.values())
