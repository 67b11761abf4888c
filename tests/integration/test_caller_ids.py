"""Pools of caller ids on either kind of database: what calls show, caps over days, nodes and restarts, and what is counted."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from attrs import Factory, define, evolve
from twisted.internet.defer import gatherResults

from dialer.campaigns.pairs import with_routes
from dialer.campaigns.planning import Routes
from dialer.errors import BadValue, InUse, NotFound
from dialer.management import caller_ids, campaigns, gateways, removals, users, why
from dialer.model import Account, Attempt, Contact, Disposition, IdleCode, OwnCause, Plan, SubscriberStatus
from dialer.model.user import ADMINISTRATOR
from dialer.numbering import numbering
from dialer.store import caller_ids as stored_caller_ids
from dialer.store.audit import audit, repair
from dialer.store.caller_ids import Assigning, CallerIdRules
from dialer.store.connection import Dialect
from dialer.store.database import Database, NodeIdentity
from dialer.store.flow import Store
from dialer.store.idle_news import started
from dialer.store.location import dialect_of
from dialer.store.times import to_column
from tests.forks import Forked
from tests.grounds import on_postgresql, rows
from tests.unit.store.support import NODE, NOW, World, ended, world

pytestmark = pytest.mark.usefixtures("database_kind")

ANN = Account(id=1, username="ann")


@define(eq=False)
class Pooled:
    """A world whose campaign takes its numbers from the pool 1."""

    w: World
    now: datetime = NOW

    async def ask(self, use_case: Any, *args: Any) -> Any:
        self.w.seeds.now = self.now
        return await self.w.seeds.management.ask(use_case, *args)

    async def add(self, key: int, pool_id: int = 1, **more: Any) -> int:
        given = {"pool_id": pool_id, "number": f"+1212555{key:04}", **more}
        return int((await self.ask(caller_ids.create, ADMINISTRATOR, given)).caller_id.id)

    async def plans(self, count: int = 100, campaign_id: int = 1) -> list[Plan]:
        return await self.w.plans(count, campaign_id, self.now)

    async def begin(self, count: int = 100, campaign_id: int = 1) -> list[Attempt]:
        self.w.sql("UPDATE campaign SET next_call_at = NULL")
        return await self.w.begin(await self.plans(count, campaign_id), self.now)

    async def end(self, attempt: Attempt, again: bool = False, after: float = 0.0, **outcome: Any) -> None:
        status = SubscriberStatus.START if again else SubscriberStatus.COMPLETE
        ready_at = self.now + timedelta(seconds=after) if again else None
        result = ended(attempt, status, ready_at=ready_at, at=self.now, **outcome)
        disposition = Disposition.ANSWERED if outcome.get("answered_at") else Disposition.NO_ANSWER
        assert await self.w.store.finish(evolve(result, disposition=disposition))

    async def reason(self, campaign_id: int = 1) -> Any:
        self.w.sql("UPDATE campaign SET starting_at = '2026-01-01 00:00:00.000000', expires_at = '2030-01-01 00:00:00.000000'")
        return (await self.ask(why.campaign, ADMINISTRATOR, campaign_id)).reason


@asynccontextmanager
async def pooled(folder: Path, contacts: int = 3, numbers: int = 0, **pool: Any) -> AsyncIterator[Pooled]:
    async with world(folder, contacts) as w:
        here = Pooled(w)
        await here.ask(caller_ids.create_pool, ANN, {"name": "sales", "foreign_callees": "allow", **pool})
        for key in range(1, numbers + 1):
            await here.add(key)
        await here.ask(
            campaigns.change, ADMINISTRATOR, 1, {"caller_id_pool_id": 1, "caller_name": "Sales", "frequency": 1_000_000}
        )
        yield here


@pytest_twisted.ensureDeferred
async def test_a_call_shows_a_number_of_its_pool_and_the_attempt_keeps_it(tmp_path):
    async with pooled(tmp_path, numbers=1) as here:
        await here.add(2, name="Desk two")
        first, second, _ = await here.begin()
        assert (first.plan.shown.number, first.plan.shown.name) == ("+12125550001", "Sales")
        assert (second.plan.shown.number, second.plan.shown.name) == ("+12125550002", "Desk two")
        row = here.w.attempt(second)
        assert (row["caller_id"], row["caller_name"]) == ("+12125550002", "Desk two")
        assert (row["pooled_caller_id"], row["caller_day"]) == (2, "2026-11-23")
        assert [attempt.plan.shown for attempt in await here.w.store.open_attempts()][1] == second.plan.shown


@pytest_twisted.ensureDeferred
async def test_a_campaign_without_a_pool_shows_its_own_number_as_ever(tmp_path):
    async with world(tmp_path) as w:
        await w.seeds.management.ask(campaigns.change, ADMINISTRATOR, 1, {"caller_id": "+4930555", "caller_name": "Ann"})
        [attempt] = await w.begun()
        row = w.attempt(attempt)
        assert (row["caller_id"], row["caller_name"]) == ("+4930555", "Ann")
        assert (row["pooled_caller_id"], row["caller_day"]) == (None, None)
        [again] = await w.store.open_attempts()
        assert (again.plan.caller, again.plan.shown) == (None, attempt.plan.shown)


@pytest_twisted.ensureDeferred
async def test_a_contact_keeps_its_number_over_retries_campaigns_and_restarts(tmp_path):
    async with pooled(tmp_path, contacts=4, numbers=3) as here:
        other = await here.w.add_campaign("autumn", 4, caller_id_pool_id=1, frequency=1_000_000)
        shown: dict[str, set[Any]] = defaultdict(set)
        for campaign_id in (1, other, 1, other):
            for attempt in reversed(await here.begin(campaign_id=campaign_id)):
                shown[attempt.plan.candidate.number].add(attempt.plan.shown.id)
                await here.end(attempt, again=True)
            here.w.store = Store(here.w.database, here.w.clock, node=NODE.name)
        assert sorted(map(sorted, shown.values())) == [[1], [1], [2], [3]]


@pytest_twisted.ensureDeferred
async def test_a_rotating_pool_keeps_a_number_in_its_campaign_only(tmp_path):
    async with pooled(tmp_path, contacts=2, numbers=3, strategy="rotating") as here:
        other = await here.w.add_campaign("autumn", 2, caller_id_pool_id=1, frequency=1_000_000)
        found = []
        for campaign_id in (1, other, 1, other):
            attempts = await here.begin(campaign_id=campaign_id)
            found.append([attempt.plan.shown.id for attempt in attempts])
            for attempt in attempts:
                await here.end(attempt, again=True)
        assert found == [[1, 2], [3, 1], [1, 2], [3, 1]]


@pytest_twisted.ensureDeferred
async def test_when_no_number_can_be_used_contacts_wait_and_the_campaign_says_why(tmp_path):
    async with pooled(tmp_path, contacts=5) as here:
        assert (await here.reason()).text == "the pool sales has no caller ids"
        await here.add(1, daily_cap=2)
        assert len(await here.begin()) == 2
        reason = await here.reason()
        assert reason.code is IdleCode.NO_CALLER_ID
        assert reason.until == datetime(2026, 11, 24, tzinfo=NOW.tzinfo)
        assert reason.text.startswith(
            "no caller id of the pool sales can be used (at its daily cap: 1); the first can be used again"
        )
        assert await here.begin() == []
        assert [ready.subscriber_id for ready in await here.w.store.candidates(1, NOW, 9)] == [3, 4, 5]
        here.now += timedelta(hours=14)
        assert await here.reason() is None or (await here.reason()).code is not IdleCode.NO_CALLER_ID
        assert len(await here.begin()) == 2


@pytest_twisted.ensureDeferred
async def test_a_raised_cap_and_the_end_of_a_rest_act_at_once(tmp_path):
    async with pooled(tmp_path, contacts=4) as here:
        key = await here.add(1, daily_cap=1)
        assert len(await here.begin()) == 1
        await here.ask(caller_ids.change, ANN, key, {"daily_cap": 2})
        assert len(await here.begin()) == 1
        await here.ask(caller_ids.change, ANN, key, {"daily_cap": None})
        await here.ask(caller_ids.rest, ANN, key, NOW + timedelta(days=60))
        assert await here.begin() == []
        assert "resting: 1" in (await here.reason()).text
        await here.ask(caller_ids.rest, ANN, key, None)
        assert len(await here.begin()) == 2


@pytest_twisted.ensureDeferred
async def test_contacts_of_another_country_wait_without_keeping_others_from_being_called(tmp_path):
    async with pooled(tmp_path, contacts=0, foreign_callees="refuse") as here:
        await here.add(1)
        book = here.w.sql("SELECT phonebook_id FROM campaign_phonebook")[0]
        await here.w.seeds.add(book, [Contact(number="+33155550001"), Contact(number="+12125559999")])
        [attempt] = await here.begin()
        assert attempt.plan.candidate.number == "+12125559999"
        await here.end(attempt)
        reason = await here.reason()
        assert (reason.code, reason.until) == (IdleCode.NO_CALLER_ID, NOW + timedelta(minutes=10))
        assert reason.text == "no caller id of the pool sales may be shown now to 1 contacts, of FR, through their gateways"
        assert await here.w.store.candidates(1, NOW + timedelta(minutes=9), 9) == []
        await here.ask(caller_ids.create, ANN, {"pool_id": 1, "number": "+33155550099"})
        [attempt] = await here.begin()
        assert attempt.plan.shown.number == "+33155550099"
        assert here.w.sql("SELECT count(*) FROM caller_id_wait") == [0]


@pytest_twisted.ensureDeferred
async def test_many_contacts_that_wait_hold_the_others_up_for_a_moment_only(tmp_path):
    async with pooled(tmp_path, contacts=0, foreign_callees="refuse") as here:
        await here.add(1)
        book = here.w.sql("SELECT phonebook_id FROM campaign_phonebook")[0]
        foreign = [Contact(number=f"+331555{key:05}") for key in range(150)]
        await here.w.seeds.add(book, [*foreign, Contact(number="+12125559999")])
        earlier = to_column(NOW - timedelta(hours=1))
        here.w.sql("UPDATE subscriber SET ready_at = ? WHERE number <> '+12125559999'", earlier)
        begun = [await here.begin(1) for _ in range(3)]
        assert [[attempt.plan.candidate.number for attempt in each] for each in begun] == [[], [], ["+12125559999"]]
        assert here.w.sql("SELECT count(*) FROM caller_id_wait") == [150]
        assert (await here.ask(why.campaign, ADMINISTRATOR, 1)).progress.caller_id_wait.contacts == 150


@pytest_twisted.ensureDeferred
async def test_the_numbers_of_a_campaign_itself_count_where_they_stand_in_a_pool_of_its_user(tmp_path):
    async with pooled(tmp_path, contacts=3) as here:
        await here.add(1)
        await here.add(2, daily_cap=2)
        given = {"caller_id_pool_id": None, "caller_id": "+1 (212) 555-0002"}
        await here.ask(campaigns.change, ADMINISTRATOR, 1, given)
        assert [attempt.plan.shown.id for attempt in await here.begin()] == [2, 2]
        assert (await here.reason()).code is IdleCode.NO_CALLER_ID


@pytest_twisted.ensureDeferred
async def test_a_strict_installation_shows_numbers_of_pools_only(tmp_path):
    async with pooled(tmp_path, contacts=2, numbers=1) as here:
        await here.ask(campaigns.change, ADMINISTRATOR, 1, {"caller_id_pool_id": None, "caller_id": "+4930555"})
        here.w.store.caller_ids = CallerIdRules(strict=True)
        here.w.seeds.management.strict_caller_ids = True
        assert await here.begin() == []
        reason = await here.reason()
        assert reason.code is IdleCode.NO_CALLER_ID
        assert reason.text == "+4930555 stands in no pool of caller ids of this user, which this installation requires"
        with pytest.raises(BadValue, match=r"caller_id: .*stands in no pool"):
            await here.ask(campaigns.change, ADMINISTRATOR, 1, {"caller_id": "+4930556"})
        await here.ask(campaigns.change, ADMINISTRATOR, 1, {"caller_id": "+12125550001"})
        assert [attempt.plan.shown.id for attempt in await here.begin(1)] == [1]
        await here.ask(campaigns.change, ADMINISTRATOR, 1, {"caller_id": ""})
        assert len(await here.begin()) == 1


@pytest_twisted.ensureDeferred
async def test_a_pool_is_read_once_for_all_campaigns_that_use_it(tmp_path, monkeypatch):
    async with pooled(tmp_path, contacts=1, numbers=2) as here:
        for name, given in (("by pool", {"caller_id_pool_id": 1}), ("by number", {"caller_id": "+12125550001"})):
            await here.ask(campaigns.change, ADMINISTRATOR, await here.w.add_campaign(name, 1), given)
        read, pool_state = [], stored_caller_ids.pool_state
        monkeypatch.setattr(stored_caller_ids, "pool_state", lambda *asked: read.append(asked[1]) or pool_state(*asked))
        page, _ = await here.w.database.run(lambda connection: started(connection, 0, Assigning(now=NOW)))
        assert [campaign.name for campaign, _ in page] == ["spring", "by pool", "by number"]
        assert read == [1]


@define(eq=False)
class Listened:
    """A connection, and the statements that were run on it."""

    connection: Any
    statements: list[str] = Factory(list)

    @property
    def dialect(self) -> Dialect:
        return self.connection.dialect

    def execute(self, statement: str, *given: Any) -> Any:
        self.statements.append(statement)
        return self.connection.execute(statement, *given)


@pytest_twisted.ensureDeferred
async def test_the_waits_of_many_campaigns_take_as_many_statements_as_those_of_few(tmp_path):
    async with pooled(tmp_path, contacts=0, foreign_callees="refuse", numbers=1) as here:
        await here.ask(caller_ids.create_pool, ANN, {"name": "idle"})
        ways = [{"caller_id_pool_id": 1}, {"caller_id_pool_id": 2}, {"caller_id": "+12125550001"}, {"caller_id": "+4930555"}]

        async def add(mark: str) -> None:
            for place, each in enumerate(ways):
                campaign_id = await here.w.add_campaign(f"{mark} {place}", 2)
                await here.ask(campaigns.change, ADMINISTRATOR, campaign_id, each)
                if place < 3:
                    assert await here.begin(campaign_id=campaign_id) == []

        def waits(connection: Any) -> tuple[int, dict[str, str]]:
            listened = Listened(connection)
            page, _ = started(listened, 0, Assigning(now=NOW))
            told = {campaign.name: each.caller_id_wait and each.caller_id_wait.text for campaign, each in page}
            return len(listened.statements), told

        await add("few")
        few, told = await here.w.database.run(waits)
        refused = (
            "no caller id of the pool sales may be shown now to 2 contacts, of an unknown country, through their gateways"
        )
        assert [told[f"few {place}"] for place in range(4)] == [refused, "the pool idle has no caller ids", refused, None]
        for mark in ("many", "more"):
            await add(mark)
        many, same = await here.w.database.run(waits)
        assert [same[f"more {place}"] for place in range(4)] == [told[f"few {place}"] for place in range(4)]
        assert many == few


@pytest_twisted.ensureDeferred
async def test_each_campaign_is_told_of_the_contacts_of_its_own_that_wait_for_a_number(tmp_path):
    async with pooled(tmp_path, contacts=3, foreign_callees="refuse", numbers=1) as here:
        other = await here.w.add_campaign("autumn", 2)
        await here.ask(campaigns.change, ADMINISTRATOR, other, {"caller_id": "+12125550001"})
        last = await here.w.add_campaign("winter", 2)
        await here.ask(campaigns.change, ADMINISTRATOR, last, {"caller_id": "+12125550001"})
        for campaign_id in (1, other):
            assert await here.begin(campaign_id=campaign_id) == []
        page, _ = await here.w.database.run(lambda connection: started(connection, 0, Assigning(now=NOW)))
        waiting = {campaign.name: each.caller_id_wait and each.caller_id_wait.contacts for campaign, each in page}
        assert waiting == {"spring": 3, "autumn": 2, "winter": None}


@define
class NobodyElse:
    """No call is known of beside those in the database."""

    gateways: dict[int, int] = Factory(dict)
    campaigns: dict[int, int] = Factory(dict)


async def with_failover(here: Pooled, **gateway: Any) -> list[Plan]:
    """Plans of a campaign whose gateway is followed by the gateway `other`, as the scheduler makes them."""
    await here.w.seeds.gateway(name="other", dial_string="loopback/{number}", **gateway)
    here.w.sql("UPDATE gateway SET failover_id = 2 WHERE id = 1")
    snapshot = await here.w.store.snapshot()
    routes = Routes(snapshot.gateways, NobodyElse(), {})
    plans = await here.plans()
    return [with_routes(each, routes, here.now, numbering(), lambda name, _: name) for each in plans]


@pytest_twisted.ensureDeferred
async def test_another_gateway_carries_calls_within_its_limit_over_all_nodes(tmp_path):
    async with pooled(tmp_path, contacts=5) as here:
        other = await here.w.add_campaign("autumn", 1, frequency=1_000_000)
        plans = await with_failover(here, maximum_call=3)
        await here.add(1, gateways=[2])
        [elsewhere] = await here.plans(1, other)
        [there] = await here.w.begin([evolve(elsewhere, gateway=plans[0].routes[1].gateway)], here.now)
        here.w.sql("UPDATE attempt SET owner = 'there' WHERE id = ?", there.id)
        attempts = await here.w.begin(plans, here.now)
        assert [(each.plan.gateway.id, each.plan.shown.id) for each in attempts] == [(2, 1)] * 2
        assert {here.w.attempt(each)["gateway_id"] for each in attempts} == {2}
        assert here.w.sql("SELECT count(*) FROM caller_id_wait") == [0]
        reason = await here.reason()
        assert reason.code is IdleCode.NO_CALLER_ID
        assert reason.text == (
            "no gateway is free that may show a free caller id of the pool sales: "
            "gateway carrier has no caller id that it may show; gateway other has caller ids and is full (3 calls)"
        )
        await here.end(attempts[0])
        assert len(await here.w.begin(plans, here.now)) == 1


@pytest_twisted.ensureDeferred
async def test_a_gateway_that_would_dial_a_forbidden_number_carries_nothing(tmp_path):
    async with pooled(tmp_path, contacts=2) as here:
        plans = await with_failover(here, addprefix="9")
        await here.add(1, gateways=[2])
        await here.w.seeds.forbid(f"9{plans[0].candidate.number}")
        attempts = await here.w.begin(plans, here.now)
        assert [each.plan.candidate.number for each in attempts] == [plans[1].candidate.number]
        assert attempts[0].plan.dial_string == f"loopback/9{plans[1].candidate.number}"


@pytest_twisted.ensureDeferred
async def test_a_gateway_that_a_number_names_is_the_only_one_that_shows_it(tmp_path):
    async with pooled(tmp_path, contacts=2) as here:
        await here.w.seeds.gateway(name="other", dial_string="loopback/{number}")
        await here.add(1, gateways=[2])
        assert await here.begin() == []
        reason = await here.reason()
        assert reason.code is IdleCode.NO_CALLER_ID
        assert reason.text == (
            "no gateway is free that may show a free caller id of the pool sales: "
            "gateway carrier has no caller id that it may show"
        )
        with pytest.raises(InUse, match="caller id"):
            await here.ask(gateways.remove, 2)
        await here.ask(caller_ids.change, ADMINISTRATOR, 1, {"gateways": [1, 2]})
        assert len(await here.begin()) == 2
        assert (await here.ask(caller_ids.read, ANN, 1)).gateways == (1, 2)


@pytest_twisted.ensureDeferred
async def test_calls_that_were_not_dialled_are_given_back_to_the_cap(tmp_path):
    async with pooled(tmp_path, contacts=3) as here:
        await here.add(1, daily_cap=1)
        [attempt] = await here.begin()
        assert await here.begin() == []
        await here.end(attempt, again=True, cause=str(OwnCause.NOT_SENT))
        [attempt] = await here.begin()
        await here.end(attempt, cause=str(OwnCause.UNKNOWN))
        assert await here.begin() == []


@pytest_twisted.ensureDeferred
async def test_what_came_of_a_numbers_calls_is_counted_by_day(tmp_path):
    async with pooled(tmp_path, contacts=9, numbers=1, time_zone="America/Denver") as here:
        attempts = await here.begin()
        answered = {"answered_at": NOW, "talk_ms": 5_999}
        await here.end(attempts[0], **answered)
        await here.end(attempts[1], **{**answered, "talk_ms": 6_000})
        for attempt, status in zip(attempts[2:], (403, 603, 607, 608, 486), strict=False):
            await here.end(attempt, sip_status=status)
        await here.end(attempts[7], cause=str(OwnCause.NOT_SENT))
        [day] = await here.ask(caller_ids.days, ANN, 1, 30)
        assert day.day.isoformat() == "2026-11-23"
        counts = day.counts
        assert (counts.calls, counts.used, counts.ended, counts.unsent) == (9, 8, 8, 1)
        assert (counts.answered, counts.short, counts.talk_ms) == (2, 1, 11_999)
        assert dict(counts.refused) == {403: 1, 603: 1, 607: 1, 608: 1}
        assert counts.answer_rate == pytest.approx(2 / 7)
        assert counts.short_rate == 0.5
        here.w.sql("DELETE FROM attempt WHERE id < 6")
        assert (await here.ask(caller_ids.days, ANN, 1, 30))[0].counts == counts
        found = await here.ask(caller_ids.read, ANN, 1)
        assert (found.today.used, found.allowed, found.unusable) == (8, None, "")


@pytest_twisted.ensureDeferred
async def test_an_audit_finds_wrong_counts_and_repairs_them(tmp_path):
    async with pooled(tmp_path, contacts=4, numbers=2) as here:
        for attempt in await here.begin():
            await here.end(attempt)
        url = here.w.database.url
        assert not [found for found in audit(url, NOW).findings if found.name == "wrong-caller-id-counts"]
        table = "caller_id_count" if dialect_of(url) is Dialect.SQLITE else "caller_id_count_part"
        here.w.sql(f"UPDATE {table} SET calls = calls + 1, answered = 7 WHERE caller_id_id = 2")
        [found] = [found for found in audit(url, NOW).findings if found.name == "wrong-caller-id-counts"]
        assert found.examples == (
            "caller id 2, 2026-11-23: the rows are -1 calls, -7 answered and 0 ms more than was counted",
        )
    await _repaired(url)


async def _repaired(url: str) -> None:
    assert "wrong-caller-id-counts" in [done.name for done in repair(url, NOW)]
    assert not [found for found in audit(url, NOW).findings if found.name == "wrong-caller-id-counts"]


# --- who may, and what is refused -------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_what_is_no_number_or_name_is_refused_and_nothing_is_written(tmp_path):
    async with pooled(tmp_path) as here:
        for number in ("+1212555\r\nX-Evil: 1", "+1212555,+1305", "${system}", "112", "abc", "", "*#", "0000", "1.5e9"):
            with pytest.raises(BadValue, match="number"):
                await here.ask(caller_ids.create, ANN, {"pool_id": 1, "number": number})
        for name in ("Ann\r\nX-Evil: 1", "a\0b", "${x}", 'Ann" <sip:x@y>', "a" * 61, "Ann:5"):
            with pytest.raises(BadValue, match="name"):
                await here.ask(caller_ids.create, ANN, {"pool_id": 1, "number": "+12125550001", "name": name})
        for given in (
            {"warm_up_days": 5},
            {"warm_up_days": 5, "daily_cap": 10, "warm_up_start": 11},
            {"daily_cap": 0},
            {"identity": "1"},
            {"country": "US"},
        ):
            with pytest.raises(BadValue):
                await here.ask(caller_ids.create, ANN, {"pool_id": 1, "number": "+12125550001", **given})
        with pytest.raises(NotFound, match="gateway"):
            await here.ask(caller_ids.create, ANN, {"pool_id": 1, "number": "+12125550001", "gateways": [99]})
        assert here.w.sql("SELECT count(*) FROM caller_id") == [0]


@pytest_twisted.ensureDeferred
async def test_somebody_elses_pool_does_not_exist(tmp_path):
    async with pooled(tmp_path, numbers=1) as here:
        await here.w.seeds.user(username="eve")
        eve = Account(id=2, username="eve")
        for use_case, args in (
            (caller_ids.read_pool, (1,)),
            (caller_ids.change_pool, (1, {"name": "mine"})),
            (caller_ids.remove_pool, (1,)),
            (caller_ids.create, ({"pool_id": 1, "number": "+12125550009"},)),
            (caller_ids.read, (1,)),
            (caller_ids.change, (1, {"active": 0})),
            (caller_ids.rest, (1, None)),
            (caller_ids.remove, (1,)),
            (caller_ids.days, (1, 30)),
            (caller_ids.listed, (0, None, 1)),
        ):
            with pytest.raises(NotFound):
                await here.ask(use_case, eve, *args)
        assert await here.ask(caller_ids.pools, eve) == []
        assert await here.ask(caller_ids.listed, eve) == []
        mine = await here.ask(caller_ids.create_pool, eve, {"name": "sales"})
        with pytest.raises(NotFound, match="caller id pool"):
            await here.ask(campaigns.change, ANN, 1, {"caller_id_pool_id": mine.id})
        with pytest.raises(BadValue, match="stands in a pool already"):
            await here.ask(caller_ids.create, eve, {"pool_id": mine.id, "number": "001 212 555 0001"})


@pytest_twisted.ensureDeferred
async def test_a_number_that_its_owner_may_not_show_is_refused_and_no_more_used(tmp_path):
    async with pooled(tmp_path, numbers=2) as here:
        await here.ask(users.change, 1, {"caller_ids": "+12125550002"})
        with pytest.raises(BadValue, match="not one of the caller ids of this user"):
            await here.add(3)
        assert {attempt.plan.shown.id for attempt in await here.begin()} == {2}
        assert "not one of the caller ids" in (await here.ask(caller_ids.read, ANN, 1)).unusable


@pytest_twisted.ensureDeferred
async def test_a_removed_number_is_the_same_when_it_is_added_again(tmp_path):
    async with pooled(tmp_path, contacts=4) as here:
        key = await here.add(1, daily_cap=2)
        assert len(await here.begin()) == 2
        with pytest.raises(InUse):
            await here.ask(caller_ids.remove_pool, ANN, 1)
        await here.ask(caller_ids.remove, ANN, key)
        with pytest.raises(NotFound):
            await here.ask(caller_ids.read, ANN, key)
        assert await here.begin() == []
        assert await here.add(1, daily_cap=3) == key
        assert len(await here.begin()) == 1
        with pytest.raises(BadValue, match="number"):
            await here.ask(caller_ids.change, ANN, key, {"number": "+12125550007"})


@pytest_twisted.ensureDeferred
async def test_a_removed_user_leaves_no_number_behind(tmp_path):
    async with pooled(tmp_path, numbers=1) as here:
        await removals.user(here.w.seeds.management, 1)
        assert here.w.sql("SELECT count(*) FROM caller_id WHERE archived_at IS NULL") == [0]
        await here.w.seeds.user(username="bob")
        bob = Account(id=2, username="bob")
        pool = await here.ask(caller_ids.create_pool, bob, {"name": "sales"})
        assert await here.ask(caller_ids.create, bob, {"pool_id": pool.id, "number": "+12125550001"})


# --- over time, restarts and nodes ------------------------------------------------------------------------------------------


def shown_by_day(here: Pooled) -> Counter[tuple[int, str]]:
    """The calls that may have been dialled, from the attempts themselves."""
    found = here.w.sql(
        "SELECT pooled_caller_id, substr(CAST(planned_at AS TEXT), 1, 10), count(*) FROM attempt "
        "WHERE cause IS NULL OR cause <> 'NOT_SENT' GROUP BY 1, 2"
    )
    return Counter({(key, day): count for key, day, count in found})


@pytest.mark.parametrize("seed", range(4))
@pytest_twisted.ensureDeferred
async def test_over_days_retries_and_restarts_no_cap_is_passed_no_number_woken_and_contacts_keep_theirs(tmp_path, seed):
    chance = random.Random(seed)
    strategy = ("sticky", "rotating", "nearest", "sticky")[seed]
    async with pooled(tmp_path, contacts=12, strategy=strategy) as here:
        caps: dict[int, int] = {}
        for key in range(1, 5):
            caps[await here.add(key, daily_cap=4 + key, warm_up_start=2, warm_up_days=2)] = 4 + key
        resting: dict[int, datetime] = {}
        inactive: set[int] = set()
        last: dict[int, int] = {}
        first_day: dict[int, Any] = {}
        open_calls: list[Attempt] = []

        def allowed(key: int) -> int:
            passed = min((here.now.date() - first_day.get(key, here.now.date())).days, 2)
            return 2 + (caps[key] - 2) * passed // 2

        for _ in range(60):
            step = chance.choice(("begin", "begin", "end", "end", "wait", "day", "rest", "active", "restart"))
            if step == "begin":
                before = shown_by_day(here)
                used = {key: before[key, here.now.date().isoformat()] for key in caps}
                for attempt in await here.begin(chance.randint(1, 6)):
                    key, who = attempt.plan.shown.id, attempt.plan.candidate.subscriber_id
                    usable = {
                        each
                        for each in caps
                        if each not in inactive and resting.get(each, here.now) <= here.now and used[each] < allowed(each)
                    }
                    assert key in usable
                    if last.get(who) in usable:
                        assert key == last[who]
                    used[key] += 1
                    last[who] = key
                    first_day.setdefault(key, here.now.date())
                    open_calls.append(attempt)
            elif step == "end" and open_calls:
                unsent = chance.random() < 0.2
                attempt = open_calls.pop(chance.randrange(len(open_calls)))
                await here.end(attempt, again=True, **({"cause": "NOT_SENT"} if unsent else {}))
            elif step == "wait":
                here.now += timedelta(minutes=chance.randint(1, 300))
            elif step == "day":
                here.now += timedelta(days=1)
            elif step == "rest":
                key, until = chance.choice(list(caps)), here.now + timedelta(hours=chance.randint(1, 40))
                await here.ask(caller_ids.rest, ANN, key, until)
                resting[key] = until
            elif step == "active":
                key = chance.choice(list(caps))
                await here.ask(caller_ids.change, ANN, key, {"active": int(key in inactive)})
                inactive ^= {key}
            elif step == "restart":
                here.w.store = Store(here.w.database, here.w.clock, node=NODE.name)
                open_calls = await here.w.store.open_attempts()
        assert sum(shown_by_day(here).values()) > 12
        names = {found.name for found in audit(here.w.database.url, here.now).findings}
        assert "wrong-caller-id-counts" not in names


@on_postgresql
@pytest_twisted.ensureDeferred
async def test_two_nodes_together_do_not_pass_a_cap_and_contacts_keep_their_numbers(tmp_path):
    from twisted.internet import reactor

    async with pooled(tmp_path, contacts=60) as here:
        for key in (1, 2, 3):
            await here.add(key, daily_cap=10)
        # Another gateway, too: whoever begins calls locks campaign and gateway, and shall wait for the pool alone here.
        await here.w.seeds.gateway(name="other", dial_string="loopback/{number}")
        autumn = await here.w.add_campaign("autumn", 60, caller_id_pool_id=1, frequency=1_000_000, gateway_id=2)
        other = Database(here.w.database.url, reactor, dialling=True, node=NodeIdentity(name="there", lease=60.0))
        await other.start()
        try:
            stores = {1: here.w.store, autumn: Store(other, here.w.clock, node="there")}
            until = NOW + timedelta(seconds=60)
            last: dict[str, int] = {}
            for _ in range(4):
                here.w.sql("UPDATE campaign SET next_call_at = NULL")
                through = (await here.w.store.snapshot()).gateways
                plans = {1: await here.plans(60), autumn: await here.plans(60, autumn)}
                plans[autumn] = [evolve(plan, gateway=through[2]) for plan in plans[autumn]]
                mine = {key: some[place * 30 : place * 30 + 30] for place, (key, some) in enumerate(plans.items())}
                begun = [
                    stores[key].begin(some[first : first + 6], NOW, until, until + timedelta(seconds=15))
                    for first in range(0, 30, 6)
                    for key, some in mine.items()
                    if some[first : first + 6]
                ]
                attempts = [attempt for each in await gatherResults(begun) for attempt in each]
                counts = shown_by_day(here)
                assert max(counts.values()) <= 10
                for attempt in attempts:
                    who, key = attempt.plan.candidate.identity, attempt.plan.shown.id
                    before = last.get(who, key)
                    assert key == before or counts[before, "2026-11-23"] == 10  # others had taken its last calls
                    last[who] = key
                for attempt in attempts[:8]:
                    again = ended(attempt, SubscriberStatus.START, ready_at=NOW, at=NOW, cause="NOT_SENT")
                    assert await stores[attempt.plan.campaign.id].finish(again)
            assert sum(shown_by_day(here).values()) >= 22
            assert "wrong-caller-id-counts" not in {found.name for found in audit(here.w.database.url, NOW).findings}
        finally:
            await other.stop()


@pytest_twisted.ensureDeferred
async def test_a_killed_dialer_has_not_passed_a_cap_and_the_next_one_goes_on_from_there(tmp_path):
    async with pooled(tmp_path, contacts=60) as here:
        for key in (1, 2, 3):
            await here.add(key, daily_cap=10)
        here.w.sql("UPDATE campaign SET frequency = 1000000, next_call_at = NULL")
        url = here.w.database.url
    command = [sys.executable, "-m", "tests.caller_id_begins", url]
    for batches in (1, 3, 2, None):
        with Forked(command, stdout=subprocess.PIPE) as process:
            told = [line for line, _ in zip(process.stdout, range(batches or 99), strict=False)]
            process.kill()
        assert told
        rows(url, "UPDATE campaign SET next_call_at = NULL")
        found = dict(rows(url, "SELECT pooled_caller_id, count(*) FROM attempt GROUP BY 1"))
        assert max(found.values()) <= 10
        assert "wrong-caller-id-counts" not in {found.name for found in audit(url, NOW).findings}
    assert found == {1: 10, 2: 10, 3: 10}
