"""The encoder against the recordings: the same values give the same bytes."""

from __future__ import annotations

import re

import pytest

from dialer.simulator import wire
from dialer.simulator.templates import Slots, Template, load
from tests.unit.simulator.differences import DIFFERENCES
from tests.unit.simulator.make_templates import GROUPS, TARGET, family_of, key_of, render
from tests.unit.simulator.recordings import Frame, Headers, events, frames, parse_plain

# Recording and how its call ended. The plain ones were not used to make the templates.
CALLS = (
    ("10-json-answer", "local"),
    ("10-json-answer2s-remote-bye", "remote"),
    ("10-json-busy", "refused"),
    ("10-json-404", "refused"),
    ("10-json-503", "refused"),
    ("10-json-603", "refused"),
    ("10-json-dead-port", "refused"),
    ("10-json-noanswer", "cancelled"),
    ("10-json-early-media", "local"),
    ("10-json-invalid-gateway", ""),
    ("10-json-loopback-answer", "local"),
    ("10-json-loopback-busy", "refused"),
    ("10-json-loopback-noanswer", "cancelled"),
    ("10-plain-answer", "local"),
    ("10-plain-busy", "refused"),
    ("10-plain-loopback-answer", "local"),
    ("52-ringing-busy", "declined"),
    ("50-dtmf", "local"),
)


def values_of(headers: Headers, template: Template) -> Slots | str:
    """The slots with which the template would give these headers; or what does not fit."""
    slots = Slots.empty(load())
    seen: dict[str, str] = {}
    rest = list(headers)
    for entry, text in template.entries:
        if entry[0] == "*":
            own = {}
            while rest and entry in grouped(rest[0][0], family_of(dict(headers))):
                name, value = rest.pop(0)
                own[name] = value
            slots.put_group(entry, own)
            continue
        if entry[0] == "?" and (not rest or rest[0][0] != entry[1:]):
            continue
        if not rest or rest[0][0] != entry.removeprefix("?"):
            return f"expected {entry}, found {rest[:1]}"
        name, value = rest.pop(0)
        text = "{" + text + "}" if entry[0] == "?" else text
        parts = re.split(r"\{(\w+)\}", text)
        shape = "".join(f"(?P<{p}>.*)" if i % 2 else re.escape(p) for i, p in enumerate(parts))
        found = re.fullmatch(shape, value, re.DOTALL)
        if not found:
            return f"{name}: {value!r} is not like {text!r}"
        for slot, part in found.groupdict().items():
            if seen.setdefault(slot, part) != part:
                return f"{name}: {slot} is {part!r} here and {seen[slot]!r} before"
    for slot, value in seen.items():
        slots.put(slot, value)
    return f"left over: {rest}" if rest else slots


def grouped(name: str, family: str) -> list[str]:
    """The groups that a header belongs to."""
    return [group for pattern, group in GROUPS if pattern.match(name) or pattern.match(f"{family} {name}")]


def encoded(frame: Frame, template: Template, slots: Slots) -> bytes:
    if frame.content_type == "text/event-json":
        return wire.event("json", template.json(slots))
    return wire.event("plain", template.plain(slots))


def test_templates_are_those_that_the_recordings_give() -> None:
    assert TARGET.read_text() == render()


@pytest.mark.parametrize(("recording", "ending"), CALLS, ids=[name for name, _ in CALLS])
def test_same_values_give_the_recorded_bytes(recording: str, ending: str) -> None:
    templates = load()
    wrong = []
    count = 0
    for frame, headers in events(recording):
        key = key_of(headers, ending)
        count += 1
        slots = values_of(headers, templates[key])
        if isinstance(slots, str):
            wrong.append((key, slots))
        else:
            assert encoded(frame, templates[key], slots) == frame.head + frame.body
    assert count
    if recording not in DIFFERENCES["bytes"]:
        assert wrong == []
    else:
        assert wrong
        assert count > len(wrong)


def test_answer_to_connect_is_the_recorded_block() -> None:
    template = load()["sofia/CHANNEL_DATA"]
    for recording in ("21-outbound-async-full-linger", "22-outbound-remote-bye-nolinger", "24-outbound-hangup-nolinger"):
        (frame,) = (frame for frame in frames(recording) if b"CHANNEL_DATA" in frame.head)
        slots = values_of(parse_plain(frame.head), template)
        assert isinstance(slots, Slots), slots
        assert template.plain(slots) == frame.head


def test_missing_template_falls_back_to_the_nearest() -> None:
    templates = load()
    assert templates["loopback-a/CHANNEL_HANGUP_COMPLETE/remote"].names[0] == "Event-Name"
    assert templates["sofia/CHANNEL_STATE/CS_HANGUP/odd"] is templates["sofia/CHANNEL_STATE/CS_HANGUP/local"]
