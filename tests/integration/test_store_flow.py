"""The flow's store on a database: what it promises to the flow, in and out of order."""

from __future__ import annotations

from datetime import timedelta

import pytest
import pytest_twisted
from attrs import evolve
from twisted.internet.defer import Deferred, gatherResults

from dialer.errors import BadValue, StoreError
from dialer.model import AttemptState, CampaignStatus, Contact, SubscriberStatus
from dialer.store.flow import MOVE_DELAY, MOVE_RETRY, Store
from dialer.store.times import to_column
from tests.grounds import on_sqlite, unwritable
from tests.unit.store.support import LATER, NOW, ended, numbers, world

pytestmark = pytest.mark.usefixtures("database_kind")

START, PAUSE, COMPLETE = SubscriberStatus.START, SubscriberStatus.PAUSE, SubscriberStatus.COMPLETE
IN_PROCESS, FORBIDDEN = SubscriberStatus.IN_PROCESS, SubscriberStatus.NOT_AUTHORISED


@pytest_twisted.ensureDeferred
async def test_snapshot_has_the_started_campaigns_and_every_gateway(tmp_path):
    async with world(tmp_path) as w:
        paused = await w.add_campaign("paused", status=CampaignStatus.PAUSE)
        await w.add_campaign("autumn", time_zone="UTC", frequency=7, weekdays=(True,) * 5 + (False, False), max_concurrent=4)
        snapshot = await w.store.snapshot()
        spring, autumn = snapshot.campaigns
        assert [spring.name, autumn.name] == ["spring", "autumn"]
        assert paused not in (spring.id, autumn.id)
        assert (autumn.frequency, autumn.max_concurrent) == (7, 4)
        assert autumn.weekdays == (True,) * 5 + (False, False)
        assert autumn.starting_at == NOW - timedelta(days=1)
        assert autumn.voip_app.data == "hello.wav"
        assert snapshot.gateways[1].parameters == (("a", "1"),)
        assert snapshot.gateways[1].dial_string == "loopback/{number}"


@pytest_twisted.ensureDeferred
async def test_candidates_are_those_that_are_ready_the_longest_waiting_first(tmp_path):
    async with world(tmp_path, contacts=4) as w:
        w.sql("UPDATE subscriber SET ready_at = ? WHERE id = 3", to_column(NOW - timedelta(hours=1)))
        w.sql("UPDATE subscriber SET ready_at = ? WHERE id = 1", to_column(NOW + timedelta(microseconds=1)))
        assert [ready.subscriber_id for ready in await w.store.candidates(1, NOW, 10)] == [3, 2, 4]
        assert [ready.subscriber_id for ready in await w.store.candidates(1, NOW, 2)] == [3, 2]


@pytest_twisted.ensureDeferred
async def test_a_begun_attempt_is_in_the_database_with_all_that_was_planned(tmp_path):
    async with world(tmp_path) as w:
        [plan] = await w.plans(1)
        [attempt] = await w.store.begin([plan], NOW, NOW, NOW + timedelta(seconds=15))
        assert attempt.plan == plan
        assert attempt.number_of_attempt == 1
        row = w.attempt(attempt)
        assert (row["call_uuid"], row["number"], row["dial_string"]) == ("call-1", "1000", "loopback/1000")
        assert (row["state"], row["owner"], row["gateway_id"]) == ("planned", "here", 1)
        assert (row["planned_at"], row["deadline"]) == ("2026-11-23 10:00:00.000000", "2026-11-23 10:00:15.000000")
        assert w.subscriber(1)["status"] == IN_PROCESS


@pytest_twisted.ensureDeferred
async def test_attempts_are_given_in_the_order_of_their_plans(tmp_path):
    async with world(tmp_path, contacts=250) as w:
        w.sql("UPDATE campaign SET frequency = 1000000")
        plans = list(reversed(await w.plans(250)))
        attempts = await w.begin(plans)
        assert [attempt.plan.call_uuid for attempt in attempts] == [plan.call_uuid for plan in plans]
        assert len({attempt.id for attempt in attempts}) == 250


