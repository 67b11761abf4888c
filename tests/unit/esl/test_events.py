from __future__ import annotations

import pytest

from dialer.errors import ProtocolError, UnreadableEvent
from dialer.esl.events import EslEvent, channel_data, decode_event
from dialer.esl.frames import Frame
from tests.unit.esl.recorded import frames_of, said_by_switch


def json_event(body: bytes) -> EslEvent:
    return decode_event(Frame("text/event-json", {}, body))


def plain_event(body: bytes) -> EslEvent:
    return decode_event(Frame("text/event-plain", {}, body))


def recorded(name: str, kind: str) -> list[EslEvent]:
    return [e for f in frames_of([said_by_switch(name)]) if "event" in f.content_type and (e := decode_event(f)).name == kind]


def test_a_json_event_has_its_headers_and_its_body() -> None:
    event = json_event(b'{"Event-Name":"BACKGROUND_JOB","Job-UUID":"j","_body":"+OK x\\n"}')
    assert (event.name, event.value("Job-UUID"), event.body) == ("BACKGROUND_JOB", "j", "+OK x\n")
    assert dict(event) == {"Event-Name": "BACKGROUND_JOB", "Job-UUID": "j", "_body": "+OK x\n"}


def test_a_missing_header_is_empty() -> None:
    assert json_event(b'{"Event-Name":"X"}').value("Unique-ID") == ""


def test_a_list_reads_as_freeswitch_writes_lists() -> None:
    assert json_event(b'{"Event-Name":"X","variable_x":["a","b"]}').value("variable_x") == "ARRAY::a|:b"


def test_invalid_utf8_in_json_is_replaced() -> None:
    assert json_event(b'{"Event-Name":"X","variable_n":"caf\xe9"}').value("variable_n") == "caf\ufffd"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b"null", b'{"a":\xff}', b"{}", b'{"Event-Name":""}', b"[" * 5000])
def test_what_is_no_json_object_with_a_name_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableEvent):
        json_event(body)


def test_an_xml_event_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError, match="text/event-xml"):
        decode_event(Frame("text/event-xml", {}, b"<event/>"))


def test_a_plain_event_is_percent_decoded_after_it_was_split() -> None:
    event = plain_event(b"Event-Name: X\nA: 1%0AEvent-Name: Y\nEmpty: _undef_\n\n")
    assert (event.name, event.value("A"), event.value("Empty"), event.body) == ("X", "1\nEvent-Name: Y", "", "")


def test_a_plain_event_with_two_inner_lengths_has_its_whole_body() -> None:
    event = plain_event(b"Event-Name: CUSTOM\nContent-Length: 5\nContent-Length: 5\n\na\n\nbc")
    assert event.body == "a\n\nbc"


def values(name: str, variable: str) -> set[str]:
    return {e.value(variable) for e in recorded(name, "CHANNEL_HANGUP_COMPLETE")} - {""}


def test_plain_events_lose_what_looked_encoded_and_json_events_do_not() -> None:
    assert values("31-special-characters-json", "variable_pct") == {"50%20off"}
    assert values("31-special-characters-plain", "variable_pct") == {"50 off"}


def test_a_recorded_job_has_the_same_result_in_json_and_plain() -> None:
    assert [e.body for e in recorded("10-json-busy", "BACKGROUND_JOB")] == ["-ERR USER_BUSY\n"]
    assert [e.body for e in recorded("10-plain-busy", "BACKGROUND_JOB")] == ["-ERR USER_BUSY\n"]


def test_the_answer_to_connect_is_the_channel() -> None:
    reply = frames_of([said_by_switch("21-outbound-async-full-linger")])[0]
    channel = channel_data(reply)
    assert channel.value("Unique-ID") == "c59e1653-0460-45db-a293-392395340abf"
    assert channel.value("FreeSWITCH-IPv6") == "fd00::2"
    assert (reply.headers["Reply-Text"], channel.value("Reply-Text")) == ("%2BOK%0A", "+OK\n")
    assert (channel.value("Socket-Mode"), channel.value("Control")) == ("async", "full")
