"""Files of contacts as bytes, and what is read of them."""

from __future__ import annotations

import io
from typing import Any

from attrs import define

from dialer.files.contacts import Allowed, ContactFile, FileRow, Reading
from dialer.model import Contact


@define
class Read:
    """A file that was read to its end."""

    file: ContactFile
    entries: list[FileRow]

    @property
    def contacts(self) -> list[Contact]:
        return [entry.contact for entry in self.entries if entry.contact is not None]

    @property
    def numbers(self) -> list[str]:
        return [contact.number for contact in self.contacts]

    @property
    def faults(self) -> dict[int, str]:
        """By their lines."""
        return {entry.row.line: entry.fault.text for entry in self.entries if entry.fault is not None}


def read(data: str | bytes, **reading: Any) -> Read:
    """Text is UTF-8."""
    raw = data.encode() if isinstance(data, str) else data
    file = ContactFile(io.BytesIO(raw), "test.csv", Reading(**reading))
    file.open()
    return Read(file, list(file.entries(Allowed())))
