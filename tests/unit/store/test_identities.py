"""Databases with numbers in several spellings: each number gets its identity, and what turns out to be one is called once."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.store.identities import DoubleContacts
from dialer.store.location import dialect_of, opened
from dialer.store.schema import is_newest, upgrade, upgrades
from dialer.store.schema_diff import differences
from tests.grounds import bare_database, rows, script

T = "2026-11-23 10:00:00.000000"
LATER = "2026-11-23 11:00:00.000000"
BEFORE = 4
"""The schema without identities."""

SEED = f"""
INSERT INTO user_account (id, username, password_hash, is_superuser, is_active, created_at)
    VALUES (1, 'ann', '', 0, 1, '{T}');
INSERT INTO number_pattern VALUES (1, 'blacklist', '0049', '0049%'), (1, 'blacklist', '=00331', '00331');
INSERT INTO gateway (id, name, description, protocol, hostname, dial_string, removeprefix, addprefix, addparameter, status,
    created_at, updated_at) VALUES (1, 'g', '', 'SIP', 'h', '', '', '', '', 1, '{T}', '{T}');
INSERT INTO voip_app (id, name, description, type, data, created_at, updated_at) VALUES (1, 'v', '', 1, '', '{T}', '{T}');
INSERT INTO campaign (id, user_id, name, description, status, starting_at, expires_at, frequency, max_retry, gateway_id,
    voip_app_id, created_at, updated_at) VALUES (1, 1, 'c', '', 1, '{T}', '{T}', 10, 3, 1, 1, '{T}', '{T}'),
    (2, 1, 'd', '', 1, '{T}', '{T}', 10, 3, 1, 1, '{T}', '{T}');
