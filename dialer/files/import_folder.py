"""The folder of an installation in which uploaded files wait for their import, and the rows are that were refused.

Each file is for the dialer's user alone (mode 0600), and has a name that nobody can guess: `<name>.upload`, `<name>.errors`.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from attrs import define, field, frozen

from dialer.files.contacts import RowFile
from dialer.files.table import Row
from dialer.safe_paths import open_folder

UPLOAD: Final = "upload"
ERRORS: Final = "errors"
_NAME_BYTES: Final = 16


@frozen
class ImportFolder:
    """The folder at `path`, which is made when the first file comes. Methods raise `OSError` and `UnsafeFile`."""

    path: Path

    def new(self) -> NewUpload:
        """A new file, which is empty."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = secrets.token_hex(_NAME_BYTES)
        with open_folder(self.path) as folder:
            descriptor = folder.open(f"{name}.{UPLOAD}", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        return NewUpload(self, name, os.fdopen(descriptor, "wb", buffering=0))

    def open(self, name: str, kind: str = UPLOAD) -> BinaryIO:
        """To read. Raises `FileNotFoundError`."""
        with open_folder(self.path) as folder:
            return os.fdopen(folder.open(f"{name}.{kind}"), "rb")

    def has(self, name: str) -> bool:
        """Whether the upload is here."""
        try:
            with open_folder(self.path) as folder:
                return folder.status(f"{name}.{UPLOAD}") is not None
        except FileNotFoundError:
            return False

    def append(self, name: str, size: int) -> BinaryIO:
        """The file of refused rows, to be written behind its first `size` bytes; what it had behind them is gone."""
        with open_folder(self.path) as folder:
            stream = os.fdopen(folder.open(f"{name}.{ERRORS}", os.O_RDWR | os.O_CREAT), "r+b", buffering=0)
        stream.truncate(size)
        stream.seek(size)
        return stream

    def remove(self, name: str, *kinds: str) -> None:
        """What is there of a file."""
        try:
            with open_folder(self.path) as folder:
                for kind in kinds:
                    folder.remove(f"{name}.{kind}")
        except FileNotFoundError:
            return

    def names(self) -> dict[str, float]:
        """The names of files that are here, and when the newest part of each was last written, in seconds of Unix time."""
        found: dict[str, float] = {}
        try:
            with open_folder(self.path) as folder:
                for entry in folder.names():
                    name, _, kind = entry.partition(".")
                    status = folder.status(entry) if kind in (UPLOAD, ERRORS) else None
                    if status is not None:
                        found[name] = max(found.get(name, 0.0), status.st_mtime)
        except FileNotFoundError:
            return {}
        return found

    def sync(self) -> None:
        """The names in it are on disk."""
        with open_folder(self.path) as folder:
            folder.sync()


@define(eq=False)
class NewUpload:
    """A file that comes. `digest` is the same for the same content only."""

    folder: ImportFolder
    name: str
    stream: BinaryIO
    size: int = field(default=0, init=False)
    _hash: Any = field(factory=hashlib.sha256, init=False)

    def write(self, data: bytes | bytearray) -> None:
        """More of it. Raises `OSError`."""
        view = memoryview(data)
        while view:
            view = view[self.stream.write(view) :]
        self._hash.update(data)
        self.size += len(data)

    @property
    def digest(self) -> str:
        """Hexadecimal digits, of what was written."""
        return str(self._hash.hexdigest())

    def keep(self) -> None:
        """It is whole: on disk when this returns. Raises `OSError`."""
        os.fsync(self.stream.fileno())
        self.stream.close()
        self.folder.sync()

    def discard(self) -> None:
        """Nobody wants it."""
        self.stream.close()
        self.folder.remove(self.name, UPLOAD)


@define(eq=False)
class RefusedFile:
    """The rows of a file that are not taken, each with its reason, in the folder of imports. For one thread at a time."""

    folder: ImportFolder
    name: str
    file: RowFile
    size: int
    """Bytes that are on disk."""
    _stream: BinaryIO | None = field(default=None, init=False)

    def add(self, refusals: Sequence[tuple[Row, str]]) -> None:
        """More of them, which are on disk when this returns. Raises `OSError`, `UnsafeFile`."""
        if not refusals:
            return
        stream = self._stream = self._stream or self.folder.append(self.name, self.size)
        text = self.file.text
        pieces = [] if self.size else [text.mark, text.encode(self.file.header_with_error())]
        pieces += [text.encode(self.file.row_with_error(row, problem)) for row, problem in refusals]
        view = memoryview(b"".join(pieces))
        self.size += len(view)
        while view:
            view = view[stream.write(view) :]
        os.fdatasync(stream.fileno())

    def close(self) -> None:
        """No more come."""
        if self._stream is not None:
            self._stream.close()
