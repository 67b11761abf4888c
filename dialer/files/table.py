"""A table in a text file: rows of fields, each with the lines that it stands in.

Fields are separated by commas, semicolons, tabs or bars, whichever the header has most of, or as a first line `sep=;` says;
quotes are those of RFC 4180. A quote that is never closed would make all that follows one field: a row may have so many lines,
and none of them may look like a row of its own. Otherwise the row of the quote is faulty alone, and reading goes on behind its
first line. So every line that is not blank belongs to one row.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from attrs import define, field

from dialer.errors import BadValue
from dialer.files.text import TextFile

DELIMITERS: Final = (";", "\t", ",", "|")
"""In this order when a header has as many of several: a comma is more likely to be part of a name."""

MOST_LINES: Final = 100
"""In one row."""

LONGEST_FIELD: Final = 131_072
"""Characters; csv's own limit, which is one of the process."""

_QUOTED = re.compile(r'"[^"]*(?:"|$)')
_SEP = re.compile(r'"?sep=(.)"?[;,\t|]*\s*', re.IGNORECASE)


class NoRows(BadValue):
    """A file without a row that is not blank."""


class Row(NamedTuple):
    """A row: its first line in the file (counted from 1), the lines as they stand there, its fields, and what is wrong with
    it ("" when nothing is): then the fields mean nothing. A `plain` one is one line without quotes and without anything that
    is not printed."""

    line: int
    raw: str
    fields: Sequence[str]
    problem: str = ""
    plain: bool = False

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return _count_lines(self.raw)


@define(eq=False)
class Table:
    """The table in a file. `open` finds the delimiter and the first row; `rows` gives the rest, or all with `again`."""

    file: TextFile
    delimiter: str = field(default=",", init=False)
    first: Row = field(default=Row(1, "", ()), init=False)
    preamble: str = field(default="", init=False)
    """A line `sep=;` before the first row."""
    _lines: Iterator[str] = field(init=False)
    _back: deque[str] = field(factory=deque, init=False)
    _number: int = field(default=0, init=False)
    """Of the last line that belongs to a row."""

    def open(self, suits: Callable[[Sequence[str]], bool] = lambda _: False) -> Row:
        """The first row that is not blank. A delimiter is preferred by which the row `suits`. Raises `NoRows` when there is
        no row, and what reading raises."""
        self._lines = self.file.lines()
        for line in self._lines:
            found = _SEP.fullmatch(line) if not self._number else None
            if found is not None:
                self.delimiter, self.preamble = found[1], line
            elif line.strip('\r\n ,;\t|"'):
                self._back.append(line)
                break
            self._number += 1
        else:
            raise NoRows(self.file.name, "is empty")
        if not self.preamble:
            self.delimiter = self._found(self._back[0], suits)
        self.first = next(self.rows(lambda _: False))
        return self.first

    def rows(self, is_row: Callable[[Sequence[str]], bool]) -> Iterator[Row]:
        """The rows from here on that are not blank. `is_row` tells whether fields look like a row: then their line is no part
        of a field with several lines."""
        delimiter, back, lines = self.delimiter, self._back, self._lines
        blank = f' \t\r\n"{delimiter}'
        while True:
            line = back.popleft() if back else next(lines, None)
            if line is None:
                return
            if '"' in line:
                row = self._quoted(line, is_row)
                self._number += row.lines
            else:
                self._number += 1
                bare = line.rstrip("\r\n")
                row = Row(self._number, line, bare.split(delimiter), "", bare.isprintable())
            if line.strip(blank) or row.problem or "".join(row.fields).strip():
                yield row

    def _found(self, line: str, suits: Callable[[Sequence[str]], bool]) -> str:
        outside = _QUOTED.sub("", line)
        candidates = sorted((each for each in DELIMITERS if each in outside), key=lambda each: -outside.count(each))
        for each in candidates:
            if suits(self._split(line, each)):
                return each
        return candidates[0] if candidates else ","

    def _quoted(self, line: str, is_row: Callable[[Sequence[str]], bool]) -> Row:
        """The row that begins with `line`, which has a quote."""
        number, taken = self._number + 1, [line]
        try:
            fields = next(csv.reader(self._following(taken), delimiter=self.delimiter, strict=True))
        except csv.Error as error:
            ended = len(taken) == 1 and "unexpected end" not in str(error)
            problem = "text stands behind the end of a quoted field" if ended else "a quote is not closed"
        else:
            if not any(is_row(self._split(each)) for each in taken[1:]):
                return Row(number, "".join(taken), fields)
            problem = "a quote is not closed in this row: the next lines look like rows"
        self._back.extendleft(reversed(taken[1:]))
        return Row(number, line, (), problem)

    def _following(self, taken: list[str]) -> Iterator[str]:
        """The first line that is `taken`, and those that follow as they are asked for, which are taken, too."""
        yield taken[0]
        size = len(taken[0])
        while len(taken) < MOST_LINES and size < LONGEST_FIELD:
            line = self._back.popleft() if self._back else next(self._lines, None)
            if line is None:
                return
            taken.append(line)
            size += len(line)
            yield line

    def _split(self, line: str, delimiter: str = "") -> Sequence[str]:
        """The fields of a line by itself, as far as it goes."""
        try:
            return next(csv.reader([line], delimiter=delimiter or self.delimiter), [])
        except csv.Error:
            return []


def _count_lines(raw: str) -> int:
    ends = raw.count("\n") + raw.count("\r") - raw.count("\r\n")
    return ends + (not raw.endswith(("\n", "\r")))


def with_field(raw: str, delimiter: str, text: str) -> str:
    """A row as it stands, with one field more, in quotes."""
    quoted, end = text.replace('"', '""'), end_of(raw)
    return f'{raw.removesuffix(end)}{delimiter}"{quoted}"{end}'


def end_of(raw: str) -> str:
    """How the last line of a row ends; a line feed where a file ends without one."""
    return raw[len(raw.rstrip("\r\n")) :] or "\n"


def joined(fields: Iterable[str], delimiter: str, end: str) -> str:
    """Fields as a row, quoted where that is needed."""
    cells = []
    for text in fields:
        needs_quotes = any(mark in text for mark in (delimiter, '"', "\r", "\n"))
        cells.append('"' + text.replace('"', '""') + '"' if needs_quotes else text)
    return delimiter.join(cells) + end