INSERT INTO phonebook (id, user_id, name, description, created_at) VALUES (1, 1, 'p', '', '{T}');
INSERT INTO campaign_phonebook VALUES (1, 1), (2, 1);
INSERT INTO do_not_call VALUES ('0015550000099', 'later', '{LATER}'), ('+15550000099', 'first', '{T}'), ('99', '', '{T}');
"""

PENDING, PAUSED, ABORTED, FAILED, COMPLETE, IN_PROCESS = 1, 2, 3, 4, 5, 6


@pytest.fixture
def url(database_kind, tmp_path: Path) -> str:
    made = bare_database(tmp_path)
    upgrade(made, upgrades(dialect_of(made))[:BEFORE])
    script(made, SEED)
    return made


def contact(url: str, key: int, number: str, status: int | None = None, campaign: int = 1) -> None:
    """A contact, and with a status its subscriber of the same id."""
    rows(
        url,
        "INSERT INTO contact (id, phonebook_id, number, first_name, last_name, email, description, additional_vars, "
        f"created_at, updated_at) VALUES (?, 1, ?, '', '', '', '', '{{}}', '{T}', '{T}')",
        key,
        number,
    )
    if status is not None:
        subscriber(url, key, key, number, status, campaign)


def subscriber(url: str, key: int, contact_id: int, number: str, status: int, campaign: int = 1) -> None:
    ready_at = T if status == PENDING else None
    rows(
        url,
        "INSERT INTO subscriber (id, campaign_id, contact_id, number, status, ready_at, count_attempt, free_retries) "
        "VALUES (?, ?, ?, ?, ?, ?, 0, 0)",
        key, campaign, contact_id, number, status, ready_at,
    )  # fmt: skip


def attempt(url: str, key: int, subscriber_id: int, number: str, campaign: int = 1, *, ended: bool = False) -> None:
    end = f"'ended', '{T}', 'X', 'BUSY', 1, 0" if ended else "'ringing', NULL, NULL, NULL, NULL, NULL"
    rows(
        url,
        "INSERT INTO attempt (id, call_uuid, campaign_id, subscriber_id, gateway_id, number, dial_string, number_of_attempt, "
        "owner, epoch, core_uuid, planned_at, due_at, deadline, state, ended_at, cause, disposition, counts_as_attempt, "
        f"duration_ms) VALUES (?, ?, ?, ?, 1, ?, 'x', 1, 'here', 1, '', '{T}', '{T}', '{T}', {end})",
        key, f"call-{key}", campaign, subscriber_id, number,
    )  # fmt: skip
    if ended:
        rows(url, "UPDATE subscriber SET count_attempt = count_attempt + 1 WHERE id = ?", subscriber_id)


def upgraded(url: str, region: str | None = None) -> DoubleContacts:
    told: list[DoubleContacts] = []
    upgrade(url, region=region, tell=told.append)
    (doubles,) = told
    return doubles


def test_every_number_gets_its_identity(url):
    contact(url, 1, "+15551230001", PENDING)
    contact(url, 2, "0301234567", PENDING)
    contact(url, 3, "*97")
    attempt(url, 1, 1, "+15551230001")
    assert upgraded(url).contacts == ()
    assert rows(url, "SELECT id, identity FROM contact ORDER BY id") == [(1, "15551230001"), (2, "0301234567"), (3, "*97")]
    assert rows(url, "SELECT id, identity FROM subscriber ORDER BY id") == [(1, "15551230001"), (2, "0301234567")]
    assert rows(url, "SELECT identity FROM attempt") == [("15551230001",)]
    with opened(url) as connection:
        assert differences(connection) == []
        connection.rollback()


def test_a_contact_in_another_spelling_stays_and_names_the_one_that_it_is(url):
    contact(url, 1, "+15551230001", PENDING)
    contact(url, 2, "15551230001", PENDING)
    contact(url, 3, "0015551230001", PENDING)
    contact(url, 4, "15551230004", PENDING)
    doubles = upgraded(url)
    assert doubles.contacts == (("p", "15551230001", "+15551230001"), ("p", "0015551230001", "+15551230001"))
    assert doubles.subscribers == 2
    assert rows(url, "SELECT id, double_of FROM contact ORDER BY id") == [(1, None), (2, 1), (3, 1), (4, None)]
    assert rows(url, "SELECT id, status FROM subscriber ORDER BY id") == [(1, PENDING), (4, PENDING)]


@pytest.mark.parametrize(
    ("one", "other", "joined"),
    [
        (PENDING, COMPLETE, COMPLETE),
        (PAUSED, PENDING, PAUSED),
        (FAILED, PENDING, FAILED),
        (ABORTED, FAILED, ABORTED),
        (7, COMPLETE, 7),
    ],
)
def test_a_number_is_called_no_more_often_than_any_of_its_spellings(url, one, other, joined):
    contact(url, 1, "+15551230001", one)
    contact(url, 2, "15551230001", other)
    assert upgraded(url).subscribers == 1
    assert rows(url, "SELECT id, status FROM subscriber") == [(1, joined)]
    ((counted,),) = rows(url, "SELECT subscribers FROM subscriber_count WHERE campaign_id = 1 AND status = ?", joined)
    assert counted == 1


def test_the_attempts_of_all_spellings_are_those_of_the_one(url):
    contact(url, 1, "+15551230001", PENDING)
    contact(url, 2, "15551230001", PENDING)
    attempt(url, 1, 1, "+15551230001", ended=True)
    attempt(url, 2, 2, "15551230001", ended=True)
    upgraded(url)
    assert rows(url, "SELECT id, subscriber_id, number, number_of_attempt FROM attempt ORDER BY id") == [
        (1, 1, "+15551230001", 1),
        (2, 1, "15551230001", 2),
    ]
    assert rows(url, "SELECT id, count_attempt FROM subscriber") == [(1, 2)]


def test_the_one_under_way_stays_and_is_called_no_more_when_another_was_reached(url):
    contact(url, 1, "+15551230001", COMPLETE)
    contact(url, 2, "15551230001", IN_PROCESS)
    attempt(url, 1, 2, "15551230001")
    upgraded(url)
    assert rows(url, "SELECT id, status, requested_status FROM subscriber") == [(2, IN_PROCESS, COMPLETE)]


def test_of_two_calls_under_way_one_is_given_up(url):
    contact(url, 1, "+15551230001", IN_PROCESS)
    contact(url, 2, "15551230001")
    subscriber(url, 2, 2, "15551230001", IN_PROCESS, campaign=2)
    attempt(url, 1, 1, "+15551230001")
    attempt(url, 2, 2, "15551230001", campaign=2)
    upgraded(url)
    assert rows(url, "SELECT id, state, cause FROM attempt ORDER BY id") == [(1, "ringing", None), (2, "ended", "UNKNOWN")]
    assert rows(url, "SELECT id, status, ready_at FROM subscriber ORDER BY id") == [(1, IN_PROCESS, None), (2, PENDING, T)]


def test_the_do_not_call_list_has_a_number_once_and_patterns_no_prefix_for_calls_abroad(url):
    assert upgraded(url).forbidden == 1
    assert rows(url, "SELECT number, identity, reason FROM do_not_call ORDER BY number") == [
        ("+15550000099", "15550000099", "first"),
        ("99", "99", ""),
    ]
    assert rows(url, "SELECT pattern, matcher FROM number_pattern ORDER BY pattern") == [("49", "49%"), ("=331", "331")]


def test_another_region_makes_other_identities(url):
    contact(url, 1, "0301234567", PENDING)
    contact(url, 2, "+49301234567", PENDING)
    contact(url, 3, "1001", PENDING)
    assert upgraded(url).contacts == ()
    assert is_newest(url)
    assert not is_newest(url, "DE")
    assert upgraded(url, "DE").contacts == (("p", "+49301234567", "0301234567"),)
    assert rows(url, "SELECT identity FROM subscriber ORDER BY id") == [("49301234567",), ("1001",)]
    assert rows(url, "SELECT region FROM installation") == [("DE",)]
    assert is_newest(url, "DE")
    with opened(url) as connection:
        assert differences(connection) == []
        connection.rollback()


def test_a_phonebook_may_be_of_another_region_than_the_installation(url):
    contact(url, 1, "0301234567")
    upgraded(url)
    rows(url, """UPDATE phonebook SET rules = '{"region": "AT"}'""")
    upgraded(url, "DE")
    assert rows(url, "SELECT identity FROM contact") == [("43301234567",)]


def test_spellings_of_one_number_on_a_list_become_one_entry_and_the_history_stays(database_kind, tmp_path):
    url = bare_database(tmp_path)
    upgrade(url, region="")
    script(
        url,
        "INSERT INTO do_not_call (list_id, number, identity, created_at, expires_at) VALUES "
        f"(1, '030123456', '030123456', '{T}', '{LATER}'), (1, '+4930123456', '4930123456', '{T}', NULL), "
        f"(1, '7', '7', '{T}', NULL);",
    )
    assert upgraded(url, "DE").forbidden == 1
    found = rows(url, "SELECT number, identity, removed_at IS NULL FROM do_not_call ORDER BY id")
    assert [(number, identity, bool(there)) for number, identity, there in found] == [
        ("030123456", "4930123456", False),
        ("+4930123456", "4930123456", True),
        ("7", "7", True),
    ]


def test_caller_ids_that_turn_out_to_be_one_in_another_region_are_one_from_then_on(url):
    upgrade(url)
    some = "strategy, foreign_callees, time_zone, turn, description, created_at, updated_at"
    values = f"1, 1, 'sales', 'sticky', 'refuse', 'UTC', 0, '', '{T}', '{T}'"
    rows(url, f"INSERT INTO caller_id_pool (id, user_id, name, {some}) VALUES ({values})")
    for key, number in enumerate(("030123456", "+4930123456", "+12125550100"), 1):
        rows(
            url,
            "INSERT INTO caller_id (id, pool_id, number, identity, country, name, note, warm_up_start, warm_up_days, active, "
            f"created_at, updated_at) VALUES (?, 1, ?, ?, '', '', '', 1, 0, 1, '{T}', '{T}')",
            key,
            number,
            number.removeprefix("+"),
        )
    upgrade(url, region="DE")
    found = rows(url, "SELECT id, identity, country, archived_at IS NULL FROM caller_id ORDER BY id")
    assert [(key, identity, country, bool(live)) for key, identity, country, live in found] == [
        (1, "4930123456", "DE", True),
        (2, "4930123456#*2", "DE", False),
        (3, "12125550100", "US", True),
    ]
    with opened(url) as connection:
        assert differences(connection) == []
