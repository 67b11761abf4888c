"""The SQL that shows contacts to people: page by page, or one with what became of it."""

from __future__ import annotations

from typing import Final

from dialer.model import Contact
from dialer.store.connection import LISTED
from dialer.stored import Reader, reader

READ_CONTACT: Final[Reader[Contact]] = reader(Contact, "k")
_HERE: Final = f"SELECT {READ_CONTACT.columns} FROM contact k WHERE k.phonebook_id = ? AND k.archived_at IS NULL"  # noqa: S608

OUR_PHONEBOOK: Final = "SELECT 1 FROM phonebook p WHERE p.id = ? AND p.archived_at IS NULL AND (p.user_id = ? OR ?)"
"""Parameters: phonebook, user, is a superuser."""

HERE: Final = _HERE
"""To be continued by an order. Parameter: phonebook."""

_OURS: Final = (
    "SELECT c.id FROM phonebook p CROSS JOIN contact c WHERE c.phonebook_id = p.id AND c.archived_at IS NULL {} "
    "AND p.archived_at IS NULL AND (p.user_id = ? OR ? = 1) AND (p.id = ? OR ? = 0)"
)
"""From phonebook to phonebook: CROSS JOIN has SQLite keep that order, which would look at all contacts else. Parameters: those
of the condition; user, is a superuser; phonebook, whether it is one alone."""
_WITH_DOUBLES: Final = (
    f"WITH found AS (%s) SELECT {READ_CONTACT.columns} FROM contact k WHERE k.id IN (SELECT id FROM found UNION ALL "  # noqa: S608
    "SELECT d.id FROM contact d JOIN found ON d.double_of = found.id) AND k.archived_at IS NULL"
)
OF_IDENTITIES: Final = LISTED.within(
    _WITH_DOUBLES.replace("%s", _OURS.format("AND c.double_of IS NULL AND c.identity IN (SELECT j.value FROM %s)"))
)
"""Contacts of some identities, a JSON list, and their doubles, in one phonebook or in all of a user; to be continued by an
order. Parameters: list, user, is a superuser, phonebook, whether it is one alone."""
OF_REFERENCE: Final = _WITH_DOUBLES.replace("%s", _OURS.format("AND c.reference = ? AND c.reference <> ''"))
"""The same of a reference."""
RULES_OF_OURS: Final = (
    "SELECT DISTINCT p.rules FROM phonebook p WHERE p.archived_at IS NULL AND (p.user_id = ? OR ? = 1) AND (p.id = ? OR ? = 0)"
)
HAS_REFERENCE: Final = (
    "SELECT 1 FROM contact WHERE phonebook_id = ? AND reference = ? AND reference <> '' AND archived_at IS NULL"
)
HOLDERS: Final = LISTED.within(
    "SELECT k.reference, k.identity FROM contact k WHERE k.phonebook_id = ? AND k.reference <> '' AND k.archived_at IS NULL "
    "AND k.reference IN (SELECT j.value FROM %s)"
)
"""Whose references they are. Parameters: phonebook, a JSON list."""

OF_PHONEBOOK: Final = LISTED.within(f"{_HERE} AND k.double_of IS NULL AND k.identity IN (SELECT j.value FROM %s)")  # noqa: S608
"""The contacts of some identities. Parameters: phonebook, a JSON list."""
BY_IDENTITY: Final = f"{_HERE} AND k.identity = ? AND k.double_of IS NULL"
BY_ID: Final = f"{_HERE} AND k.id = ?"
BY_NUMBER: Final = f"{_HERE} AND k.number = ?"
DOUBLES: Final = "SELECT k.number FROM contact k WHERE k.double_of = ? AND k.archived_at IS NULL ORDER BY k.id"

SUBSCRIBERS: Final = (
    "SELECT c.id, c.name, coalesce(s.requested_status, s.status), s.count_attempt, s.last_attempt_at, s.ready_at "
    "FROM subscriber s JOIN campaign c ON c.id = s.campaign_id AND c.archived_at IS NULL "
    "WHERE s.contact_id = ? OR (s.identity = ? AND s.campaign_id IN "
    "(SELECT l.campaign_id FROM campaign_phonebook l WHERE l.phonebook_id = ?)) ORDER BY c.id"
)
"""What a contact is in the campaigns that have it, or its number from another phonebook. Parameters: contact, identity,
phonebook."""

ATTEMPTS: Final = (
    "SELECT a.id, c.name, a.number, a.planned_at, a.state, a.disposition, a.reason FROM attempt a "
    "JOIN subscriber s ON s.id = a.subscriber_id JOIN campaign c ON c.id = a.campaign_id "
    "WHERE s.contact_id = ? ORDER BY a.id DESC LIMIT ?"
)
"""The newest attempts to reach a contact. Parameters: contact, how many."""

SIZE: Final = "SELECT count(*) FROM contact WHERE phonebook_id = ? AND archived_at IS NULL"
USES: Final = (
    "SELECT l.phonebook_id, c.name FROM campaign_phonebook l JOIN campaign c ON c.id = l.campaign_id "
    "WHERE c.archived_at IS NULL ORDER BY l.phonebook_id, c.id"
)
"""Which campaigns use which phonebooks."""
