"""The SQL of imports."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from dialer.model.import_job import ImportJob
from dialer.store.connection import Variants
from dialer.stored import reader

LEASE: Final = timedelta(seconds=10)
"""For which a node works on an import that it holds; each chunk prolongs it."""

READ: Final = reader(ImportJob, "j")

OPEN: Final = f"SELECT {READ.columns} FROM import_job j WHERE j.ended_at IS NULL ORDER BY j.id LIMIT ?"  # noqa: S608

HOLD: Final = (
    "UPDATE import_job SET holder = ?, held_until = ?, state = 'running', started_at = coalesce(started_at, ?) WHERE id = ? "
    "AND ended_at IS NULL AND (holder = ? OR held_until IS NULL OR held_until < ?) RETURNING id"
)
"""Parameters: node, until when, now, import, node, now: all moments by the clock of the database."""

ONE: Final = f"SELECT {READ.columns} FROM import_job j WHERE j.id = ?"  # noqa: S608

RELEASE: Final = "UPDATE import_job SET held_until = NULL WHERE id = ? AND holder = ?"

_STANDS: Final = "SELECT 1 FROM import_job WHERE id = ? AND holder = ? AND row_count = ? AND ended_at IS NULL"
STANDS: Final = Variants(sqlite=_STANDS, postgresql=f"{_STANDS} FOR UPDATE")
"""Whether it is where its holder left it, and stays so until the end of the transaction. Parameters: import, node, rows."""

STEP: Final = (
    "UPDATE import_job SET held_until = ?, encoding_found = ?, size_read = ?, row_count = ?, taken = ?, already_there = ?, "
    "duplicates = ?, refused = ?, reasons = ?, last_rows = ?, last_faults = ?, errors_size = ? WHERE id = ?"
)

END: Final = (
    "UPDATE import_job SET state = ?, problem = ?, encoding_found = ?, size_read = ?, errors_size = ?, last_rows = 0, "
    "last_faults = '{}', ended_at = ?, held_until = NULL WHERE id = ? AND holder = ? AND ended_at IS NULL RETURNING id"
)

ERRORS_SIZE: Final = "UPDATE import_job SET errors_size = ?, last_rows = 0 WHERE id = ? AND ended_at IS NOT NULL"

CANCEL_OF_PHONEBOOK: Final = (
    "UPDATE import_job SET state = 'cancelled', problem = 'its phonebook was removed', ended_at = ?, held_until = NULL "
    "WHERE phonebook_id = ? AND ended_at IS NULL"
)
FORGET: Final = "DELETE FROM import_job WHERE user_id = ?"
EXPIRE: Final = "DELETE FROM import_job WHERE id IN (SELECT id FROM import_job WHERE ended_at < ? ORDER BY ended_at LIMIT ?)"
FILES: Final = "SELECT file, ended_at FROM import_job"
