"""Paths that somebody has named, to a file or a folder that may be in somebody else's folder.

A path is walked once, folder by folder. On the way, a symbolic link is followed when it is root's or this user's: another one
may lead anywhere, and is refused. What is then done in the opened folder is in `dialer.safe_files`.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import BinaryIO, Final

from dialer.safe_files import FOLDER, PLAIN, Access, Folder, UnsafeFile

MOST_LINKS: Final = 40
"""Links on the way to a file, as the kernel counts them (path_resolution(7))."""
_OWN_DESCRIPTOR: Final = re.compile(r"/dev/std(in|out|err)|/dev/fd/(\d{1,6})|/proc/self/fd/(\d{1,6})")
_STANDARD: Final = {"in": 0, "out": 1, "err": 2}


def open_folder(path: Path) -> Folder:
    """The folder at a path. Raises `OSError`, and `UnsafeFile` for a link of somebody else on the way."""
    return Folder(path, _walk(path))


@contextmanager
def parent_of(path: Path) -> Iterator[tuple[Folder, str]]:
    """The folder that a file is in, or shall be, and its name. Raises as `open_folder`."""
    if not path.name or path.name == "..":
        raise UnsafeFile(path, "names no file")
    with open_folder(path.parent) as folder:
        yield folder, path.name


def open_to_read(path: Path) -> BufferedReader:
    """A stream of a file that somebody has named: a regular one, a pipe, a device, or a descriptor of this process
    (`/dev/stdin`, `/dev/fd/63`). Raises `OSError`, and `UnsafeFile` for one that somebody else leads elsewhere."""
    own = own_descriptor(path)
    if own is not None:
        return os.fdopen(os.dup(own), "rb")
    with _followed(path) as (folder, name):
        descriptor = os.open(name, os.O_RDONLY | PLAIN, dir_fd=folder.descriptor)
        try:
            status = os.fstat(descriptor)
            if stat.S_ISREG(status.st_mode) and status.st_nlink > 1 and folder.is_foreign:
                raise UnsafeFile(path, "is a second name of another file, in a folder of somebody else")
            return os.fdopen(descriptor, "rb")
        except BaseException:
            os.close(descriptor)
            raise


def read_text(path: Path) -> str:
    """The text of such a file, from its beginning. Raises also `ValueError`: no UTF-8, or a NUL in the path."""
    with open_to_read(path) as stream:
        if stream.seekable():
            stream.seek(0)  # a descriptor of this process may have been read before
        return TextIOWrapper(stream, encoding="utf-8").read()


def open_to_append(path: Path) -> BinaryIO:
    """A stream to the end of a file that somebody has named, which is made when it is not there; a pipe, a device or a
    descriptor of this process as `written`. Raises `OSError`, `UnsafeFile`."""
    special = _special(path)
    if special is not None:
        return special
    with _followed(path) as (folder, name):
        return os.fdopen(folder.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666), "ab")


@contextmanager
def written(path: Path, access: Access | None = None) -> Iterator[BinaryIO]:
    """The file that somebody has named, to be written anew: it takes the place of an older one, or of a link, when it is
    whole. The mode of an older one of this user stays. A pipe or a device is written to when it is root's or this user's, and
    so is a descriptor of this process (`/dev/stdout`). Raises `OSError`, `UnsafeFile`."""
    special = _special(path)
    if special is not None:
        with special as stream:
            yield stream
        return
    with parent_of(path) as (folder, name):
        older = folder.status(name)
        if access is None and older is not None and stat.S_ISREG(older.st_mode) and older.st_uid == os.geteuid():
            access = Access(mode=Access.of(older).mode)
        with folder.replacing(name, access) as stream:
            yield stream


def create(path: Path, *, keep_as: str = "~") -> BinaryIO:
    """A new file that is seen while it grows; what had the name is kept under the name with `keep_as` at its end. Pipes and
    devices as `written`."""
    special = _special(path)
    if special is not None:
        return special
    with parent_of(path) as (folder, name):
        if folder.status(name) is not None:
            folder.move(name, folder, f"{name}{keep_as}")
        return os.fdopen(folder.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb")


def create_empty(path: Path) -> None:
    """A new file for its owner alone, unless there is one. Raises `OSError`, `UnsafeFile`."""
    with _followed(path) as (folder, name):
        if folder.status(name) is None:
            os.close(folder.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL))


def check_plain(path: Path, more: Sequence[str] = ()) -> None:
    """Refuse a file, and those beside it whose names end in `more` in addition, that are there and no plain files; for one
    that others open by its name. It is not opened here: closing it would end the locks that this process has on it (fcntl(2)).
    Raises `UnsafeFile`, `OSError`."""
    with _followed(path) as (folder, name):
        for each in (name, *(f"{name}{ending}" for ending in more)):
            folder.check_plain(each)


def own_descriptor(path: Path) -> int | None:
    """The number of the descriptor of this process that a path stands for."""
    found = _OWN_DESCRIPTOR.fullmatch(str(path))
    if found is None:
        return None
    standard, *numbers = found.groups()
    return _STANDARD[standard] if standard else int(next(filter(None, numbers)))


def _special(path: Path) -> BinaryIO | None:
    """A pipe or a device, opened; None for what is none."""
    own = own_descriptor(path)
    if own is not None:
        return os.fdopen(os.dup(own), "wb")
    with parent_of(path) as (folder, name):
        status = folder.status(name)
        if status is None or stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
            return None
        if status.st_uid not in (0, os.geteuid()):
            raise UnsafeFile(path, "is no regular file, and belongs to somebody else")
        descriptor = os.open(name, os.O_WRONLY | PLAIN, dir_fd=folder.descriptor)
        opened = os.fstat(descriptor)
        if (opened.st_dev, opened.st_ino) != (status.st_dev, status.st_ino):
            os.close(descriptor)
            raise UnsafeFile(path, "has become another file meanwhile")
        return os.fdopen(descriptor, "wb")


@contextmanager
def _followed(path: Path) -> Iterator[tuple[Folder, str]]:
    """`parent_of` where the last name, too, may be a link of root's or of this user's."""
    with contextlib.ExitStack() as stack:
        folder, name = stack.enter_context(parent_of(path))
        for _ in range(MOST_LINKS):
            target = _trusted_link(name, folder.descriptor, path)
            if target is None:
                break
            end = Path(target)
            if not end.name or end.name == "..":
                raise UnsafeFile(path, "leads to a folder")
            folder = stack.enter_context(Folder(path.parent, _walk(end.parent, folder.descriptor)))
            name = end.name
        yield folder, name


def _walk(path: Path, start: int | None = None) -> int:
    """A descriptor of the folder at `path`; a relative one counts from the descriptor `start`, or from where we are."""
    here = os.open("/", FOLDER) if path.is_absolute() else os.open(".", FOLDER, dir_fd=start)
    rest = [*reversed(_parts(path))]
    links = 0
    try:
        while rest:
            part = rest.pop()
            try:
                there = os.open(part, FOLDER, dir_fd=here)
            except OSError as error:
                target = _trusted_link(part, here, path)
                links += 1
                if target is None or links > MOST_LINKS:
                    raise OSError(error.errno, error.strerror, str(path)) from None
                rest += reversed(_parts(Path(target)))
                if not target.startswith("/"):
                    continue
                there = os.open("/", FOLDER)
            os.close(here)
            here = there
    except BaseException:
        os.close(here)
        raise
    return here


def _parts(path: Path) -> list[str]:
    return [part for part in path.parts if part != "/"]


def _trusted_link(name: str, descriptor: int, path: Path) -> str | None:
    """Where a link leads that is root's or this user's; None when it is no link."""
    try:
        before = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISLNK(before.st_mode):
        return None
    if before.st_uid not in (0, os.geteuid()):
        raise UnsafeFile(path, f"is behind a symbolic link of somebody else ({name}), which is not followed")
    target = os.readlink(name, dir_fd=descriptor)
    after = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    if (before.st_dev, before.st_ino, before.st_ctime_ns) != (after.st_dev, after.st_ino, after.st_ctime_ns):
        raise UnsafeFile(path, f"is behind a symbolic link that has just changed ({name})")
    return target
