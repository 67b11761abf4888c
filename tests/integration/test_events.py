"""Events on both databases: written with their cause, read in order, and none is passed over."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import psycopg2
import pytest
import pytest_twisted

from dialer.errors import BadValue
from dialer.gateways import Backoff
from dialer.interfaces import OPT_OUT
from dialer.management import users
from dialer.model import AttemptState, Contact, EventKind, IdleCode, IdleReason, RefusedContact, SubscriberStatus
from dialer.model.event import EVENT_TYPES, EventPlace, Told, documentation, kinds_of
from dialer.store import consumers, events
from dialer.store.consumers import Consumers
from dialer.store.events import About
from dialer.store.flow import Store
from dialer.store.idle_news import StoredIdleNews
from dialer.wall_clock import utc_now
from tests.grounds import on_postgresql
from tests.unit.store.support import LATER, NOW, ended, world

pytestmark = pytest.mark.usefixtures("database_kind")

ALL = frozenset(EventKind)


async def told(w: Any) -> list[Told]:
    """All of them. Where the first ones were removed, the first look of a reader finds a gap."""
    readers = Consumers(w.database, "here")
    place, found = await readers.read(EventPlace(0), 100)
    return list(found or (await readers.read(place, 100))[1])


def kinds(found: list[Told]) -> list[str]:
    return [one.event.kind for one in found]


@pytest_twisted.ensureDeferred
async def test_an_attempt_is_told_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.store.wanted = ALL
        [attempt] = await w.begun()
        w.store.move(attempt, AttemptState.RINGING, NOW)
        await w.store.flush()
        w.store.move(attempt, AttemptState.ANSWERED, LATER)
        w.store.pressed(attempt, "42", LATER)
        await w.store.finish(ended(attempt, session={"digits": "42"}))
        found = await told(w)
        assert kinds(found) == [
            "attempt.started",
            "attempt.ringing",
            "attempt.answered",
            "attempt.digits",
            "attempt.ended",
            "contact.completed",
        ]
        assert [one.event.sequence for one in found] == [1, 2, 3, 4, 5, 8]
        for one in found:
            event = one.event
            assert (event.campaign_id, event.contact_id, event.attempt_id) == (1, 1, attempt.id)
            assert (event.call_uuid, event.user_id) == (attempt.call_uuid, attempt.plan.campaign.user_id)
            assert orjson.loads(event.data).keys() == EVENT_TYPES[one.kind].facts.keys()
        assert [found[1].event.at, found[2].event.at] == [NOW, LATER]
        assert orjson.loads(found[3].event.data)["digits"] == "42"


@pytest_twisted.ensureDeferred
async def test_moves_that_are_written_again_or_come_late_tell_nothing_new(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.store.wanted = ALL
        [attempt] = await w.begun()
        for state in (AttemptState.RINGING, AttemptState.UNCONFIRMED, AttemptState.RINGING):
            w.store.move(attempt, state, NOW)
            await w.store.flush()
        await w.store.finish(ended(attempt))
        w.store.move(attempt, AttemptState.ANSWERED, LATER)
        await w.store.flush()
        assert kinds(await told(w)) == ["attempt.started", "attempt.ringing", "attempt.ended", "contact.completed"]


@pytest_twisted.ensureDeferred
async def test_an_end_that_changes_nothing_tells_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.store.wanted = ALL
        [attempt] = await w.begun()
        await w.store.finish(ended(attempt))
        await w.store.finish(ended(attempt))
        assert kinds(await told(w)).count("attempt.ended") == 1


@pytest_twisted.ensureDeferred
async def test_a_contact_that_failed_or_opted_out_is_told_and_one_that_is_called_again_is_not(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.store.wanted = frozenset({EventKind.CONTACT_FAILED, EventKind.CONTACT_OPTED_OUT, EventKind.CONTACT_COMPLETED})
        again, failed, opted_out = await w.begun(3)
        await w.store.finish(ended(again, SubscriberStatus.START, ready_at=LATER))
        await w.store.finish(ended(failed, SubscriberStatus.FAIL))
        await w.store.finish(ended(opted_out, SubscriberStatus.COMPLETE, session={OPT_OUT: "1"}))
        found = await told(w)
        assert kinds(found) == ["contact.failed", "contact.opted_out", "contact.completed"]
        assert orjson.loads(found[0].event.data)["number"] == failed.plan.candidate.number


@pytest_twisted.ensureDeferred
async def test_kinds_that_nobody_asks_for_are_not_written(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.store.wanted = frozenset({EventKind.ATTEMPT_ANSWERED})
        [attempt] = await w.begun()
        w.store.move(attempt, AttemptState.RINGING, NOW)
        await w.store.finish(ended(attempt))
        assert await told(w) == []


@pytest_twisted.ensureDeferred
async def test_the_clients_own_word_for_a_contact_is_repeated(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.store.wanted = ALL
        w.sql("UPDATE contact SET reference = 'crm-77' WHERE id = 1")
        await w.begun()
        assert [one.reference for one in await told(w)] == ["crm-77"]


@pytest_twisted.ensureDeferred
async def test_readers_begin_with_what_comes_next_and_go_on_where_they_were(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.store.wanted = ALL
        here, there = Consumers(w.database, "here"), Consumers(w.database, "there")
        await w.begun()
        await here.enter("one", kinds_of("attempt.*"), NOW)
        now = utc_now()
        assert await here.hold("one", now) == EventPlace(1)
        assert await there.hold("one", now) is None
        assert await there.advance("one", 9) is False
        assert await here.advance("one", 2) is True
        await here.enter("one", ALL, NOW)
        assert await here.hold("one", now) == EventPlace(2)
        assert (await here.wanted(NOW)).asked == ALL


@pytest_twisted.ensureDeferred
async def test_a_reader_whose_time_is_over_asks_for_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        readers = Consumers(w.database, "here")
        await readers.enter("tail", kinds_of("switch.up"), NOW, LATER - NOW)
        assert (await readers.wanted(NOW)).asked == {EventKind.SWITCH_UP}
        w.sql("UPDATE event_consumer SET expires_at = ?", "2026-11-23 09:59:59.000000")
        assert (await readers.wanted(NOW)).asked == frozenset()


@pytest_twisted.ensureDeferred
async def test_old_events_go_in_small_steps_unless_a_reader_waits_for_them(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        readers = Consumers(w.database, "here")

        def add(connection: Any) -> None:
            for number in range(5):
                events.add(connection, EventKind.SWITCH_UP, NOW + timedelta(seconds=number), About(), {})

        await w.database.run(add)
        await readers.enter("one", ALL, NOW)
        w.sql("UPDATE event_consumer SET position = 3")
        assert await readers.prune(LATER + timedelta(days=1), 2) == 2
        assert await readers.prune(LATER + timedelta(days=1), 2) == 1
        assert await readers.prune(LATER + timedelta(days=1), 2) == 0
        await w.database.run(lambda connection: consumers.leave(connection, "one"))
        assert await readers.prune(NOW + timedelta(seconds=4), 9) == 1
        assert [one.event.at for one in await told(w)] == [NOW + timedelta(seconds=4)]


@on_postgresql
@pytest_twisted.ensureDeferred
async def test_an_event_that_becomes_visible_late_is_not_passed_over(tmp_path: Path) -> None:
    """Ids are given out before transactions commit."""
    async with world(tmp_path) as w:
        slow, fast = (psycopg2.connect(w.database.url) for _ in range(2))
        row = (
            "INSERT INTO event (kind, version, at, sequence, call_uuid, data) "
            "VALUES ('switch.up', 1, now() AT TIME ZONE 'UTC', 0, '{}', '{{}}')"
        )
        slow.cursor().execute(row.format("first"))
        fast.cursor().execute(row.format("second"))
        fast.commit()
        readers = Consumers(w.database, "here")
        place = EventPlace(0)
        for _ in range(3):
            place, found = await readers.read(place, 10)
            assert found == []
        slow.commit()
        place, found = await readers.read(place, 10)
        assert [one.event.call_uuid for one in found] == ["first", "second"]
        slow.cursor().execute(row.format("never"))
        slow.rollback()
        fast.cursor().execute(row.format("third"))
        fast.commit()
        place, found = await readers.read(place, 10)
        assert found == []
        place, found = await readers.read(place, 10)
        assert [one.event.call_uuid for one in found] == ["third"]
        assert place == EventPlace(found[-1].event.id)
        slow.close()
        fast.close()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("campaign.started", {"campaign.started"}),
        ("switch.*", {"switch.up", "switch.down"}),
        ("switch.up,contact.failed", {"switch.up", "contact.failed"}),
        ("", set()),
    ],
)
def test_kinds_are_named_one_by_one_or_by_a_pattern(text: str, names: set[str]) -> None:
    assert kinds_of(text) == {EventKind(name) for name in names}


@pytest.mark.parametrize("text", ["attempt", "attempt.*x", "nothing.*", "attempt.ended;"])
def test_a_kind_that_is_none_is_named(text: str) -> None:
    with pytest.raises(BadValue, match="there are no events"):
        kinds_of(text)


def test_the_page_tells_every_kind_with_its_facts() -> None:
    page = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
    assert documentation() in page, "run: python docs/write.py"


# --- campaigns that finish or idle, contacts that must not be called, gateways, keys ---------------------------------------


def facts(one: Told) -> dict[str, Any]:
    """What it tells: all that is declared, and nothing else."""
    found: dict[str, Any] = orjson.loads(one.event.data)
    assert found.keys() == EVENT_TYPES[one.kind].facts.keys()
    return found


async def told_of(w: Any, *wanted: EventKind) -> list[Told]:
    return [one for one in await told(w) if one.kind in wanted]


@pytest_twisted.ensureDeferred
async def test_a_campaign_finishes_with_the_end_of_its_last_contact_once(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.store.wanted = ALL
        again, failed, blocked = await w.begun(3)
        await w.store.finish(ended(again, SubscriberStatus.START, ready_at=LATER))
        await w.store.finish(ended(failed, SubscriberStatus.FAIL))
        await w.store.finish(ended(blocked, SubscriberStatus.NOT_AUTHORISED))
        assert await told_of(w, EventKind.CAMPAIGN_FINISHED) == []
        [again] = await w.begin(await w.plans(1, now=LATER), LATER)
        await w.store.finish(ended(again))
        await w.store.finish(ended(again))
        (found,) = await told_of(w, EventKind.CAMPAIGN_FINISHED)
        assert facts(found) == {"name": "spring", "completed": 1, "failed": 1, "blocked": 1, "aborted": 0}
        assert (found.event.user_id, found.event.campaign_id, found.event.at) == (1, 1, ended(again).outcome.ended_at)


@pytest_twisted.ensureDeferred
async def test_a_campaign_that_gets_more_contacts_finishes_again(tmp_path: Path) -> None:
    async with world(tmp_path, 1) as w:
        w.store.wanted = ALL
        for number in (None, "2000", "2001"):
            if number is not None:
                await w.seeds.add(1, [Contact(number=number)])
            [attempt] = await w.begin(await w.plans(1, now=LATER), LATER)
            await w.store.finish(ended(attempt))
        assert len(await told_of(w, EventKind.CAMPAIGN_FINISHED)) == 3


@pytest_twisted.ensureDeferred
async def test_two_nodes_that_end_the_last_calls_tell_once(tmp_path: Path) -> None:
    async with world(tmp_path, 2) as w:
        w.store.wanted = ALL
        first, second = await w.begun(2)
        other = StoredIdleNews(w.database, "there", lambda: ALL)
        await w.store.finish(ended(first))
        await w.store.finish(ended(second))
        ((campaign, progress, state),), _ = await other.started(0, NOW)
        assert (progress.finished, state) == (True, "all-done")
        await other.tell(campaign, IdleReason(IdleCode.ALL_DONE, "every contact is done"), NOW)
        assert len(await told_of(w, EventKind.CAMPAIGN_FINISHED)) == 1


@pytest_twisted.ensureDeferred
async def test_an_idle_campaign_is_told_when_its_reason_changes(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        news = StoredIdleNews(w.database, "here", lambda: ALL)
        ((campaign, _, state),), after = await news.started(0, NOW)
        assert (state, after) == ("", None)
        hours = IdleReason(IdleCode.OUTSIDE_HOURS, "it calls from 9 to 5", LATER)
        for reason in (hours, hours, IdleReason(IdleCode.NO_SWITCH, "no switch is connected"), hours, None, None, hours):
            await news.tell(campaign, reason, NOW)
        found = [facts(one) for one in await told_of(w, EventKind.CAMPAIGN_IDLE)]
        assert [each["reason"] for each in found] == ["outside-hours", "no-switch", "outside-hours", "outside-hours"]
        assert found[0] == {
            "name": "spring",
            "reason": "outside-hours",
            "text": "it calls from 9 to 5",
            "until": "2026-11-23T10:00:20+00:00",
        }
        assert found[1]["until"] is None
        w.store.wanted = ALL
        await w.begun()
        assert (await news.started(0, NOW))[0][0][2] == "", "a call was begun"
        await news.tell(campaign, hours, NOW)
        w.sql("UPDATE campaign SET status = 2")
        await news.forget_gone()
        await news.tell(campaign, IdleReason(IdleCode.NO_SWITCH, "none"), NOW)
        assert w.sql("SELECT count(*) FROM told_state") == [0], "it is not started"


@pytest_twisted.ensureDeferred
async def test_one_node_at_a_time_tells_of_idle_campaigns(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        here, there = (StoredIdleNews(w.database, name, lambda: ALL) for name in ("here", "there"))
        now = utc_now()
        assert [await here.hold(now), await there.hold(now), await here.hold(now)] == [True, False, True]
        w.sql("UPDATE event_consumer SET held_until = NULL")
        assert await there.hold(now) is True


async def listed(w: Any) -> None:
    await w.seeds.forbid("1000", reason="asked")


async def blacklisted(w: Any) -> None:
    await w.seeds.ask(users.change, 1, {"blacklist": ["1000"], "whitelist": ["1001"]})


async def not_whitelisted(w: Any) -> None:
    await w.seeds.ask(users.change, 1, {"whitelist": ["1001"]})


@pytest.mark.parametrize(
    ("forbid", "reason", "text"),
    [
        (listed, "do-not-call", "1000 is on the do-not-call list since 2026-11-23 10:00:00 UTC: asked"),
        (blacklisted, "blacklist", "1000 is on the blacklist of this user"),
        (not_whitelisted, "whitelist", "1000 is not on the whitelist of this user"),
    ],
)
@pytest.mark.parametrize("between", [False, True], ids=["before it is a candidate", "before its attempt"])
@pytest_twisted.ensureDeferred
async def test_a_contact_that_must_not_be_called_is_told_once_with_the_list(
    tmp_path: Path, forbid: Any, reason: str, text: str, between: bool
) -> None:
    async with world(tmp_path, 2) as w:
        w.store.wanted = ALL
        plans = await w.plans(2) if between else []
        await forbid(w)
        begun = await w.begin(plans or await w.plans(2))
        assert [attempt.plan.candidate.number for attempt in begun] == ["1001"]
        assert await w.plans(2) == []
        (found,) = await told_of(w, EventKind.CONTACT_BLOCKED)
        assert facts(found) == {"number": "1000", "subscriber_id": 1, "reason": reason, "text": text}
        assert (found.event.user_id, found.event.campaign_id, found.event.contact_id) == (1, 1, 1)


@pytest_twisted.ensureDeferred
async def test_a_campaign_whose_last_contact_must_not_be_called_has_finished(tmp_path: Path) -> None:
    async with world(tmp_path, 1) as w:
        w.store.wanted = ALL
        (plan,) = await w.plans(1)
        refused = RefusedContact(plan.candidate, "112 is an emergency number, which is never dialled")
        await w.store.refuse([refused], NOW)
        await w.store.refuse([refused], NOW)
        blocked, finished = await told(w)
        assert (facts(blocked)["reason"], facts(blocked)["text"]) == ("never-dialled", refused.reason)
        assert facts(finished) == {"name": "spring", "completed": 0, "failed": 0, "blocked": 1, "aborted": 0}


@pytest_twisted.ensureDeferred
async def test_a_gateway_that_goes_down_and_comes_up_is_told_once_whichever_node_sees_it(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        gateway = (await w.store.snapshot()).gateways[1]
        backoff = Backoff(faults=3, until=LATER, cause="GATEWAY_DOWN")
        there = Store(w.database, w.clock, node="there")
        w.store.wanted = there.wanted = ALL
        for store in (w.store, there, w.store):
            await store.tell_of_gateway(gateway, backoff, NOW)
        assert await there.gateways_down() == {"carrier"}
        for store in (there, w.store):
            await store.tell_of_gateway(gateway, None, LATER)
        assert await w.store.gateways_down() == set()
        down, up = await told(w)
        of_it = {"gateway_id": 1, "gateway": "carrier"}
        assert facts(down) == {**of_it, "node": "here", "reason": "GATEWAY_DOWN", "until": "2026-11-23T10:00:20+00:00"}
        assert (up.event.kind, facts(up)) == ("gateway.up", {**of_it, "node": "there"})
        assert EVENT_TYPES[EventKind.GATEWAY_UP].superusers
        assert EVENT_TYPES[EventKind.GATEWAY_DOWN].superusers


@pytest_twisted.ensureDeferred
async def test_keys_are_told_as_they_come_before_the_end_of_the_call(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.store.wanted = ALL
        [attempt] = await w.begun()
        for digits in ("4", "2"):
            w.store.pressed(attempt, digits, NOW)
        await w.store.flush()
        w.store.pressed(attempt, "#", LATER)
        await w.store.finish(ended(attempt, session={"digits": "42#"}))
        w.store.pressed(attempt, "9", LATER)
        await w.store.flush()
        found = await told_of(w, EventKind.ATTEMPT_DIGITS, EventKind.ATTEMPT_ENDED)
        assert [(one.event.kind, one.event.at) for one in found[:2]] == [("attempt.digits", NOW), ("attempt.digits", LATER)]
        assert [facts(one)["digits"] for one in found[:2]] == ["42", "#"]
        assert [one.event.kind for one in found[2:]] == ["attempt.ended"], "it has ended, and tells of no more keys"


@pytest_twisted.ensureDeferred
async def test_keys_are_kept_nowhere_when_nobody_asks_for_them(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        [attempt] = await w.begun()
        w.store.pressed(attempt, "4", NOW)
        w.store.wanted = ALL
        await w.store.flush()
        assert await told(w) == []
