"""A receiver of events that writes their facts to a local file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from dialer.errors import HookFailed
from dialer.model.event import Told
from dialer.safe_files import UnsafeFile
from dialer.safe_paths import parent_of


@frozen
class JsonLines:
    """Appends one line for each event, its facts, to `path`; the lines are on disk when it returns. The file is opened for
    each batch, so that it may be rotated away."""

    path: Path

    async def __call__(self, events: Sequence[Told]) -> None:
        """Append the facts. Raises `HookFailed`; a line that was written in part is ended, so that it spoils no other."""
        lines = "".join(one.event.data + "\n" for one in events)
        try:
            with parent_of(self.path) as (folder, name):
                descriptor = folder.open(name, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
            with os.fdopen(descriptor, "ab") as file:
                size = file.tell()
                if size and os.pread(descriptor, 1, size - 1) != b"\n":
                    file.write(b"\n")
                file.write(lines.encode())
                file.flush()
                os.fsync(descriptor)
        except UnsafeFile as error:
            raise HookFailed(str(error)) from error
        except OSError as error:
            raise HookFailed(f"{self.path}: {error.strerror}") from error
