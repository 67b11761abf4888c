"""Contacts as the rows of a CSV file that `dialer.files.contacts` reads back unchanged.

The variables of a contact are in one column, as the API writes them: which names there are is known without reading all
contacts first, and a variable may be called as a field, or be empty. A text with line breaks that a reader could take for rows
of their own is written as a spreadsheet's formula, `="two"&CHAR(10)&"lines"`, and one that a spreadsheet would run as
`="text"`.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from dialer.files.cells import inert, kept
from dialer.files.columns import NAMED, NUMBER, VARIABLES
from dialer.files.table import MOST_LINES, joined
from dialer.kinds import variables_text
from dialer.model import Contact

DELIMITER: Final = ","
END: Final = "\n"
_LINE_END = re.compile(r"\r\n|\r|\n")


def header() -> str:
    """The first row."""
    return joined((NUMBER, *NAMED), DELIMITER, END)


def row_of(contact: Contact) -> str:
    """The row of a contact, with its end."""
    row = _row(contact, on_one_line=False)
    _, *more = _LINE_END.split(row.removesuffix(END))
    is_safe = len(more) < MOST_LINES and all(line.count(DELIMITER) < len(NAMED) for line in more)
    return row if is_safe else _row(contact, on_one_line=True)


def _row(contact: Contact, *, on_one_line: bool) -> str:
    cells = [contact.number]
    for name in NAMED:
        text = variables_text(contact.additional_vars) if name == VARIABLES else _text(getattr(contact, name))
        cells.append(inert(kept(text, on_one_line=on_one_line)))
    return joined(cells, DELIMITER, END)


def _text(value: str | int | datetime | None) -> str:
    """A moment in UTC, to the microsecond."""
    if value is None:
        return ""
    return value.isoformat(" ").removesuffix("+00:00") if isinstance(value, datetime) else str(value)
