"""Call records as files: the two formats, for spreadsheets and for programs. In the one for spreadsheets, nothing is a formula
that was not meant to be one."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson
from attrs import frozen

from dialer.files.cells import inert
from dialer.store.record_columns import NAMES, Record, as_object


@frozen(kw_only=True)
class RecordFormat:
    """`head` is what a file begins with; `encode` makes the text of some records, in UTF-8."""

    content_type: str
    head: bytes
    encode: Callable[[Sequence[Record]], bytes]


_MAY_RUN = re.compile(r"\s*[=+@-]")


def csv_lines(rows: Sequence[Sequence[Any]]) -> bytes:
    """Lines of a table, in UTF-8. A text that a spreadsheet would run is `="text"` there."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(
        [inert(each) if isinstance(each, str) and _MAY_RUN.match(each) else each for each in row] for row in rows
    )
    return text.getvalue().encode()


def _json_lines(records: Sequence[Record]) -> bytes:
    return b"".join(orjson.dumps(as_object(record), option=orjson.OPT_APPEND_NEWLINE) for record in records)


FORMATS: Final[Mapping[str, RecordFormat]] = {
    "csv": RecordFormat(content_type="text/csv; charset=utf-8", head=csv_lines([NAMES]), encode=csv_lines),
    "jsonl": RecordFormat(content_type="application/jsonl", head=b"", encode=_json_lines),
}
"""By the names that the API knows."""