@pytest_twisted.ensureDeferred
async def test_a_campaigns_next_call_is_one_even_space_after_the_last_begun(tmp_path):
    async with world(tmp_path) as w:
        first, second = await w.plans(2)
        await w.begin([first, evolve(second, due_at=NOW + timedelta(seconds=3))])
        [campaign] = (await w.store.snapshot()).campaigns
        assert campaign.next_call_at == NOW + timedelta(seconds=4)


@pytest_twisted.ensureDeferred
async def test_a_campaigns_next_call_never_moves_back(tmp_path):
    async with world(tmp_path) as w:
        first, second = await w.plans(2)
        await w.begin([evolve(first, due_at=NOW + timedelta(seconds=30))])
        await w.begin([second])
        [campaign] = (await w.store.snapshot()).campaigns
        assert campaign.next_call_at == NOW + timedelta(seconds=31)


@pytest_twisted.ensureDeferred
async def test_a_subscriber_that_is_planned_twice_is_begun_once(tmp_path):
    async with world(tmp_path) as w:
        [plan] = await w.plans(1)
        again = evolve(plan, call_uuid="again")
        assert len(await w.begin([plan, again])) == 1
        assert await w.begin([evolve(plan, call_uuid="and again")]) == []
        assert w.sql("SELECT count(*) FROM attempt") == [1]


@pytest_twisted.ensureDeferred
async def test_two_begins_that_wait_together_share_no_subscriber(tmp_path):
    async with world(tmp_path) as w:
        plans = await w.plans(3)
        others = [evolve(plan, call_uuid=f"other-{plan.call_uuid}") for plan in plans]
        first, second = await gatherResults([Deferred.fromCoroutine(w.begin(some)) for some in (plans, others)])
        assert (len(first), second) == (3, [])


@pytest_twisted.ensureDeferred
async def test_a_number_in_two_campaigns_rings_once_at_a_time(tmp_path):
    async with world(tmp_path, contacts=1) as w:
        other = await w.add_campaign("autumn", 1)
        [spring] = await w.plans(1)
        [autumn] = await w.plans(1, other)
        [attempt] = await w.begin([spring, autumn])
        assert attempt.plan == spring
        assert w.subscriber(2)["status"] == START
        assert await w.store.candidates(other, NOW, 10) == []
        assert await w.begin([autumn]) == []
        await w.store.finish(ended(attempt))
        assert len(await w.begin([autumn])) == 1


@pytest_twisted.ensureDeferred
async def test_nothing_is_begun_for_a_campaign_that_is_not_started(tmp_path):
    async with world(tmp_path) as w:
        plans = await w.plans(3)
        for status in (CampaignStatus.PAUSE, CampaignStatus.ABORT, CampaignStatus.END):
            await w.seeds.set_campaign_status(1, status)
            assert await w.begin(plans) == []
        await w.seeds.set_campaign_status(1, CampaignStatus.START)
        assert len(await w.begin(plans)) == 3


@pytest_twisted.ensureDeferred
async def test_nothing_is_begun_before_the_subscriber_is_ready(tmp_path):
    async with world(tmp_path) as w:
        plans = await w.plans(1)
        w.sql("UPDATE subscriber SET ready_at = ?", to_column(NOW + timedelta(seconds=1)))
        assert await w.begin(plans) == []
        assert len(await w.begin(plans, NOW + timedelta(seconds=1))) == 1


@pytest_twisted.ensureDeferred
async def test_a_number_that_came_onto_the_do_not_call_list_is_never_begun(tmp_path):
    async with world(tmp_path) as w:
        plans = await w.plans(3)
        await w.seeds.forbid(*["1001"])
        assert [attempt.plan.candidate for attempt in await w.begin(plans)] == [plans[0].candidate, plans[2].candidate]
        assert w.subscriber(2)["status"] == FORBIDDEN


