"""The SQL of who has changed what on the page."""

from __future__ import annotations

from typing import Final

from dialer.model import AuditEntry
from dialer.stored import reader

READ: Final = reader(AuditEntry, "a")

ADD: Final = "INSERT INTO audit_entry (at, user_id, username, address, action, subject, details) VALUES (?, ?, ?, ?, ?, ?, ?)"

_LISTED: Final = f"SELECT {READ.columns} FROM audit_entry a WHERE a.id < ?"  # noqa: S608
ALL: Final = f"{_LISTED} ORDER BY a.id DESC LIMIT ?"
OF_USER: Final = f"{_LISTED} AND a.user_id = ? ORDER BY a.id DESC LIMIT ?"
"""Parameters: the id before which, the user where it is one's own, how many."""
