"""Which caller id a call shows: caps, warm-up, rest, gateways, countries, and what retries keep."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.campaigns.caller_ids import (
    CallToShow,
    PoolChoice,
    PooledNumber,
    allowed_on,
    day_of,
    next_day,
    obstacle,
    pool_wait,
)
from dialer.model.caller_id import CallerId, CallerIdPool, CallerIdStrategy, ForeignPolicy

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TOMORROW = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)


def pool(**more: Any) -> CallerIdPool:
    return CallerIdPool(id=1, user_id=1, name="sales", **more)


def number(key: int, used: int = 0, gateways: tuple[int, ...] = (), refusal: str = "", **more: Any) -> PooledNumber:
    text = more.pop("number", f"+1212555{key:04}")
    caller = CallerId(id=key, pool_id=1, number=text, identity=text.lstrip("+"), **{"country": "US", **more})
    return PooledNumber(caller, frozenset(gateways), used, refusal)


def call(identity: str = "12125559999", country: str = "US", gateway_id: int = 1, **more: Any) -> CallToShow:
    return CallToShow(identity=identity, country=country, gateway_id=gateway_id, **more)


def chosen(choice: PoolChoice, *calls: CallToShow) -> list[int | None]:
    found = [choice.choose(each) for each in calls]
    return [None if each is None else each.id for each in found]


@pytest.mark.parametrize("strategy", [CallerIdStrategy.STICKY, CallerIdStrategy.ROTATING])
def test_new_contacts_get_the_numbers_in_turn_from_where_it_was(strategy):
    choice = PoolChoice(pool(strategy=strategy, turn=2), [number(1), number(2), number(3)], NOW)
    assert chosen(choice, *[call()] * 5) == [3, 1, 2, 3, 1]
    assert choice.turn == 1


@pytest.mark.parametrize("strategy", list(CallerIdStrategy))
def test_a_contact_keeps_its_number_and_that_takes_nobodys_turn(strategy):
    choice = PoolChoice(pool(strategy=strategy), [number(1), number(2), number(3)], NOW)
    assert chosen(choice, call(earlier=2), call(), call(earlier=2), call()) == [2, 1, 2, 2]


def test_a_contact_whose_number_cannot_be_used_gets_another_one():
    for unusable in (
        number(2, active=False),
        number(2, rest_until=TOMORROW),
        number(2, daily_cap=5, used=5),
        number(2, gateways=(7,)),
        number(2, country="CA"),
        number(2, refusal="not one of the user's"),
    ):
        assert chosen(PoolChoice(pool(turn=1), [number(1), unusable, number(3)], NOW), call(earlier=2)) == [3]


def test_the_nearest_number_has_the_most_leading_digits_in_common():
    numbers = [number(1, number="+12125550001"), number(2, number="+13055550001"), number(3, number="+13055550002")]
    choice = PoolChoice(pool(strategy=CallerIdStrategy.NEAREST), numbers, NOW)
    assert chosen(choice, call("12129990000"), call("13054440000"), call("13054440001"), call("14154440000")) == [1, 2, 3, 1]


def test_what_is_given_away_counts_for_the_cap():
    choice = PoolChoice(pool(), [number(1, daily_cap=3, used=1), number(2, daily_cap=1)], NOW)
    assert chosen(choice, *[call()] * 5) == [1, 2, 1, None, None]
    assert choice.is_exhausted()
    assert choice.until(call()) == TOMORROW


def test_numbers_of_another_country_are_used_only_where_the_pool_allows_it():
    numbers = [number(1), number(2, country="FR")]
    assert chosen(PoolChoice(pool(), numbers, NOW), call(country="FR"), call(country="DE"), call(country="")) == [
        2,
        None,
        None,
    ]
    anywhere = pool(foreign_callees=ForeignPolicy.ALLOW)
    assert chosen(PoolChoice(anywhere, numbers, NOW), call(country="DE"), call(country="")) == [1, 2]


def test_a_number_that_only_some_gateways_may_show_is_shown_through_those():
    choice = PoolChoice(pool(), [number(1, gateways=(1, 2)), number(2, gateways=(3,))], NOW)
    assert chosen(choice, call(gateway_id=2), call(gateway_id=3), call(gateway_id=4)) == [1, 2, None]


def test_only_the_number_that_a_campaign_names_is_used():
    choice = PoolChoice(pool(), [number(1), number(2, daily_cap=1)], NOW)
    assert chosen(choice, call(only=2, earlier=1), call(only=2)) == [2, None]


def test_until_is_the_first_moment_of_those_that_would_do():
    numbers = [
        number(1, rest_until=NOW + timedelta(hours=2)),
        number(2, country="FR", rest_until=NOW + timedelta(hours=1)),
        number(3, daily_cap=1, used=1),
        number(4, active=False),
    ]
    assert PoolChoice(pool(), numbers, NOW).until(call()) == NOW + timedelta(hours=2)
    assert PoolChoice(pool(), numbers, NOW).until(call(country="DE")) is None


def test_a_number_that_rests_beyond_its_cap_is_free_when_both_are_over():
    later = TOMORROW + timedelta(days=3)
    assert obstacle(number(1, daily_cap=1, used=1, rest_until=later), pool(), NOW).until == later
    assert obstacle(number(1, daily_cap=1, used=1, rest_until=NOW + timedelta(hours=1)), pool(), NOW).until == TOMORROW


def test_a_rest_is_over_at_its_moment():
    assert obstacle(number(1, rest_until=NOW + timedelta(microseconds=1)), pool(), NOW) is not None
    assert obstacle(number(1, rest_until=NOW), pool(), NOW) is None


def test_the_warm_up_grows_evenly_from_its_start_to_the_cap():
    caller = number(1, daily_cap=100, warm_up_start=10, warm_up_days=9, first_used_at=NOW).caller
    days = [allowed_on(caller, pool(), date(2026, 11, 23) + timedelta(days=each)) for each in range(-2, 12)]
    assert days == [10, 10, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 100, 100]
    unused = number(1, daily_cap=100, warm_up_start=10, warm_up_days=9).caller
    assert allowed_on(unused, pool(), date(2030, 1, 1)) == 10
    assert allowed_on(number(1, daily_cap=7).caller, pool(), date(2026, 11, 23)) == 7
    assert allowed_on(number(1).caller, pool(), date(2026, 11, 23)) is None


def test_a_day_is_one_of_the_pools_zone():
    there = pool(time_zone="America/Denver")
    at = datetime(2026, 11, 1, 5, 59, tzinfo=UTC)
    assert day_of(there, at) == date(2026, 10, 31)
    assert next_day(there, at) == datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
    assert next_day(there, next_day(there, at)) == datetime(2026, 11, 2, 7, 0, tzinfo=UTC)  # 25 hours


def test_a_pool_says_why_none_of_its_numbers_can_be_used():
    assert pool_wait(pool(), [number(1), number(2, active=False)], NOW) is None
    found = pool_wait(
        pool(), [number(1, active=False), number(2, daily_cap=1, used=1), number(3, rest_until=NOW + timedelta(1))], NOW
    )
    assert found.until == TOMORROW
    assert found.text == (
        "no caller id of the pool sales can be used (at its daily cap: 1, inactive: 1, resting: 1); "
        "the first can be used again on 2026-11-24 at 00:00:00 UTC"
    )
    assert pool_wait(pool(), [], NOW).text == "the pool sales has no caller ids"


NUMBERS = st.lists(
    st.builds(
        dict,
        used=st.integers(0, 5),
        daily_cap=st.none() | st.integers(1, 5),
        active=st.booleans(),
        country=st.sampled_from(["US", "FR"]),
        gateways=st.sampled_from([(), (1,), (2,)]),
        rest_until=st.none() | st.sampled_from([NOW - timedelta(1), NOW, NOW + timedelta(1)]),
    ),
    max_size=6,
)
CALLS = st.lists(
    st.builds(
        call,
        identity=st.sampled_from(["12125550000", "33155550000"]),
        country=st.sampled_from(["US", "FR", ""]),
        gateway_id=st.integers(1, 2),
        earlier=st.none() | st.integers(1, 6),
    ),
    max_size=30,
)


@given(NUMBERS, CALLS, st.sampled_from(CallerIdStrategy), st.sampled_from(ForeignPolicy), st.integers(0, 7))
def test_no_choice_passes_a_cap_or_takes_a_number_that_may_not_be_shown(facts, calls, strategy, foreign, turn):
    numbers = [number(key, **each) for key, each in enumerate(facts, 1)]
    there = pool(strategy=strategy, foreign_callees=foreign, turn=turn)
    choice = PoolChoice(there, numbers, NOW)
    by_id = {each.caller.id: each for each in numbers}
    given_away: Counter[int] = Counter()
    for each in calls:
        usable = {
            key
            for key, one in by_id.items()
            if one.caller.active
            and (one.caller.rest_until is None or one.caller.rest_until <= NOW)
            and (one.caller.daily_cap is None or one.used + given_away[key] < one.caller.daily_cap)
            and (not one.gateways or each.gateway_id in one.gateways)
            and (foreign is ForeignPolicy.ALLOW or one.caller.country == each.country)
        }
        (found,) = chosen(choice, each)
        assert found in usable if usable else found is None
        if each.earlier in usable:
            assert found == each.earlier
        if found is not None:
            given_away[found] += 1
    assert (
        PoolChoice(there, numbers, NOW).choose(calls[0]) == PoolChoice(there, numbers, NOW).choose(calls[0]) if calls else True
    )
