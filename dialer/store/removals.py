"""The SQL of removals: what has attempts is archived, and what has none is deleted. Status numbers are those of
`SubscriberStatus` (1 START, 2 PAUSE, 3 ABORT, 6 IN_PROCESS)."""

from __future__ import annotations

from typing import Final

from dialer.store.identities import ARCHIVED

_RANGE: Final = "SELECT r.id FROM contact r WHERE r.phonebook_id = ? AND r.id > ? AND r.id <= ? AND r.archived_at IS NULL"
"""Contacts of a chunk. Parameters: phonebook, the last id before it, its last id."""
_ONE: Final = "SELECT r.id FROM contact r WHERE r.id = ? OR r.double_of = ?"
"""A contact with its other spellings. Parameters: contact, contact."""

_OTHER: Final = (
    "SELECT min(k.id) FROM campaign_phonebook l JOIN contact k ON k.phonebook_id = l.phonebook_id AND k.identity = "
    "subscriber.identity AND k.double_of IS NULL AND k.archived_at IS NULL WHERE l.campaign_id = subscriber.campaign_id"
)
"""The contact of the same number in another phonebook of the campaign."""
_NO_ATTEMPT: Final = (
    "NOT EXISTS (SELECT 1 FROM attempt a WHERE a.subscriber_id = subscriber.id) "
    "AND NOT EXISTS (SELECT 1 FROM purged_attempts p WHERE p.subscriber_id = subscriber.id)"
)
"""Nor had it one whose record was purged."""


class Withdrawal:
    """The statements that take contacts out of campaigns, in this order; `which` gives the ids of the contacts, and
    `condition` narrows the subscribers down. A subscriber whose number another phonebook of the campaign has goes over to that
    contact; of the others, those with attempts stay and are called no more, also not once the calling rules that refused them
    are others; those without go."""

    def __init__(self, which: str, condition: str = "") -> None:
        mine = f"contact_id IN ({which}){condition}"
        other = _OTHER.replace("WHERE l.", f"WHERE k.id NOT IN ({which}) AND l.")
        self.hand_over: Final = f"UPDATE subscriber SET contact_id = ({other}) WHERE {mine} AND ({other}) IS NOT NULL"
        self.abort: Final = (
            "UPDATE subscriber SET status = CASE WHEN status IN (1, 2) THEN 3 ELSE status END, ready_at = NULL, "
            "held_from = NULL, held_by = NULL, blocked_by = CASE status WHEN 7 THEN blocked_by END "
            f"WHERE {mine} AND (status IN (1, 2) OR held_from IS NOT NULL)"
        )
        self.abort_live: Final = f"UPDATE subscriber SET requested_status = 3 WHERE {mine} AND status = 6"
        self.delete: Final = f"DELETE FROM subscriber WHERE {mine} AND status <> 6 AND {_NO_ATTEMPT}"


FROM_EVERYWHERE: Final = Withdrawal(_RANGE)
FROM_CAMPAIGN: Final = Withdrawal(_RANGE, " AND campaign_id = ?")
OF_ONE: Final = Withdrawal(_ONE)


def archive(which: str) -> str:
    """Contacts are archived, and their numbers free. Parameters: now, those of `which`."""
    return (
        "UPDATE contact SET archived_at = ?, double_of = NULL, "
        f"number = substr(number, 1, 40) || '{ARCHIVED}' || id WHERE id IN ({which})"
    )


ARCHIVE_SOME: Final = archive(_RANGE)
ARCHIVE_ONE: Final = archive(_ONE)

_UNUSED: Final = "archived_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM subscriber s WHERE s.contact_id = contact.id)"
DROP_CONTACTS: Final = f"DELETE FROM contact WHERE phonebook_id = ? AND id > ? AND id <= ? AND {_UNUSED}"
"""Archived ones of which no campaign knows. Parameters: phonebook, the last id before the chunk, its last id."""

UNLINK: Final = "DELETE FROM campaign_phonebook WHERE campaign_id = ? AND phonebook_id = ?"
UNLINK_PHONEBOOK: Final = "DELETE FROM campaign_phonebook WHERE phonebook_id = ?"
UNLINK_CAMPAIGN: Final = "DELETE FROM campaign_phonebook WHERE campaign_id = ?"

HAS_CONTACTS: Final = "SELECT EXISTS (SELECT 1 FROM contact WHERE phonebook_id = ? AND archived_at IS NULL)"

ARCHIVE_NAME: Final = "UPDATE {} SET {} = substr({}, 1, {}) || ' (removed ' || id || ')', archived_at = ? WHERE id = ?"
ARCHIVE_PHONEBOOK: Final = ARCHIVE_NAME.format("phonebook", "name", "name", 220)
ARCHIVE_CAMPAIGN: Final = ARCHIVE_NAME.format("campaign", "status = 3, name", "name", 220)
ARCHIVE_USER: Final = ARCHIVE_NAME.format("user_account", "is_active = 0, password_hash = '', username", "username", 115)
"""Each: now, id."""

DROP_PHONEBOOK: Final = (
    "DELETE FROM phonebook WHERE id = ? AND NOT EXISTS (SELECT 1 FROM contact k WHERE k.phonebook_id = phonebook.id)"
)
END_OF_SUBSCRIBERS: Final = (
    "SELECT max(number) FROM (SELECT number FROM subscriber WHERE campaign_id = ? AND number > ? ORDER BY number LIMIT ?) "
    "AS chunk"
)
DELETE_SUBSCRIBERS: Final = (
    f"DELETE FROM subscriber WHERE campaign_id = ? AND number > ? AND number <= ? AND status <> 6 AND {_NO_ATTEMPT}"
)
DROP_CAMPAIGN: Final = (
    "DELETE FROM campaign WHERE id = ? AND NOT EXISTS (SELECT 1 FROM subscriber s WHERE s.campaign_id = campaign.id) "
    "AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.campaign_id = campaign.id) "
    "AND NOT EXISTS (SELECT 1 FROM do_not_call_list l WHERE l.campaign_id = campaign.id)"
)
DROP_USER: Final = (
    "DELETE FROM user_account WHERE id = ? AND NOT EXISTS (SELECT 1 FROM campaign c WHERE c.user_id = user_account.id) "
    "AND NOT EXISTS (SELECT 1 FROM phonebook p WHERE p.user_id = user_account.id) "
    "AND NOT EXISTS (SELECT 1 FROM caller_id_pool p WHERE p.user_id = user_account.id) "
    "AND NOT EXISTS (SELECT 1 FROM do_not_call_list l WHERE l.user_id = user_account.id)"
)
