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
from dialer.interfaces import OPT_OUT
from dialer.model import AttemptState, EventKind, SubscriberStatus
from dialer.model.event import EVENT_TYPES, EventPlace, Told, documentation, kinds_of
from dialer.store import consumers, events
from dialer.store.consumers import Consumers
from dialer.store.events import About
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
        assert await here.wanted(NOW) == ALL


@pytest_twisted.ensureDeferred
async def test_a_reader_whose_time_is_over_asks_for_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        readers = Consumers(w.database, "here")
        await readers.enter("tail", kinds_of("switch.up"), NOW, expires_at=LATER)
        assert await readers.wanted(NOW) == {EventKind.SWITCH_UP}
        assert await readers.wanted(LATER) == frozenset()


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
