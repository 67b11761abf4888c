"""Outcomes as lines of JSON in a local file, for whoever reads files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from dialer.errors import HookFailed
from dialer.model import Delivery


@frozen
class JsonLines:
    """A hook that appends one line for each outcome to `path`; the lines are on disk when it returns. The file is opened for
    each batch, so that it may be rotated away."""

    path: Path

    async def __call__(self, deliveries: Sequence[Delivery]) -> None:
        """Append the payloads. Raises `HookFailed`; a line that was written in part is ended, so that it spoils no other."""
        lines = "".join(delivery.payload + "\n" for delivery in deliveries)
        try:
            with self.path.open("ab") as file:
                if file.tell() and not self._ends_with_a_line():
                    file.write(b"\n")
                file.write(lines.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise HookFailed(f"{self.path}: {error.strerror}") from error

    def _ends_with_a_line(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
