"""Reads the recorded conversations: frames of the switch, events with their headers in order."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import frozen

HERE = Path(__file__).resolve()
# Most are of FreeSWITCH 1.11.2; those beside this file are of 1.10.12, for what the others do not cover.
FOLDERS = (HERE.parents[2] / "recordings", HERE.parent / "more_recordings")

Headers = list[tuple[str, str]]


@frozen
class Frame:
    """One frame as the switch sent it: the header block with its empty line, and the body."""

    head: bytes
    body: bytes

    @property
    def content_type(self) -> str:
        return dict(parse_plain(self.head)).get("Content-Type", "")


def lines(name: str) -> list[dict[str, Any]]:
    """The chunks of a recording: `at`, `from` and `bytes` or `eof`."""
    (path,) = (folder / f"{name}.jsonl" for folder in FOLDERS if (folder / f"{name}.jsonl").exists())
    return [json.loads(line) for line in path.read_text().splitlines()[1:]]


def switch_bytes(name: str) -> bytes:
    """Everything that the switch said in a recording."""
    chunks = lines(name)
    return b"".join(c["bytes"].encode("latin-1") for c in chunks if c["from"] == "switch" and "bytes" in c)


def frames(name: str) -> Iterator[Frame]:
    """The frames of the switch in a recording."""
    return split(switch_bytes(name))


def split(data: bytes) -> Iterator[Frame]:
    """The frames in some bytes; an incomplete last one is left out."""
    while (end := data.find(b"\n\n")) >= 0:
        head = data[: end + 2]
        length = int(dict(parse_plain(head)).get("Content-Length", "0"))
        if len(data) < end + 2 + length:
            return
        yield Frame(head, data[end + 2 : end + 2 + length])
        data = data[end + 2 + length :]


def parse_plain(block: bytes) -> Headers:
    """The headers of a plain block, percent-decoded, in order, repeated ones included."""
    lines = block.partition(b"\n\n")[0].decode().split("\n")
    pairs = (line.split(": ", 1) for line in lines if ": " in line)  # a reply to getvar may have further lines
    return [(name, urllib.parse.unquote(value)) for name, value in pairs]


def parse_event(frame: Frame) -> Headers:
    """The headers of an event of either format, in order; the body of the event as `_body`."""
    if frame.content_type == "text/event-json":
        pairs: Headers = json.loads(frame.body, object_pairs_hook=list)
        return pairs
    headers = parse_plain(frame.body)
    body = frame.body.partition(b"\n\n")[2]
    return [*headers, ("_body", body.decode())] if body else headers


def events(name: str) -> Iterator[tuple[Frame, Headers]]:
    """The events of a recording with the frames that carried them."""
    for frame in frames(name):
        if frame.content_type in ("text/event-json", "text/event-plain"):
            yield frame, parse_event(frame)