@pytest_twisted.ensureDeferred
async def test_forbidden_numbers_do_not_hide_those_behind_them(tmp_path):
    async with world(tmp_path, contacts=20) as w:
        await w.seeds.forbid(*numbers(15))
        assert [ready.number for ready in await w.store.candidates(1, NOW, 4)] == ["1015", "1016", "1017", "1018"]
        progress = await w.seeds.progress()
        assert progress.subscribers == {START: 5, FORBIDDEN: 15}


@pytest_twisted.ensureDeferred
async def test_a_batch_with_an_impossible_row_begins_nothing(tmp_path):
    async with world(tmp_path) as w:
        first, second = await w.plans(2)
        with pytest.raises(StoreError, match="would not be consistent"):
            await w.begin([first, evolve(second, call_uuid=first.call_uuid)])
        assert w.sql("SELECT count(*) FROM attempt") == [0]
        assert w.subscriber(1)["status"] == START


@pytest_twisted.ensureDeferred
async def test_a_begun_attempt_has_the_counts_of_the_moment_of_its_claim(tmp_path):
    async with world(tmp_path) as w:
        [plan] = await w.plans(1)
        [attempt] = await w.begin([plan])
        await w.store.finish(ended(attempt, START, ready_at=NOW))
        [second] = await w.begin([evolve(plan, call_uuid="second")])
        assert second.number_of_attempt == 2
        assert second.plan.candidate.count_attempt == 1


@pytest_twisted.ensureDeferred
async def test_finish_stores_the_account_of_the_call(tmp_path):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        end = ended(
            attempt,
            q850=16,
            sip_status=200,
            sip_disposition="recv_bye",
            rang_at=NOW + timedelta(seconds=1),
            answered_at=NOW + timedelta(seconds=3),
            ring_ms=2000,
            talk_ms=17000,
            duration_ms=20000,
            machine=True,
            session={"digits": "1", "name": "Zoë"},
        )
        assert await w.store.finish(end) is True
        row = w.attempt(attempt)
        assert (row["state"], row["disposition"], row["cause"], row["counts_as_attempt"]) == (
            "ended",
            "ANSWERED",
            "NORMAL_CLEARING",
            1,
        )
        assert (row["q850"], row["sip_status"], row["sip_disposition"]) == (16, 200, "recv_bye")
        assert (row["ring_ms"], row["talk_ms"], row["duration_ms"], row["machine"]) == (2000, 17000, 20000, 1)
        assert (row["rang_at"], row["ended_at"]) == ("2026-11-23 10:00:01.000000", "2026-11-23 10:00:20.000000")
        assert row["session"] == '{"digits":"1","name":"Zoë"}'
        contact = w.subscriber(1)
        assert (contact["status"], contact["count_attempt"], contact["last_attempt_at"]) == (COMPLETE, 1, to_column(NOW))


@pytest_twisted.ensureDeferred
async def test_an_attempt_can_end_whatever_the_switch_says_of_it(tmp_path):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        w.store.move(attempt, AttemptState.RINGING, NOW, "core\0")
        end = ended(attempt, cause="NO\0CAUSE", sip_disposition="\0", q850=2**40, sip_status=-1, duration_ms=2**70)
        assert await w.store.finish(end) is True
        row = w.attempt(attempt)
        assert (row["core_uuid"], row["cause"], row["sip_disposition"]) == ("core\ufffd", "NO\ufffdCAUSE", "\ufffd")
        assert (row["q850"], row["sip_status"], row["duration_ms"]) == (2**31 - 1, 0, 2**31 - 1)


@pytest_twisted.ensureDeferred
async def test_an_attempt_ends_once(tmp_path):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        first, second = await gatherResults(
            [w.store.finish(ended(attempt)), w.store.finish(ended(attempt, START, ready_at=LATER, cause="LATE"))]
        )
        assert (first, second) == (True, False)
        assert w.attempt(attempt)["cause"] == "NORMAL_CLEARING"
        assert w.subscriber(1)["status"] == COMPLETE
        assert w.subscriber(1)["count_attempt"] == 1


