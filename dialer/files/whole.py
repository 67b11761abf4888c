"""A small file of contacts, read as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from attrs import frozen

from dialer.files.contacts import Allowed, ContactFile, Reading, opened
from dialer.model import Contact


@frozen(kw_only=True)
class BadRow:
    """A row that is not dialled: its first line in the file (the header is line 1) and the reason."""

    line: int
    reason: str


@frozen(kw_only=True)
class ReadContacts:
    """The content of a file, row by row."""

    contacts: tuple[Contact, ...]
    bad_rows: tuple[BadRow, ...] = ()


_ANY: Final = Allowed()


def read_contacts(path: Path, allowed: Allowed = _ANY) -> ReadContacts:
    """Read a file of contacts, each number once. Raises `BadValue` when it cannot be read or is no such file at all; rows that
    are wrong are reported in the result, and so is a number that occurs twice."""
    contacts: dict[str, Contact] = {}
    lines: dict[str, int] = {}
    bad: list[BadRow] = []
    with opened(path) as stream:
        file = ContactFile(stream, str(path), Reading())
        file.open()
        for row, contact, fault in file.entries(allowed):
            if contact is None:
                bad.append(BadRow(line=row.line, reason=fault.text if fault else ""))
                continue
            identity = contact.identity
            if identity in contacts:
                bad.append(BadRow(line=row.line, reason=twice(contact.number, contacts[identity].number, lines[identity])))
            else:
                contacts[identity], lines[identity] = contact, row.line
    return ReadContacts(contacts=tuple(contacts.values()), bad_rows=tuple(bad))


def twice(number: str, first: str, line: int) -> str:
    """That a number is in the file already, in whichever spelling."""
    return f"{number} is in line {line} already" if number == first else f"{number} is {first} of line {line}"
