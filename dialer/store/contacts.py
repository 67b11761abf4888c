"""The SQL of contacts and subscribers: by the thousand, or so often that entities would be slow."""

from __future__ import annotations

from typing import Final

from dialer.model import Contact
from dialer.store.connection import LISTED, PAIRS, Connection, Dialect, Variants
from dialer.stored import insert

CONTACT_COLUMNS: Final = (
    "phonebook_id", "number", "identity", "first_name", "last_name", "email", "description", "reference",
    "priority", "time_zone", "additional_vars", "created_at", "updated_at",
    "consent_basis", "consent_given_at", "consent_expires_at", "consent_proof",
)  # fmt: skip

ADD_CONTACT: Final = insert(Contact, CONTACT_COLUMNS)
CHANGED_COLUMNS: Final = (
    "first_name", "last_name", "email", "description", "reference", "priority", "time_zone", "consent_basis",
    "consent_given_at", "consent_expires_at", "consent_proof", "additional_vars", "updated_at",
)  # fmt: skip
CHANGE_CONTACT: Final = f"UPDATE contact SET {', '.join(f'{name} = ?' for name in CHANGED_COLUMNS)} WHERE id = ?"
"""Parameters: `CHANGED_COLUMNS`, contact."""

ADD_NEW_CONTACT: Final = f"{ADD_CONTACT} ON CONFLICT DO NOTHING RETURNING id"

_SUBSCRIBER: Final = (
    "INSERT INTO subscriber (campaign_id, contact_id, number, identity, status, ready_at, count_attempt, free_retries, "
    "priority) "
)
_ONCE: Final = "ON CONFLICT DO NOTHING"

SUBSCRIBE_NEW: Final = (
    f"{_SUBSCRIBER} SELECT l.campaign_id, k.id, k.number, k.identity, 1, ?, 0, 0, k.priority FROM campaign_phonebook l "
    "JOIN campaign c ON c.id = l.campaign_id AND c.status IN (1, 2) JOIN contact k ON k.phonebook_id = l.phonebook_id "
    f"WHERE l.phonebook_id = ? AND k.id > ? AND k.double_of IS NULL AND k.archived_at IS NULL {_ONCE}"
)
"""In every campaign of a phonebook that has not ended. Parameters: now, phonebook, the last contact before these."""

SUBSCRIBE_ONE: Final = (
    f"{_SUBSCRIBER} SELECT c.id, ?, ?, ?, 1, ?, 0, 0, ? FROM campaign_phonebook l "
    f"JOIN campaign c ON c.id = l.campaign_id AND c.status IN (1, 2) WHERE l.phonebook_id = ? {_ONCE} "
    "RETURNING id, campaign_id"
)
"""The same for one. Parameters: contact, number, identity, now, priority, phonebook."""

SUBSCRIBE_SOME: Final = (
    f"{_SUBSCRIBER} SELECT ?, k.id, k.number, k.identity, 1, ?, 0, 0, k.priority FROM contact k "
    f"WHERE k.phonebook_id = ? AND k.id > ? AND k.id <= ? AND k.double_of IS NULL AND k.archived_at IS NULL {_ONCE}"
)
END_OF_CHUNK: Final = (
    "SELECT max(id) FROM (SELECT id FROM contact WHERE phonebook_id = ? AND id > ? ORDER BY id LIMIT ?) AS chunk"
)
LINK: Final = "INSERT INTO campaign_phonebook (campaign_id, phonebook_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
LOCK_PHONEBOOK: Final = Variants(
    sqlite="SELECT 1 FROM phonebook WHERE id = ? AND archived_at IS NULL",
    postgresql="SELECT 1 FROM phonebook WHERE id = ? AND archived_at IS NULL FOR UPDATE",
)
"""Waits for the contacts that other processes are adding to it, and has further ones wait: either these see the link, or who
links sees the contacts."""

_OPEN_CAMPAIGNS: Final = (
    "FROM campaign_phonebook l JOIN campaign c ON c.id = l.campaign_id AND c.status IN (1, 2) WHERE l.phonebook_id = p.id"
)
PHONEBOOK_TO_FILL: Final = (
    "SELECT p.id, p.user_id, p.name, p.description, p.rules, "
    "EXISTS (SELECT 1 FROM number_pattern n WHERE n.user_id = p.user_id), "
    f"(SELECT max(c.id) {_OPEN_CAMPAIGNS}), u.max_number_subscriber_campaign, "
    "CASE WHEN u.max_number_subscriber_campaign IS NOT NULL THEN (SELECT coalesce(max((SELECT sum(n.subscribers) "
    f"FROM subscriber_count n WHERE n.campaign_id = c.id)), 0) {_OPEN_CAMPAIGNS}) END "
    "FROM user_account u LEFT JOIN phonebook p ON p.id = ? AND p.archived_at IS NULL AND (p.user_id = u.id OR ?) "
    "WHERE u.id = ? AND u.is_active = 1"
)
"""The phonebook with whether its user has rules for numbers, its newest campaign that has not ended, how many subscribers a
campaign of the asking user may have, and how many the largest one has. Parameters: phonebook, is a superuser, user."""

