"""The recordings of a real FreeSWITCH: what it said, and what the client said."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from dialer.errors import ProtocolError
from dialer.esl.frames import Frame, FrameDecoder

FOLDER = Path(__file__).parents[2] / "recordings"
NAMES = sorted(path.name.removesuffix(".jsonl") for path in FOLDER.glob("*.jsonl"))


@cache
def chunks(name: str) -> tuple[tuple[str, bytes], ...]:
    """(who, bytes) in order."""
    lines = (FOLDER / f"{name}.jsonl").read_text().splitlines()
    read = [json.loads(line) for line in lines[1:] if line]
    return tuple((chunk["from"], chunk["bytes"].encode("latin-1")) for chunk in read if "bytes" in chunk)


@cache
def said_by_switch(name: str) -> bytes:
    """All that the switch sent, as one stream."""
    return b"".join(data for who, data in chunks(name) if who == "switch")


def frames_of(pieces: list[bytes]) -> list[Frame]:
    """Decode a stream that arrives in these pieces."""
    decoder = FrameDecoder()
    frames = []
    for piece in pieces:
        decoder.receive_data(piece)
        while (frame := decoder.next_frame()) is not None:
            frames.append(frame)
    return frames


def frames_or_error(pieces: list[bytes]) -> tuple[list[Frame], str]:
    """As `frames_of`; an error ends the list."""
    decoder = FrameDecoder()
    frames: list[Frame] = []
    for piece in pieces:
        decoder.receive_data(piece)
        try:
            while (frame := decoder.next_frame()) is not None:
                frames.append(frame)
        except ProtocolError:
            return frames, "error"
    return frames, ""


def recorded_events(name: str) -> list[bytes]:
    """The bodies of the JSON events in a recording, as they came."""
    return [frame.body for frame in frames_of([said_by_switch(name)]) if frame.content_type == "text/event-json"]