@pytest_twisted.ensureDeferred
async def test_the_tally_of_a_contact_is_stored_with_the_end_and_read_with_the_claim(tmp_path):
    async with world(tmp_path) as w:
        plans = await w.plans(1)
        [attempt] = await w.begin(plans)
        assert attempt.plan.candidate.tally == "{}"
        end = ended(attempt, START, ready_at=NOW)
        tally = '{"busy":[1,"2026-11-27",1]}'
        await w.store.finish(evolve(end, decision=evolve(end.decision, tally=tally)))
        [again] = await w.begin([evolve(plans[0], call_uuid="second")])  # which was planned before that
        assert again.plan.candidate.tally == tally
        await w.store.finish(ended(again, START, ready_at=NOW - timedelta(hours=1), counts=False))
        assert w.subscriber(1)["tally"] == tally
        [third] = await w.plans(1)
        assert third.candidate.tally == tally


@pytest_twisted.ensureDeferred
async def test_a_requeued_attempt_does_not_count_and_is_remembered_as_one_more_in_a_row(tmp_path):
    async with world(tmp_path) as w:
        for requeues in (1, 2):
            [attempt] = await w.begin((await w.plans(1))[:1])
            await w.store.finish(ended(attempt, START, ready_at=NOW - timedelta(hours=1), counts=False))
            contact = w.subscriber(1)
            assert (contact["status"], contact["count_attempt"], contact["free_retries"]) == (START, 0, requeues)
            assert contact["last_attempt_at"] is None
        [attempt] = await w.begun()
        assert attempt.plan.candidate.free_retries == 2
        await w.store.finish(ended(attempt, START, ready_at=LATER))
        assert (w.subscriber(1)["count_attempt"], w.subscriber(1)["free_retries"]) == (1, 0)


@pytest_twisted.ensureDeferred
async def test_what_a_user_asked_for_during_the_call_wins_over_the_decision(tmp_path):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        await w.seeds.set_status(1, "1000", PAUSE)
        assert w.subscriber(1)["status"] == IN_PROCESS
        await w.store.finish(ended(attempt, START, ready_at=LATER))
        contact = w.subscriber(1)
        assert (contact["status"], contact["requested_status"], contact["ready_at"]) == (PAUSE, None, None)


@pytest_twisted.ensureDeferred
async def test_a_user_who_asked_for_start_during_the_call_has_the_contact_called_again(tmp_path):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        await w.seeds.set_status(1, "1000", START)
        await w.store.finish(ended(attempt, COMPLETE))
        contact = w.subscriber(1)
        assert (contact["status"], contact["ready_at"]) == (START, to_column(LATER))


@pytest_twisted.ensureDeferred
async def test_moves_are_durable_after_the_delay_and_not_before(tmp_path):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        w.store.move(attempt, AttemptState.SUBMITTED, NOW, "core-1")
        w.store.move(attempt, AttemptState.RINGING, NOW + timedelta(seconds=1))
        w.store.move(attempt, AttemptState.ANSWERED, NOW + timedelta(seconds=2))
        w.clock.advance(MOVE_DELAY - 0.001)
        await w.database.run(lambda _: None)
        assert w.attempt(attempt)["state"] == "planned"
        w.clock.advance(0.001)
        await w.database.run(lambda _: None)
        row = w.attempt(attempt)
        assert (row["state"], row["core_uuid"]) == ("answered", "core-1")
        assert row["rang_at"] == to_column(NOW + timedelta(seconds=1))
        assert row["answered_at"] == row["moved_at"] == to_column(NOW + timedelta(seconds=2))


