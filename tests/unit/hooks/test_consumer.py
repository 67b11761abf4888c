"""Events come to their readers in order, at least once, again after failures."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from dialer.errors import HookFailed, StoreError
from dialer.hooks.consumer import BATCH, EventFeed
from dialer.hooks.json_lines import JsonLines
from dialer.model import Event, EventKind
from dialer.model.event import EventPlace, Told
from tests.crash.logs import Complaints

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


NAME, KINDS = "reader", frozenset({EventKind.ATTEMPT_ENDED})


def event(number: int, kind: EventKind = EventKind.ATTEMPT_ENDED) -> Told:
    data = json.dumps({"call_uuid": f"call-{number}"})
    return Told(Event(id=number, kind=str(kind), at=NOON, sequence=5, campaign_id=1, data=data))


@define(eq=False)
class MemoryEvents:
    """The events in memory, and how far their one reader is."""

    events: dict[int, Told] = field(factory=dict)
    position: int = 0
    holder: str = "here"
    error: Exception | None = None
    advance_error: Exception | None = None
    held: int = 0

    def hold(self, name: str, now: datetime) -> Deferred[EventPlace | None]:
        if self.error:
            raise self.error
        self.held += 1
        return succeed(EventPlace(self.position) if self.holder == "here" else None)

    def read(self, place: EventPlace, limit: int) -> Deferred[tuple[EventPlace, list[Told]]]:
        if self.error:
            raise self.error
        found = [one for number, one in sorted(self.events.items()) if number > place.position][:limit]
        return succeed((EventPlace(found[-1].event.id) if found else place, found))

    def advance(self, name: str, position: int) -> Deferred[bool]:
        if self.advance_error:
            return fail(self.advance_error)
        if self.holder != "here":
            return succeed(False)
        self.position = position
        return succeed(True)


@define(eq=False)
class Receiver:
    """Fails while `down`."""

    got: list[int] = field(factory=list)
    batches: list[int] = field(factory=list)
    down: bool = False
    tries: int = 0

    async def __call__(self, events: Sequence[Told]) -> None:
        self.tries += 1
        if self.down:
            raise HookFailed("nobody is there")
        self.batches.append(len(events))
        self.got += [one.event.id for one in events]


@define(eq=False)
class Scene:
    clock: Clock = field(factory=Clock)
    store: MemoryEvents = field(factory=MemoryEvents)
    receiver: Receiver = field(factory=Receiver)
    consumer: EventFeed = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.consumer = EventFeed(
            self.clock, lambda: NOON + timedelta(seconds=self.clock.seconds()), self.store, NAME, KINDS, self.receiver
        )

    def wait(self, *numbers: int) -> None:
        self.store.events |= {number: event(number) for number in numbers}


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    with Complaints() as said:
        yield said


def test_what_waits_is_delivered_in_order_and_settled(scene: Scene) -> None:
    scene.wait(1, 2, 3)
    scene.consumer.start()
    assert scene.receiver.got == [1, 2, 3]
    assert scene.store.position == 3


def test_more_than_a_batch_is_delivered_at_one_look(scene: Scene) -> None:
    scene.wait(*range(1, BATCH + 51))
    scene.consumer.start()
    assert scene.receiver.batches == [BATCH, 50]


def test_what_did_not_arrive_is_tried_again_with_growing_pauses(scene: Scene) -> None:
    scene.receiver.down = True
    scene.wait(1)
    scene.consumer.start()
    scene.clock.pump([0.5] * 40)
    assert 3 <= scene.receiver.tries <= 6
    assert scene.store.position == 0
    scene.receiver.down = False
    scene.clock.pump([0.5] * 40)
    assert scene.receiver.got == [1]


def test_a_database_that_does_not_serve_loses_nothing(scene: Scene) -> None:
    scene.wait(1)
    scene.store.error = StoreError("locked")
    scene.consumer.start()
    assert scene.receiver.got == []
    scene.store.error = None
    scene.clock.pump([1.0] * 2)
    assert scene.receiver.got == [1]


def test_what_was_delivered_and_could_not_be_settled_is_delivered_again(scene: Scene, complaints: Complaints) -> None:
    scene.wait(1, 2)
    scene.store.advance_error = StoreError("locked")
    scene.consumer.start()
    scene.store.advance_error = None
    scene.clock.pump([1.0] * 2)
    assert scene.receiver.got == [1, 2, 1, 2]
    assert scene.store.position == 2
    assert complaints.said == ["no events are handed over: the database does not serve: locked"]


def test_kinds_that_the_reader_does_not_ask_for_are_passed_over(scene: Scene) -> None:
    scene.store.events = {1: event(1, EventKind.ATTEMPT_STARTED), 2: event(2), 3: event(3, EventKind.SWITCH_UP)}
    scene.consumer.start()
    assert scene.receiver.got == [2]
    assert scene.store.position == 3


def test_a_reader_that_another_node_serves_is_left_to_it_until_it_is_free(scene: Scene) -> None:
    scene.wait(1)
    scene.store.holder = "there"
    scene.consumer.start()
    scene.clock.pump([0.5] * 10)
    assert scene.receiver.got == []
    scene.store.holder = "here"
    scene.clock.pump([0.5] * 2)
    assert scene.receiver.got == [1]


def test_a_node_that_lost_the_reader_meanwhile_does_not_go_on(scene: Scene) -> None:
    scene.consumer.start()
    scene.store.holder = "there"
    scene.wait(1)
    scene.clock.pump([0.5] * 2)
    scene.wait(2)
    scene.clock.pump([0.5] * 20)
    assert scene.receiver.got == [1]
    assert scene.store.position == 0


def test_stopping_delivers_what_is_due(scene: Scene) -> None:
    scene.consumer.start()
    scene.wait(1)
    Deferred.fromCoroutine(scene.consumer.stop())
    assert scene.receiver.got == [1]
    scene.wait(2)
    scene.clock.pump([1.0] * 5)
    assert scene.receiver.got == [1]


def write(path: Path, *numbers: int) -> None:
    Deferred.fromCoroutine(JsonLines(path)([event(number) for number in numbers]))


def uuids(path: Path) -> list[str]:
    return [
        json.loads(line)["call_uuid"] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith('{"call')
    ]


def test_outcomes_are_lines_of_json(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.jsonl"
    write(path, 1, 2)
    write(path, 3)
    assert uuids(path) == ["call-1", "call-2", "call-3"]


def test_a_line_that_was_cut_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.jsonl"
    path.write_bytes(b'{"cut')
    write(path, 1)
    assert uuids(path) == ["call-1"]


def test_a_file_that_cannot_be_written_is_a_failed_hook(tmp_path: Path) -> None:
    failures = []
    Deferred.fromCoroutine(JsonLines(tmp_path)([event(1)])).addErrback(failures.append)
    assert failures[0].check(HookFailed)
    assert str(tmp_path) in failures[0].getErrorMessage()


@pytest.mark.parametrize("kind", ["link", "hard link", "pipe"])
def test_outcomes_are_written_into_a_plain_file_only(tmp_path: Path, kind: str) -> None:
    path, secret = tmp_path / "outcomes.jsonl", tmp_path / "secret"
    secret.write_text("secret")
    if kind == "link":
        path.symlink_to(secret)
    elif kind == "hard link":
        path.hardlink_to(secret)
    else:
        os.mkfifo(path)
    failures = []
    Deferred.fromCoroutine(JsonLines(path)([event(1)])).addErrback(failures.append)
    assert failures[0].check(HookFailed)
    assert str(path) in failures[0].getErrorMessage()
    assert secret.read_text() == "secret"
