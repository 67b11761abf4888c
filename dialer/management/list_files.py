"""The entries of a do-not-call list as a CSV file, which an import takes back."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import Final

from dialer.files.cells import inert
from dialer.management import do_not_call
from dialer.management.management import Management
from dialer.model import Account, DoNotCallEntry

PAGE: Final = 1000
"""Entries that are read at once."""
COLUMNS: Final = ("number", "reason", "since", "source", "expires_at")


async def pieces(management: Management, who: Account, list_id: int) -> AsyncGenerator[bytes]:
    """The file, in UTF-8, piece by piece. Fails as `do_not_call.page` does, and with `StoreError`."""
    after: str | None = ""
    head = HEAD
    while after is not None:
        found = await management.ask(do_not_call.page, who, list_id, after, PAGE)
        yield head + lines_of(found)
        after, head = found[-1].number if len(found) == PAGE else None, b""


def lines_of(entries: Iterable[DoNotCallEntry]) -> bytes:
    """Their lines, which come behind `HEAD`."""
    return _lines(map(_row, entries))


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _row(entry: DoNotCallEntry) -> Sequence[str]:
    """On one line, whatever an earlier version took for a reason: no number may be lost for it."""
    texts = ["".join(each if each.isprintable() else " " for each in text).split() for text in (entry.reason, entry.source)]
    reason, source = (inert(" ".join(words)) for words in texts)
    since, expires = (
        each.isoformat(" ", "seconds")[:19] if each is not None else "" for each in (entry.created_at, entry.expires_at)
    )
    return entry.number, reason, since, source, expires


HEAD: Final = _lines([COLUMNS])
"""The first line."""
