"""The checks of this machine that need no switch: files, disk space, limits."""

from __future__ import annotations

import os
import re
import resource
import shutil
import stat
from pathlib import Path

from dialer.doctor.diagnosis import Diagnosis, failure, ok, warning

GIGABYTE = 10**9
ENOUGH = 2 * GIGABYTE
TOO_LITTLE = GIGABYTE // 5
STOCK_PASSWORD = "ClueCon"  # noqa: S105 (everybody knows it)
_OPEN_FILES = re.compile(r"^Max open files\s+(\d+|unlimited)", re.MULTILINE)


def judge_permissions(path: Path, mode: int) -> Diagnosis:
    """The configuration, or a file that it names, holds the switch's password: a reader of it commands the switch."""
    check, repair = "permissions", f"chmod 600 {path}"
    said = f"{path} has mode {stat.S_IMODE(mode):04o}"
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        return failure(check, f"{said}: others can change it", repair)
    if mode & stat.S_IROTH:
        return failure(check, f"{said}: everybody can read the switch's password", repair)
    if mode & stat.S_IRGRP:
        return warning(check, f"{said}: its group can read the switch's password", repair)
    return ok(check, said)


def judge_disk(folder: Path, free: int) -> Diagnosis:
    """A full disk stops the calls: no attempt can be stored."""
    check, said = "disk", f"{free / GIGABYTE:.1f} GB free at {folder}"
    if free < TOO_LITTLE:
        return failure(check, f"{said}: the database cannot grow", "make room, at least 2 GB")
    if free < ENOUGH:
        return warning(check, said, "make room, at least 2 GB")
    return ok(check, said)


def judge_files(limit: int | None, needed: int, whose: str) -> Diagnosis:
    """Each connection and each call in a voice application is an open file; `limit` None is no limit."""
    check = "files"
    if limit is not None and limit < needed:
        return warning(
            check,
            f"{whose} may open {limit} files; {needed} can be needed at the same time",
            "raise it: LimitNOFILE=65536 in the systemd unit, ulimit -n in a shell; or lower http.max_connections",
        )
    return ok(check, f"{whose} may open {'any number of' if limit is None else limit} files")


def judge_password(password: str) -> Diagnosis:
    """Whether the right password is a good one."""
    if password == STOCK_PASSWORD:
        return warning(
            "password",
            "the switch has the password that every FreeSWITCH ships with",
            "write another one as switch.password, then dialer freeswitch install DIR --replace",
        )
    return ok("password", "the switch accepts it")


def look_at_permissions(path: Path) -> Diagnosis:
    """The same for a file."""
    return judge_permissions(path, path.stat().st_mode)


def look_at_disk(folder: Path) -> Diagnosis:
    """The same for the folder that the database is in."""
    try:
        return judge_disk(folder, shutil.disk_usage(folder).free)
    except OSError as error:
        return failure("disk", f"{folder}: {error.strerror}", "see database.url")


def look_at_files(needed: int, dialer: int | None) -> Diagnosis:
    """The same for the running dialer's process, or else for this one."""
    if dialer is not None and dialer != os.getpid():
        try:
            found = _OPEN_FILES.search(Path(f"/proc/{dialer}/limits").read_text(encoding="ascii"))
        except OSError:
            found = None
        if found:
            return judge_files(None if found[1] == "unlimited" else int(found[1]), needed, f"the dialer (process {dialer})")
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return judge_files(None if soft == resource.RLIM_INFINITY else soft, needed, "a dialer that is started from here")
