"""Live events: whose they are, where they begin, and that none is lost and none comes twice."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted
from twisted.internet.task import deferLater

from api import build_site
from dialer.envelope import line, outward_id
from dialer.management import Management, live
from dialer.model import EventKind
from dialer.model.event import EventPlace
from dialer.store.consumers import Consumers
from dialer.store.database import Database, NodeIdentity
from tests.grounds import on_postgresql, on_sqlite
from tests.unit.api.v2.listening import happen, happen_often, listen, refused
from tests.unit.api.v2.support import Client, pointers
from tests.unit.api.world import MANY, NOW, Reply, World

NOT_OURS = "evt_0123456789abcdef"


def problem_of(found: Any) -> tuple[int, str]:
    return found.status, found.problem["type"].rpartition("#")[2]


def own_id(api: World, number: int) -> str:
    return outward_id(api.database.installation_id, number)


@pytest_twisted.ensureDeferred
async def test_what_happens_is_told_as_webhooks_tell_it(api: World) -> None:
    await happen(api)
    ann = await listen(api)
    number = await happen(api, number="15551230001")
    await ann.has(number)
    _, [told] = await Consumers(api.database, "here").read(EventPlace(number - 1), 10)
    assert ann.blocks == [{"retry": "1037", "id": own_id(api, number), "event": "attempt.ended", "data": line(told)}]


@pytest_twisted.ensureDeferred
async def test_who_comes_back_goes_on_behind_the_last_event(api: World) -> None:
    ann = await listen(api)
    first = await happen(api)
    await ann.has(first)
    await ann.leave()
    missed = [await happen(api) for _ in range(3)]
    again = await listen(api, last=ann.last_id)
    await again.has(*missed)
    following = await happen(api)
    await again.has(*missed, following)
    by_query = await listen(api, f"?after={own_id(api, missed[0])}")
    await by_query.has(*missed[1:], following)
    both = await listen(api, f"?after={own_id(api, missed[0])}", last=own_id(api, missed[1]))
    await both.has(missed[2], following)


@pytest_twisted.ensureDeferred
async def test_who_is_far_behind_reads_the_table_and_is_then_told_as_others_are(
    api: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_RECENT", 50)
    await happen_often(api, 730)
    first = await listen(api)
    far = [await listen(api, last=own_id(api, place)) for place in (0, 0, 3, 600, 690)]
    last = await happen(api)
    for stream, place in zip(far, (0, 0, 3, 600, 690), strict=True):
        await stream.has(*range(place + 1, last + 1))
    await first.has(last)


@pytest_twisted.ensureDeferred
async def test_a_campaign_and_kinds_can_be_chosen(api: World) -> None:
    one, two = [(await api.campaign(name))["id"] for name in ("spring", "autumn")]
    ended = await listen(api, "?kinds=attempt.ended,contact.*")
    of_two = await listen(api, f"?campaign={two}")
    both = await listen(api, f"?campaign={one}&kinds=attempt.*")
    numbers = [
        await happen(api, kind, campaign=campaign)
        for kind in (EventKind.ATTEMPT_STARTED, EventKind.ATTEMPT_ENDED, EventKind.CONTACT_FAILED, EventKind.CAMPAIGN_ENDED)
        for campaign in (one, two)
    ]
    await ended.has(*numbers[2:6])
    await of_two.has(*numbers[1::2])
    await both.has(numbers[0], numbers[2])


@pytest_twisted.ensureDeferred
async def test_a_user_hears_of_its_own_things_and_a_superuser_of_all(api: World) -> None:
    ann, bob, root = [await listen(api, user=user) for user in ("ann", "bob", "root")]
    of_ann, of_bob = await happen(api, user=1), await happen(api, user=2)
    of_all = await happen(api, EventKind.SWITCH_UP, user=None, campaign=None)
    told_of_superusers = await happen(api, EventKind.SWITCH_DOWN, user=1, campaign=None)
    last = await happen(api, user=1)
    await root.has(of_ann, of_bob, of_all, told_of_superusers, last)
    await ann.has(of_ann, last)
    await bob.has(of_bob)
    back = await listen(api, user="bob", last=own_id(api, of_ann))
    await back.has(of_bob)


@pytest_twisted.ensureDeferred
async def test_kinds_are_written_as_long_as_somebody_follows_them_and_a_while_longer(api: World) -> None:
    readers = Consumers(api.database, "here")
    assert EventKind.ATTEMPT_RINGING not in (await readers.wanted(NOW)).asked
    ann = await listen(api, "?kinds=attempt.ringing")
    await ann.until(lambda: bool(api.sql("SELECT 1 FROM event_consumer")))
    assert (await readers.wanted(NOW)).asked == {EventKind.ATTEMPT_RINGING}
    bob = await listen(api, "?kinds=contact.*", user="bob")
    await bob.until(lambda: "contact" in api.sql("SELECT kinds FROM event_consumer")[0][0])
    assert EventKind.ATTEMPT_RINGING in (await readers.wanted(NOW)).asked
    await ann.leave()
    await bob.leave()
    assert EventKind.ATTEMPT_RINGING in (await readers.wanted(NOW + live.LINGER / 2)).asked, "who comes back misses nothing"
    api.sql("UPDATE event_consumer SET expires_at = ?", "2026-11-23 09:59:59.000000")
    assert (await readers.wanted(NOW)).asked == frozenset()


@pytest_twisted.ensureDeferred
async def test_another_node_tells_the_events_of_all(api: World) -> None:
    from twisted.internet import reactor

    dialling = api.database.dialect == "postgresql"
    database = Database(api.database.url, reactor, dialling=dialling, node=NodeIdentity(name="other", lease=600.0))
    await database.start()
    management = Management(database, lambda: NOW, None, reactor)
    management.start()
    site = build_site(management, MANY, reactor)
    port = reactor.listenTCP(0, site, interface="127.0.0.1")
    there = World(database, site, management, api.flow, port, api.agent)
    try:
        one, two = await listen(api), await listen(there)
        here, far = await happen(api), await happen(there)
        await one.has(here, far)
        await two.has(here, far)
        await one.leave()
        missed = await happen(there)
        back = await listen(there, last=one.last_id)
        await back.has(missed)
    finally:
        await port.stopListening()
        await site.drain()
        management.stop()
        await database.stop()


@on_postgresql
@pytest_twisted.ensureDeferred
async def test_an_event_that_becomes_visible_late_comes_before_those_behind_it(api: World) -> None:
    import psycopg2

    ann = await listen(api)
    slow = psycopg2.connect(api.database.url)
    slow.cursor().execute(
        "INSERT INTO event (kind, version, at, sequence, user_id, call_uuid, data) "
        "VALUES ('attempt.ended', 1, now() AT TIME ZONE 'UTC', 0, 1, '', '{}')"
    )
    behind = await happen(api)
    newcomer = await listen(api)
    await _turns(100)
    assert ann.ids == []
    slow.commit()
    slow.close()
    await ann.has(behind - 1, behind)
    assert newcomer.ids == []


async def _turns(number: int) -> None:
    from twisted.internet import reactor

    for _ in range(number):
        await deferLater(reactor, 0.005)


# --- places that are none ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["memory", "table"])
@pytest_twisted.ensureDeferred
async def test_who_was_away_too_long_is_told_that_events_are_missing(
    api: World, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    if where == "table":
        monkeypatch.setattr(live, "MOST_RECENT", 5)
    await happen_often(api, 20)
    api.sql("DELETE FROM event WHERE id <= 10")
    ann = await listen(api, last=own_id(api, 4))
    await ann.has(10, *range(11, 21))
    lost = ann.blocks[0]
    assert (lost["event"], ann.events[0]) == ("stream.lost", {"type": "stream.lost", "oldest": own_id(api, 11)})
    whole = await listen(api, last=own_id(api, 10))
    await whole.has(*range(11, 21))


@pytest_twisted.ensureDeferred
async def test_a_table_that_was_emptied_is_told_apart_from_one_in_which_nothing_happened(api: World) -> None:
    await happen_often(api, 5)
    api.sql("DELETE FROM event")
    ann, current = await listen(api, last=own_id(api, 3)), await listen(api, last=own_id(api, 5))
    number = await happen(api)
    await ann.has(5, number)
    assert ann.events[0] == {"type": "stream.lost", "oldest": own_id(api, 6)}
    await current.has(number)


@pytest.mark.parametrize("id_", [f"{NOT_OURS}_3", "ahead"])
@pytest_twisted.ensureDeferred
async def test_an_event_that_this_database_never_had_is_told_and_what_is_kept_follows(api: World, id_: str) -> None:
    await happen_often(api, 5)
    ann = await listen(api, last=own_id(api, 2**63 - 1) if id_ == "ahead" else id_)
    await ann.has(0, 1, 2, 3, 4, 5)
    assert ann.events[0] == {"type": "stream.lost", "oldest": own_id(api, 1)}


@on_sqlite
@pytest.mark.parametrize(
    "text", ["4711", "evt_4711", "evt_0123456789abcdef_-1", "evt_0123456789abcdef_" + "9" * 12_000, "%00"]
)
@pytest_twisted.ensureDeferred
async def test_what_is_no_id_is_refused(api: World, text: str) -> None:
    by_header = await refused(api, last=text)
    assert problem_of(by_header) == (400, "bad-request")
    assert "Last-Event-ID: expected the id of an event as it came" in by_header.problem["detail"]
    reply: Reply = await Client(api).get(f"events?after={text}")
    assert (reply.status, pointers(reply)) == (400, ["after"])
    assert api.site.streams == 0


@on_sqlite
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?kinds=", ["kinds"]),
        ("?kinds=nothing.*", ["kinds"]),
        ("?kinds=attempt.ended,nope", ["kinds"]),
        ("?campaign=0", ["campaign"]),
        ("?campaign=x&kinds=%00&after=", ["campaign", "kinds", "after"]),
        ("?since=1", ["since"]),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_parameter_that_means_nothing_is_named(api: World, query: str, names: list[str]) -> None:
    reply = await Client(api).get(f"events{query}")
    assert (reply.status, pointers(reply)) == (400, names)


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_somebody_elses_campaign_does_not_exist(api: World) -> None:
    campaign = (await api.campaign())["id"]
    assert problem_of(await refused(api, f"?campaign={campaign}", user="bob")) == (404, "not-found")
    assert problem_of(await refused(api, "?campaign=77")) == (404, "not-found")
    for user in ("ann", "root"):
        await (await listen(api, f"?campaign={campaign}", user=user)).leave()
