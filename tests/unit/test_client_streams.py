"""Server-sent events as the client of the API reads them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from dialer.client import ApiRefused, Client, Unreachable
from dialer.client.calls import MOST_TRIES, ApiCall
from dialer.client.streams import EventReader


def lines(number: int) -> list[str]:
    return [f"id: evt_{number}", "event: attempt.ended", f'data: {{"id": "evt_{number}"}}', ""]


def taken(reader: EventReader, *some: str) -> list[Any]:
    return [event for line in some if (event := reader.take(line)) is not None]


def test_an_event_is_complete_with_its_blank_line() -> None:
    reader = EventReader()
    assert taken(reader, ":", *lines(1)[:-1]) == []
    assert taken(reader, "") == [{"id": "evt_1"}]
    assert reader.last_id == "evt_1"


def test_an_id_alone_tells_how_far_the_stream_is() -> None:
    reader = EventReader("evt_1")
    assert taken(reader, "id: evt_9", "", "retry: 2500", "retry: soon") == []
    assert (reader.last_id, reader.retry) == ("evt_9", 2.5)


def test_what_a_lost_connection_has_begun_is_forgotten() -> None:
    reader = EventReader()
    taken(reader, 'data: {"id": ')
    reader.lost()
    assert taken(reader, *lines(2)) == [{"id": "evt_2"}]


class Streams:
    """Stands for connections: what each of them gives, before it is lost."""

    def __init__(self, client: Client, *each: list[str] | Exception) -> None:
        self.left = list(each)
        self.asked: list[str] = []
        client._lines = self.lines  # type: ignore[method-assign]

    def lines(self, connection: object, call: ApiCall) -> Iterator[str]:
        self.asked.append(call.target)
        some = self.left.pop(0) if self.left else ConnectionResetError("reset")
        if isinstance(some, Exception):
            raise some
        yield from some
        raise ConnectionResetError("reset")


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def client(slept: list[float]) -> Client:
    return Client("http://127.0.0.1:9", "", sleep=slept.append)


def test_a_stream_that_is_lost_goes_on_behind_the_last_event(client: Client, slept: list[float]) -> None:
    streams = Streams(client, lines(1), ["retry: 3000"], lines(2))
    assert [event["id"] for event in islice(client.events(kinds="attempt.*"), 2)] == ["evt_1", "evt_2"]
    assert streams.asked == [
        "/api/v2/events?kinds=attempt.%2A",
        "/api/v2/events?kinds=attempt.%2A&after=evt_1",
        "/api/v2/events?kinds=attempt.%2A&after=evt_1",
    ]
    assert slept == [1.0, 3.0]


def test_a_server_that_never_answers_is_given_up(client: Client, slept: list[float]) -> None:
    Streams(client, lines(1))
    with pytest.raises(Unreachable, match="does not answer: reset"):
        list(client.events())
    assert len(slept) == MOST_TRIES


def test_a_refusal_is_no_reason_to_ask_again(client: Client, slept: list[float]) -> None:
    Streams(client, ApiRefused(403, "forbidden", "no"))
    with pytest.raises(ApiRefused):
        list(client.events())
    assert slept == []
