"""Only one process dials with one SQLite file: an advisory lock on a file beside it.

The lock is the kernel's (`flock`), so it goes with the process that held it, however that ended. The database file itself
stays free: command-line tools open it at any time. The lock file is left in place, because removing it while another process
waits for it would give each of them a lock of its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from attrs import define, field

from dialer.errors import StoreError
from dialer.safe_files import UnsafeFile
from dialer.safe_paths import parent_of
from dialer.store.location import check_file


@define(eq=False)
class DiallingLock:
    """The dialling lock of the SQLite file at `database`."""

    database: Path
    _descriptor: int | None = field(default=None, init=False)

    def acquire(self) -> None:
        """Take the lock or raise `StoreError`, which names the process that has it."""
        path = _beside(self.database)
        try:
            descriptor = _opened(path, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise StoreError(
                f"cannot create {path} ({error.strerror}): give this user write access to the directory of the database"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            process = _named(descriptor)
            os.close(descriptor)
            raise _taken(self.database, process) from error
        with contextlib.suppress(OSError):  # the number serves the message only: a full disk must not keep us from dialling
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; nothing happens when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def refuse_second(database: Path) -> None:
    """Raise `StoreError`, as a second `acquire` would, when a process dials with `database`."""
    process = holder(database)
    if process is not None:
        raise _taken(database, process)


def _taken(database: Path, process: str) -> StoreError:
    return StoreError(
        f"another dialer (process {process}) is dialling with {database}: stop it first, or use another database"
    )


def holder(database: Path) -> str | None:
    """The process that dials with `database`, "unknown" when it did not leave its number; None when nobody does. Leaves
    nothing behind. Raises `StoreError` when that cannot be told."""
    path = _beside(database)
    try:
        descriptor = _opened(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read {path} ({error.strerror}): run this as the user of the dialer") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _named(descriptor)
    finally:
        os.close(descriptor)
    return None


def _beside(database: Path) -> Path:
    check_file(database)
    return Path(f"{database.resolve()}.lock")


def _opened(path: Path, flags: int) -> int:
    try:
        with parent_of(path) as (folder, name):
            return folder.open(name, flags)
    except UnsafeFile as error:
        raise StoreError(str(error)) from None


def _named(descriptor: int) -> str:
    return os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
