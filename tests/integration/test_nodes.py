"""Several nodes on one database: limits that hold over all of them, the calls of the dead, and who was taken for dead."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count, pairwise

import pytest
import pytest_twisted
from attrs import define, evolve
from twisted.internet.defer import Deferred, DeferredList, gatherResults

from dialer.errors import BadValue, NotFound, StoreError
from dialer.interfaces import NodeState
from dialer.management import Management, installation
from dialer.model import CampaignStatus
from dialer.model.user import ADMINISTRATOR
from dialer.store import nodes
from dialer.store.database import Database, NodeIdentity
from dialer.store.location import opened
from dialer.store.nodes import Nodes
from tests.grounds import new_database, standing_on
from tests.unit.store.support import NOW, World, ended

COUNT = count()
STATE = NodeState(switches={"fs1:8021": "core-1"}, ready=True, figures={"adopted-ringing": 2})


@define(eq=False)
class NodeWorld(World):
    name: str = "here"

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.store.node = self.name

    async def beat(self, state: NodeState = STATE) -> int:
        return (await Nodes(self.database, NOW).beat(state, NOW)).epoch

    async def rescue(self, *switches: str):
        return await Nodes(self.database, NOW).rescue(switches or ("fs1:8021",))


@pytest.fixture
def url(postgres_server, tmp_path):
    with standing_on(postgres_server):
        yield new_database(tmp_path)


@asynccontextmanager
async def node(url, name, *, lease=30.0):
    from twisted.internet import reactor

    database = Database(url, reactor, dialling=True, node=NodeIdentity(name=name, lease=lease))
    await database.start()
    try:
        yield NodeWorld(database, name=name)
    finally:
        await database.stop()


@asynccontextmanager
async def two_nodes(url, contacts=40, *, lease=30.0, **campaign):
    async with node(url, "one", lease=lease) as one, node(url, "two") as two:
        await one.seed(0)
        await one.add_campaign("summer", contacts, **campaign)
        await gatherResults([Deferred.fromCoroutine(each.beat()) for each in (one, two)])
        yield one, two


def sql(url, statement, *values):
    with opened(url) as connection:
        cursor = connection.execute(statement, values)
        rows = cursor.fetchall() if cursor.description else []
        connection.commit()
        return rows


def die(url, name):
    """Its lease has run out."""
    sql(url, "UPDATE node SET lease_until = lease_until - interval '1 hour' WHERE name = ?", name)


async def begin_both(one, two, most, campaign_id=2, spacing=0.0, now=NOW):
    """Both plan the same moments for the same contacts, and begin at the same time."""
    begun = []
    plans = []
    for each in (one, two):
        some = await each.plans(most, campaign_id)
        some = [
            evolve(plan, call_uuid=f"{each.name}-{next(COUNT)}", due_at=now + timedelta(seconds=spacing * index))
            for index, plan in enumerate(some)
        ]
        plans.append(some)
    for found in await gatherResults(
        [Deferred.fromCoroutine(each.begin(some, now)) for each, some in zip((one, two), plans, strict=True)]
    ):
        begun.append(found)
    return begun


@pytest_twisted.ensureDeferred
async def test_two_nodes_that_want_the_same_contacts_share_no_contact(url):
    async with two_nodes(url, frequency=100_000) as (one, two):
        begun = await begin_both(one, two, 20)
        subscribers = [attempt.plan.candidate.subscriber_id for some in begun for attempt in some]
        assert len(subscribers) == len(set(subscribers)) == 20


@pytest_twisted.ensureDeferred
async def test_a_node_leaves_the_first_contacts_to_those_before_it(url):
    async with two_nodes(url, 30) as (one, two):
        others = (await two.store.snapshot()).others
        assert (others.dialling, others.before) == (1, 1)
        assert (await one.store.snapshot()).others.before == 0
        first = [one.subscriber_id for one in await one.store.candidates(2, NOW, 10, 0)]
        second = [one.subscriber_id for one in await two.store.candidates(2, NOW, 10, 10)]
        assert not set(first) & set(second)
        assert len(await two.store.candidates(2, NOW, 10, 25)) == 10


@pytest_twisted.ensureDeferred
async def test_a_switch_that_is_drained_at_one_node_is_drained_at_all_of_them(url):
    async with two_nodes(url) as (one, two):
        management = Management(one.database, lambda: NOW)
        await management.ask(installation.drain, ADMINISTRATOR, "fs1:8021")
        for each in (one, two):
            assert [drain.drained_by for drain in (await each.store.snapshot(NOW)).drained.values()] == ["command line"]
        await Management(two.database, lambda: NOW).ask(installation.resume, ADMINISTRATOR, "fs1:8021")
        assert (await one.store.snapshot(NOW)).drained == {}


@pytest_twisted.ensureDeferred
async def test_the_frequency_of_a_campaign_holds_over_all_nodes(url):
    async with two_nodes(url, frequency=600) as (one, two):
        begun = await begin_both(one, two, 10, spacing=0.1)
        more = await begin_both(one, two, 10, spacing=0.1, now=NOW + timedelta(seconds=1))
        due = sorted(attempt.plan.due_at for some in (*begun, *more) for attempt in some)
        assert len(due) > 15
        assert min(later - earlier for earlier, later in pairwise(due)) >= timedelta(seconds=0.0999)


@pytest_twisted.ensureDeferred
async def test_the_calls_per_second_of_a_gateway_hold_over_all_nodes_and_campaigns(url):
    async with two_nodes(url, frequency=100_000) as (one, two):
        sql(url, "UPDATE gateway SET calls_per_second = 5")
        begun = await begin_both(one, two, 10)
        due = sorted(attempt.plan.due_at for some in begun for attempt in some)
        assert len(due) == 10
        assert min(later - earlier for earlier, later in pairwise(due)) >= timedelta(seconds=0.1999)


@pytest.mark.parametrize("limit", ["maximum_call", "max_concurrent"])
@pytest_twisted.ensureDeferred
async def test_limits_of_open_calls_hold_over_all_nodes(url, limit):
    async with two_nodes(url, frequency=100_000) as (one, two):
        table = "gateway" if limit == "maximum_call" else "campaign"
        sql(url, f"UPDATE {table} SET {limit} = 7")
        begun = [attempt for some in await begin_both(one, two, 10) for attempt in some]
        assert len(begun) == 7
        others = (await two.store.snapshot()).others
        assert others.gateways.get(1, 0) == others.campaigns.get(2, 0) == sum(a.call_uuid.startswith("one") for a in begun)
        owner = one if begun[0].call_uuid.startswith("one") else two
        assert await owner.store.finish(ended(begun[0]))
        begun = [attempt for some in await begin_both(one, two, 10) for attempt in some]
        assert len(begun) == 1


async def gateway_of(node):
    return (await node.store.snapshot()).gateways[1]


async def calls(node, most):
    """So many more of a node."""
    return await node.begin([evolve(plan, call_uuid=f"call {next(COUNT)}", due_at=NOW) for plan in await node.plans(most, 2)])


@pytest_twisted.ensureDeferred
async def test_second_legs_count_in_the_limits_of_all_nodes(url):
    async with two_nodes(url, frequency=100_000) as (one, two):
        sql(url, "UPDATE gateway SET maximum_call = 4")
        here, there = await calls(one, 1), await calls(two, 1)
        gateway = await gateway_of(one)
        await one.store.begin_leg(here[0].call_uuid, gateway, NOW, NOW)
        others = (await two.store.snapshot()).others
        assert (others.gateways, others.campaigns) == ({1: 2}, {2: 1})
        assert len(await calls(two, 5)) == 1
        with pytest.raises(BadValue, match=f"gateway {gateway.name} is full: it takes 4 calls at a time"):
            await two.store.begin_leg(there[0].call_uuid, gateway, NOW, NOW)
        await one.store.end_leg(here[0].call_uuid)
        await two.store.begin_leg(there[0].call_uuid, gateway, NOW, NOW)
        assert (await one.store.snapshot()).others.gateways == {1: 3}


@pytest_twisted.ensureDeferred
async def test_second_legs_of_two_nodes_that_begin_at_once_share_the_last_call_of_a_gateway(url):
    async with two_nodes(url, frequency=100_000) as (one, two):
        begun = [(each, (await calls(each, 1))[0].call_uuid) for each in (one, two)]
        sql(url, "UPDATE gateway SET maximum_call = 3")
        gateway = await gateway_of(one)
        asked = [each.store.begin_leg(call, gateway, NOW, NOW) for each, call in begun]
        results = await DeferredList(asked, consumeErrors=True)
        assert sorted(admitted for admitted, _ in results) == [False, True]
        assert sql(url, "SELECT count(*) FROM attempt WHERE second_gateway_id = 1") == [(1,)]


@pytest_twisted.ensureDeferred
async def test_the_calls_per_second_of_a_gateway_hold_for_second_legs_of_all_nodes(url):
    async with two_nodes(url, frequency=100_000) as (one, two):
        begun = [(each, attempt) for each in (one, two) for attempt in await calls(each, 4)]
        sql(url, "UPDATE gateway SET calls_per_second = 1, next_call_at = NULL")
        gateway = await gateway_of(one)
        at = [await each.store.begin_leg(attempt.call_uuid, gateway, NOW, NOW) for each, attempt in begun[1:7]]
        assert at == [NOW + timedelta(seconds=number) for number in range(6)]
        with pytest.raises(BadValue, match="calls per second for longer than a callee waits"):
            await two.store.begin_leg(begun[7][1].call_uuid, gateway, NOW, NOW)
        (first_leg,) = await calls(two, 1)
        assert first_leg.plan.due_at == NOW + timedelta(seconds=6)


@pytest_twisted.ensureDeferred
async def test_a_live_second_leg_counts_for_whoever_has_its_call(url):
    async with two_nodes(url, frequency=100_000) as (one, two):
        sql(url, "UPDATE gateway SET maximum_call = 2")
        (attempt,) = await calls(one, 1)
        await one.store.begin_leg(attempt.call_uuid, await gateway_of(one), NOW, NOW)
        die(url, "one")
        (rescued,) = await two.rescue()
        assert rescued.second_gateway_id == 1
        assert await calls(two, 5) == []
        assert await two.store.finish(ended(rescued))
        assert len(await calls(two, 5)) == 2


@pytest_twisted.ensureDeferred
async def test_no_second_leg_goes_through_a_gateway_that_was_made_inactive(url):
    async with two_nodes(url, frequency=100_000) as (one, _):
        (attempt,) = await calls(one, 1)
        gateway = await gateway_of(one)
        sql(url, "UPDATE gateway SET status = 0")
        with pytest.raises(BadValue, match="is not active"):
            await one.store.begin_leg(attempt.call_uuid, gateway, NOW, NOW)
        assert sql(url, "SELECT count(*) FROM attempt WHERE second_gateway_id = 1") == [(0,)]


@pytest_twisted.ensureDeferred
async def test_one_number_in_two_campaigns_is_called_by_one_node_only(url):
    async with two_nodes(url, 5, frequency=100_000) as (one, two):
        await one.add_campaign("autumn", 5, frequency=100_000)
        ones, twos = await one.plans(5, 2), await two.plans(5, 3)
        twos = [evolve(plan, call_uuid=f"two-{plan.call_uuid}") for plan in twos]
        begun = await gatherResults([Deferred.fromCoroutine(one.begin(ones)), Deferred.fromCoroutine(two.begin(twos))])
        called = [attempt.plan.candidate.number for some in begun for attempt in some]
        assert sorted(called) == sorted(set(called))
        assert len(called) == 5
        waiting = sql(url, "SELECT count(*) FROM subscriber WHERE status = 6")
        assert waiting == [(5,)]


@pytest_twisted.ensureDeferred
async def test_a_changed_frequency_acts_at_once_on_a_shared_database(url):
    async with two_nodes(url, frequency=1) as (one, two):
        assert len(await one.begin(await one.plans(1, 2))) == 1
        sql(url, "UPDATE campaign SET frequency = 600")
        [again] = await two.begin([evolve((await two.plans(1, 2))[0], call_uuid="again")])
        assert again.plan.due_at - NOW < timedelta(seconds=1)


@pytest_twisted.ensureDeferred
async def test_a_campaign_that_was_paused_is_begun_by_nobody(url):
    async with two_nodes(url, frequency=100_000) as (one, two):
        plans = await two.plans(5, 2)
        await one.seeds.set_campaign_status(2, CampaignStatus.PAUSE)
        assert await two.begin(plans) == []
        assert await two.store.statuses([1, 2, 404]) == {1: CampaignStatus.START, 2: CampaignStatus.PAUSE}


# --- death ------------------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_the_open_attempts_of_a_dead_node_are_taken_over_once(url):
    async with two_nodes(url, frequency=100_000) as (one, two):
        begun = await one.begin(await one.plans(5, 2))
        await one.store.finish(ended(begun[0]))
        assert await two.rescue() == []
        die(url, "one")
        rescued = await two.rescue()
        assert [attempt.call_uuid for attempt in rescued] == [attempt.call_uuid for attempt in begun[1:]]
        assert await two.rescue() == []
        assert await two.store.finish(ended(rescued[0]))


@pytest_twisted.ensureDeferred
async def test_who_cannot_reach_the_switch_of_a_dead_node_leaves_its_calls_alone(url):
    async with two_nodes(url, frequency=100_000) as (one, two):
        await one.begin(await one.plans(2, 2))
        die(url, "one")
        assert await two.rescue("fs2:8021") == []
        assert await two.rescue("") == []
        assert len(await two.rescue("fs1:8021")) == 2


@pytest_twisted.ensureDeferred
async def test_the_attempts_of_a_dead_node_are_taken_over_switch_by_switch(url):
    async with two_nodes(url, frequency=100_000) as (one, two):
        here, there = await one.plans(2, 2)
        await one.begin([here, evolve(there, switch="fs2:8021")])
        die(url, "one")
        assert [attempt.call_uuid for attempt in await two.rescue("fs1:8021", "fs3:8021")] == [here.call_uuid]
        assert await two.rescue("fs1:8021", "fs3:8021") == []
        (rest,) = await two.rescue("fs2:8021")
        assert (rest.call_uuid, rest.plan.switch) == (there.call_uuid, "fs2:8021")


@pytest_twisted.ensureDeferred
async def test_a_node_that_was_taken_for_dead_writes_nothing_until_it_has_joined_again(url):
    async with two_nodes(url, frequency=100_000) as (one, two):
        epoch = await one.beat()
        mine, lost = await one.begin(await one.plans(2, 2))
        await one.store.finish(ended(mine))
        die(url, "one")
        assert len(await two.rescue()) == 1
        with pytest.raises(StoreError, match="was taken for dead, and others have taken its calls over"):
            await one.begin(await one.plans(1, 2))
        assert not await one.store.finish(ended(lost))
        assert await one.beat() > epoch
        assert await one.store.open_attempts() == []
        assert not await one.store.finish(ended(lost))
        again = [evolve(plan, call_uuid="again") for plan in await one.plans(1, 2)]
        assert len(await one.begin(again)) == 1


@pytest_twisted.ensureDeferred
async def test_a_begin_under_way_and_a_rescue_leave_no_attempt_without_a_living_owner(url):
    async with two_nodes(url, frequency=100_000) as (one, two):
        plans = await one.plans(10, 2)
        die(url, "one")
        sql(url, "UPDATE attempt SET owner = owner")
        begun, rescued = [], []
        beginning = Deferred.fromCoroutine(one.begin(plans)).addCallbacks(begun.extend, lambda _: None)
        rescuing = Deferred.fromCoroutine(two.rescue()).addCallback(rescued.extend)
        await gatherResults([beginning, rescuing])
        owners = dict(sql(url, "SELECT call_uuid, owner FROM attempt WHERE ended_at IS NULL"))
        assert begun == []
        assert set(owners.values()) <= {"two"}


@pytest_twisted.ensureDeferred
async def test_a_node_that_starts_again_has_the_attempts_that_it_left(url):
    async with node(url, "one") as one:
        await one.seed(0)
        await one.add_campaign("summer", 5, frequency=100_000)
        await one.beat()
        begun = await one.begin(await one.plans(3, 2))
    async with node(url, "two") as two, node(url, "one") as again:
        await two.beat()
        assert await two.rescue() == []
        found = await again.store.open_attempts()
        assert [attempt.call_uuid for attempt in found] == [attempt.call_uuid for attempt in begun]
        assert await two.store.open_attempts() == []


# --- for people -------------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_nodes_are_listed_with_what_they_say_of_themselves(url):
    async with two_nodes(url, frequency=100_000) as (one, two):
        await one.begin(await one.plans(2, 2))
        await Nodes(two.database, NOW).leave(NOW)
        first, second = await one.database.run(lambda connection: nodes.entries(connection, NOW))
        assert (first.node.name, first.node.switches, first.node.ready, first.open_attempts) == (
            "one",
            {"fs1:8021": "core-1"},
            True,
            2,
        )
        assert first.node.figures == {"adopted-ringing": 2}
        assert first.alive
        assert (second.node.name, second.node.ready, second.node.stopped_at) == ("two", False, NOW)


@pytest_twisted.ensureDeferred
async def test_a_node_is_removed_when_it_is_dead_and_has_left_nothing_open(url):
    async with two_nodes(url, frequency=100_000) as (one, two):

        def remove(name):
            return one.database.run(lambda connection: nodes.remove(connection, name, NOW))

        with pytest.raises(NotFound):
            await remove("three")
        with pytest.raises(BadValue, match="two is alive"):
            await remove("two")
        await two.begin(await two.plans(2, 2))
        die(url, "two")
        with pytest.raises(BadValue, match="two has 2 open attempts"):
            await remove("two")
        assert len(await one.rescue()) == 2
        await remove("two")
        assert [entry.node.name for entry in await one.database.run(lambda c: nodes.entries(c, NOW))] == ["one"]


@pytest_twisted.ensureDeferred
async def test_a_frozen_node_that_was_removed_joins_anew_when_it_wakes(url):
    async with two_nodes(url, frequency=100_000) as (one, two):
        epoch = await two.beat()
        die(url, "two")
        await one.database.run(lambda connection: nodes.remove(connection, "two", NOW))
        with pytest.raises(StoreError, match="was taken for dead"):
            await two.begin(await two.plans(1, 2))
        assert await two.beat() > epoch
        begun = await two.begin(await two.plans(1, 2))
        assert await two.store.finish(ended(begun[0]))
        assert [entry.node.name for entry in await one.database.run(lambda c: nodes.entries(c, NOW))] == ["one", "two"]


@pytest_twisted.ensureDeferred
async def test_a_frozen_node_whose_name_another_process_took_stays_out(url):
    async with two_nodes(url) as (_, two):
        die(url, "two")
        sql(url, "DELETE FROM node WHERE name = 'two'")
        async with node(url, "two"):
            with pytest.raises(StoreError, match="another dialer bears the name of this node"):
                await two.beat()
