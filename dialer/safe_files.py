"""Files in folders that may be somebody else's: read, made, replaced and removed so that nobody leads this process elsewhere.

A command that is run as root works in folders of others, who may put a link, a pipe or another folder where a file was a
moment ago. Everything is therefore relative to an opened folder: that one stays what it is, whatever its name leads to
meanwhile. How a path that somebody has named is opened is in `dialer.safe_paths`.

- Below an opened folder, no symbolic link is followed.
- Only regular files with one name are opened: no link, no pipe, no device, no second name of a file that is somewhere else.
- A new file is made under a name of its own, has its owner and its mode before it has content, and takes its place when it is
  whole.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from attrs import define, frozen

from dialer.errors import DialerError

PLAIN: Final = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NOCTTY
"""Flags of every file that is opened."""
FOLDER: Final = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
"""Those of every folder that is opened: only to reach what is in it."""


class UnsafeFile(DialerError):
    """Something else than a plain file or folder is in the place of one: nothing was done."""

    code = "unsafe-file"

    def __init__(self, path: Path | str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


def refusal(error: OSError | UnsafeFile, done: str) -> str:
    """For a sentence about a file that could not be `read` or `written`: `cannot be read: Permission denied`."""
    if isinstance(error, UnsafeFile):
        return f"is not {done}: it {error.problem}"
    return f"cannot be {done}: {error.strerror}"


@frozen(kw_only=True)
class Access:
    """Owner, group and mode of a file. None for `mode`: what the umask leaves."""

    uid: int = -1
    gid: int = -1
    mode: int | None = 0o600

    @classmethod
    def of(cls, status: os.stat_result) -> Access:
        """Those of another file, without set-user-ID and the like."""
        return cls(uid=status.st_uid, gid=status.st_gid, mode=stat.S_IMODE(status.st_mode) & 0o777)


@frozen
class ReadFile:
    """A file that was read; `status` is of the very file that `content` is of."""

    content: bytes
    status: os.stat_result


@define(eq=False)
class Folder:
    """An opened folder. Names are single names in it. Methods raise `OSError` where the file system refuses, `UnsafeFile`
    for what is no plain file or folder."""

    path: Path
    descriptor: int

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it; a second time does nothing."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    # --- looking ----------------------------------------------------------------------------------------------------------

    @property
    def owner(self) -> tuple[int, int]:
        """The folder's user and group."""
        status = os.fstat(self.descriptor)
        return status.st_uid, status.st_gid

    @property
    def is_foreign(self) -> bool:
        """Whether it belongs to somebody who is neither root nor this user."""
        return self.owner[0] not in (0, os.geteuid())

    def status(self, name: str) -> os.stat_result | None:
        """Of a name itself, never of where a link leads; None when there is nothing."""
        try:
            return os.stat(_single(name), dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def check_plain(self, name: str) -> None:
        """Raises `UnsafeFile` for what is there and no regular file with one name."""
        status = self.status(name)
        if status is not None:
            _check_regular(status, self.path / name)

    def names(self) -> list[str]:
        """The names in it, sorted."""
        opened = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self.descriptor)
        try:
            return sorted(os.listdir(opened))  # noqa: PTH208 (a descriptor)
        finally:
            os.close(opened)

    def open(self, name: str, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
        """A descriptor of the regular file of that name; with `os.O_CREAT`, a new one has the folder's owner when root makes
        it. Never waits for the other end of a pipe."""
        try:
            descriptor = os.open(_single(name), flags | PLAIN | os.O_NONBLOCK, mode, dir_fd=self.descriptor)
        except OSError:
            self.check_plain(name)
            raise
        try:
            _check_regular(os.fstat(descriptor), self.path / name)
            if flags & os.O_CREAT:
                self._hand_over(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def read(self, name: str, most: int) -> ReadFile | None:
        """A regular file of at most `most` bytes; None when there is nothing of that name."""
        try:
            descriptor = self.open(name)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(most + 1)
            if len(content) > most:
                raise UnsafeFile(self.path / name, f"is longer than {most} bytes")
            return ReadFile(content, os.fstat(file.fileno()))

    # --- changing ---------------------------------------------------------------------------------------------------------

    @contextmanager
    def replacing(self, name: str, access: Access | None = None) -> Iterator[BinaryIO]:
        """A new file, which takes the place of `name` when it is whole: when the block ends without an error. By default it
        has the mode that the umask leaves."""
        access = access or Access(mode=None)
        new = f".dialer-{secrets.token_hex(8)}.new"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | PLAIN
        first_mode = 0o666 if access.mode is None else 0o600
        descriptor = os.open(new, flags, first_mode, dir_fd=self.descriptor)
        try:
            with os.fdopen(descriptor, "wb") as file:
                give(descriptor, access)
                yield file
                file.flush()
                os.fsync(descriptor)
            os.rename(new, _single(name), src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(new, dir_fd=self.descriptor)
            raise
        self.sync()

    def write(self, name: str, content: bytes, access: Access | None = None) -> None:
        """A file with that content, whole or not at all, in the place of what has that name."""
        with self.replacing(name, access) as file:
            file.write(content)

    def remove(self, name: str) -> None:
        """Take a name away, if it is there; of a link, the link."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_single(name), dir_fd=self.descriptor)

    def remove_folder(self, name: str) -> None:
        """Take an empty folder away. Raises `OSError` for one that is not."""
        os.rmdir(_single(name), dir_fd=self.descriptor)

    def move(self, name: str, other: Folder, new: str) -> None:
        """Give a name to another folder, in the place of what has it there."""
        os.rename(_single(name), _single(new), src_dir_fd=self.descriptor, dst_dir_fd=other.descriptor)

    def sync(self) -> None:
        """The names in it are on disk, as far as the file system can."""
        with contextlib.suppress(OSError):
            opened = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self.descriptor)
            try:
                os.fsync(opened)
            finally:
                os.close(opened)

    # --- folders in it ----------------------------------------------------------------------------------------------------

    def folder(self, name: str) -> Folder:
        """A folder in it. Raises `FileNotFoundError` when there is none."""
        try:
            return Folder(self.path / name, os.open(_single(name), FOLDER, dir_fd=self.descriptor))
        except FileNotFoundError:
            raise
        except OSError as error:
            self._refuse_link(name)
            raise OSError(error.errno, error.strerror, str(self.path / name)) from None

    def make_folder(self, name: str, access: Access) -> Folder:
        """A new folder in it. Raises `FileExistsError`."""
        os.mkdir(_single(name), 0o700, dir_fd=self.descriptor)
        made = self.folder(name)
        try:
            # Another folder may have been moved to that name meanwhile, and giving that away is what somebody would want.
            if os.fstat(made.descriptor).st_uid != os.geteuid() or made.names():
                raise UnsafeFile(made.path, "is another folder than the one that was just made")
            opened = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=made.descriptor)
            try:
                give(opened, access)
            finally:
                os.close(opened)
        except BaseException:
            made.close()
            raise
        return made

    @contextmanager
    def within(self, path: str) -> Iterator[tuple[Folder, str]]:
        """The folder that a path below this one ends in, and the last name. No link is followed on the way. Raises
        `FileNotFoundError` when a folder is missing."""
        *parents, name = path.split("/")
        with self.below(parents) as folder:
            yield folder, _single(name)

    @contextmanager
    def below(self, names: Sequence[str], *, make: bool = False) -> Iterator[Folder]:
        """A folder in a folder in this one, and so on; this one when there are no names. With `make`, those that are missing
        are made like this one. Raises `FileNotFoundError` without."""
        with contextlib.ExitStack() as stack:
            here = self
            for name in names:
                here = stack.enter_context(here._made(name) if make else here.folder(name))
            yield here

    def _made(self, name: str) -> Folder:
        try:
            return self.folder(name)
        except FileNotFoundError:
            return self.make_folder(name, self.like_this())

    def like_this(self) -> Access:
        """For a folder in it: its mode, and its owner when root makes one."""
        status = os.fstat(self.descriptor)
        uid, gid = (status.st_uid, status.st_gid) if os.geteuid() == 0 else (-1, -1)
        return Access(uid=uid, gid=gid, mode=stat.S_IMODE(status.st_mode))

    # --- own --------------------------------------------------------------------------------------------------------------

    def _hand_over(self, descriptor: int) -> None:
        uid, gid = self.owner
        if os.geteuid() == 0 and os.fstat(descriptor).st_size == 0:
            os.fchown(descriptor, uid, gid)

    def _refuse_link(self, name: str) -> None:
        status = self.status(name)
        if status is not None and stat.S_ISLNK(status.st_mode):
            raise UnsafeFile(self.path / name, "is a symbolic link, which is not followed")


def give(descriptor: int, access: Access) -> None:
    """Owner, group and mode to an opened file. Whoever is not root can give nothing away: raises `PermissionError`."""
    status = os.fstat(descriptor)
    uid, gid = (access.uid if access.uid >= 0 else status.st_uid), (access.gid if access.gid >= 0 else status.st_gid)
    if (status.st_uid, status.st_gid) != (uid, gid):
        os.fchown(descriptor, uid, gid)
    if access.mode is not None:
        os.fchmod(descriptor, access.mode)


def _single(name: str) -> str:
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise UnsafeFile(repr(name), "is no name of a file in a folder")
    return name


def _check_regular(status: os.stat_result, path: Path) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise UnsafeFile(path, "is a symbolic link, which is not followed")
    if stat.S_ISDIR(status.st_mode):
        raise UnsafeFile(path, "is a folder")
    if not stat.S_ISREG(status.st_mode):
        raise UnsafeFile(path, "is no regular file")
    if status.st_nlink > 1:
        raise UnsafeFile(path, "has a second name (a hard link), and is not touched")
