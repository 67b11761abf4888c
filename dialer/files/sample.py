"""The first rows of a file of contacts, for people: to see which column is what, and what was refused."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import BinaryIO, Final

import orjson
from attrs import frozen

from dialer.errors import BadValue
from dialer.files.cells import clean
from dialer.files.columns import ERROR, found_columns, has_number_column, made_up_columns
from dialer.files.table import NoRows, Row, Table
from dialer.files.text import TextFile
from dialer.model.import_job import ImportFormat

ROWS: Final = 6
COLUMNS: Final = 100
LONGEST: Final = 80
"""Characters of a cell, or of the name of a member that is shown."""
EXPECTED: Final = "expected a table as CSV, or lines of JSON objects"

Rows = list[list[str]]


@frozen(kw_only=True)
class ListedError:
    """A row that was refused: its cells as they stand in the file, and why."""

    cells: Sequence[str]
    error: str


def sample(stream: BinaryIO, format_: ImportFormat, encoding: str = "") -> Rows:
    """The first rows, as texts that can be shown; of JSON lines, the names of the members come first. Raises `BadValue` for
    what is no such file, and `OSError`."""
    text = TextFile(stream, "file", encoding)
    return _of_objects(text) if format_ is ImportFormat.JSON_LINES else _of_table(text)


def check_columns(rows: Rows, columns: Mapping[str, str], *, header: bool) -> None:
    """See whether a table with these first rows has its columns, which `columns` name as `--map` does. Nothing can be said of
    one that has more columns, or longer names, than are shown. Raises `BadValue`."""
    first = rows[0]
    if len(first) >= COLUMNS or any(len(text) >= LONGEST for text in first):
        return
    if header:
        found_columns(first, columns)
    else:
        made_up_columns(len(first), columns)


def _of_table(text: TextFile) -> Rows:
    table = Table(text)
    try:
        first = table.open(has_number_column)
    except NoRows:
        raise BadValue("file", f"{EXPECTED}; it is empty") from None
    if first.problem:
        raise BadValue("file", f"{EXPECTED}; line {first.line}: {first.problem}")
    return [_shown(row.fields) for row in (first, *islice(table.rows(lambda _: False), ROWS - 1)) if not row.problem]


def _of_objects(text: TextFile) -> Rows:
    objects = []
    for line in islice((line for line in text.lines() if line.strip()), ROWS - 1):
        try:
            found = orjson.loads(line.encode())
        except ValueError:  # also of what UTF-8 cannot carry
            continue
        if isinstance(found, dict):
            objects.append(found)
    names = list(dict.fromkeys(name for found in objects for name in found if len(name) <= LONGEST))[:COLUMNS]
    if not names:
        raise BadValue("file", f"{EXPECTED}; none of its first lines is a JSON object")
    return [names, *(_shown([_text(found.get(name)) for name in names]) for found in objects)]


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()


def _shown(fields: Sequence[str]) -> list[str]:
    return [_printable(clean(text), LONGEST) for text in fields[:COLUMNS]]


def _printable(text: str, most: int) -> str:
    """A text that every database and every page takes."""
    return "".join(each if each.isprintable() else " " for each in text[:most]).strip()


def listed_errors(data: bytes, format_: ImportFormat, encoding: str, most: int) -> tuple[Sequence[str], list[ListedError]]:
    """The names of the columns, and the first rows, of the beginning of a file of refused rows."""
    text = TextFile(io.BytesIO(data), "errors", encoding if encoding != "ascii" else "")
    if format_ is ImportFormat.JSON_LINES:
        return (), [_listed_object(line) for line in islice(text.lines(), most)]
    table = Table(text)
    try:
        header = table.open(has_number_column)
    except BadValue:
        return (), []
    names = _shown(header.fields)
    width = len(names) - 1 if names and names[-1].casefold() == ERROR else len(names)
    return names[:width], [_listed_row(row, table.delimiter) for row in islice(table.rows(lambda _: False), most)]


def _listed_row(row: Row, delimiter: str) -> ListedError:
    if row.problem:
        raw, _, error = row.raw.rstrip("\r\n").rpartition(f'{delimiter}"')
        return ListedError(cells=[_printable(raw, LONGEST)], error=_printable(error.removesuffix('"'), 500))
    return ListedError(cells=_shown(row.fields[:-1]), error=_printable(row.fields[-1], 500))


def _listed_object(line: str) -> ListedError:
    found = orjson.loads(line)
    error = str(found.pop(ERROR, ""))
    return ListedError(cells=[_printable(orjson.dumps(found).decode(), LONGEST)], error=_printable(error, 500))