@pytest_twisted.ensureDeferred
async def test_moves_are_written_before_open_attempts_are_read(tmp_path):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        w.store.move(attempt, AttemptState.SUBMITTED, NOW, "core-1")
        [found] = await w.store.open_attempts()
        assert (found.state, found.core_uuid) == (AttemptState.SUBMITTED, "core-1")
        assert w.clock.getDelayedCalls() == []


@pytest_twisted.ensureDeferred
async def test_a_finish_keeps_what_waiting_moves_knew_of_the_call(tmp_path):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        w.store.move(attempt, AttemptState.RINGING, NOW + timedelta(seconds=1), "core-1")
        await w.store.finish(ended(attempt))
        row = w.attempt(attempt)
        assert (row["state"], row["core_uuid"], row["rang_at"]) == ("ended", "core-1", to_column(NOW + timedelta(seconds=1)))


@pytest_twisted.ensureDeferred
async def test_a_finish_leaves_the_moves_of_others_waiting(tmp_path):
    async with world(tmp_path) as w:
        ending, ringing = await w.begun(2)
        w.store.move(ringing, AttemptState.RINGING, NOW)
        await w.store.finish(ended(ending))
        assert w.attempt(ringing)["state"] == "planned"


@pytest_twisted.ensureDeferred
async def test_a_move_after_the_end_changes_nothing(tmp_path):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        await w.store.finish(ended(attempt))
        before = w.attempt(attempt)
        w.store.move(attempt, AttemptState.RINGING, LATER, "other-core")
        await w.store.flush()
        assert w.attempt(attempt) == before


@pytest_twisted.ensureDeferred
async def test_moves_that_could_not_be_written_are_written_later(tmp_path):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        with unwritable(w.database.url, "attempt"):
            w.store.move(attempt, AttemptState.RINGING, NOW, "core-1")
            await w.store.flush()
            w.store.move(attempt, AttemptState.ANSWERED, LATER)
        w.clock.advance(MOVE_RETRY)
        await w.store.flush()
        row = w.attempt(attempt)
        assert (row["state"], row["core_uuid"], row["rang_at"]) == ("answered", "core-1", to_column(NOW))


@pytest_twisted.ensureDeferred
async def test_a_finish_that_cannot_be_written_does_not_take_the_moves_with_it(tmp_path):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        w.store.move(attempt, AttemptState.RINGING, NOW)
        with unwritable(w.database.url, "attempt", "ended_at"), pytest.raises(StoreError):
            await w.store.finish(ended(attempt))
        assert w.attempt(attempt)["state"] == "ringing"
        assert w.subscriber(1)["status"] == IN_PROCESS


@pytest_twisted.ensureDeferred
async def test_open_attempts_come_back_as_they_were_begun(tmp_path):
    async with world(tmp_path) as w:
        attempts = await w.begun(3)
        await w.store.finish(ended(attempts[1]))
        found = await w.store.open_attempts()
        rules = (await w.store.snapshot()).campaigns[0]
        assert found == [evolve(attempt, plan=evolve(attempt.plan, campaign=rules)) for attempt in (attempts[0], attempts[2])]


@pytest_twisted.ensureDeferred
async def test_a_second_leg_is_kept_until_it_or_its_call_ends(tmp_path):
    async with world(tmp_path) as w:
        gateway = (await w.store.snapshot()).gateways[1]
        first, second = await w.begun(2)
        for attempt in (first, second):
            assert await w.store.begin_leg(attempt.call_uuid, gateway, NOW, NOW) == NOW
        assert [found.second_gateway_id for found in await w.store.open_attempts()] == [1, 1]
        await w.store.end_leg(first.call_uuid)
        await w.store.end_leg("nobody")
        assert [found.second_gateway_id for found in await w.store.open_attempts()] == [None, 1]
        assert await w.store.finish(ended(second))
        assert w.attempt(second)["second_gateway_id"] is None


