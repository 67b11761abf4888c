"""Contacts from a CSV file: those that can be dialled, and the faults of the rest, line by line.

Expected: UTF-8 (a byte-order mark is fine), a header row with at least a column `contact`; commas, quotes and line ends as in
RFC 4180. `first_name`, `last_name`, `email`, `description` are kept as such; any other column becomes a variable of the
contact.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import frozen

from dialer.errors import BadValue
from dialer.model import Contact
from dialer.numbering import numbering

NAMED = ("first_name", "last_name", "email", "description")
MAX_FIELD = 4096
"""Characters in one field; a longer one is a sign of a quote that was never closed."""


@frozen(kw_only=True)
class BadRow:
    """A row that is not dialled: its first line in the file (the header is line 1) and the reason."""

    line: int
    reason: str


@frozen(kw_only=True)
class ContactFile:
    """The content of a file, row by row."""

    contacts: tuple[Contact, ...]
    bad_rows: tuple[BadRow, ...]


def read_contacts(path: Path) -> ContactFile:
    """Read a CSV file of contacts.

    Raises `BadValue` (field: the path) when it cannot be read or is not such a file at all; rows that are wrong are reported
    in the result, and so is a number that occurs twice.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadValue(str(path), f"cannot be read: {error.strerror}") from None
    # Bytes that are not UTF-8 become lone surrogates, so that only their row is refused.
    return parse_contacts(data.decode("utf-8-sig", errors="surrogateescape"), str(path))


def parse_contacts(text: str, source: str) -> ContactFile:
    """The same for text; `source` names it in errors."""
    rows = _rows(text)
    try:
        header = next(rows, (1, [], ""))
    except csv.Error as error:
        raise BadValue(source, f"{_EXPECTED}; reading line 1 failed: {error}") from None
    columns = [name.strip().lower() for name in header[1]]
    if "contact" not in columns:
        raise BadValue(source, f"{_EXPECTED}; found {_shown(columns)}")
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if twice:
        raise BadValue(source, f"the header names {', '.join(twice)} more than once")
    contacts: dict[str, Contact] = {}
    bad: list[BadRow] = []
    for line, fields, problem in rows:
        try:
            if problem:
                raise BadValue("row", problem)
            contact = _contact(columns, fields)
            if contact.identity in contacts:
                raise BadValue("contact", f"{contact.number} is in the file already")
        except BadValue as error:
            bad.append(BadRow(line=line, reason=str(error)))
        else:
            contacts[contact.identity] = contact
    return ContactFile(contacts=tuple(contacts.values()), bad_rows=tuple(bad))


_EXPECTED = "expected a CSV file in UTF-8 whose first row names its columns, one of them `contact`"


def _rows(text: str) -> Iterator[tuple[int, list[str], str]]:
    """(first line, fields, what is wrong) of each row that is not empty."""
    csv.field_size_limit(MAX_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, [], str(error)
            continue
        if any(field.strip() for field in fields):
            yield line, fields, ""


def _contact(columns: list[str], fields: list[str]) -> Contact:
    if len(fields) > len(columns):
        raise BadValue("row", f"{len(fields)} fields, but the header has {len(columns)}")
    values = dict(zip(columns, (field.strip() for field in fields), strict=False))
    for name, value in values.items():
        _check_text(name, value)
    number, identity = numbering().read(values.pop("contact", ""))
    if numbering().is_emergency(number):
        raise BadValue("contact", f"{number} is an emergency number")
    named: dict[str, Any] = {name: values.pop(name, "") for name in NAMED}
    return Contact(number=number, identity=identity, **named, additional_vars={k: v for k, v in values.items() if k and v})


def _check_text(name: str, value: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise BadValue(name, "is not UTF-8")
    allowed = "\t\r\n" if name == "description" else "\t"
    if any(character < " " and character not in allowed for character in value):
        raise BadValue(name, "holds a control character or a line break")


def _shown(columns: list[str]) -> str:
    named = ", ".join(repr(name[:20]) for name in columns[:6] if name)
    return f"the columns {named}" if named else "no columns"
