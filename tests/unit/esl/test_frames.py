from __future__ import annotations

import itertools
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.errors import ProtocolError
from dialer.esl.frames import Frame, FrameDecoder, Limits, parse_headers, percent_decoded
from tests.unit.esl.recorded import NAMES, frames_of, frames_or_error, said_by_switch

SMALL = 20_000


def decode(data: bytes) -> list[Frame]:
    return frames_of([data])


def splits(data: bytes) -> list[int]:
    if len(data) <= SMALL:
        return list(range(1, len(data)))
    near_frame_ends = [end.end() + shift for end in re.finditer(rb"\n\n", data) for shift in (-2, -1, 0, 1)]
    positions = sorted({position for position in near_frame_ends if 0 < position < len(data)})
    chosen = random.Random(len(data))
    return chosen.sample(positions, min(20, len(positions))) + [chosen.randrange(1, len(data)) for _ in range(20)]


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_gives_the_same_frames_wherever_its_bytes_are_split(name: str) -> None:
    data = said_by_switch(name)
    whole = decode(data)
    assert whole
    for split in splits(data):
        assert frames_of([data[:split], data[split:]]) == whole, split


@pytest.mark.parametrize("name", [name for name in NAMES if len(said_by_switch(name)) <= SMALL])
def test_a_recording_gives_the_same_frames_when_its_bytes_come_one_by_one(name: str) -> None:
    data = said_by_switch(name)
    assert frames_of([data[i : i + 1] for i in range(len(data))]) == decode(data)


@pytest.mark.parametrize("name", NAMES)
def test_every_byte_of_a_recording_belongs_to_a_frame(name: str) -> None:
    decoder = FrameDecoder()
    decoder.receive_data(said_by_switch(name))
    while decoder.next_frame() is not None:
        pass
    assert decoder.pending == b""


header_text = st.text(st.characters(exclude_characters="\r\n:", exclude_categories=["Cs"]), min_size=1, max_size=12)
frame_bytes = st.builds(
    lambda headers, body: (
        b"".join(f"{name}: {value}\n".encode() for name, value in headers)
        + b"Content-Type: x/y\n"
        + (b"Content-Length: %d\n" % len(body) if body else b"")
        + b"\n"
        + body
    ),
    st.lists(st.tuples(header_text, header_text), max_size=4),
    st.binary(max_size=60),
)


@given(st.lists(frame_bytes, max_size=6), st.data())
def test_frames_do_not_depend_on_how_the_stream_is_cut(frames: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(frames)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=20)) | {0, len(stream)})
    pieces = [stream[a:b] for a, b in itertools.pairwise(cuts)]
    decoded = frames_of(pieces)
    assert decoded == decode(stream)
    assert len(decoded) == len(frames)


@given(st.binary(max_size=300), st.integers(1, 9))
def test_garbage_gives_frames_or_a_protocol_error_and_never_anything_else(garbage: bytes, size: int) -> None:
    pieces = [garbage[i : i + size] for i in range(0, len(garbage), size)]
    assert frames_or_error(pieces) == frames_or_error([garbage])


def test_auth_request_has_no_body() -> None:
    assert decode(b"Content-Type: auth/request\n\n") == [Frame("auth/request", {"Content-Type": "auth/request"})]


def test_events_send_their_length_before_their_type_and_api_responses_after() -> None:
    event, response = decode(
        b"Content-Length: 2\nContent-Type: text/event-json\n\n{}Content-Type: api/response\nContent-Length: 4\n\ntrue"
    )
    assert (event.content_type, event.body) == ("text/event-json", b"{}")
    assert (response.content_type, response.body) == ("api/response", b"true")


def test_carriage_returns_and_leading_blank_lines_are_tolerated() -> None:
    (frame,) = decode(b"\n\r\n\nContent-Type: api/response\r\nContent-Length: 3\r\n\r\na\nb")
    assert frame == Frame("api/response", {"Content-Type": "api/response", "Content-Length": "3"}, b"a\nb")


def test_the_first_of_duplicate_headers_counts() -> None:
    assert parse_headers(b"Hangup-Cause: A\nHangup-Cause: B") == {"Hangup-Cause": "A"}


def test_a_reply_may_hold_line_feeds_as_getvar_does() -> None:
    (frame,) = [f for f in decode(said_by_switch("21-outbound-async-full-linger")) if "z=1" in str(f.headers)]
    assert frame.headers["Reply-Text"] == "x,y\nz=1%2"


def test_an_encoded_line_feed_in_a_value_is_not_a_header() -> None:
    headers = parse_headers(b"variable_x: a%0AReply-Text: forged%0A%0A\nReply-Text: +OK")
    assert headers == {"variable_x": "a%0AReply-Text: forged%0A%0A", "Reply-Text": "+OK"}
    assert percent_decoded(headers["variable_x"]) == "a\nReply-Text: forged\n\n"


def test_invalid_utf8_is_replaced() -> None:
    (frame,) = decode(b"Content-Type: command/reply\nReply-Text: caf\xe9\n\n")
    assert frame.headers["Reply-Text"] == "caf\ufffd"


def test_a_body_beyond_the_limit_is_refused_before_it_arrives() -> None:
    decoder = FrameDecoder(Limits(body=10))
    decoder.receive_data(b"Content-Length: 11\nContent-Type: text/event-json\n\n")
    with pytest.raises(ProtocolError, match="11 bytes; at most 10"):
        decoder.next_frame()


def test_a_header_block_beyond_the_limit_is_refused_without_its_end() -> None:
    decoder = FrameDecoder(Limits(header=100))
    decoder.receive_data(b"x" * 101)
    with pytest.raises(ProtocolError, match="more than 100 bytes"):
        decoder.next_frame()


@pytest.mark.parametrize("length", [b"-1", b"1e3", b"", b"12 34", b"\xb2"])
def test_a_content_length_that_is_not_a_number_is_refused(length: bytes) -> None:
    with pytest.raises(ProtocolError, match="Content-Length"):
        decode(b"Content-Type: api/response\nContent-Length: " + length + b"\n\n")


def test_the_frames_before_an_error_are_given_and_the_error_stays() -> None:
    decoder = FrameDecoder()
    decoder.receive_data(b"Content-Type: auth/request\n\nHTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n")
    assert decoder.next_frame() is not None
    for _ in range(2):
        with pytest.raises(ProtocolError, match=r"HTTP/1\.1 400"):
            decoder.next_frame()


def test_a_read_stream_leaves_nothing_in_the_buffer() -> None:
    decoder = FrameDecoder()
    decoder.receive_data(said_by_switch("10-json-answer"))
    while decoder.next_frame() is not None:
        pass
    assert decoder.pending == b""
    assert len(decoder._buffer) == 0
