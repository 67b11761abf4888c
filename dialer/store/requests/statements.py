"""The SQL of the requests, apart from what runs it. `OURS` takes the user's id and whether it is a superuser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dialer.store import contacts
from dialer.store.admin import DAYS
from dialer.store.connection import LISTED, Variants
from dialer.store.requests.rows import CAMPAIGN_COLUMNS, CONTACT_COLUMNS, SUBSCRIBER_COLUMNS
from dialer.store.statements import marks

# --- users ----------------------------------------------------------------------------------------------------------------

USER: Final = "SELECT id, is_superuser, password_hash FROM user_account WHERE username = ? AND is_active = 1"
LIMITS: Final = (
    "SELECT max_number_campaign, max_number_subscriber_campaign, max_frequency, max_duration, max_retries, max_timeout "
    "FROM user_account WHERE id = ? AND is_active = 1"
)

# --- campaigns ------------------------------------------------------------------------------------------------------------

_FROM = "FROM campaign c JOIN gateway g ON g.id = c.gateway_id JOIN voip_app v ON v.id = c.voip_app_id"
_OURS = "(c.user_id = ? OR ?)"

_PHONEBOOKS = Variants(
    sqlite="(SELECT json_group_array(json_array(p.id, p.name)) FROM (SELECT l.phonebook_id FROM campaign_phonebook l "
    "WHERE l.campaign_id = c.id ORDER BY l.phonebook_id) l JOIN phonebook p ON p.id = l.phonebook_id)",
    postgresql="(SELECT coalesce(json_agg(json_build_array(p.id, p.name) ORDER BY p.id), '[]')::text "
    "FROM campaign_phonebook l JOIN phonebook p ON p.id = l.phonebook_id WHERE l.campaign_id = c.id)",
)
CAMPAIGN: Final = _PHONEBOOKS.within(f"SELECT {CAMPAIGN_COLUMNS}, %s {_FROM} WHERE c.id = ? AND {_OURS}")
"""With its phonebooks as the JSON text of a list of pairs: one statement is one trip through the interpreter's lock."""

OUR_CAMPAIGN: Final = f"SELECT c.user_id, c.name FROM campaign c WHERE c.id = ? AND {_OURS}"
CAMPAIGN_NAMED: Final = "SELECT 1 FROM campaign WHERE user_id = ? AND name = ?"
COUNT_CAMPAIGNS: Final = "SELECT count(*) FROM campaign WHERE user_id = ?"
GATEWAY_EXISTS: Final = "SELECT 1 FROM gateway WHERE id = ?"
VOIP_APP_EXISTS: Final = "SELECT 1 FROM voip_app WHERE id = ?"

TEXTS: Final = ("name", "description", "voip_app_data", "caller_id")
WORDS: Final = ("unknown_policy",)
NUMBERS: Final = ("frequency", "call_max_duration", "max_retry", "interval_retry", "call_timeout", "gateway_id", "voip_app_id")
MOMENTS: Final = ("starting_at", "expires_at")
CLOCKS: Final = ("daily_start", "daily_stop")
INSERTED: Final = (*TEXTS, *WORDS, *NUMBERS, *MOMENTS, *CLOCKS, *DAYS, "user_id", "created_at", "updated_at")
ADD_CAMPAIGN: Final = (
    f"INSERT INTO campaign ({', '.join(INSERTED)}, status, time_zone, caller_name) "
    f"VALUES ({marks(len(INSERTED))}, 1, 'UTC', '') RETURNING id"
)


def campaigns(statuses: int) -> Variants:
    """As CAMPAIGN, the newest first. Parameters: OURS, statuses."""
    return _PHONEBOOKS.within(
        f"SELECT {CAMPAIGN_COLUMNS}, %s {_FROM} WHERE {_OURS} AND c.status IN ({marks(statuses)}) ORDER BY c.id DESC"
    )


def change_campaign(columns: Sequence[str]) -> str:
    """The names are columns of the table, never a user's text. Parameters: values, campaign."""
    return f"UPDATE campaign SET {', '.join(f'{name} = ?' for name in columns)} WHERE id = ?"


# --- phonebooks -----------------------------------------------------------------------------------------------------------

