"""The ports that `dialer run` listens on: whether each can be had, and who has it when it cannot."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet.defer import maybeDeferred
from twisted.internet.protocol import Factory, Protocol

from dialer.doctor.diagnosis import Diagnosis, failure, ok
from dialer.errors import BadValue, CannotListen
from dialer.listening import listen
from dialer.settings import Config

CHECK = "ports"
_ON_TCP = re.compile(r"^(?:tcp6?|ssl):(\d+)")
_LISTENING = "0A"
_SOCKET = re.compile(r"socket:\[(\d+)\]")


@frozen
class Door:
    """A port that is needed: the setting that names it, and the endpoint."""

    setting: str
    endpoint: str


def doors(config: Config) -> Iterator[Door]:
    """Those of a configuration. Sockets that systemd passes and sockets in the file system are not looked at: they are whose
    they are. Nor is port 0, which is any free one."""
    every = [Door("http.endpoint", config.http.endpoint), Door("outbound.endpoint", config.outbound.endpoint)]
    if config.cdr.password:
        every.append(Door("cdr.endpoint", config.cdr.endpoint))
    if config.metrics.endpoint:
        every.append(Door("metrics.endpoint", config.metrics.endpoint))
    if config.simulator is not None:
        every.append(Door("simulator.port", f"tcp:{config.simulator.port}:interface=127.0.0.1"))
    for door in every:
        found = _ON_TCP.match(door.endpoint)
        if found and int(found[1]):
            yield door


async def look(reactor: Any, door: Door, dialer: int | None) -> Diagnosis:
    """One finding. `dialer` is the process of this configuration that dials, None when there is none."""
    try:
        port = await listen(reactor, door.endpoint, Factory.forProtocol(Protocol), door.setting)
    except CannotListen as error:
        if not is_taken(error):
            return failure(CHECK, f"{error}", f"see {door.setting}")
        found = _ON_TCP.match(door.endpoint)
        return judge_owner(door, owners(int(found[1]) if found else 0), dialer)
    except BadValue as error:
        return failure(CHECK, f"{error}", f"see {door.setting}")
    await maybeDeferred(port.stopListening)
    return ok(CHECK, f"{door.setting} is free ({door.endpoint})")


def is_taken(error: CannotListen) -> bool:
    """Whether somebody listens there."""
    return "in use" in str(error)


def judge_owner(door: Door, found: list[int], dialer: int | None) -> Diagnosis:
    """A port that is taken; `found` are the processes that listen on it, as far as they can be told."""
    if dialer is not None and (dialer in found or not found):
        return ok(CHECK, f"{door.setting} is the running dialer's, process {dialer} ({door.endpoint})")
    whose = " and ".join(f"process {process} ({name_of(process)})" for process in found) or "another program"
    beside = "" if dialer is None else f"; the dialer of this configuration, process {dialer}, has not got it"
    return failure(
        CHECK,
        f"{door.setting}: {door.endpoint} belongs to {whose}, and dialer run could not listen{beside}",
        f"end that one, or name another port in {door.setting}",
    )


# --- whose a port is, by Linux's word ---------------------------------------------------------------------------------------


def owners(port: int, proc: Path = Path("/proc")) -> list[int]:
    """The processes that listen on a TCP port; none where that is hidden from this user."""
    inodes = {inode for table in ("tcp", "tcp6") for inode in _listening(proc / "net" / table, port)}
    return sorted(process for process, inode in _sockets(proc) if inode in inodes) if inodes else []


def name_of(process: int, proc: Path = Path("/proc")) -> str:
    """What it was started as: its first two words."""
    try:
        words = (proc / str(process) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return "?"
    return " ".join(Path(word.decode("utf-8", "replace")).name for word in words[:2] if word) or "?"


def _listening(table: Path, port: int) -> Iterator[str]:
    """proc_pid_net(5): the second field is address:port in hexadecimal, the fourth the state, the tenth the inode."""
    try:
        lines = table.read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return
    for fields in map(str.split, lines):
        if len(fields) > 9 and fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
            yield fields[9]


def _sockets(proc: Path) -> Iterator[tuple[int, str]]:
    for folder in proc.iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            for entry in (folder / "fd").iterdir():
                with contextlib.suppress(OSError):
                    found = _SOCKET.fullmatch(str(entry.readlink()))
                    if found:
                        yield int(folder.name), found[1]
