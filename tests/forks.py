"""Processes of the product that begin quickly: each is a fork of one process that has read the modules, and is a process like
any other from then on. It has its own id, memory and signals, and can be killed, frozen and waited for.

What it is spared is to read the product again, which takes longer than most of what tests do with a process. Tests of how a
command line begins start `subprocess.Popen` instead.
"""

from __future__ import annotations

import ctypes
import json
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from tests.fork_server import STANDARD
from tests.processes import ROOT, command, environment

_PR_SET_CHILD_SUBREAPER = 36
"""linux/prctl.h."""

_asking = Lock()
_server: list[socket.socket] = []


class Forked(subprocess.Popen[str]):
    """`subprocess.Popen` of `[sys.executable, "-m", MODULE, ...]`, with text for streams. The server is started with the first
    one, and ends with this process."""

    def __init__(self, arguments: Sequence[str], **options: Any) -> None:
        assert list(arguments[:2]) == [sys.executable, "-m"], arguments
        super().__init__(arguments, **{"text": True, "env": environment(), "cwd": Path.cwd(), **options})

    def _execute_child(self, args: Any, _a: Any, _b: Any, _c: Any, _d: Any, cwd: Any, env: Any, _e: Any, _f: Any, _g: Any,
                       *pipes: int, **_: Any) -> None:  # fmt: skip
        """In place of a fork of this process and the start of an interpreter. Of each stream, `pipes` has the two ends in the
        order of `subprocess`, -1 for one that is inherited."""
        stdin, stdin_here, stdout_here, stdout, stderr_here, stderr, *_ = pipes
        streams = [number if stream == -1 else stream for number, stream in enumerate((stdin, stdout, stderr))]
        try:
            self.pid = _ask({"words": args[2:], "folder": str(cwd), "environment": dict(env)}, streams)
            self._child_created = True
        finally:
            self._close_pipe_fds(stdin, stdin_here, stdout_here, stdout, stderr_here, stderr)  # type: ignore[attr-defined]


def dialer(*arguments: object, entered: str = "", **options: Any) -> subprocess.CompletedProcess[str]:
    """A command of the product that ends by itself; `entered` comes to its standard input."""
    pipe = subprocess.PIPE
    with Forked(command(*arguments), stdin=pipe, stdout=pipe, stderr=pipe, **options) as process:
        try:
            out, err = process.communicate(entered, timeout=60)
        finally:
            process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def _ask(order: dict[str, Any], streams: Sequence[int]) -> int:
    """The id of a new process."""
    with _asking:
        if not _server:
            _server.append(_start())
        socket.send_fds(_server[0], [json.dumps(order).encode()], streams)
        answer = _server[0].recv(STANDARD * 10)
    assert answer, "the server of forks has ended"
    return int(answer)


def _start() -> socket.socket:
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with there:
        subprocess.Popen(
            [sys.executable, "-m", "tests.fork_server", str(there.fileno())],
            cwd=ROOT,
            env=environment(),
            pass_fds=[there.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
    return here
