"""Events of others are passed over, undecoded; nothing that matters is."""

from __future__ import annotations

import orjson
import pytest

from dialer.esl.connection import EslConnection
from dialer.esl.events import EslEvent, concerns
from tests.unit.esl.recorded import recorded_events

MINE = "11111111-2222-3333-4444-555555555555"


def event(**headers: str) -> bytes:
    return orjson.dumps({name.replace("_", "-"): value for name, value in headers.items()})


def owns(call_uuid: str) -> bool:
    return call_uuid == MINE


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (event(Event_Name="CHANNEL_ANSWER", Unique_ID=MINE), True),
        (event(Event_Name="CHANNEL_ANSWER", Unique_ID="other"), False),
        (event(Event_Name="CHANNEL_HANGUP_COMPLETE", Unique_ID="other"), True),
        (event(Event_Name="BACKGROUND_JOB", Job_UUID=MINE), True),
        (event(Event_Name="BACKGROUND_JOB", Job_UUID="other"), False),
        (event(Event_Name="HEARTBEAT", Core_UUID="core"), True),
        (event(Event_Name="SHUTDOWN"), True),
        (event(Event_Name="CHANNEL_ANSWER", Caller_Unique_ID="other", Unique_ID=MINE), True),
        (event(Event_Name="CHANNEL_ANSWER", Caller_Name='"Unique-ID":"other"', Unique_ID=MINE), True),
        (event(Event_Name="CHANNEL_ANSWER", Caller_Name="CHANNEL_HANGUP_COMPLETE", Unique_ID="other"), False),
        (b'{"Event-Name":"CHANNEL_ANSWER","Unique-ID":"' + b"x" * 100, True),
        (b"not JSON", True),
    ],
)
def test_an_event_concerns_its_owner_and_an_end_everybody(body: bytes, wanted: bool) -> None:
    assert concerns(body, owns) is wanted


def test_of_a_recorded_call_of_somebody_else_only_the_end_is_read() -> None:
    names = [EslEvent(orjson.loads(body)).name for body in recorded_events("10-json-busy") if concerns(body, owns)]
    assert names == ["CHANNEL_HANGUP_COMPLETE"]


def test_a_recorded_call_of_ones_own_is_read_whole() -> None:
    bodies = recorded_events("10-json-busy")
    uuid = next(value for body in bodies if (value := EslEvent(orjson.loads(body)).value("Unique-ID")))
    assert all(concerns(body, uuid.__eq__) for body in bodies if b"Unique-ID" in body)


def test_a_connection_passes_over_what_concerns_nobody() -> None:
    connection = EslConnection(concerns=lambda body: b"mine" in body)
    for whose in ("other", "mine", "other"):
        body = event(Event_Name="CHANNEL_ANSWER", Unique_ID=whose)
        connection.receive_data(b"Content-Length: %d\nContent-Type: text/event-json\n\n" % len(body) + body)
    happening = connection.next_event()
    assert isinstance(happening, EslEvent)
    assert happening.value("Unique-ID") == "mine"
    assert connection.next_event() is None
