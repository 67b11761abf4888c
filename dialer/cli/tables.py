"""Tables that fit the terminal: what can be folded is folded, then the last columns are left out; no number is ever cut."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from attrs import define, frozen
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDTH_ELSEWHERE = 200
"""Columns of a table that does not go to a terminal."""

SHORTEST = 12
"""Characters of a line of a text that is folded: a longer word is cut there, unless it is a number, a moment or an id."""

BETWEEN = 2
"""Blanks between two columns."""

_EXACT = re.compile(r"[+(]?\d[\d:.+()-]*|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


@frozen
class Column:
    """A column of texts under a `name`. `right` for numbers that are compared."""

    name: str
    cells: Sequence[str]
    right: bool = False

    @property
    def natural(self) -> int:
        """The width in which nothing is folded."""
        return max(map(_width, (self.name, *self.cells)))

    @property
    def least(self) -> int:
        """The width below which a number or an id would be cut, or a word into too small pieces."""
        words = [word for text in (self.name, *self.cells) for word in text.split()]
        return max((_least(word) for word in words), default=1)


@define
class Fitted:
    """The columns that have room, each with its width, and the names of those that have none."""

    shown: list[tuple[Column, int]]
    left_out: list[str]


def fit(columns: Sequence[Column], width: int) -> Fitted:
    """Columns in `width` characters, the last ones left out where they have no room. The first one is always there."""
    count = len(columns)
    while count > 1 and sum(column.least + BETWEEN for column in columns[:count]) - BETWEEN > width:
        count -= 1
    kept = columns[:count]
    widths = [column.least for column in kept]
    room = max(width - sum(widths) - BETWEEN * (count - 1), 0)
    # Those that lack least come first: a name is whole before a description is.
    for wish, index in sorted((column.natural - widths[index], index) for index, column in enumerate(kept)):
        more = min(wish, room)
        widths[index] += more
        room -= more
    return Fitted(list(zip(kept, widths, strict=True)), [column.name for column in columns[count:]])


def console() -> Console:
    """Standard output: as wide as the terminal, or wide enough for a file."""
    found = Console()
    return found if found.is_terminal else Console(width=WIDTH_ELSEWHERE)


def print_table(columns: Sequence[Column]) -> None:
    """The table, one row for each cell of the columns. What has no room is named on standard error."""
    out = console()
    fitted = fit(columns, out.width)
    table = Table(box=None, padding=(0, BETWEEN, 0, 0), pad_edge=False)
    for column, width in fitted.shown:
        table.add_column(column.name, width=width, overflow="fold", justify="right" if column.right else "left")
    for row in zip(*(column.cells for column, _ in fitted.shown), strict=True):
        table.add_row(*map(Text, row))
    out.print(table)
    if fitted.left_out:
        print(f"not shown, for want of room: {', '.join(fitted.left_out)} (--json has all)", file=sys.stderr)


def _width(text: str) -> int:
    return Text(text).cell_len


def _least(word: str) -> int:
    width = _width(word)
    return width if _EXACT.fullmatch(word) else min(width, SHORTEST)
