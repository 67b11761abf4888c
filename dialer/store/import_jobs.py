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

OPEN: Final = f"SELECT {READ.columns} FROM import_job j WHERE j.state IN ('queued', 'running') ORDER BY j.id LIMIT ?"  # noqa: S608

HOLD: Final = (
    "UPDATE import_job SET holder = ?, held_until = ?, state = 'running', started_at = coalesce(started_at, ?) WHERE id = ? "
    "AND state IN ('queued', 'running') AND (holder = ? OR held_until IS NULL OR held_until < ?) RETURNING id"
)
"""Parameters: node, until when, now, import, node, now: all moments by the clock of the database."""

ONE: Final = f"SELECT {READ.columns} FROM import_job j WHERE j.id = ?"  # noqa: S608

RELEASE: Final = "UPDATE import_job SET held_until = NULL WHERE id = ? AND holder = ?"

_STANDS: Final = "SELECT 1 FROM import_job WHERE id = ? AND holder = ? AND row_count = ? AND ended_at IS NULL"
STANDS: Final = Variants(sqlite=_STANDS, postgresql=f"{_STANDS} FOR UPDATE")
"""Whether it is where its holder left it, and stays so until the end of the transaction. Parameters: import, node, rows."""

STEP: Final = (
    "UPDATE import_job SET held_until = ?, encoding_found = ?, size_read = ?, row_count = ?, taken = ?, already_there = ?, "
    "changed = ?, duplicates = ?, refused = ?, reasons = ?, errors_size = errors_size + ?, "
    "errors_left_out = errors_left_out + ? WHERE id = ?"
)
ADD_ERRORS: Final = "INSERT INTO import_error (import_id, content) VALUES (?, ?)"
NEXT_ERRORS: Final = "SELECT e.id, e.content FROM import_error e WHERE e.import_id = ? AND e.id > ? ORDER BY e.id LIMIT ?"
"""Pieces of refused rows. Parameters: import, the piece before, how many."""
FORGET_ERRORS: Final = "DELETE FROM import_error WHERE import_id = ?"
EXPIRE_ERRORS: Final = (
    "DELETE FROM import_error WHERE id IN (SELECT e.id FROM import_job j JOIN import_error e ON e.import_id = j.id "
    "WHERE j.ended_at < ? ORDER BY j.ended_at, e.id LIMIT ?)"
)

END: Final = (
    "UPDATE import_job SET state = ?, problem = ?, encoding_found = ?, size_read = ?, ended_at = ?, held_until = NULL "
    "WHERE id = ? AND holder = ? AND ended_at IS NULL RETURNING id"
)

CANCEL_OF_PHONEBOOK: Final = (
    "UPDATE import_job SET state = 'cancelled', problem = 'its phonebook was removed', ended_at = ?, held_until = NULL "
    "WHERE phonebook_id = ? AND ended_at IS NULL"
)
FORGET: Final = "DELETE FROM import_job WHERE user_id = ?"
EXPIRE: Final = "DELETE FROM import_job WHERE id IN (SELECT id FROM import_job WHERE ended_at < ? ORDER BY ended_at LIMIT ?)"
EXPIRE_DRAFTS: Final = "DELETE FROM import_job WHERE state = 'draft' AND created_at < ?"
FILES: Final = "SELECT file, ended_at FROM import_job"
