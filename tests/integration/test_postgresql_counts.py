"""The counts of subscribers by status, which PostgreSQL keeps in parts: they hold under many writers, none of whom waits."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor

from tests.integration.postgresql_support import Rows, ask, change, connected, database, furnished, schema
from tests.seeding import T

__all__ = ["database", "furnished", "schema"]

ADD = (
    "INSERT INTO contact (phonebook_id, number, first_name, last_name, email, description, additional_vars, created_at, "
    "updated_at, identity) SELECT 1, (100000 + n)::text, '', '', '', '', '{{}}', '{t}', '{t}', (100000 + n)::text "
    "FROM generate_series(1, {count}) n "
    "ON CONFLICT DO NOTHING; "
    "INSERT INTO subscriber (campaign_id, contact_id, number, status, ready_at, count_attempt, free_retries, identity) "
    "SELECT {campaign}, id, number, 1 + id % 2, '{t}', 0, 0, identity FROM contact ON CONFLICT DO NOTHING"
)
"""Half of them are pending, half are paused; those that are there stay as they are."""

ANOTHER_CAMPAIGN = (
    "INSERT INTO campaign (id, user_id, name, description, status, starting_at, expires_at, frequency, max_retry, gateway_id, "
    "voip_app_id, created_at, updated_at) SELECT 2, user_id, 'another', '', status, starting_at, expires_at, frequency, "
    "max_retry, gateway_id, voip_app_id, created_at, updated_at FROM campaign"
)


def add(count: int, campaign: int = 1) -> str:
    return ADD.format(count=count, campaign=campaign, t=T)


def counted(url: str) -> Rows:
    return ask(url, "SELECT * FROM subscriber_count WHERE subscribers <> 0 ORDER BY campaign_id, status")


def true_counts(url: str) -> Rows:
    return ask(url, "SELECT campaign_id, status, count(*) FROM subscriber GROUP BY 1, 2 ORDER BY 1, 2")


def test_a_new_campaign_counts_no_subscriber_of_any_status(database):
    change(database, ANOTHER_CAMPAIGN)
    rows = ask(database, "SELECT * FROM subscriber_count WHERE campaign_id = 2 ORDER BY status")
    assert rows == [(2, status, 0) for status in range(1, 8)]
    assert type(rows[0][2]) is int


def test_counts_follow_what_is_added_changed_and_removed(database):
    change(database, ANOTHER_CAMPAIGN, add(50))
    assert counted(database) == true_counts(database) == [(1, 1, 26), (1, 2, 25), (1, 6, 1)]
    change(database, add(60, campaign=2))
    change(database, "UPDATE subscriber SET status = CASE WHEN id % 3 = 0 THEN 4 WHEN status = 2 THEN 5 ELSE status END")
    assert counted(database) == true_counts(database)
    change(database, "DELETE FROM subscriber WHERE id > 20 AND id % 4 = 0", "DELETE FROM subscriber WHERE campaign_id = 2")
    assert counted(database) == true_counts(database)


def test_what_is_rolled_back_is_not_counted(database):
    before = counted(database)
    change(database, "SAVEPOINT here", add(50), "ROLLBACK TO SAVEPOINT here", "UPDATE subscriber SET status = 4 WHERE id = 2")
    assert counted(database) == true_counts(database) != before


def test_a_change_that_leaves_every_count_as_it_is_writes_none(database):
    parts = "SELECT ctid, * FROM subscriber_count_part ORDER BY ctid"
    before = ask(database, parts)
    change(
        database,
        "UPDATE subscriber SET free_retries = free_retries + 1",
        "UPDATE subscriber SET status = 7 WHERE id = 99",
        "DELETE FROM subscriber WHERE id = 99",
        "UPDATE subscriber SET status = 7 - status, ready_at = COALESCE(ready_at, last_attempt_at, now()) WHERE false",
    )
    assert ask(database, parts) == before


def test_a_campaign_goes_with_its_counts(database):
    change(database, ANOTHER_CAMPAIGN, add(20, campaign=2))
    change(database, "DELETE FROM subscriber WHERE campaign_id = 2", "DELETE FROM campaign WHERE id = 2")
    assert ask(database, "SELECT count(*) FROM subscriber_count_part WHERE campaign_id = 2") == [(0,)]


def test_ten_thousand_subscribers_are_counted_once_per_statement(database):
    since = time.monotonic()
    change(
        database, add(10_000), "UPDATE subscriber SET status = 3 WHERE status = 2", "DELETE FROM subscriber WHERE status = 3"
    )
    assert time.monotonic() - since < 5
    assert counted(database) == true_counts(database) == [(1, 1, 5001), (1, 6, 1)]


def test_two_writers_of_one_campaign_do_not_wait_for_each_other_in_any_order(database):
    change(database, ANOTHER_CAMPAIGN, add(50), add(50, campaign=2))
    claim = (
        "UPDATE subscriber SET status = 6 WHERE id = (SELECT min(id) FROM subscriber WHERE campaign_id = {} AND status = {})"
    )
    with connected(database) as first, connected(database) as second:
        first.execute(claim.format(1, 1))
        second.execute(claim.format(2, 1))
        first.execute(claim.format(2, 2))
        second.execute(claim.format(1, 2))
        first.connection.commit()
        second.connection.commit()
    assert counted(database) == true_counts(database)


def test_a_writer_that_finds_every_part_taken_still_writes(database):
    with connected(database) as other:
        other.execute(
            "SELECT pg_advisory_xact_lock('subscriber_count_part'::regclass::oid::integer, n) FROM generate_series(0, 63) n"
        )
        change(database, add(50))
    assert counted(database) == true_counts(database)


def test_counts_agree_after_many_writers_at_once(database):
    change(database, ANOTHER_CAMPAIGN, add(400), add(400, campaign=2))

    def write(writer: int) -> None:
        rng = random.Random(writer)
        with connected(database) as cursor:
            for _ in range(40):
                for _ in range(rng.randint(1, 4)):
                    cursor.execute(
                        "UPDATE subscriber SET status = %s WHERE id %% 6 = %s AND campaign_id = %s AND random() < 0.1",
                        (rng.randint(1, 5), writer, rng.randint(1, 2)),
                    )
                (cursor.connection.rollback if rng.random() < 0.2 else cursor.connection.commit)()

    change(database, f"UPDATE subscriber SET ready_at = '{T}'")
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(write, range(6)))
    assert counted(database) == true_counts(database)
