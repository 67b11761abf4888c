"""The SQL of who is signed in to the page, and of links that sign in once."""

from __future__ import annotations

from typing import Final

USER: Final = "SELECT id, username, is_superuser, role, password_hash FROM user_account WHERE {} AND is_active = 1"
BY_ID: Final = USER.format("id = ?")
BY_NAME: Final = USER.format("username = ?")

BEGIN: Final = "INSERT INTO page_session (user_id, secret_hash, proof, created_at, seen_at) VALUES (?, ?, ?, ?, ?)"

FIND: Final = (
    "SELECT s.id, s.proof, s.seen_at, u.id, u.username, u.is_superuser, u.role, u.password_hash FROM page_session s "
    "JOIN user_account u ON u.id = s.user_id WHERE s.secret_hash = ? AND s.created_at > ? AND s.seen_at > ? "
    "AND u.is_active = 1"
)
"""Parameters: the secret's hash, the moments before which a session began too long ago, and was used too long ago."""

SEEN: Final = "UPDATE page_session SET seen_at = ? WHERE id = ?"
END: Final = "DELETE FROM page_session WHERE secret_hash = ?"
END_ALL: Final = "DELETE FROM page_session WHERE user_id = ?"
END_LINKS: Final = "DELETE FROM sign_in_link WHERE user_id = ?"
END_SURPLUS: Final = (
    "DELETE FROM page_session WHERE id IN (SELECT id FROM page_session WHERE user_id = ? ORDER BY id DESC LIMIT 1000 OFFSET ?)"
)
FORGET_OLD: Final = "DELETE FROM page_session WHERE created_at <= ?"

ADD_LINK: Final = "INSERT INTO sign_in_link (user_id, secret_hash, expires_at) VALUES (?, ?, ?)"
USE_LINK: Final = "DELETE FROM sign_in_link WHERE secret_hash = ? RETURNING user_id, expires_at"
FORGET_LINKS: Final = "DELETE FROM sign_in_link WHERE expires_at <= ?"