@pytest_twisted.ensureDeferred
async def test_no_second_leg_is_begun_through_a_gateway_that_calls_under_way_fill(tmp_path):
    async with world(tmp_path) as w:
        w.sql("UPDATE gateway SET maximum_call = 3")
        gateway = (await w.store.snapshot()).gateways[1]
        [attempt] = await w.begun()
        begun = Deferred.fromCoroutine(w.begin(await w.plans(2)))
        with pytest.raises(BadValue, match="takes 3 calls at a time"):
            await w.store.begin_leg(attempt.call_uuid, gateway, NOW, NOW)
        assert len(await begun) == 2
        assert w.attempt(attempt)["second_gateway_id"] is None


@pytest_twisted.ensureDeferred
async def test_no_second_leg_is_begun_for_a_call_that_has_ended_or_is_another_nodes(tmp_path):
    async with world(tmp_path) as w:
        gateway = (await w.store.snapshot()).gateways[1]
        over, lost = await w.begun(2)
        await w.store.finish(ended(over))
        elsewhere = Store(w.database, w.clock, node="there")
        for store, attempt in ((w.store, over), (elsewhere, lost)):
            with pytest.raises(BadValue, match="the call has ended, or is another node's by now"):
                await store.begin_leg(attempt.call_uuid, gateway, NOW, NOW)
        await w.store.begin_leg(lost.call_uuid, gateway, NOW, NOW)
        await elsewhere.end_leg(lost.call_uuid)
        assert w.attempt(lost)["second_gateway_id"] == 1


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_renamed_node_finds_the_attempts_of_its_old_name(tmp_path):
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        renamed = Store(w.database, w.clock, node="there")
        [found] = await renamed.open_attempts()
        assert found.call_uuid == attempt.call_uuid
        assert w.attempt(attempt)["epoch"] == 2
        assert await w.store.finish(ended(attempt)) is False
        assert await renamed.finish(ended(found)) is True


@pytest_twisted.ensureDeferred
async def test_calls_are_known_while_their_attempts_are_open_whoever_owns_them(tmp_path):
    async with world(tmp_path) as w:
        attempts = await w.begun(3)
        await w.store.finish(ended(attempts[1]))
        elsewhere = Store(w.database, w.clock, node="there")
        asked = [*(attempt.call_uuid for attempt in attempts), *(f"stray-{number}" for number in range(1200))]
        assert await elsewhere.known(asked) == {attempts[0].call_uuid, attempts[2].call_uuid}
        assert await elsewhere.known(asked[::-1]) == {attempts[0].call_uuid, attempts[2].call_uuid}
        assert await elsewhere.known([]) == set()


@pytest_twisted.ensureDeferred
async def test_progress_counts_subscribers_and_those_that_wait(tmp_path):
    async with world(tmp_path, contacts=6) as w:
        first, second, third = await w.begun(3)
        await w.store.finish(ended(first))
        await w.store.finish(ended(second, START, ready_at=LATER))
        progress = await w.seeds.progress()
        assert progress.subscribers == {START: 4, IN_PROCESS: 1, COMPLETE: 1}
        assert (progress.waiting, progress.next_ready_at) == (1, LATER)
        assert not progress.finished
        assert third.state is AttemptState.PLANNED


@pytest_twisted.ensureDeferred
async def test_counts_agree_with_the_subscribers_after_every_kind_of_change(tmp_path):
    async with world(tmp_path, contacts=8) as w:
        attempts = await w.begun(5)
        for attempt, status in zip(attempts, SubscriberStatus, strict=False):
            await w.store.finish(ended(attempt, status, ready_at=LATER))
        await w.seeds.set_status(1, "1007", PAUSE)
        await w.seeds.add_all(1, [Contact(number="777")])
        w.sql("DELETE FROM subscriber WHERE id = 6")
        counted = w.sql("SELECT status, count(*) FROM subscriber GROUP BY status ORDER BY status")
        assert w.sql("SELECT status, subscribers FROM subscriber_count WHERE subscribers > 0 ORDER BY status") == counted
