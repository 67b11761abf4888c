"""What a preview says of a campaign with a pool of caller ids is what is then dialled."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dialer.management import previews
from dialer.model.caller_id import CallerIdStrategy
from dialer.model.campaign import CallOrder
from dialer.model.preview import PreviewSummary, Prospect
from dialer.numbering import numbering
from dialer.store.times import to_column_or_none
from tests.flow.played import ANN, Played, playing
from tests.flow.test_preview import dialled, listed, preview

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 24, 23, 59, 40, tzinfo=UTC)
"""Twenty seconds before a day of the pool ends."""
MADE = "2026-11-01 00:00:00.000000"
LONDON, PARIS, BERLIN = "44207946", "3314268", "4930901"
LATE_CALLS = 3
"""A number that is free again, or a contact that is set aside, costs a call a part of a tick: so many fewer in a minute."""


def pool(played: Played, *, strategy: str = "rotating", foreign: str = "allow", zone: str = "UTC") -> None:
    played.rows.sql(
        "INSERT INTO caller_id_pool (id, user_id, name, description, strategy, foreign_callees, time_zone, turn, created_at, "
        "updated_at) VALUES (1, 1, 'sales', '', ?, ?, ?, 0, ?, ?)", strategy, foreign, zone, MADE, MADE,
    )  # fmt: skip
    played.change(caller_id_pool_id=1)


def number(played: Played, key: int, *gateways: int, shown: str = "+442070000001", **more: Any) -> None:
    """A number of the pool."""
    identity = numbering().identity(shown[:-4] + f"{key:04}")
    given: dict[str, Any] = {"warm_up_start": 1, "warm_up_days": 0, "active": 1, "created_at": MADE, "updated_at": MADE}
    given |= {name: to_column_or_none(value) if isinstance(value, datetime) else value for name, value in more.items()}
    played.rows.sql(
        f"INSERT INTO caller_id (id, pool_id, number, identity, country, name, note, {', '.join(given)}) "
        f"VALUES (?, 1, ?, ?, ?, '', ''{', ?' * len(given)})",
        key, f"+{identity}", identity, numbering().country(identity), *given.values(),
    )  # fmt: skip
    for gateway_id in gateways:
        played.rows.sql("INSERT INTO caller_id_gateway (caller_id_id, gateway_id) VALUES (?, ?)", key, gateway_id)


def second_gateway(played: Played, **more: Any) -> None:
    """The gateway h, which stands in for g."""
    played.rows.sql(
        "INSERT INTO gateway (id, name, description, protocol, hostname, dial_string, removeprefix, addprefix, addparameter, "
        "status, created_at, updated_at) SELECT 2, 'h', description, protocol, hostname, 'sofia/gateway/h/{number}', "
        "removeprefix, addprefix, addparameter, status, created_at, updated_at FROM gateway WHERE id = 1"
    )
    played.rows.sql("UPDATE gateway SET failover_id = 2 WHERE id = 1")
    for name, value in more.items():
        played.rows.sql(f"UPDATE gateway SET {name} = ? WHERE id = 2", value)


def people(played: Played, how_many: int, *places: str, chance: random.Random | None = None) -> None:
    chosen = chance or random.Random(1)
    for index in range(how_many):
        place = places[index % len(places)] if chance is None else chosen.choice(places)
        text = f"{place}{1000 + index}"
        ready = played.start - timedelta(seconds=7200 - index)
        played.contact(text, ready, count_attempt=chosen.choice([0, 0, 1]) if chance else 0)


def check(played: Played, fewer: int = 0, **more: Any) -> tuple[PreviewSummary, list[str]]:
    """Preview it, play it, compare; `fewer` calls may be made in time than was told."""
    found = preview(played, **more)
    expected = listed(played, found, Prospect.CALLED)
    held = set(listed(played, found, Prospect.CALLER_ID))
    total = sum(found.counts.values()) + sum(found.done.values())
    assert total == played.rows.sql("SELECT count(*) FROM subscriber")[0][0]
    sent = dialled(played, found)
    assert sent == expected[: len(sent)]
    assert len(expected) - fewer <= len(sent)
    assert not held & set(sent)
    return found, sent


def test_a_daily_cap_ends_the_calls_and_the_rest_wait_for_midnight() -> None:
    with playing(NOON) as played:
        pool(played)
        number(played, 1, daily_cap=7)
        number(played, 2, daily_cap=4)
        people(played, 40, LONDON)
        found, sent = check(played)
        assert len(sent) == 11
        assert found.counts == {**dict.fromkeys(Prospect, 0), Prospect.CALLED: 11, Prospect.CALLER_ID: 29}
        midnight = datetime(2026, 11, 25, tzinfo=UTC)
        assert found.first_at[Prospect.CALLER_ID] == midnight
        (waits, *_) = found.examples[Prospect.CALLER_ID]
        assert waits.at == midnight
        assert waits.text == "no caller id of the pool sales may be shown to it before 2026-11-25 00:00:00 UTC"


def test_what_was_shown_today_counts() -> None:
    with playing(NOON) as played:
        pool(played)
        number(played, 1, daily_cap=7)
        people(played, 20, LONDON)
        played.run(3.1)
        before = len(played.sent)
        assert before >= 3
        found = preview(played)
        assert found.counts[Prospect.CALLED] == 7 - before
        dialled(played, found)
        assert len(played.sent) == 7


def test_a_cap_begins_anew_at_the_midnight_of_the_pool() -> None:
    with playing(MIDNIGHT) as played:
        pool(played)
        number(played, 1, daily_cap=5)
        people(played, 60, LONDON)
        found, sent = check(played)
        assert len(sent) == 10
        assert found.first_at[Prospect.CALLER_ID] == datetime(2026, 11, 26, tzinfo=UTC)


def test_a_midnight_is_that_of_the_zone_of_the_pool() -> None:
    with playing(MIDNIGHT - timedelta(hours=1)) as played:
        pool(played, zone="Europe/Berlin")
        number(played, 1, daily_cap=5)
        people(played, 60, LONDON)
        assert len(check(played)[1]) == 10


def test_a_number_that_is_warmed_up_makes_more_calls_day_by_day() -> None:
    with playing(MIDNIGHT) as played:
        pool(played)
        number(played, 1, daily_cap=22, warm_up_start=2, warm_up_days=10)
        people(played, 60, LONDON)
        assert len(check(played)[1]) == 2 + 4


def test_a_number_that_rests_is_used_when_its_rest_is_over() -> None:
    with playing(NOON) as played:
        pool(played)
        number(played, 1, daily_cap=5)
        number(played, 2, rest_until=NOON + timedelta(seconds=30.3))
        people(played, 60, LONDON)
        found, sent = check(played, fewer=LATE_CALLS)
        assert len(sent) > 30
        assert found.counts[Prospect.CALLER_ID] == 0


def test_numbers_that_are_inactive_or_refused_are_not_used() -> None:
    with playing(NOON) as played:
        pool(played)
        number(played, 1, active=0)
        people(played, 9, LONDON)
        found, sent = check(played)
        assert sent == []
        assert found.counts[Prospect.CALLER_ID] == 9
        assert Prospect.CALLER_ID not in found.first_at
        assert found.examples[Prospect.CALLER_ID][0].text == "the pool sales has no caller id that may be shown to it"


@pytest.mark.parametrize("capped", [False, True])
def test_callees_of_a_country_without_a_number_wait_and_let_the_others_pass(capped: bool) -> None:
    with playing(NOON) as played:
        pool(played, foreign="refuse")
        number(played, 1, daily_cap=20 if capped else None)
        number(played, 2, shown="+33142680001", daily_cap=3 if capped else None)
        people(played, 90, LONDON, PARIS, BERLIN)
        found, sent = check(played, fewer=LATE_CALLS)
        assert not any(text.startswith(BERLIN) for text in sent)
        paris = [text for text in sent if text.startswith(PARIS)]
        assert len(paris) == 3 if capped else len(paris) > 20
        assert found.counts[Prospect.CALLER_ID] >= 30
        told = {each.number[:2]: each.text for each in found.examples[Prospect.CALLER_ID]}
        assert told.get("49", "the pool sales has no caller id that may be shown to it").endswith("that may be shown to it")


def test_another_gateway_carries_the_calls_for_which_the_first_one_has_no_number() -> None:
    with playing(NOON) as played:
        second_gateway(played, addprefix="00")
        pool(played)
        number(played, 1, 1, daily_cap=6)
        number(played, 2, 2, daily_cap=9)
        people(played, 40, LONDON)
        found = preview(played)
        expected = listed(played, found, Prospect.CALLED)
        assert [text.removeprefix("00") for text in dialled(played, found)] == expected
        assert [text[:2] for _, text in played.sent] == ["44"] * 6 + ["00"] * 9
        assert found.counts[Prospect.CALLER_ID] == 25


def test_where_the_only_gateway_with_numbers_is_full_calls_wait_for_room() -> None:
    with playing(NOON, call_seconds=4.0) as played:
        second_gateway(played, maximum_call=2)
        pool(played)
        number(played, 2, 2)
        people(played, 60, LONDON)
        played.change(frequency=600)
        found, sent = check(played, fewer=4, call_seconds=4.0)
        assert 20 <= len(sent) <= 32
        assert found.counts[Prospect.CALLER_ID] == 0
        assert found.counts[Prospect.BEHIND_OTHERS] == 60 - found.counts[Prospect.CALLED]


@pytest.mark.parametrize("order", list(CallOrder))
@pytest.mark.parametrize("strategy", list(CallerIdStrategy))
def test_whatever_the_strategy_and_the_order_calls_are_as_told(strategy: CallerIdStrategy, order: CallOrder) -> None:
    with playing(MIDNIGHT) as played:
        second_gateway(played)
        pool(played, strategy=str(strategy), foreign="refuse")
        number(played, 1, 1, daily_cap=4)
        number(played, 2, daily_cap=9, rest_until=MIDNIGHT + timedelta(seconds=7.3))
        number(played, 3, 2, daily_cap=5, warm_up_start=2, warm_up_days=3)
        number(played, 4, shown="+33142680001", daily_cap=6)
        people(played, 90, LONDON, LONDON, PARIS, BERLIN, chance=random.Random(5))
        played.rule(order=str(order))
        check(played, fewer=LATE_CALLS)


def test_somebody_keeps_the_number_that_was_shown_before() -> None:
    """Which of two numbers is used up matters where one of them alone may be shown through the gateway that has room."""
    with playing(NOON, call_seconds=4.5) as played:
        second_gateway(played)
        played.rows.sql("UPDATE gateway SET maximum_call = 1 WHERE id = 1")
        pool(played, strategy="sticky")
        number(played, 1, daily_cap=6)
        number(played, 2, 1, daily_cap=6)
        people(played, 30, LONDON)
        played.change(frequency=60)
        for key in range(1, 7):
            played.attempt(f"{LONDON}{999 + key}", NOON - timedelta(days=2))
        played.rows.sql("UPDATE attempt SET pooled_caller_id = 1, caller_day = '2026-11-22'")
        found, sent = check(played, horizon=timedelta(seconds=8.4), call_seconds=played.call_seconds)
        assert len(sent) == 6
        assert found.counts[Prospect.CALLED] == 6
        shown = "SELECT DISTINCT pooled_caller_id FROM attempt WHERE subscriber_id <= 6 AND caller_day > '2026-11-23'"
        assert played.rows.sql(shown) == [(1,)]


def test_a_campaign_that_names_one_number_of_a_pool_has_only_that() -> None:
    with playing(NOON) as played:
        pool(played)
        number(played, 1, daily_cap=3)
        number(played, 2, daily_cap=30)
        played.change(caller_id_pool_id=None)
        played.rule(caller_id="+442070000001")
        people(played, 20, LONDON)
        found, sent = check(played)
        assert len(sent) == 3
        assert found.counts[Prospect.CALLER_ID] == 17


def test_without_a_cap_a_pool_holds_nobody() -> None:
    with playing(NOON) as played:
        pool(played)
        number(played, 1)
        number(played, 2)
        people(played, 90, LONDON)
        found, sent = check(played)
        assert len(sent) == 61
        assert found.counts[Prospect.CALLER_ID] == 0


def test_a_pool_that_is_gone_is_told() -> None:
    with playing(NOON) as played:
        pool(played)
        played.rows.sql("UPDATE caller_id_pool SET archived_at = created_at")
        people(played, 5, LONDON)
        found = preview(played)
        assert found.refusal == "the campaign's pool of caller ids does not exist any more"
        assert found.counts[Prospect.CALLED] == 0
        assert dialled(played, found) == []


def test_days_ahead_are_played_with_their_caps() -> None:
    with playing(NOON, alone=True) as played:
        pool(played)
        number(played, 1, daily_cap=10)
        number(played, 2, daily_cap=5, warm_up_start=1, warm_up_days=4)
        people(played, 200, LONDON)
        found = played.ask(previews.preview(played.management, ANN, 1, timedelta(days=3)))
        # Of four days: ten each of the first; of the second 1, 2, 3 and 4, as it grows evenly from its first call on.
        assert found.counts[Prospect.CALLED] == 4 * 10 + 1 + 2 + 3 + 4
