"""The table of retries by outcome: as text, as JSON, as it is stored; and what is wrong of one is named where it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.declare import entered
from dialer.errors import BadValue
from dialer.model import Campaign
from dialer.model.retries import LONGEST, Retries, RetryOutcome, RetryRow, RetryTable

KIND = Retries()
BUSY, NO_ANSWER = RetryOutcome.BUSY, RetryOutcome.NO_ANSWER

rows = st.builds(
    RetryRow,
    retries=st.integers(0, 1000),
    after=st.integers(0, LONGEST),
    growth=st.sampled_from([1.0, 1.5, 2.0, 10.0]),
    per_day=st.one_of(st.none(), st.integers(1, 1000)),
)
tables = st.dictionaries(st.sampled_from(RetryOutcome), rows).map(
    lambda found: RetryTable(tuple((each, found[each]) for each in RetryOutcome if each in found))
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("busy=3/60s*2", {BUSY: RetryRow(retries=3, after=60, growth=2.0)}),
        (
            " busy = 3/60s*2 , no_answer=2/4h/day=1",
            {BUSY: RetryRow(retries=3, after=60, growth=2.0), NO_ANSWER: RetryRow(retries=2, after=14_400, per_day=1)},
        ),
        (
            "busy=1/90,failed=0/1d",
            {BUSY: RetryRow(retries=1, after=90), RetryOutcome.FAILED: RetryRow(retries=0, after=86_400)},
        ),
        ("busy=2/1m*1.5/day=2", {BUSY: RetryRow(retries=2, after=60, growth=1.5, per_day=2)}),
    ],
)
def test_a_table_is_read_from_a_text(text, found):
    assert dict(KIND.parse(text).rows) == found


@given(tables)
def test_a_table_comes_back_from_its_text_its_json_and_the_database(table):
    assert KIND.parse(str(table)) == table
    assert KIND.parse(KIND.as_json(table)) == table
    assert KIND.load(KIND.stored(table)) == table


@pytest.mark.parametrize(
    ("given_", "field", "told"),
    [
        ("bussy=1/60s", "retry.bussy", "one of the outcomes busy, no_answer"),
        ("busy=1/60s,busy=2/60s", "retry.busy", "each outcome once"),
        ("busy=often", "retry.busy", "HOW MANY/AFTER HOW LONG"),
        ("busy=9999/60s", "retry.busy.retries", "a whole number from 0 to 1000"),
        ("busy=1/60s*20", "retry.busy.growth", "a number from 1 to 10"),
        ("busy=1/60s/day=0", "retry.busy.per_day", "from 1 to 1000"),
        ("busy=1/9999d", "retry.busy.after", f"from 0 to {LONGEST}"),
        ({"busy": 3}, "retry.busy", "an object with retries, after, growth, per_day"),
        ({"busy": {"retries": 1}}, "retry.busy.after", "it is missing"),
        ({"busy": {"retries": 1, "after": 60, "often": 1}}, "retry.busy.often", "one of retries, after, growth, per_day"),
        ({"busy": {"retries": 1.5, "after": 60}}, "retry.busy.retries", "a whole number"),
        ({"busy": {"retries": 1, "after": 60, "growth": "nan"}}, "retry.busy.growth", "a number from 1 to 10"),
        ({"invalid_number": {"retries": 1, "after": 60}}, "retry.invalid_number", "one of the outcomes"),
        (7, "retry", "rows such as busy=3/60s*2"),
    ],
)
def test_what_is_wrong_is_named_where_it_is(given_, field, told):
    with pytest.raises(BadValue) as raised:
        entered(Campaign, {"retry": given_})
    assert raised.value.field == field
    assert told in raised.value.problem


def test_intervals_grow_and_have_a_bound():
    row = RetryRow(retries=1000, after=60, growth=2.0)
    assert [row.interval(number) for number in (1, 2, 3)] == [60, 120, 240]
    assert row.interval(1000) == LONGEST
