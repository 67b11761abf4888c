"""The folder of an installation in which uploaded files wait for their import.

Each file is for the dialer's user alone (mode 0600), and has a name that nobody can guess: `<name>.upload`.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from typing import Any, BinaryIO, Final

from attrs import define, field, frozen

from dialer.safe_paths import open_folder

UPLOAD: Final = "upload"
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

    def open(self, name: str) -> BinaryIO:
        """To read. Raises `FileNotFoundError`."""
        with open_folder(self.path) as folder:
            return os.fdopen(folder.open(f"{name}.{UPLOAD}"), "rb")

    def has(self, name: str) -> bool:
        """Whether the upload is here."""
        try:
            with open_folder(self.path) as folder:
                return folder.status(f"{name}.{UPLOAD}") is not None
        except FileNotFoundError:
            return False

    def remove(self, name: str) -> None:
        """One that may be there."""
        try:
            with open_folder(self.path) as folder:
                folder.remove(f"{name}.{UPLOAD}")
        except FileNotFoundError:
            return

    def names(self) -> dict[str, float]:
        """The names of files that are here, and when each was last written, in seconds of Unix time."""
        found: dict[str, float] = {}
        try:
            with open_folder(self.path) as folder:
                for entry in folder.names():
                    name, _, kind = entry.partition(".")
                    status = folder.status(entry) if kind == UPLOAD else None
                    if status is not None:
                        found[name] = status.st_mtime
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
        self.folder.remove(self.name)
