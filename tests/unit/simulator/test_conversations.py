"""Conversations with the simulator have the shape of the recorded ones: the same client bytes bring the same events, with the
same headers in the same order."""

from __future__ import annotations

import pytest

from tests.unit.simulator.differences import DIFFERENCES
from tests.unit.simulator.harness import Bench, bench
from tests.unit.simulator.recordings import Headers, events, frames, lines, parse_event

# Recording, and the callee that behaves as the recorded far end.
CALLS = (
    ("10-json-answer", "answers:ring=0.3,talk=forever"),
    ("10-json-answer2s-remote-bye", "answers:ring=2,talk=3"),
    ("10-json-busy", "busy"),
    ("10-json-404", "invalid"),
    ("10-json-503", "unavailable"),
    ("10-json-603", "rejected"),
    ("10-json-noanswer", "no_answer"),
    ("10-json-invalid-gateway", "busy"),
    ("10-plain-answer", "answers:ring=0.3,talk=forever"),
    ("10-plain-busy", "busy"),
    ("52-ringing-busy", "busy_ringing"),
    ("53-kill-ringing", "no_answer"),
    ("51-execute-on-answer", "answers:ring=0.2,talk=forever"),
    ("10-json-early-media", "early_media:ring=1,talk=forever"),
    ("10-json-loopback-answer", "busy"),
    ("10-json-loopback-noanswer", "busy"),
    ("10-json-loopback-busy", "busy"),
)


def replay(recording: str, callee: str) -> tuple[Bench, list[Headers]]:
    """Play the client's side of a recording, and the seconds after it; returns the events."""
    simulator = bench(callee)
    client = simulator.connect(login=False)
    now = 0.0
    for line in lines(recording):
        if line["from"] == "client":
            simulator.pass_time(max(line["at"] - now, 0.0))
            now = line["at"]
            client.send(line["bytes"])
    simulator.pass_time(6.0)
    return simulator, [parse_event(f) for f in client.frames() if f.content_type.startswith("text/event-")]


def told(headers: Headers) -> str:
    """The event with what tells it apart, by the half of the call that it belongs to."""
    values = dict(headers)
    half = values.get("Channel-Name", "")[-2:]
    detail = {"CHANNEL_STATE": "Channel-State", "CHANNEL_CALLSTATE": "Channel-Call-State", "CHANNEL_EXECUTE": "Application"}
    return " ".join(
        filter(
            None,
            (half if half in ("-a", "-b") else "", values["Event-Name"], values.get(detail.get(values["Event-Name"], ""))),
        )
    )


def of_the_call(found: list[Headers]) -> list[Headers]:
    """Without heartbeats, and without job results: these come before or after the channel's last events."""
    return [headers for headers in found if dict(headers)["Event-Name"] not in ("HEARTBEAT", "BACKGROUND_JOB")]


@pytest.mark.parametrize(("recording", "callee"), CALLS, ids=[name for name, _ in CALLS])
def test_events_come_in_the_recorded_order(recording: str, callee: str) -> None:
    recorded = [told(headers) for headers in of_the_call([headers for _, headers in events(recording)])]
    made = [told(headers) for headers in of_the_call(replay(recording, callee)[1])]
    if recording in DIFFERENCES["order"]:
        assert made != recorded
        assert sorted(m for m in made if "STATE" not in m) == sorted(r for r in recorded if "STATE" not in r)
    else:
        assert made == recorded


@pytest.mark.parametrize(("recording", "callee"), CALLS, ids=[name for name, _ in CALLS])
def test_events_have_the_recorded_headers(recording: str, callee: str) -> None:
    recorded = {told(headers): [name for name, _ in headers] for _, headers in events(recording)}
    made = {told(headers): [name for name, _ in headers] for headers in replay(recording, callee)[1]}
    differing = [event for event, names in recorded.items() if event != "HEARTBEAT" and made.get(event) != names]
    assert bool(differing) == (recording in DIFFERENCES["headers"]), differing


@pytest.mark.parametrize(
    "recording",
    [
        "01-auth-and-commands",
        "02-auth-failure",
        "02b-command-before-auth",
        "02c-userauth-failure",
        "03-crlf-and-pipelining",
        "32-custom-subclass-swallows",
        "40-reloadxml",
    ],
)
def test_replies_are_the_recorded_ones(recording: str) -> None:
    """All of them but the status (its figures) and a random job id."""
    client = bench().connect(login=False)
    for line in lines(recording):
        if line["from"] == "client":
            client.send(line["bytes"])

    def comparable(found: list[bytes]) -> list[bytes]:
        return [text for text in found if b"Job-UUID" not in text and b"UP 0 years" not in text]

    recorded = [f.head + f.body for f in frames(recording) if not f.content_type.startswith("text/event-")]
    made = [f.head + f.body for f in client.frames() if not f.content_type.startswith("text/event-")]
    assert comparable(made) == comparable(recorded)
    assert len(made) == len(recorded)
