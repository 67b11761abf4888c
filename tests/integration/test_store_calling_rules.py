"""Calling rules on disk: who is set aside until when, who is looked at again, and that no cap is passed by any campaign."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import pytest_twisted
from structlog.testing import capture_logs
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from dialer.campaigns import idle
from dialer.campaigns.planning import Routes
from dialer.errors import BadValue, Forbidden
from dialer.management import campaigns, contact_explanation, contact_list, contacts, removals, reports, why
from dialer.model import Contact, EventKind, IdleCode, OwnCause, Purpose, SubscriberStatus
from dialer.model.user import ADMINISTRATOR
from dialer.numbering import numbering
from dialer.rules.book import RuleBook
from dialer.rules.rows import Technology
from dialer.store import held
from dialer.store.location import opened
from tests.grounds import on_postgresql, on_sqlite, script
from tests.integration.test_events import facts, told, told_of
from tests.seeding import account
from tests.unit.rules.cases import NUMBERS, SHIPPED, local
from tests.unit.rules.test_decide import said_by_the_file
from tests.unit.store.support import NOW, ended, world

pytestmark = pytest.mark.usefixtures("database_kind")

NEW_YORK, PARIS, FLORIDA, TOLL_FREE = "+12125550100", "+33142685300", "+13055550100", "+18005550100"
LONDON = "+442079460958"
"""At `NOW` it is 5 in the morning in New York, and 11 in Paris, a Monday. London has no hours."""
MORNING = local("2026-11-23 08:00", "America/New_York")


async def furnish(w, *numbers, book=SHIPPED, **contact):
    w.store.rules = w.seeds.management.rules = book
    await w.seeds.add(1, [Contact(number=number, **contact) for number in numbers])


async def ready(w, now=NOW, campaign_id=1, limit=10):
    return [each.number for each in await w.store.candidates(campaign_id, now, limit)]


def column(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


@pytest_twisted.ensureDeferred
async def test_who_may_not_be_called_yet_waits_for_the_next_legal_moment_and_costs_nothing_before(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await furnish(w, NEW_YORK, LONDON)
        assert await ready(w) == [LONDON]
        (waits,) = w.sql("SELECT ready_at, held_from, held_by FROM subscriber WHERE number = ?", NEW_YORK)
        assert waits[:2] == (column(MORNING), column(NOW))
        assert waits[2].startswith("outside the hours of United States, federal in America/New_York: opens 08:00")
        assert await ready(w, MORNING - timedelta(seconds=1)) == [LONDON]
        assert await ready(w, MORNING) == [LONDON, NEW_YORK]


@pytest_twisted.ensureDeferred
async def test_many_who_wait_do_not_keep_those_behind_them_from_being_called(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await furnish(w, *(f"+1212555{number:04}" for number in range(300)), PARIS)
        assert await ready(w, limit=3) == [PARIS]
        assert w.sql("SELECT count(*) FROM subscriber WHERE held_from IS NOT NULL") == [300]


@pytest_twisted.ensureDeferred
async def test_the_look_at_those_who_wait_is_bounded(tmp_path, monkeypatch):
    async with world(tmp_path, contacts=0) as w:
        monkeypatch.setattr("dialer.store.flow.LOOKED_AT", 10)
        await furnish(w, *(f"+1212555{number:04}" for number in range(100)), PARIS)
        assert await ready(w, limit=2) == []
        assert w.sql("SELECT count(*) FROM subscriber WHERE held_from IS NOT NULL") == [2 + 3 * 10]
        assert w.store.is_cut_short(1)
        while w.store.is_cut_short(1):
            last = await ready(w, limit=2)
        assert last == [PARIS]


@pytest_twisted.ensureDeferred
async def test_a_number_of_no_known_zone_is_refused_until_its_contact_has_one(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await furnish(w, TOLL_FREE)
        later = MORNING + timedelta(hours=3)
        assert await ready(w, later) == []
        ((status, ready_at, reason),) = w.sql("SELECT status, ready_at, held_by FROM subscriber")
        assert (status, ready_at) == (SubscriberStatus.NOT_AUTHORISED, None)
        assert reason.startswith("its time zone is not known: area code 800 belongs to no place")
        w.seeds.now = later
        await w.seeds.ask(contact_list.change, ADMINISTRATOR, 1, {"time_zone": "America/New_York"})
        assert await ready(w, later) == [TOLL_FREE]


@pytest_twisted.ensureDeferred
async def test_a_contact_is_called_by_the_clock_of_where_it_is_known_to_be(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await furnish(w, NEW_YORK, time_zone="Europe/London")
        assert await ready(w) == [NEW_YORK]


@pytest_twisted.ensureDeferred
async def test_the_time_zone_of_an_imported_contact_holds(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await furnish(w)
        await w.seeds.ask(contacts.added, account(), 1, {"number": NEW_YORK, "time_zone": "Europe/London"})
        assert await ready(w) == [NEW_YORK]
        with pytest.raises(BadValue, match="time_zone: expected the name of a time zone such as Europe/Madrid"):
            await w.seeds.ask(contacts.added, account(), 1, {"number": PARIS, "time_zone": "Nowhere/Here"})


@pytest_twisted.ensureDeferred
async def test_a_call_that_is_due_when_the_hours_are_over_is_not_begun(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await furnish(w, PARIS)
        last = local("2026-11-23 13:00", "Europe/Paris")
        (plan,) = await w.plans(1, now=last - timedelta(seconds=1))
        assert await w.begin([plan_at(plan, last)], last - timedelta(seconds=1)) == []
        assert w.sql("SELECT status, ready_at FROM subscriber") == [(1, column(last + timedelta(hours=1)))]


def plan_at(plan, due_at):
    from attrs import evolve

    return evolve(plan, due_at=due_at)


async def call(w, campaign_id, now, **outcome):
    """One call, if there is somebody to call; whether there was."""
    attempts = await w.begin([plan_at(plan, now) for plan in await w.plans(1, campaign_id, now)], now)
    for attempt in attempts:
        end = ended(
            attempt, SubscriberStatus.START, ready_at=now + timedelta(minutes=1), at=now + timedelta(seconds=9), **outcome
        )
        await w.store.finish(end)
    return bool(attempts)


@pytest_twisted.ensureDeferred
async def test_attempts_count_over_all_campaigns(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await furnish(w, FLORIDA)
        second = await w.add_campaign("summer")
        await w.seeds.subscribe(second, 1)
        noon = local("2026-11-23 12:00", "America/New_York")
        assert [await call(w, key, noon + timedelta(minutes=5 * n)) for n, key in enumerate((1, second, 1))] == [True] * 3
        assert await ready(w, noon + timedelta(hours=1), second) == []
        assert await ready(w, noon + timedelta(hours=1), 1) == []
        (reason,) = w.sql("SELECT held_by FROM subscriber WHERE campaign_id = ?", second)
        assert reason.startswith("3 attempts in 24 h reached: Florida")
        # The first of them counts until a day after the last moment at which the switch may have made it.
        (first,) = w.sql("SELECT min(deadline) FROM attempt")
        free = datetime.fromisoformat(first).replace(tzinfo=UTC) + timedelta(days=1)
        assert await ready(w, free - timedelta(seconds=1), second) == []
        assert await ready(w, free, second) == [FLORIDA]


@pytest_twisted.ensureDeferred
async def test_a_call_that_was_planned_before_the_last_one_that_is_let_is_not_begun(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await furnish(w, FLORIDA)
        second = await w.add_campaign("summer")
        await w.seeds.subscribe(second, 1)
        noon = local("2026-11-23 12:00", "America/New_York")
        assert [await call(w, 1, noon + timedelta(minutes=5 * n)) for n in range(2)] == [True] * 2
        at = noon + timedelta(minutes=20)
        late = [plan_at(plan, at) for plan in await w.plans(1, second, at)]
        assert len(late) == 1
        assert await call(w, 1, at)
        assert await w.begin(late, at) == []
        assert len(w.sql("SELECT id FROM attempt")) == 3


@on_postgresql
@pytest_twisted.ensureDeferred
async def test_nodes_that_begin_calls_to_one_number_count_them_one_after_the_other(tmp_path):
    from twisted.internet import reactor

    other = "+13055550199"
    async with world(tmp_path, contacts=0) as w:
        await furnish(w, other)
        noon = local("2026-11-23 12:00", "America/New_York")
        for n in range(3):
            assert await call(w, 1, noon + timedelta(minutes=5 * n))
        await furnish(w, FLORIDA)
        at = noon + timedelta(minutes=20)
        plans = [plan_at(plan, at) for plan in await w.plans(10, 1, at)]
        assert [plan.candidate.number for plan in plans] == [FLORIDA]
        with opened(w.database.url) as node:
            node.execute("SELECT pg_advisory_xact_lock(?, hashtext(?))", (held.NUMBER_LOCKS, FLORIDA[1:]))
            begun = Deferred.fromCoroutine(w.begin(plans, at))
            await deferLater(reactor, 0.3)
            assert not begun.called
            node.execute("UPDATE attempt SET identity = ? WHERE identity = ?", (FLORIDA[1:], other[1:]))
            node.commit()
        assert await begun == []


@pytest_twisted.ensureDeferred
async def test_an_attempt_of_which_nothing_reached_the_line_does_not_count(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await furnish(w, FLORIDA)
        noon = local("2026-11-23 12:00", "America/New_York")
        for n, cause in enumerate(
            (
                OwnCause.NOT_SENT,
                OwnCause.LATE,
                OwnCause.REFUSED,
                OwnCause.NEVER_DIALLED,
                "CALL_REJECTED",
                "USER_BUSY",
                "NO_ANSWER",
            )
        ):
            assert await call(w, 1, noon + timedelta(minutes=5 * n), cause=cause), cause
        assert not await call(w, 1, noon + timedelta(hours=1))


@pytest_twisted.ensureDeferred
async def test_a_debtor_who_was_talked_to_rests(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await furnish(w, NEW_YORK)
        await w.seeds.change_campaign(1, purpose=Purpose.DEBT)
        noon = local("2026-11-23 12:00", "America/New_York")
        assert await call(w, 1, noon, answered_at=noon)
        assert not await call(w, 1, noon + timedelta(days=6))
        assert await call(w, 1, noon + timedelta(days=7, minutes=2))


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_three_days_of_calls_are_all_inside_the_hours_and_below_the_caps(tmp_path):
    """Everybody is called as often as the rules let, by two campaigns, by a clock that is set back an hour in between."""
    places = ("US-FL", "US-OK", "US-MD", "US-ME", "US-AL", "US-RI", "US-HI", "US-GU", "FR", "AU", "IN")
    async with world(tmp_path, contacts=0) as w:
        await furnish(w, "+18505550100", "+34612345678", *(f"+{NUMBERS[place]}" for place in places))
        second = await w.add_campaign("summer")
        await w.seeds.subscribe(second, 1)
        now, calls = NOW, []
        for step in range(60):
            now += timedelta(minutes=80) if step != 40 else -timedelta(hours=1)
            for key in (1, second):
                plans = [plan_at(plan, now) for plan in await w.plans(50, key, now)]
                for attempt in await w.begin(plans, now):
                    identity = attempt.plan.candidate.identity
                    calls.append((identity, now))
                    assert said_by_the_file(identity, Purpose.SALES, Technology.PRERECORDED, now), (identity, now)
                    await w.store.finish(ended(attempt, SubscriberStatus.START, ready_at=now + timedelta(minutes=20), at=now))
        assert len({identity for identity, _ in calls}) == 2 + len(places)
        caps = {"US-FL": (3, 24), "US-OK": (3, 24), "US-MD": (3, 24), "US-ME": (1, 8), "FR": (4, 30 * 24)}
        for place, (most, hours) in caps.items():
            moments = [at for identity, at in calls if identity == NUMBERS[place]]
            assert len(moments) >= most
            for last in moments:
                assert sum(last - timedelta(hours=hours) < at <= last for at in moments) <= most


# --- looked at again --------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_the_settings_that_the_explanation_names_are_changed_and_it_dials(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await furnish(w, NEW_YORK)
        assert await ready(w) == []
        with capture_logs() as logs:
            await w.seeds.change_campaign(1, override="notice of a broken dam")
        assert [(entry["event"], entry["reason"], entry["campaign"], entry["by"]) for entry in logs] == [
            ("the calling rules do not hold for a campaign", "notice of a broken dam", "spring", "an administrator")
        ]
        await w.store.snapshot()
        assert await ready(w) == [NEW_YORK]
        with capture_logs() as logs:
            await w.seeds.change_campaign(1, override="")
        assert [entry["event"] for entry in logs] == ["the calling rules hold for a campaign again"]
        assert await ready(w) == []


@pytest_twisted.ensureDeferred
async def test_another_purpose_lets_who_was_kept_by_the_old_one(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await furnish(w, PARIS)
        saturday = local("2026-11-28 11:00", "Europe/Paris")
        assert await ready(w, saturday) == []
        await w.seeds.change_campaign(1, purpose=Purpose.INFORMATIONAL)
        await w.store.snapshot()
        assert await ready(w, saturday) == [PARIS]


@pytest_twisted.ensureDeferred
async def test_other_rules_than_those_of_the_run_before_are_seen_at_the_start(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await furnish(w, NEW_YORK, TOLL_FREE)
        assert await w.store.use_rules(w.store.rules)
        await w.store.snapshot()
        assert await ready(w) == []
        assert not await w.store.use_rules(w.store.rules)
        await w.store.snapshot()
        assert w.sql("SELECT count(*) FROM subscriber WHERE held_from IS NOT NULL") == [2]
        w.store.rules = RuleBook(tuple(row for row in SHIPPED.rows if not row.place.startswith("US")))
        assert await w.store.use_rules(w.store.rules)
        await w.store.snapshot()
        assert await ready(w) == [NEW_YORK, TOLL_FREE]


@pytest_twisted.ensureDeferred
async def test_a_large_campaign_is_looked_at_again_in_small_steps(tmp_path, monkeypatch):
    async with world(tmp_path, contacts=0) as w:
        monkeypatch.setattr(held, "CHUNK", 2)
        await furnish(w, *(f"+1212555010{number}" for number in range(5)))
        await ready(w)
        await w.seeds.change_campaign(1, frequency=20)
        assert w.sql("SELECT recheck FROM campaign WHERE id = 1") == [0]
        await w.seeds.change_campaign(1, purpose=Purpose.RESEARCH)
        left = []
        for _ in range(4):
            await w.store.snapshot()
            left += w.sql("SELECT count(held_from), (SELECT recheck > 0 FROM campaign WHERE id = 1) FROM subscriber")
        assert [(held_ones, bool(wanted)) for held_ones, wanted in left] == [(3, True), (1, True), (0, False), (0, False)]


@pytest_twisted.ensureDeferred
async def test_a_retry_is_not_made_earlier_by_a_look_at_those_who_were_set_aside(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await furnish(w, NEW_YORK)
        assert await ready(w) == []
        assert await call(w, 1, MORNING)
        await w.seeds.change_campaign(1, purpose=Purpose.RESEARCH)
        await w.store.snapshot()
        assert w.sql("SELECT ready_at, held_from, held_by FROM subscriber") == [
            (column(MORNING + timedelta(minutes=1)), None, None)
        ]


@pytest.mark.parametrize("gone", ["removed", "detached"])
@pytest_twisted.ensureDeferred
async def test_a_contact_that_was_refused_and_taken_out_is_not_called_whatever_the_rules_become(tmp_path, gone):
    async with world(tmp_path, contacts=0) as w:
        await furnish(w, TOLL_FREE)
        await w.seeds.change_campaign(1, override="notice of a broken dam")
        assert await call(w, 1, NOW)
        await w.seeds.change_campaign(1, override="")
        assert await ready(w, MORNING) == []
        assert w.sql("SELECT status FROM subscriber") == [SubscriberStatus.NOT_AUTHORISED]
        if gone == "removed":
            await w.seeds.ask(removals.contact, ADMINISTRATOR, 1)
        else:
            await removals.detach(w.seeds.management, ADMINISTRATOR, 1, 1)
        await w.seeds.change_campaign(1, override="notice of a broken dam")
        await w.store.snapshot()
        assert await ready(w, MORNING) == []
        assert w.sql("SELECT status, held_from FROM subscriber") == [(SubscriberStatus.NOT_AUTHORISED, None)]


# --- settings and explanations ----------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_only_a_superuser_overrides_and_with_a_reason(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await furnish(w)
        with pytest.raises(Forbidden):
            await w.seeds.ask(campaigns.change, account(), 1, {"override": "because I say so"})
        with pytest.raises(Forbidden):
            await w.seeds.campaign(name="mine", override="because I say so")
        with pytest.raises(BadValue, match="override: 'so' is no reason; expected one of 10 characters or more"):
            await w.seeds.change_campaign(1, override="so")
        await w.seeds.change_campaign(1, override="counsel has agreed")
        await w.seeds.ask(campaigns.change, account(), 1, {"frequency": 20, "override": "counsel has agreed"})


@pytest_twisted.ensureDeferred
async def test_a_ring_that_is_too_short_for_the_country_is_refused(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await furnish(w)
        w.database.region = "US"
        with pytest.raises(BadValue, match=r"call_timeout: is 14; a call rings for 15 s at least: .* \(16 CFR 310.4"):
            await w.seeds.change_campaign(1, call_timeout=14)
        await w.seeds.change_campaign(1, call_timeout=15)
        await w.seeds.change_campaign(1, call_timeout=14, purpose=Purpose.RESEARCH)


@pytest_twisted.ensureDeferred
async def test_the_campaign_says_that_the_rules_keep_its_contacts_waiting(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await furnish(w, NEW_YORK)
        await ready(w)
        for details, progress in (
            await w.seeds.ask(reports.read, account(), 1),
            await w.seeds.ask(campaigns.progress, account(), 1),
        ):
            campaign = getattr(details, "campaign", details)
            routes = Routes({}, w, {})
            reason = idle.explain(
                idle.Situation(campaign=campaign, now=NOW, routes=routes, switch_ready=True, progress=progress)
            )
            assert reason.code is IdleCode.CALLING_RULES
            assert reason.until == MORNING
            assert reason.text.startswith(
                "the calling rules keep the contacts left (1) waiting, the first of them: outside the hours of United States"
            )


@pytest_twisted.ensureDeferred
async def test_the_explanation_of_a_number_is_the_ruling(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await furnish(w, NEW_YORK, FLORIDA)
        noon = local("2026-11-23 12:00", "America/New_York")
        told = list(contact_explanation.sentences(await w.seeds.ask(why.contact, 1, NEW_YORK), None, NOW))
        assert told[0].startswith("the calling rules forbid it until 2026-11-23 13:00:00 UTC: outside the hours of United")
        for n in range(3):
            assert await call(w, 1, noon + timedelta(minutes=5 * n))
        w.seeds.now = noon + timedelta(hours=1)
        found = [await w.seeds.ask(why.contact, 1, number) for number in (NEW_YORK, FLORIDA)]
        texts = [next(contact_explanation.sentences(each, None, w.seeds.now)) for each in found]
        assert sum("3 attempts in 24 h reached: Florida" in text for text in texts) <= 1


def test_numbers_are_told_by_the_region_of_the_installation():
    assert numbering("US").identity("2125550100") == NEW_YORK[1:]


@pytest_twisted.ensureDeferred
async def test_who_has_to_wait_is_told_of_once_until_it_is_called_or_the_rules_change(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        w.store.wanted = frozenset(EventKind)
        await furnish(w, NEW_YORK)
        assert await ready(w) == []
        (held_,) = await told_of(w, EventKind.CONTACT_HELD)
        assert (held_.event.user_id, held_.event.campaign_id, held_.event.contact_id, held_.event.at) == (1, 1, 1, NOW)
        (text,) = w.sql("SELECT held_by FROM subscriber")
        until = MORNING.strftime("%Y-%m-%dT%H:%M:%S+00:00")
        told = {"number": NEW_YORK, "subscriber_id": 1, "until": until, "reason": "calling-rules", "text": text}
        assert facts(held_) == told
        # Its turn comes a second time, before its hours: it waits as it did.
        script(w.database.url, f"UPDATE subscriber SET ready_at = '{column(NOW)}';")
        assert await ready(w) == []
        assert w.sql("SELECT ready_at FROM subscriber") == [column(MORNING)]
        assert len(await told_of(w, EventKind.CONTACT_HELD)) == 1
        # The call ends its state; what keeps it waiting then is another one.
        assert await call(w, 1, MORNING)
        assert await ready(w, MORNING + timedelta(hours=23)) == []
        assert len(await told_of(w, EventKind.CONTACT_HELD)) == 2


@pytest_twisted.ensureDeferred
async def test_who_is_refused_by_the_rules_is_told_of_and_so_is_the_end_of_the_campaign(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        w.store.wanted = frozenset(EventKind)
        await furnish(w, TOLL_FREE)
        for _ in range(2):
            assert await ready(w) == []
        (blocked,) = await told_of(w, EventKind.CONTACT_BLOCKED)
        (text,) = w.sql("SELECT held_by FROM subscriber")
        assert facts(blocked) == {"number": TOLL_FREE, "subscriber_id": 1, "reason": "calling-rules", "text": text}
        assert [facts(one)["blocked"] for one in await told_of(w, EventKind.CAMPAIGN_FINISHED)] == [1]


@pytest_twisted.ensureDeferred
async def test_who_may_not_be_called_any_more_when_the_call_is_due_is_told_of(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        w.store.wanted = frozenset({EventKind.CONTACT_HELD})
        await furnish(w, PARIS)
        last = local("2026-11-23 13:00", "Europe/Paris")
        (plan,) = await w.plans(1, now=last - timedelta(seconds=1))
        assert await w.begin([plan_at(plan, last)], last - timedelta(seconds=1)) == []
        assert [facts(one)["number"] for one in await told(w)] == [PARIS]


@pytest_twisted.ensureDeferred
async def test_nothing_is_told_of_who_waits_while_nobody_asks(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await furnish(w, NEW_YORK, TOLL_FREE)
        assert await ready(w) == []
        assert w.sql("SELECT count(*) FROM event") == [0]


@pytest_twisted.ensureDeferred
async def test_who_waited_and_came_onto_the_do_not_call_list_is_not_pending_again_by_other_rules(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await furnish(w, NEW_YORK)
        assert await ready(w) == []
        listed = "SELECT 1, number, identity, created_at FROM contact;"
        script(w.database.url, f"INSERT INTO do_not_call (list_id, number, identity, created_at) {listed}")
        assert await ready(w, MORNING) == []
        await w.store.use_rules(RuleBook())
        await w.store.snapshot()
        assert w.sql("SELECT status, held_from FROM subscriber") == [(SubscriberStatus.NOT_AUTHORISED, None)]
