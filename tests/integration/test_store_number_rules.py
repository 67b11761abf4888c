"""A user's blacklist and whitelist, on disk: asked when contacts are added, and when they are to be called."""

from __future__ import annotations

import pytest
import pytest_twisted

from dialer.campaigns.planning import Routes, plan
from dialer.errors import BadValue
from dialer.management import gateways, users
from dialer.model import Contact, SubscriberStatus
from dialer.numbering import numbering
from dialer.store.answered import AnsweredCalls
from tests.unit.store.support import NOW, numbers, world

pytestmark = pytest.mark.usefixtures("database_kind")


async def forbid(w, kind, *patterns, user_id=1):
    await w.seeds.ask(users.change, user_id, {kind: patterns})


def statuses(w):
    return w.sql("SELECT status FROM subscriber ORDER BY id")


@pytest_twisted.ensureDeferred
async def test_a_contact_on_the_blacklist_is_not_added_and_neither_are_those_with_it(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await forbid(w, "blacklist", "1001")
        with pytest.raises(BadValue, match="number: 1001 is on the blacklist of this user"):
            await w.seeds.add_all(1, [Contact(number=number) for number in numbers(3)])
        assert w.sql("SELECT number FROM contact") == []


@pytest_twisted.ensureDeferred
async def test_a_contact_that_is_not_on_the_whitelist_is_not_added(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await forbid(w, "whitelist", "49", "=1000")
        assert await w.seeds.add_all(1, [Contact(number="1000"), Contact(number="+4930")]) == 2
        with pytest.raises(BadValue, match="number: 10001 is not on the whitelist of this user"):
            await w.seeds.add_all(1, [Contact(number="10001")])


@pytest_twisted.ensureDeferred
async def test_the_blacklist_wins_over_the_whitelist(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await forbid(w, "whitelist", "49", "43")
        await forbid(w, "blacklist", "4990")
        with pytest.raises(BadValue, match="number: 4990 is on the blacklist of this user"):
            await w.seeds.add_all(1, [Contact(number=number) for number in ("4930", "4990", "1")])


@pytest_twisted.ensureDeferred
async def test_who_comes_onto_the_blacklist_is_no_candidate_any_more(tmp_path):
    async with world(tmp_path) as w:
        await forbid(w, "blacklist", "1001")
        assert [ready.number for ready in await w.store.candidates(1, NOW, 10)] == ["1000", "1002"]
        assert statuses(w) == [SubscriberStatus.START, SubscriberStatus.NOT_AUTHORISED, SubscriberStatus.START]


@pytest_twisted.ensureDeferred
async def test_who_comes_onto_the_blacklist_after_the_planning_is_not_begun(tmp_path):
    async with world(tmp_path) as w:
        plans = await w.plans(3)
        await forbid(w, "blacklist", "=1000")
        assert [attempt.plan.candidate.number for attempt in await w.begin(plans)] == ["1001", "1002"]
        assert statuses(w)[0] == SubscriberStatus.NOT_AUTHORISED


@pytest_twisted.ensureDeferred
async def test_only_those_on_the_whitelist_are_called(tmp_path):
    async with world(tmp_path) as w:
        await forbid(w, "whitelist", "xxx2")
        assert [ready.number for ready in await w.store.candidates(1, NOW, 10)] == ["1002"]


@pytest_twisted.ensureDeferred
async def test_the_lists_of_a_user_are_no_business_of_another(tmp_path):
    async with world(tmp_path) as w:
        other = await w.seeds.user(username="ben")
        await forbid(w, "whitelist", "9", user_id=other)
        await forbid(w, "blacklist", "1", user_id=other)
        assert len(await w.store.candidates(1, NOW, 10)) == 3
        assert await w.seeds.add_all(1, [Contact(number="2000")]) == 1


@pytest_twisted.ensureDeferred
async def test_a_list_is_replaced_as_a_whole(tmp_path):
    async with world(tmp_path) as w:
        await forbid(w, "blacklist", "1", "2")
        await forbid(w, "whitelist", "3")
        await forbid(w, "blacklist", "4")
        [ann] = await w.seeds.ask(users.listed)
        assert (ann.blacklist, ann.whitelist) == (("4",), ("3",))
        await forbid(w, "blacklist")
        await forbid(w, "whitelist")
        [ann] = await w.seeds.ask(users.listed)
        assert (ann.blacklist, ann.whitelist) == ((), ())


class Empty:
    gateways: dict[int, int] = {}  # noqa: RUF012 - nothing is ever in it
    campaigns: dict[int, int] = {}  # noqa: RUF012


@pytest.mark.parametrize("rule", ["blacklist", "do not call", "none"])
@pytest_twisted.ensureDeferred
async def test_a_number_that_is_forbidden_without_the_prefix_of_its_gateway_is_not_begun(tmp_path, rule):
    async with world(tmp_path, contacts=0) as w:
        await w.seeds.ask(gateways.change, 1, {"removeprefix": "99"})
        await w.seeds.add_all(1, [Contact(number="990900666777"), Contact(number="+4930123")])
        if rule == "blacklist":
            await forbid(w, "blacklist", "0900")
        elif rule == "do not call":
            await w.seeds.forbid("0900666777")
        snapshot = await w.store.snapshot()
        (spring,) = snapshot.campaigns
        candidates = await w.store.candidates(1, NOW, 10)
        ids = iter(["a", "b"])
        routes = Routes(snapshot.gateways, Empty(), {})
        planned = plan(candidates, spring, routes, [NOW, NOW], NOW, ids=lambda: next(ids), numbering=numbering())
        begun = {attempt.plan.dial_string for attempt in await w.begin(planned.plans)}
        assert begun == {"loopback/+4930123"} | ({"loopback/0900666777"} if rule == "none" else set())
        (status,) = w.sql("SELECT status FROM subscriber WHERE number = '990900666777'")
        assert status == (SubscriberStatus.IN_PROCESS if rule == "none" else SubscriberStatus.NOT_AUTHORISED)


@pytest_twisted.ensureDeferred
async def test_the_rules_of_a_call_are_those_of_the_moment(tmp_path):
    async with world(tmp_path) as w:
        store = AnsweredCalls(w.database, lambda: NOW)
        assert (await store.call_rules(1, ["4930"])).do_not_call == frozenset()
        await w.seeds.ask(users.change, 1, {"blacklist": ("0900",), "whitelist": ("49",), "caller_ids": "4930555"})
        await w.seeds.forbid("+4930", "+4931")
        rules = await store.call_rules(1, ["4930", "4932"])
        assert (rules.blacklist, rules.whitelist, rules.do_not_call) == ({"0900"}, {"49"}, {"4930"})
        assert rules.caller_ids == "4930555"
        assert (await w.store.snapshot()).caller_ids == {1: "4930555"}
        assert (await store.call_rules(99, [])).whitelist == frozenset()
