"""Deliveries: in order, at least once, again after failures."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import define, evolve, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from dialer.errors import HookFailed, StoreError
from dialer.hooks.outbox import BATCH, JsonLines, OutboxDeliverer
from dialer.model import Delivery
from tests.crash.logs import Complaints

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def delivery(number: int) -> Delivery:
    payload = json.dumps({"call_uuid": f"call-{number}"})
    return Delivery(id=number, kind="attempt.finished", campaign_id=1, payload=payload, tries=0, due_at=NOON)


@define(eq=False)
class MemoryOutbox:
    """The outbox in memory."""

    waiting: dict[int, Delivery] = field(factory=dict)
    arrived: list[int] = field(factory=list)
    error: Exception | None = None
    settling_error: Exception | None = None

    def due(self, now: datetime, limit: int) -> Deferred[list[Delivery]]:
        if self.error:
            raise self.error
        return succeed([one for one in self.waiting.values() if one.due_at <= now][:limit])

    def delivered(self, row_id: int, now: datetime) -> Deferred[bool]:
        if self.settling_error:
            return fail(self.settling_error)
        self.arrived.append(row_id)
        return succeed(self.waiting.pop(row_id, None) is not None)

    def try_again(self, row_id: int, due_at: datetime, error: str) -> Deferred[bool]:
        one = self.waiting[row_id]
        self.waiting[row_id] = evolve(one, tries=one.tries + 1, due_at=due_at)
        return succeed(True)


@define(eq=False)
class Receiver:
    """A hook that fails while `down`."""

    got: list[int] = field(factory=list)
    batches: list[int] = field(factory=list)
    down: bool = False

    async def __call__(self, deliveries: Sequence[Delivery]) -> None:
        if self.down:
            raise HookFailed("nobody is there")
        self.batches.append(len(deliveries))
        self.got += [one.id for one in deliveries]


@define(eq=False)
class Scene:
    clock: Clock = field(factory=Clock)
    outbox: MemoryOutbox = field(factory=MemoryOutbox)
    receiver: Receiver = field(factory=Receiver)
    deliverer: OutboxDeliverer = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.deliverer = OutboxDeliverer(
            self.clock, lambda: NOON + timedelta(seconds=self.clock.seconds()), self.outbox, self.receiver
        )

    def wait(self, *numbers: int) -> None:
        self.outbox.waiting |= {number: delivery(number) for number in numbers}


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    with Complaints() as said:
        yield said


def test_what_waits_is_delivered_in_order_and_settled(scene: Scene) -> None:
    scene.wait(1, 2, 3)
    scene.deliverer.start()
    assert scene.receiver.got == [1, 2, 3]
    assert scene.outbox.waiting == {}


def test_more_than_a_batch_is_delivered_at_one_look(scene: Scene) -> None:
    scene.wait(*range(1, BATCH + 51))
    scene.deliverer.start()
    assert scene.receiver.batches == [BATCH, 50]


def test_what_did_not_arrive_is_tried_again_with_growing_pauses(scene: Scene) -> None:
    scene.receiver.down = True
    scene.wait(1)
    scene.deliverer.start()
    scene.clock.pump([0.5] * 40)
    assert 3 <= scene.outbox.waiting[1].tries <= 6
    scene.receiver.down = False
    scene.clock.pump([0.5] * 40)
    assert scene.receiver.got == [1]


def test_a_database_that_does_not_serve_loses_nothing(scene: Scene) -> None:
    scene.wait(1)
    scene.outbox.error = StoreError("locked")
    scene.deliverer.start()
    assert scene.receiver.got == []
    scene.outbox.error = None
    scene.clock.pump([1.0] * 2)
    assert scene.receiver.got == [1]


def test_what_was_delivered_and_could_not_be_settled_is_delivered_again(scene: Scene, complaints: Complaints) -> None:
    scene.wait(1, 2)
    scene.outbox.settling_error = StoreError("locked")
    scene.deliverer.start()
    scene.outbox.settling_error = None
    scene.clock.pump([1.0] * 2)
    assert scene.receiver.got == [1, 2, 1, 2]
    assert scene.outbox.arrived == [1, 2]
    assert complaints.said == ["nothing is delivered: the database does not serve: locked"]


def test_stopping_delivers_what_is_due(scene: Scene) -> None:
    scene.deliverer.start()
    scene.wait(1)
    Deferred.fromCoroutine(scene.deliverer.stop())
    assert scene.receiver.got == [1]
    scene.wait(2)
    scene.clock.pump([1.0] * 5)
    assert scene.receiver.got == [1]


def write(path: Path, *numbers: int) -> None:
    Deferred.fromCoroutine(JsonLines(path)([delivery(number) for number in numbers]))


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
    Deferred.fromCoroutine(JsonLines(tmp_path)([delivery(1)])).addErrback(failures.append)
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
    Deferred.fromCoroutine(JsonLines(path)([delivery(1)])).addErrback(failures.append)
    assert failures[0].check(HookFailed)
    assert str(path) in failures[0].getErrorMessage()
    assert secret.read_text() == "secret"