PHONEBOOK_OF_IMPORT: Final = (
    "SELECT EXISTS (SELECT 1 FROM number_pattern n WHERE n.user_id = p.user_id), u.max_number_subscriber_campaign, "
    "CASE WHEN u.max_number_subscriber_campaign IS NOT NULL THEN (SELECT max((SELECT sum(n.subscribers) "
    f"FROM subscriber_count n WHERE n.campaign_id = c.id)) {_OPEN_CAMPAIGNS}) END "
    "FROM phonebook p JOIN user_account u ON u.id = p.user_id WHERE p.id = ? AND p.archived_at IS NULL"
)
"""Whether the phonebook's user has rules for numbers, how many subscribers a campaign of it may have, and how many the largest
one of the phonebook has that has not ended. Parameter: phonebook."""

CONTACTS_UP_TO: Final = "SELECT count(*) FROM (SELECT 1 FROM contact WHERE phonebook_id = ? LIMIT ?) AS found"
"""How many contacts a phonebook has, so many at most. Parameters: phonebook, most."""

IMPORT_CACHE: Final = 32 * 1024
"""KiB of a large index that an import holds."""

USUAL_CACHE: Final = 2000
"""The same otherwise, as SQLite has it by itself."""

IMPORT_WAL: Final = 4000
"""Pages of SQLite's log before they are written to their places: a page of the index is written once for several chunks."""


def hold_indexes(connection: Connection, kibibytes: int) -> None:
    """How much of large indexes a connection holds: numbers of a file are at random places of theirs. A server has its own
    settings."""
    if connection.dialect is Dialect.SQLITE:
        connection.execute(f"PRAGMA cache_size = -{kibibytes}")


def prepare_for_import(connection: Connection) -> None:
    """Settings of a connection that does nothing but add contacts by the hundred thousand."""
    hold_indexes(connection, IMPORT_CACHE)
    if connection.dialect is Dialect.SQLITE:
        connection.execute(f"PRAGMA wal_autocheckpoint = {IMPORT_WAL}")


FIRST_KNOWN: Final = PAIRS.within(
    "SELECT j.number FROM %s JOIN contact k ON k.phonebook_id = ? AND k.identity = j.identity AND k.double_of IS NULL "
    "AND k.archived_at IS NULL "
    "ORDER BY j.key LIMIT 1"
)
"""The first of a list of numbers with their identities that a phonebook has. Parameters: list, phonebook."""

ADD_CONTACTS: Final = PAIRS.within(
    "INSERT INTO contact (phonebook_id, number, identity, first_name, last_name, email, description, additional_vars, "
    "created_at, updated_at) SELECT ?, j.number, j.identity, '', '', '', '', '{}', ?, ? FROM %s ORDER BY j.key"
)
"""Parameters: phonebook, now, now, JSON list of numbers with their identities."""

KNOWN: Final = LISTED.within(
    "SELECT k.identity FROM contact k WHERE k.phonebook_id = ? AND k.double_of IS NULL AND k.archived_at IS NULL "
    "AND k.identity IN (SELECT j.value FROM %s)"
)
"""Which identities of a JSON list a phonebook has. Parameters: phonebook, list."""

NEWEST_CONTACT: Final = "SELECT coalesce(max(id), 0) FROM contact"
PHONEBOOK_RULES: Final = "SELECT rules FROM phonebook WHERE id = ? AND archived_at IS NULL"
RULES_OF_CAMPAIGN: Final = (
    "SELECT DISTINCT p.rules FROM campaign_phonebook l JOIN phonebook p ON p.id = l.phonebook_id WHERE l.campaign_id = ?"
)

OUR_CAMPAIGN: Final = (
    "SELECT EXISTS (SELECT 1 FROM campaign c WHERE c.id = ? AND c.archived_at IS NULL AND (c.user_id = u.id OR ?)) "
    "FROM user_account u "
    "WHERE u.id = ? AND u.is_active = 1"
)
"""Whether a campaign may be seen by a user; no row for a user that may do nothing any more. Parameters: campaign, is a
superuser, user."""

SET_PRIORITY: Final = "UPDATE subscriber SET priority = ? WHERE contact_id = ? AND priority <> ?"
"""In every campaign that has the contact. Parameters: priority, contact, priority."""

SUBSCRIBER_STATUS: Final = (
    "SELECT s.id, coalesce(s.requested_status, s.status), s.contact_id FROM subscriber s "
    "WHERE s.campaign_id = ? AND s.identity = ?"
)
LOCK_SUBSCRIBER: Final = Variants(
    sqlite="SELECT 1 FROM subscriber WHERE campaign_id = ? AND identity = ?",
    postgresql="SELECT 1 FROM subscriber WHERE campaign_id = ? AND identity = ? FOR UPDATE",
)
SET_STATUS: Final = (
    "UPDATE subscriber SET requested_status = CASE status WHEN 6 THEN ? END, "
    "ready_at = CASE WHEN status = 6 THEN ready_at WHEN ? = 1 THEN CASE status WHEN 1 THEN ready_at ELSE ? END END, "
    "status = CASE status WHEN 6 THEN 6 ELSE ? END, "
    "held_from = CASE WHEN ? = 1 AND status = 1 THEN held_from END, "
    "held_by = CASE WHEN ? = 1 AND status = 1 THEN held_by END, "
    "blocked_by = CASE WHEN ? = 1 AND status = 1 THEN blocked_by END WHERE campaign_id = ? AND identity = ? "
    "AND NOT EXISTS (SELECT 1 FROM contact k WHERE k.id = subscriber.contact_id AND k.archived_at IS NOT NULL)"
)
"""While a call is live, the status is kept as requested, and takes effect when that ends. That of a removed contact stays.
A contact that waits, and is to be called, still waits; of the others, what they were refused for is forgotten.
Parameters: status, status, now, status, status, status, status, campaign, identity."""
