"""Calls without a campaign, on a database: what the flow is given of them, and how they go on and end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import pytest_twisted

from dialer.errors import AlreadyExists, BadValue, LimitExceeded, NotFound, Over
from dialer.management import calls, campaigns, grants, phonebooks, removals, users
from dialer.model import CampaignStatus, SubscriberStatus
from dialer.model.single_call import SingleCall, SingleCallState
from dialer.model.user import ADMINISTRATOR
from dialer.store import single_calls
from dialer.store.single_calls import AHEAD, StoredSingleCalls
from tests.seeding import account
from tests.unit.store.support import LATER, NOW, World, ended, world

pytestmark = pytest.mark.usefixtures("database_kind")

GIVEN = {"number": "+15551230001", "gateway_id": 1, "voip_app_id": 1}
HOUR = timedelta(hours=1)


async def made(w: World, key: str = "", **more: Any) -> SingleCall:
    call: SingleCall = await w.seeds.ask(calls.create, account(), {**GIVEN, **more}, key, granting=True)
    return call


async def read(w: World, call: SingleCall) -> SingleCall:
    found: SingleCall = await w.seeds.ask(calls.read, account(), call.id)
    return found


async def look(w: World, now: Any = NOW) -> None:
    await StoredSingleCalls(w.database).keep_going(now)


async def begun(w: World, call: SingleCall, now: Any = NOW) -> Any:
    snapshot = await w.store.snapshot(now)
    found = await w.store.candidates(call.id, now, 10)
    return await w.begin([w.plan(snapshot, each, now) for each in found], now)


@pytest_twisted.ensureDeferred
async def test_a_call_is_begun_as_those_of_campaigns_are_with_its_own_settings(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        call = await made(w, caller_id="+15550000000", voip_app_data="bye.wav", call_timeout=20, reference="order 7")
        assert (call.state, call.contact.reference, call.last) == (SingleCallState.WAITING, "order 7", None)
        [attempt] = await begun(w, call)
        plan = attempt.plan
        assert plan.candidate.number == "+15551230001"
        assert (plan.campaign.caller_id, plan.campaign.voip_app_data, plan.campaign.call_timeout) == (
            "+15550000000",
            "bye.wav",
            20,
        )
        assert (await read(w, call)).state is SingleCallState.CALLING
        assert await begun(w, call) == []
        assert [each.plan.campaign.id for each in await w.store.open_attempts()] == [call.id]
        await w.store.finish(ended(attempt, answered_at=NOW))
        over = await read(w, call)
        assert (over.state, over.count_attempt, over.is_over) == (SingleCallState.COMPLETED, 1, True)
        assert over.last is not None
        assert (over.last.call_uuid, over.last.cause) == (attempt.call_uuid, "NORMAL_CLEARING")


@pytest_twisted.ensureDeferred
async def test_a_call_is_in_no_list_of_campaigns_and_phonebooks(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        call = await made(w)
        for who in (account(), ADMINISTRATOR):
            found = await w.seeds.ask(campaigns.listed, who, frozenset(CampaignStatus))
            assert [each.campaign.name for each in found] == ["spring"]
            assert [each.name for each in await w.seeds.ask(phonebooks.listed, who)] == ["spring"]
        with pytest.raises(NotFound):
            await w.seeds.ask(campaigns.read, account(), call.id)
        with pytest.raises(NotFound):
            await w.seeds.ask(calls.read, account(), 1)
        assert [each.id for each in await w.seeds.ask(calls.listed, account())] == [call.id]
        assert await w.seeds.ask(calls.listed, account(2)) == []


@pytest_twisted.ensureDeferred
async def test_a_number_can_be_called_again_and_one_key_makes_one_call(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        first, second = await made(w, "one"), await made(w)
        assert first.id != second.id
        with pytest.raises(AlreadyExists):
            await made(w, "one")
        [attempt] = await begun(w, first)
        assert await begun(w, second) == [], "one number never rings twice at once"
        await w.store.finish(ended(attempt))
        assert len(await begun(w, second, LATER)) == 1


@pytest_twisted.ensureDeferred
async def test_a_call_for_later_sleeps_and_is_woken_before_its_time(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        call = await made(w, starting_at=NOW + HOUR)
        assert call.next_attempt_at == NOW + HOUR
        assert call.id not in {campaign.id for campaign in (await w.store.snapshot(NOW + HOUR)).campaigns}
        await look(w)
        assert w.sql("SELECT status FROM subscriber") == [SubscriberStatus.PAUSE]
        await look(w, NOW + HOUR - AHEAD)
        assert (await w.store.snapshot(NOW + HOUR - AHEAD)).campaigns == ()
        woken = await read(w, call)
        assert (woken.state, woken.next_attempt_at) == (SingleCallState.WAITING, NOW + HOUR)
        assert len(await begun(w, call, NOW + HOUR)) == 1


@pytest_twisted.ensureDeferred
async def test_many_calls_are_woken_and_ended_some_at_a_time(tmp_path, monkeypatch):
    async with world(tmp_path, contacts=0) as w:
        monkeypatch.setattr(single_calls, "AT_ONCE", 2)
        made_calls = [await made(w, starting_at=NOW + HOUR + timedelta(seconds=each // 2)) for each in range(5)]
        late = await made(w, starting_at=NOW + HOUR, expires_at=NOW + HOUR + timedelta(seconds=1))
        steps, keep_some_going = [], single_calls.keep_some_going
        monkeypatch.setattr(
            single_calls, "keep_some_going", lambda *some, **more: steps.append(some) or keep_some_going(*some, **more)
        )
        await look(w, NOW + HOUR + timedelta(seconds=1))
        assert len(steps) == 4
        assert w.sql("SELECT status, count(*) FROM subscriber GROUP BY status ORDER BY status") == [
            (SubscriberStatus.START, len(made_calls)),
            (SubscriberStatus.ABORT, 1),
        ]
        assert (await read(w, late)).is_over


@pytest_twisted.ensureDeferred
async def test_a_call_that_waits_is_cancelled_and_never_made(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        for starting_at in (NOW, NOW + HOUR):
            call = await made(w, starting_at=starting_at)
            assert (await w.seeds.ask(calls.cancel, account(), call.id)).state is SingleCallState.CANCELLED
            await look(w, NOW + HOUR)
            assert await begun_of(w, call, NOW + HOUR) == []
            assert (await w.seeds.ask(calls.cancel, account(), call.id)).state is SingleCallState.CANCELLED
            with pytest.raises(NotFound):
                await w.seeds.ask(calls.cancel, account(2), call.id)


async def begun_of(w: World, call: SingleCall, now: Any) -> Any:
    return await w.store.candidates(call.id, now, 10)


@pytest_twisted.ensureDeferred
async def test_a_call_that_rings_is_cancelled_and_stays_so_whatever_its_end(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        call = await made(w, max_retry=3)
        [attempt] = await begun(w, call)
        assert (await w.seeds.ask(calls.cancel, account(), call.id)).state is SingleCallState.CANCELLED
        await w.store.finish(ended(attempt, SubscriberStatus.START, ready_at=LATER, counts=False))
        assert (await read(w, call)).state is SingleCallState.CANCELLED
        assert await w.store.candidates(call.id, LATER, 10) == []


@pytest_twisted.ensureDeferred
async def test_a_call_that_is_over_cannot_be_cancelled(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        call = await made(w)
        [attempt] = await begun(w, call)
        await w.store.finish(ended(attempt, SubscriberStatus.FAIL))
        with pytest.raises(Over, match="it is failed"):
            await w.seeds.ask(calls.cancel, account(), call.id)


@pytest_twisted.ensureDeferred
async def test_a_forbidden_number_is_blocked_and_its_call_ends(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        call = await made(w)
        await w.seeds.forbid("+1 555 123 0001")
        assert await w.store.candidates(call.id, NOW, 10) == []
        blocked = await read(w, call)
        assert blocked.state is SingleCallState.BLOCKED
        assert "do-not-call" in str(blocked.reason)
        await look(w)
        assert (await read(w, call)).campaign.status is CampaignStatus.END


@pytest_twisted.ensureDeferred
async def test_calls_end_that_are_done_or_too_late_and_others_do_not(tmp_path):
    async with world(tmp_path, contacts=1) as w:
        done, late, live, waits = [await made(w, number=f"+1555123000{last}") for last in range(1, 5)]
        [attempt] = await begun(w, done)
        await w.store.finish(ended(attempt))
        await begun(w, live)
        w.sql(f"UPDATE campaign SET expires_at = '2026-11-23 10:30:00.000000' WHERE id IN ({late.id}, {live.id})")
        await look(w, NOW + HOUR)
        states = [(await read(w, call)).state for call in (done, late, live, waits)]
        assert states == [
            SingleCallState.COMPLETED,
            SingleCallState.EXPIRED,
            SingleCallState.CALLING,
            SingleCallState.WAITING,
        ]
        assert w.sql("SELECT id FROM campaign WHERE status < 3 ORDER BY id") == [1, live.id, waits.id]
        assert w.sql("SELECT status FROM subscriber WHERE campaign_id = 1") == [SubscriberStatus.START]


@pytest_twisted.ensureDeferred
async def test_limits_of_the_user_hold(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        w.sql("UPDATE user_account SET max_frequency = 10, max_number_subscriber_campaign = 12, max_retries = 1")
        with pytest.raises(LimitExceeded, match="retries"):
            await made(w, max_retry=2)
        for _ in range(10):
            await made(w)
        with pytest.raises(LimitExceeded, match="frequency of 10"):
            await made(w)
        await made(w, starting_at=NOW + HOUR)
        await made(w, starting_at=NOW + HOUR)
        with pytest.raises(LimitExceeded, match="contacts of 12"):
            await made(w, starting_at=NOW + 2 * HOUR)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"number": "nobody"}, "number"),
        ({"number": "112"}, "number"),
        ({"expires_at": NOW}, "expires_at"),
        ({"starting_at": NOW + HOUR, "expires_at": NOW + HOUR}, "expires_at"),
        ({"caller_id": "x"}, "caller_id"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_bad_value_is_named_and_nothing_is_written(tmp_path, more, field):
    async with world(tmp_path, contacts=0) as w:
        with pytest.raises(BadValue) as caught:
            await made(w, **more)
        assert caught.value.field == field
        assert w.sql("SELECT count(*) FROM campaign") == [1]


@pytest_twisted.ensureDeferred
async def test_a_number_that_the_user_may_not_call_is_refused(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        await w.seeds.ask(users.change, 1, {"blacklist": ["1555"]})
        with pytest.raises(BadValue, match="number"):
            await made(w)
        assert w.sql("SELECT count(*) FROM campaign") == [1]


@pytest_twisted.ensureDeferred
async def test_a_grant_that_a_waiting_call_uses_is_not_revoked_and_a_removed_user_calls_nobody(tmp_path):
    async with world(tmp_path, contacts=0) as w:
        call = await made(w)
        w.sql("UPDATE campaign SET archived_at = '2026-11-23 10:00:00.000000' WHERE id = 1")
        with pytest.raises(Exception, match="used by 1 campaign"):
            await w.seeds.ask(grants.revoke, 1, {"gateway": [1]})
        await removals.user(w.seeds.management, 1)
        assert w.sql("SELECT status FROM campaign WHERE single = 1") == [CampaignStatus.ABORT]
        assert await w.store.candidates(call.id, NOW, 10) == []
