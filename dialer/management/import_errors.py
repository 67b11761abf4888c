"""The rows that an import refused, each with its reason: kept in the database, from which every node gives them.

They are encoded as the file is, where they are read, and written in the transaction of their chunk. So many bytes of an import
are kept; of the rows behind these it is known how many there are.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Final

from attrs import Factory, frozen

from dialer.files.contacts import RowFile
from dialer.management.imports import NotTaken
from dialer.management.management import Management, Transaction, verb
from dialer.store import import_jobs as sql

MOST: Final = 33_554_432
"""Bytes of one import: half a million rows of the usual length."""
PIECE: Final = 262_144
"""Bytes in one row of the table, which are read at once."""
AT_ONCE: Final = 4
"""Pieces."""

_WORDS: Final = (("--map", "mapping"), ("--no-header", "header=no"), ("--encoding", "encoding"))
"""Options of the command line in sentences about a file, and the parameters that are meant here."""


@frozen(kw_only=True)
class RefusedRows:
    """The rows of a chunk that are refused by what they hold, as they are kept, by their lines; `size` is what the import has
    kept before."""

    file: RowFile
    size: int
    rows: Mapping[int, bytes] = Factory(dict)


@frozen(kw_only=True)
class KeptErrors:
    """How many bytes of refused rows were kept, and how many rows were not."""

    size: int = 0
    left_out: int = 0


def in_parameters(text: str) -> str:
    """A sentence about a file, in the words of the parameters of an import."""
    for option, parameter in _WORDS:
        text = text.replace(option, parameter)
    return text


def encoded(file: RowFile, some: Sequence[NotTaken]) -> dict[int, bytes]:
    """Refused rows as they stand in the file, each with its reason, by their lines."""
    return {entry.row.line: _row(file, each) for each in some for entry in (each.entry,)}


def _row(file: RowFile, refused: NotTaken) -> bytes:
    row, fault = refused.entry.row, refused.fault
    return file.text.encode(file.row_with_error(row, f"line {row.line}: {in_parameters(fault.text)}"))


@verb
def keep(t: Transaction, import_id: int, before: RefusedRows, refused: Sequence[NotTaken]) -> KeptErrors:
    """Keep the refused rows of a chunk, as far as there is room."""
    file, pieces, size, count = before.file, [b""], before.size, 0
    if refused and not size:
        pieces = [file.text.mark + file.text.encode(file.header_with_error())]
        size = len(pieces[0])
    for each in refused:
        row = before.rows.get(each.entry.row.line) or _row(file, each)
        if size + len(row) > MOST:
            break
        if len(pieces[-1]) + len(row) > PIECE:
            pieces.append(b"")
        pieces[-1] += row
        size += len(row)
        count += 1
    for piece in filter(None, pieces):
        t.connection.execute(sql.ADD_ERRORS, (import_id, piece))
    return KeptErrors(size=size - before.size, left_out=len(refused) - count)


async def pieces(management: Management, import_id: int) -> AsyncGenerator[bytes]:
    """All that is kept of an import, as one file, piece by piece. Fails with `StoreError`."""
    last: int | None = 0
    while last is not None:
        found, last = await management.ask(_some, import_id, last)
        yield found


@verb
def beginning(t: Transaction, import_id: int) -> bytes:
    """The first piece of it, which is whole rows; empty where nothing is kept."""
    found = t.connection.execute(sql.NEXT_ERRORS, (import_id, 0, 1)).fetchone()
    return b"" if found is None else bytes(found[1])


@verb
def _some(t: Transaction, import_id: int, after: int) -> tuple[bytes, int | None]:
    found = t.connection.execute(sql.NEXT_ERRORS, (import_id, after, AT_ONCE)).fetchall()
    return b"".join(bytes(content) for _, content in found), int(found[-1][0]) if found else None
