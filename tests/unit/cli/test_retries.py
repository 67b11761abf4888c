"""Retries by outcome, the order of calls and priorities on the command line."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.grounds import rows
from tests.unit.cli.test_campaigns_daily import T, spring

__all__ = ["spring"]


def test_a_table_of_retries_is_set_shown_and_taken_away(spring):
    spring.good(
        "campaign", "set", "spring", "--retry", "busy=3/60s*2,no_answer=2/4h/day=1", "--order", "mix", "--retry-share", 30
    )
    (stored,) = rows(spring.url, "SELECT retry FROM campaign")
    assert json.loads(stored[0])["busy"] == {"retries": 3, "after": 60, "growth": 2.0, "per_day": None}
    shown = spring.good("campaign", "show", "spring", "--json").json
    assert (shown["retry"], shown["order"], shown["retry_share"]) == ("busy=3/1m*2,no_answer=2/4h/day=1", "mix", 30)
    spring.good("campaign", "set", "spring", "--retry", shown["retry"])
    spring.good("campaign", "set", "spring", "--retry", "none")
    assert spring.good("campaign", "show", "spring", "--json").json["retry"] == ""


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("--retry", "bussy=3/60s", "--retry: bussy: expected one of the outcomes busy, no_answer"),
        ("--retry", "busy=3", "--retry: busy: expected HOW MANY/AFTER HOW LONG such as 3/60s"),
        ("--retry", "busy=3/60s*11", "--retry: busy.growth: expected a number from 1 to 10"),
        ("--order", "random", "--order: expected retries-first or fresh-first or mix or list"),
        ("--retry-share", 0, "--retry-share: expected a whole number from 1 to 99"),
    ],
)
def test_what_is_no_table_and_no_order_is_refused_in_one_line(spring, option, value, problem):
    ran = spring.run("campaign", "set", "spring", option, value)
    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert problem in ran.err


def test_the_retries_of_a_user_bound_each_row(spring):
    spring.good("user", "set", "ann", "--max-retries", 2)
    file = "campaign", "add", "autumn", "--user", "ann", "--gateway", "carrier", "--voip-app", "hello"
    assert "retries" in spring.failed(*file, "--max-retry", 1, "--retry", "busy=3/60s")
    spring.good(*file, "--max-retry", 1, "--retry", "busy=2/60s")


def test_a_priority_is_imported_changed_and_exported(spring, tmp_path):
    file = tmp_path / "more.csv"
    file.write_text("contact,Priority\n+15551230003,9\n+15551230004,\n+15551230005,high\n")
    told = spring.run("contact", "import", file, "--phonebook", "spring")
    assert "priority" in told.out + told.err
    found = dict(rows(spring.url, "SELECT number, priority FROM subscriber"))
    assert found == {"+15551230001": 5, "+15551230002": 5, "+15551230003": 9, "+15551230004": 5}
    spring.good("contact", "set", "+15551230002", "--phonebook", "spring", "--priority", 0)
    assert dict(rows(spring.url, "SELECT number, priority FROM subscriber"))["+15551230002"] == 0
    exported = list(csv.DictReader(io.StringIO(spring.good("contact", "export", "--phonebook", "spring").out)))
    assert {row["contact"]: row["priority"] for row in exported} == {number: str(each) for number, each in sorted_by(found)}


def sorted_by(found):
    return sorted({**found, "+15551230002": 0}.items())


def test_why_tells_which_row_applied(spring):
    reason = "the line was busy: retry 1 of 3 after 60 s (row busy=3/1m*2)"
    rows(
        spring.url,
        "INSERT INTO attempt (call_uuid, campaign_id, subscriber_id, gateway_id, number, identity, dial_string, "
        "number_of_attempt, state, owner, epoch, core_uuid, planned_at, due_at, deadline, ended_at, cause, disposition, "
        "counts_as_attempt, reason, duration_ms) SELECT 'c-1', 1, id, 1, number, identity, 'x', 1, 'ended', 'a', 1, '', "
        f"'{T}', '{T}', '{T}', '{T}', 'USER_BUSY', 'BUSY', 1, '{reason}', 0 FROM subscriber WHERE number = '+15551230001'",
    )
    assert f"BUSY, USER_BUSY: {reason}" in spring.good("why", "spring", "+15551230001").out
