"""What a preview says is what is then dialled."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from dialer.errors import BadValue, Busy, NotFound
from dialer.management import previews
from dialer.model import Account, SubscriberStatus
from dialer.model.campaign import CallOrder
from dialer.model.preview import Prospect, ProspectGroup
from dialer.rules.book import NO_RULES, RuleBook
from dialer.rules.rows import ALL_DAY, Cap
from dialer.store.held import recheck_all
from dialer.store.times import to_column
from tests.flow.played import ANN, Played, playing
from tests.unit.rules.cases import SHIPPED, local

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MORNING = local("2026-11-24 07:59:30", "America/New_York")
"""In half a minute it is eight in New York; in Denver and in Chicago, everybody sleeps; in London it is one."""
NEW_YORK, CHICAGO, DENVER, LONDON, TOLL_FREE = "1212555", "1312555", "1303555", "44207946", "1800555"
HORIZON = timedelta(seconds=60.4)


def preview(played: Played, horizon: timedelta = HORIZON, **more):
    return played.ask(previews.preview(played.management, ANN, 1, horizon, **more))


def listed(played: Played, summary, prospect: Prospect) -> list[str]:
    """All numbers of a prospect, page by page."""
    found: list[str] = []
    while len(found) < summary.counts[prospect]:
        page = previews.contacts(played.management, ANN, 1, summary.key, prospect, len(found), 7)
        some, more = played.ask(page)
        found += [each.number for each in some]
        assert more is (len(found) < summary.counts[prospect])
    return found


def dialled(played: Played, summary) -> list[str]:
    """The numbers that are sent up to the end of a preview."""
    played.run((summary.end - played.now()).total_seconds())
    return [number for _, number in played.sent]


SPREAD = (-7200, -3600, -3600, -60.5, 10.5, 20.5, 30.5, 70.5, 86_400)
PAST = (-7200, -3600, -60.5)


def furnish(
    played: Played, chance: random.Random, how_many: int = 90, *, places=(LONDON,), ready_in=SPREAD, forbidden: float = 0.1
) -> None:
    """Contacts of all kinds. Their ready times lie between the moments of calls."""
    for index in range(how_many):
        number = f"{chance.choice(places)}{1000 + index}"
        ready = played.start + timedelta(seconds=chance.choice(ready_in))
        more = {"priority": chance.choice([3, 5, 5, 5, 8]), "count_attempt": chance.choice([0, 0, 1, 2])}
        if chance.random() < 0.15:
            more = {"status": chance.choice([2, 3, 4, 5, 7])}
        played.contact(number, ready, **more)
        if chance.random() < forbidden:
            played.forbid(number)
        elif chance.random() < 0.05:
            played.attempt(number, played.start - timedelta(hours=2))


def check(played: Played, prefix: str = "") -> None:
    """Preview it, play it, and compare; the gateway puts `prefix` before the numbers."""
    found = preview(played)
    expected = listed(played, found, Prospect.CALLED)
    never = {number for each in Prospect if each.group is ProspectGroup.NEVER for number in listed(played, found, each)}
    later = {number for each in Prospect if each.group is ProspectGroup.LATER for number in listed(played, found, each)}
    total = sum(found.counts.values()) + sum(found.done.values())
    assert total == played.rows.sql("SELECT count(*) FROM subscriber")[0][0]
    assert dialled(played, found) == [f"{prefix}{number}" for number in expected]
    assert len(expected) > 20
    assert not never & set(expected)
    refused = {number for (number,) in played.rows.sql("SELECT number FROM subscriber WHERE status = 7")}
    assert refused <= never
    pending = {number for (number,) in played.rows.sql("SELECT number FROM subscriber WHERE status = 1")}
    assert pending <= later | never
    assert later <= pending


@pytest.mark.parametrize("order", list(CallOrder))
@pytest.mark.parametrize("seed", range(2))
def test_who_is_called_and_in_which_order_is_as_told(seed: int, order: CallOrder) -> None:
    with playing(NOON) as played:
        furnish(played, random.Random(seed))
        played.rule(order=str(order))
        check(played)


@pytest.mark.parametrize("order", list(CallOrder))
@pytest.mark.parametrize("seed", range(2))
def test_who_has_to_wait_by_the_rules_and_who_is_refused_is_as_told(seed: int, order: CallOrder) -> None:
    with playing(MORNING, SHIPPED) as played:
        furnish(played, random.Random(seed), 160, places=(LONDON, LONDON, NEW_YORK, CHICAGO, DENVER, TOLL_FREE))
        played.rule(order=str(order))
        check(played)


def test_attempts_that_count_are_counted() -> None:
    whole = {"weekday": ALL_DAY, "saturday": ALL_DAY, "sunday": ALL_DAY, "holiday": None}
    rows = [row.model_copy(update={**whole, "attempts": (Cap(most=1, seconds=7200),)}) for row in SHIPPED.rows]
    with playing(MORNING, RuleBook(tuple(rows))) as played:
        for index in range(40):
            played.contact(f"{NEW_YORK}{1000 + index}")
        for index, seconds in enumerate([7190, 7150, 3600, 60, 9000]):
            played.attempt(f"{NEW_YORK}{1000 + index}", MORNING - timedelta(seconds=seconds))
        found = preview(played)
        assert found.counts[Prospect.CALLING_RULES] == 2
        (first, *_) = found.examples[Prospect.CALLING_RULES]
        assert "1 attempt in 2 h reached" in first.text
        expected = listed(played, found, Prospect.CALLED)
        assert dialled(played, found) == expected


def test_the_hours_of_the_campaign_are_kept() -> None:
    with playing(NOON) as played:
        furnish(played, random.Random(5))
        played.rule(daily_start="12:00:20", daily_stop="12:00:40")
        played.change(frequency=20)
        found = preview(played)
        expected = listed(played, found, Prospect.CALLED)
        assert dialled(played, found) == expected
        assert len(expected) == 7
        assert found.first_call_at == NOON + timedelta(seconds=20)


@pytest.mark.parametrize(
    ("table", "limit"),
    [("campaign", {"max_concurrent": 3}), ("gateway", {"maximum_call": 3}), ("gateway", {"calls_per_second": 1})],
)
def test_the_limits_of_the_campaign_and_of_its_gateway_are_kept(table: str, limit: dict[str, int]) -> None:
    with playing(NOON) as played:
        furnish(played, random.Random(7), 120, ready_in=PAST)
        played.change(table, **limit)
        played.change(frequency=120)
        found = preview(played, call_seconds=played.call_seconds)
        expected = listed(played, found, Prospect.CALLED)
        sent = dialled(played, found)
        slower = 0 if "calls_per_second" in limit else 2  # each end is noticed a tick later
        assert len(expected) - slower <= len(sent) <= len(expected)
        assert 30 <= len(sent) < 62
        assert sent == expected[: len(sent)]


def test_a_paused_campaign_is_previewed_as_if_it_was_started() -> None:
    with playing(NOON, alone=True) as played:
        furnish(played, random.Random(9))
        played.change(status=2)
        found = preview(played)
        expected = listed(played, found, Prospect.CALLED)
        played.change(status=1)
        assert dialled(played, found) == expected


def test_what_was_held_by_other_rules_is_looked_at_again() -> None:
    with playing(MORNING) as played:
        played.contact(
            f"{DENVER}1000",
            MORNING + timedelta(hours=2),
            held_by="closed",
            blocked_by="calling-rules",
            held_from="2026-11-24 10:00:00.000000",
        )
        played.contact(
            f"{TOLL_FREE}1001", status=7, held_by="no zone", blocked_by="calling-rules", held_from="2026-11-24 10:00:00.000000"
        )
        played.contact(f"{LONDON}1002")
        found = preview(played)
        assert found.counts[Prospect.CALLING_RULES] == found.counts[Prospect.REFUSED] == 1
        played.rows.sql("UPDATE campaign SET recheck = 1")
        found = preview(played)
        assert found.counts[Prospect.CALLED] == 3
        assert dialled(played, found) == listed(played, found, Prospect.CALLED)


def test_each_reason_is_told_with_examples() -> None:
    with playing(MORNING, SHIPPED) as played:
        wanted = {
            f"{LONDON}1000": Prospect.DO_NOT_CALL,
            f"{LONDON}2000": Prospect.BLACKLIST,
            f"{TOLL_FREE}1000": Prospect.REFUSED,
            "911": Prospect.EMERGENCY,
            f"{DENVER}1000": Prospect.CALLING_RULES,
            f"{LONDON}3000": Prospect.DUE_LATER,
            f"{LONDON}4000": Prospect.CALLED,
            f"{LONDON}5000": Prospect.EXPIRES,
        }
        for number, prospect in wanted.items():
            after = {Prospect.DUE_LATER: timedelta(hours=1), Prospect.EXPIRES: timedelta(days=31)}.get(prospect)
            played.contact(number, None if after is None else MORNING + after)
        played.contact(f"{LONDON}6000", status=5)
        played.forbid(f"+{LONDON}1000")
        played.pattern("blacklist", f"{LONDON}2", f"{LONDON}2%")
        found = preview(played)
        assert {each.number: prospect for prospect, some in found.examples.items() for each in some} == wanted
        assert found.done == {SubscriberStatus.COMPLETE: 1}
        (waits,) = found.examples[Prospect.CALLING_RULES]
        assert waits.at == local("2026-11-24 08:00", "America/Denver")
        assert "opens 08:00 America/Denver" in waits.text
        assert found.in_group(ProspectGroup.NEVER) == 5
        dialled(played, found)
        statuses = dict(played.rows.sql("SELECT number, status FROM subscriber"))
        assert [number for number, prospect in wanted.items() if statuses[number] == 7] == [
            number for number, prospect in wanted.items()
            if prospect in (Prospect.DO_NOT_CALL, Prospect.BLACKLIST, Prospect.REFUSED, Prospect.EMERGENCY)
        ]  # fmt: skip


def test_a_number_that_its_gateway_makes_a_forbidden_one_is_told() -> None:
    with playing(NOON) as played:
        played.change("gateway", addprefix="9")
        played.contact("442079461000")
        played.contact("442079461001")
        played.forbid("9442079461000")
        found = preview(played)
        assert [each.number for each in found.examples[Prospect.DIALLED_FORM]] == ["442079461000"]
        assert len(dialled(played, found)) == 1


@pytest.mark.parametrize("order", list(CallOrder))
@pytest.mark.parametrize("prefix", ["", "9"])
def test_who_is_on_a_list_for_a_while_is_called_when_that_is_over(order: CallOrder, prefix: str) -> None:
    chance = random.Random(3)
    with playing(NOON) as played:
        if prefix:
            played.change("gateway", addprefix=prefix)
        furnish(played, chance, 50)
        played.rule(order=str(order))
        for index in range(50):
            number = f"{LONDON}{2000 + index}"
            played.contact(number, count_attempt=chance.choice([0, 1]))
            if index % 3 == 0:
                end = played.start + timedelta(seconds=chance.choice([-60, 5.5, 15.5, 40.5, 7200]))
                played.forbid(chance.choice(["", prefix]) + number, end)
        assert preview(played).counts[Prospect.LISTED_UNTIL] > 0
        check(played, prefix)


def test_each_reason_of_lists_and_consents_is_told() -> None:
    with playing(NOON) as played:
        wanted = {
            f"{LONDON}1000": Prospect.LISTED_UNTIL,
            f"{LONDON}2000": Prospect.BLACKLIST,
            f"{LONDON}3000": Prospect.CONSENT,
            f"{LONDON}4000": Prospect.CALLED,
            f"{LONDON}5000": Prospect.NOT_AUTHORISED,
            f"{LONDON}6000": Prospect.CONSENT,
            f"{LONDON}7000": Prospect.DO_NOT_CALL,
            f"{LONDON}8000": Prospect.CONSENT_LATER,
            f"{LONDON}8001": Prospect.CONSENT_LATER,
            f"{LONDON}8002": Prospect.CALLED,
            f"{LONDON}8003": Prospect.CONSENT,
            f"{LONDON}8004": Prospect.CONSENT,
        }
        for number in wanted:
            played.contact(number)
        played.change("contact", consent_basis="express", consent_given_at=NOON - timedelta(days=1))
        played.rows.sql("UPDATE contact SET consent_basis = 'other' WHERE number LIKE '%3000'")
        expires = to_column(NOON + HORIZON / 2)
        played.rows.sql("UPDATE contact SET consent_expires_at = ? WHERE number LIKE '%6000'", expires)
        begins = NOON + timedelta(hours=3)
        played.rows.sql("UPDATE contact SET consent_given_at = ? WHERE number LIKE '%800_'", to_column(begins))
        played.rows.sql("UPDATE contact SET consent_given_at = ? WHERE number LIKE '%8002'", to_column(NOON + HORIZON / 2))
        played.rows.sql("UPDATE contact SET consent_basis = 'other' WHERE number LIKE '%8003'")
        ends = (NOON + timedelta(hours=2), NOON + HORIZON / 3)
        played.rows.sql("UPDATE contact SET consent_expires_at = ? WHERE number LIKE '%8004'", to_column(ends[0]))
        played.forbid(f"{LONDON}8001", ends[1])
        played.rows.sql("UPDATE subscriber SET status = 7, ready_at = NULL WHERE number LIKE '%5000'")
        played.rows.sql("UPDATE subscriber SET ready_at = ? WHERE number LIKE '%6000'", to_column(NOON + HORIZON * 0.7))
        played.change(consent="express")
        end = NOON + timedelta(hours=2)
        played.forbid(f"+{LONDON}1000", end)
        played.forbid(f"{LONDON}2000", NOON + timedelta(seconds=10))
        played.pattern("blacklist", f"{LONDON}2", f"{LONDON}2%")
        played.forbid(f"{LONDON}7000")
        found = preview(played)
        assert {number: prospect for prospect in Prospect for number in listed(played, found, prospect)} == wanted
        (waits,) = found.examples[Prospect.LISTED_UNTIL]
        assert waits.at == end
        assert "is on the do-not-call list" in waits.text
        assert "until 2026-11-24 14:00:00 UTC" in waits.text
        assert found.in_group(ProspectGroup.LATER) == 3
        for each in found.examples[Prospect.CONSENT_LATER]:
            assert each.at == begins
            assert "that (express) does not hold before 2026-11-24 15:00:00 UTC" in each.text
        assert "that (other) is no express one" in found.examples[Prospect.CONSENT][0].text
        assert dialled(played, found) == [f"{LONDON}4000", f"{LONDON}8002"]
        refused = played.rows.sql("SELECT number, blocked_by FROM subscriber WHERE status = 7 AND blocked_by IS NOT NULL")
        assert dict(refused) == {
            f"{LONDON}2000": "blacklist", f"{LONDON}3000": "consent", f"{LONDON}6000": "consent",
            f"{LONDON}7000": "do-not-call", f"{LONDON}8003": "consent", f"{LONDON}8004": "consent",
        }  # fmt: skip
        waiting = played.rows.sql("SELECT number, ready_at FROM subscriber WHERE status = 1 AND blocked_by = 'consent'")
        assert dict(waiting) == {f"{LONDON}8000": to_column(begins), f"{LONDON}8001": to_column(begins)}
        again = preview(played)
        assert {number: prospect for prospect in Prospect for number in listed(played, again, prospect)} == {
            number: prospect for number, prospect in wanted.items() if prospect is not Prospect.CALLED
        }


def test_a_campaign_that_may_not_show_its_caller_id_calls_nobody() -> None:
    with playing(NOON) as played:
        furnish(played, random.Random(3))
        played.rule(caller_id="+15550100")
        played.rows.sql("UPDATE user_account SET rules = json_set(rules, '$.caller_ids', '+15550199')")
        found = preview(played)
        assert "is not one of the caller ids" in found.refusal
        assert found.counts[Prospect.CALLED] == 0
        assert dialled(played, found) == []


def test_retries_that_fall_due_are_told_and_called_at_their_moment() -> None:
    with playing(NOON) as played:
        for index, (seconds, tries) in enumerate([(-60, 0), (20.5, 1), (40.5, 2), (90, 1), (3600, 0)]):
            number = f"{LONDON}{1000 + index}"
            played.contact(number, NOON + timedelta(seconds=seconds), count_attempt=tries)
            if tries:
                played.attempt(number, NOON - timedelta(hours=1))
        found = preview(played)
        assert (found.counts[Prospect.CALLED], found.retries[Prospect.CALLED]) == (3, 2)
        assert (found.counts[Prospect.DUE_LATER], found.retries[Prospect.DUE_LATER]) == (2, 1)
        first, second, third = found.examples[Prospect.CALLED]
        assert (first.is_retry, first.attempt, first.text) == (False, 1, "")
        assert (second.is_retry, second.attempt, third.attempt) == (True, 2, 3)
        assert "attempt no. 2 after NO_ANSWER, due on 2026-11-24 12:00:20 UTC" in second.text
        assert dialled(played, found) == listed(played, found, Prospect.CALLED)
        moments = [round(seconds, 1) for seconds, _ in played.sent[1:]]
        assert moments == [pytest.approx((each.at - NOON).total_seconds(), abs=0.4) for each in (second, third)]


def test_a_cap_that_ends_within_the_span_is_counted_at_its_moment() -> None:
    whole = {"weekday": ALL_DAY, "saturday": ALL_DAY, "sunday": ALL_DAY, "holiday": None}
    rows = [row.model_copy(update={**whole, "attempts": (Cap(most=1, seconds=7200),)}) for row in SHIPPED.rows]
    with playing(MORNING, RuleBook(tuple(rows))) as played:
        number = f"{NEW_YORK}1000"
        played.contact(number, count_attempt=1)
        played.attempt(number, MORNING - timedelta(seconds=7170))
        (called,) = preview(played).examples[Prospect.CALLED]
        assert called.is_retry
        assert called.at == MORNING + timedelta(seconds=30)


@pytest.mark.parametrize("order", list(CallOrder))
def test_many_contacts_are_called_as_told_whatever_comes_between(order: CallOrder) -> None:
    """Long rows of one lane are played at once."""
    chance = random.Random(11)
    with playing(MORNING, SHIPPED) as played:
        furnish(played, chance, 400, places=(LONDON, LONDON, LONDON, DENVER, TOLL_FREE), ready_in=PAST)
        played.change(frequency=240)
        played.rule(order=str(order))
        check(played)


def test_in_a_mix_a_retry_that_has_to_wait_leaves_its_turn_to_the_next_retry() -> None:
    with playing(MORNING, SHIPPED) as played:
        for index in range(12):
            played.contact(f"{DENVER}{1000 + index}", MORNING - timedelta(hours=2), count_attempt=1)
            played.contact(f"{LONDON}{1000 + index}", MORNING - timedelta(hours=1), count_attempt=1)
            played.contact(f"{LONDON}{2000 + index}", MORNING - timedelta(hours=1))
        played.rule(order="mix")
        found = preview(played, timedelta(seconds=10.4))
        expected = listed(played, found, Prospect.CALLED)
        assert [number[len(LONDON)] for number in expected] == ["2", "1"] * 5 + ["2"]
        assert dialled(played, found) == expected


def test_nothing_is_written() -> None:
    with playing(MORNING, SHIPPED) as played:
        furnish(played, random.Random(1), places=(LONDON, NEW_YORK, DENVER, TOLL_FREE))
        before = "\n".join(played.rows.connection.iterdump())
        preview(played)
        assert "\n".join(played.rows.connection.iterdump()) == before


def test_bad_questions_are_refused() -> None:
    with playing(NOON, NO_RULES) as played:
        for horizon in (timedelta(), timedelta(days=8), timedelta(seconds=-1)):
            with pytest.raises(BadValue, match="horizon: expected more than nothing, and 7 days at most"):
                preview(played, horizon)
        with pytest.raises(NotFound):
            played.ask(previews.preview(played.management, Account(id=2, username="bob"), 1, HORIZON))
        with pytest.raises(BadValue, match="cursor: the preview is not kept any more"):
            played.ask(previews.contacts(played.management, ANN, 1, "0123", Prospect.CALLED, 0, 10))
        played.management.previews.making = True
        with pytest.raises(Busy, match="another preview is being made"):
            preview(played)


def test_a_number_that_no_gateway_carries_is_foreseen_and_never_dialled_until_one_does() -> None:
    with playing(NOON) as played:
        played.change("gateway", rules='{"prefixes": "+44=0.01,+4420794=refused"}')
        for index in range(5):
            played.contact(f"4420794610{index:02}")
            played.contact(f"4416555500{index:02}")
        found = preview(played)
        assert found.counts[Prospect.NO_GATEWAY] == 5
        assert dialled(played, found) == [f"4416555500{index:02}" for index in range(5)]
        again = preview(played)
        assert again.counts[Prospect.NO_GATEWAY] == 5
        played.change("gateway", rules="{}")
        recheck_all(played.rows.connection)
        played.run(20)
        assert len(played.sent) == 10
