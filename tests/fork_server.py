"""`python -m tests.fork_server FD`: a process that has read the product's modules and done nothing else. Whoever is at the
other end of the socket asks it for processes (`tests.forks`); it ends when nobody is there any more."""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import socket
import sys
import threading
import time
import traceback
from importlib import import_module
from types import ModuleType
from typing import Any, Final, NoReturn

import twisted.internet

LARGEST_ORDER: Final = 1 << 17
"""Bytes."""
STANDARD: Final = 3
"""Input, output, errors."""

_COMMANDS: Final = ("run", "simulate", "demo", "init", "doctor", "freeswitch", "contact")
_MODULES: Final = ("pony.orm.dbproviders.sqlite", "pony.orm.dbproviders.postgres", "tests.crash.defects")


def read_modules() -> None:
    """Everything but Twisted's reactor, which each process makes for itself: one of theirs would be everybody's."""
    stand_in: Any = ModuleType("twisted.internet.reactor")
    twisted.internet.reactor = sys.modules[stand_in.__name__] = stand_in
    try:
        parser_for = import_module("dialer.cli.main").parser_for
        for command in _COMMANDS:
            parser_for([command])
        for module in _MODULES:
            import_module(module)
    finally:
        del twisted.internet.reactor, sys.modules[stand_in.__name__]
    assert threading.active_count() == 1, "a fork would not have the other threads"


def serve(control: socket.socket) -> None:
    """An order after the other: where the process is to run, with which arguments, environment and standard streams. The
    answer is its id."""
    while True:
        order, streams, _, _ = socket.recv_fds(control, LARGEST_ORDER, STANDARD)
        if not order:
            return
        control.send(str(_start(control, json.loads(order), streams)).encode())
        for stream in streams:
            os.close(stream)


def _start(control: socket.socket, order: dict[str, Any], streams: list[int]) -> int:
    """Its parent ends at once, so that it becomes a child of the process that asks (`PR_SET_CHILD_SUBREAPER`)."""
    told, telling = os.pipe()
    parent = os.fork()
    if parent == 0:
        child = os.fork()
        if child == 0:
            os.close(told)
            os.close(telling)
            control.close()
            _become(order, streams)
        os.write(telling, str(child).encode())
        os._exit(0)
    os.waitpid(parent, 0)
    child = int(os.read(told, 20))
    os.close(told)
    os.close(telling)
    return child


def _become(order: dict[str, Any], streams: list[int]) -> NoReturn:
    """`python -m`, from where it begins to run the module to its end."""
    status: object = 1
    try:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(order["folder"])
        os.environ.clear()
        os.environ.update(order["environment"])
        time.tzset()
        module, *words = order["words"]
        sys.argv = [module, *words]
        gc.enable()
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as ended:
        status = ended.code
    except BaseException:
        traceback.print_exc()
    if isinstance(status, str):
        sys.stderr.write(f"{status}\n")
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status if isinstance(status, int) else 0 if status is None else 1)


if __name__ == "__main__":
    gc.disable()
    read_modules()
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