PHONEBOOK: Final = "SELECT id, name, description FROM phonebook WHERE id = ? AND (user_id = ? OR ?)"
PHONEBOOKS: Final = "SELECT id, name, description FROM phonebook WHERE (user_id = ? OR ?) ORDER BY id DESC"
PHONEBOOK_NAMED: Final = "SELECT 1 FROM phonebook WHERE user_id = ? AND name = ?"
ADD_PHONEBOOK: Final = "INSERT INTO phonebook (user_id, name, description, created_at) VALUES (?, ?, ?, ?) RETURNING id"
LINK: Final = "INSERT INTO campaign_phonebook (campaign_id, phonebook_id) VALUES (?, ?)"

# --- contacts and subscribers ---------------------------------------------------------------------------------------------

_OPEN_CAMPAIGNS = (
    "FROM campaign_phonebook l JOIN campaign c ON c.id = l.campaign_id AND c.status IN (1, 2) WHERE l.phonebook_id = p.id"
)
PHONEBOOK_TO_FILL: Final = (
    "SELECT p.id, p.name, p.description, EXISTS (SELECT 1 FROM number_pattern n WHERE n.user_id = p.user_id), "
    f"(SELECT max(c.id) {_OPEN_CAMPAIGNS}), u.max_number_subscriber_campaign, "
    "CASE WHEN u.max_number_subscriber_campaign IS NOT NULL THEN (SELECT coalesce(max((SELECT sum(n.subscribers) "
    f"FROM subscriber_count n WHERE n.campaign_id = c.id)), 0) {_OPEN_CAMPAIGNS}) END "
    "FROM user_account u LEFT JOIN phonebook p ON p.id = ? AND (p.user_id = u.id OR ?) WHERE u.id = ? AND u.is_active = 1"
)
"""The phonebook with whether its user has rules for numbers, its newest campaign that has not ended, how many subscribers a
campaign of the asking user may have, and how many the largest one has. Parameters: phonebook, is a superuser, user."""

ADD_CONTACT: Final = f"{contacts.ADD_CONTACT} ON CONFLICT (phonebook_id, number) DO NOTHING RETURNING id"
SUBSCRIBE_ONE: Final = (
    "INSERT INTO subscriber (campaign_id, contact_id, number, status, ready_at, count_attempt, count_requeue) "
    "SELECT c.id, ?, ?, 1, ?, 0, 0 FROM campaign_phonebook l JOIN campaign c ON c.id = l.campaign_id AND c.status IN (1, 2) "
    "WHERE l.phonebook_id = ? ON CONFLICT (campaign_id, number) DO NOTHING RETURNING id, campaign_id"
)
"""In every campaign of a phonebook that has not ended. Parameters: contact, number, now, phonebook."""

FIRST_KNOWN: Final = LISTED.within(
    "SELECT j.value FROM %s JOIN contact k ON k.phonebook_id = ? AND k.number = j.value ORDER BY j.key LIMIT 1"
)
"""The first number of a JSON list that a phonebook has. Parameters: list, phonebook."""

ADD_CONTACTS: Final = LISTED.within(
    "INSERT INTO contact (phonebook_id, number, first_name, last_name, email, description, additional_vars, created_at, "
    "updated_at) SELECT ?, j.value, '', '', '', '', '{}', ?, ? FROM %s ORDER BY j.key"
)
"""Parameters: phonebook, now, now, JSON list of numbers."""

NEWEST_CONTACT: Final = "SELECT coalesce(max(id), 0) FROM contact"
CONTACT: Final = f"SELECT k.id, {CONTACT_COLUMNS} FROM contact k JOIN phonebook p ON p.id = k.phonebook_id WHERE k.id = ?"
SUBSCRIBER: Final = f"SELECT {SUBSCRIBER_COLUMNS} FROM subscriber s WHERE s.campaign_id = ? AND s.number = ?"
SUBSCRIBERS: Final = (
    f"SELECT {SUBSCRIBER_COLUMNS} FROM subscriber s WHERE s.campaign_id = ? AND s.number > ? ORDER BY s.number LIMIT ?"
)
SUBSCRIBER_STATUS: Final = (
    "SELECT s.id, coalesce(s.wanted_status, s.status), s.contact_id FROM subscriber s WHERE s.campaign_id = ? AND s.number = ?"
)
