"""Every moment at which the call or the connection of a voice application can end: the session ends cleanly, and the switch
keeps no channel, parked or in any other state."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import structlog
from attrs import frozen
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dialer.esl.session import BREAK
from dialer.model import VoipAppType
from dialer.settings import AppSettings
from tests.unit.apps.link import Link
from tests.unit.apps.world import attempt

DIAL, PLAY, ROOM, SPEAK = VoipAppType.DIAL, VoipAppType.PLAY_AUDIO, VoipAppType.CONFERENCE, VoipAppType.SPEAK
LIMIT = 6
SETTINGS = AppSettings(
    opt_out_digit="9",
    opt_out_wait=0.5,
    recordings="/srv/recordings",
    dial_limit=LIMIT,
    play_limit=LIMIT,
    conference_limit=LIMIT,
    speak_limit=LIMIT,
    dial_timeout=3,
)
MAX_DURATION = 120
WHOLE_CALL = 150.0
"""Seconds after which everything is over: a session that is never set up (10 s), the pause of the dialplan (2 s), the
application once more up to its limit or the confirmation (20 s), the hang-up that is not confirmed (5 s), the handler's
grace, and the dialplan's wait for a dialer (60 s) with its tones."""

ENDLESS = {"play for ever", "conference"}
"""What goes on without its session, until the callee hangs up or the call has lasted for as long as it may."""


@frozen
class Case:
    kind: VoipAppType
    data: str
    second: str = "stays"


CASES = {
    "play": Case(PLAY, "tone_stream://%(1000,0,440)!tone_stream://%(1000,0,440)"),
    "play for ever": Case(PLAY, "silence_stream://-1"),
    "speak": Case(SPEAK, "Hello {first_name}, this is a message for you."),
    "conference": Case(ROOM, "sales"),
    "dial": Case(DIAL, "2000", "answers:ring=0.5,talk=1"),
    "dial busy": Case(DIAL, "2000", "busy_ringing"),
    "dial nobody": Case(DIAL, "2000", "no_answer"),
    "dial nothing": Case(DIAL, "no number"),
}


def callee_hangs_up(link: Link) -> None:
    if link.channel is not None:
        link.simulator.switch.hang_up(link.channel, "NORMAL_CLEARING", "remote", 200, by="callee")


def callee_opts_out(link: Link) -> None:
    if link.channel is not None:
        link.simulator.switch.type_digits(link.channel, "9")


def switch_cuts(link: Link) -> None:
    for listener in link.listeners:
        listener.transport.abortConnection()


def switch_is_silent(link: Link) -> None:
    for listener in link.listeners:
        listener.silent = True


def dialer_cuts(link: Link) -> None:
    for session in link.sessions:
        session.socket.abort("the test says so")


def dialer_stops(link: Link) -> None:
    link.stop_server()


def reply_out_of_order(link: Link) -> None:
    for listener in link.listeners:
        listener.transport.write(b"Content-Type: command/reply\nReply-Text: +OK surplus\n\n" * 3)


def garbage(link: Link) -> None:
    for listener in link.listeners:
        listener.transport.write(b"Content-Length: x\n\n\x00\xff")


def foreign_end(link: Link) -> None:
    body = b'{"Event-Name":"CHANNEL_EXECUTE_COMPLETE","Application-UUID":"nobody"}'
    for listener in link.listeners:
        listener.transport.write(b"Content-Length: %d\nContent-Type: text/event-json\n\n" % len(body) + body)


FAULTS: dict[str, Callable[[Link], None]] = {
    function.__name__: function
    for function in (
        callee_hangs_up,
        callee_opts_out,
        switch_cuts,
        switch_is_silent,
        dialer_cuts,
        dialer_stops,
        reply_out_of_order,
        garbage,
        foreign_end,
    )
}


def run(case: Case, faults: list[tuple[float, str]]) -> Link:
    own = case.data if case.kind is DIAL and "/" in case.data else ""
    link = Link("answers:ring=0,talk=forever", attempt(case.kind, "" if own else case.data, own), SETTINGS, case.second)
    link.call(MAX_DURATION)
    passed = 0.0
    for at, name in sorted(faults):
        link.pass_time(at - passed)
        passed = max(at, passed)
        FAULTS[name](link)
    link.pass_time(WHOLE_CALL - passed)
    return link


def check_that_all_is_over(link: Link, *, endless: bool) -> None:
    switch = link.simulator.switch
    assert switch.channels == {}
    assert switch.rooms == {}
    assert all(call.ended_at is not None for call in link.simulator.calls)
    assert endless or "ALLOTTED_TIMEOUT" not in {call.cause for call in link.simulator.calls}
    assert link.server.sessions == 0
    assert all(side.closed for side in link.network.sides)
    assert link.network.getDelayedCalls() == []


@settings(max_examples=150)
@given(
    st.sampled_from(sorted(CASES)),
    st.lists(st.tuples(st.floats(0, 9).map(lambda at: round(at, 3)), st.sampled_from(sorted(FAULTS))), max_size=3),
)
@example("play", [])
@example("conference", [(0.0, "switch_is_silent")])
@example("dial", [(1.0, "switch_is_silent"), (1.0, "callee_hangs_up")])
@example("play", [(1.0, "callee_opts_out"), (1.0, "switch_is_silent")])
def test_no_channel_is_left_whatever_ends_when(name: str, faults: list[tuple[float, str]]) -> None:
    check_that_all_is_over(run(CASES[name], faults), endless=name in ENDLESS and bool(faults))


@pytest.mark.parametrize("name", sorted(CASES))
@pytest.mark.parametrize("fault", sorted(FAULTS))
@pytest.mark.parametrize("at", [0.0, 0.05, 0.8])
def test_no_channel_is_left_after_any_single_fault(name: str, fault: str, at: float) -> None:
    check_that_all_is_over(run(CASES[name], [(at, fault)]), endless=name in ENDLESS)


def test_undisturbed_calls_note_what_happened() -> None:
    assert run(CASES["play"], []).finished == [{"recording": "/srv/recordings/call-1.wav", "played": "2"}]
    assert run(CASES["speak"], []).finished[0]["spoken"] == "37"
    conference = run(CASES["conference"], []).finished[0]
    assert (conference["conference"], conference["limit"]) == ("sales", str(LIMIT))
    dialled = run(CASES["dial"], []).finished[0]
    assert (dialled["transfer"], dialled["transfer_cause"]) == ("answered", "NORMAL_CLEARING")
    assert (dialled["transfer_ended_by"], dialled["transfer_seconds"]) == ("target", "1.0")
    busy = run(CASES["dial busy"], []).finished[0]
    assert (busy["transfer"], busy["transfer_cause"], busy["transfer_seconds"]) == ("failed", "USER_BUSY", "0.0")
    assert run(CASES["dial nobody"], []).finished[0]["transfer_cause"] == "NO_ANSWER"
    assert "not a number" in run(CASES["dial nothing"], []).finished[0]["error"]


def test_a_contact_who_hangs_up_during_a_transfer_ends_the_second_leg() -> None:
    link = run(CASES["dial"], [(1.0, "callee_hangs_up")])
    assert [call.ended_by for call in link.simulator.calls] == ["callee", "switch"]
    assert link.finished[0]["transfer_ended_by"] == "contact"
    ringing = run(CASES["dial nobody"], [(1.0, "callee_hangs_up")])
    assert ringing.finished[0]["transfer"] == "failed"
    assert ringing.finished[0]["transfer_cause"] == "ORIGINATOR_CANCEL"


def test_the_key_that_opts_out_is_obeyed_while_a_message_plays() -> None:
    link = run(CASES["play for ever"], [(1.0, "callee_opts_out")])
    (notes,) = link.finished
    assert (notes["opt_out"], notes["digits"], link.store.never) == ("9", "9", ["4930123456"])
    (call,) = link.simulator.calls
    assert call.ended_at is not None
    assert call.answered_at is not None
    assert call.ended_at - call.answered_at < 1 + BREAK + 1.0


def test_a_call_that_was_cut_off_gets_its_message_from_the_next_session() -> None:
    link = run(CASES["play"], [(0.5, "switch_cuts")])
    assert [notes["played"] for notes in link.finished] == ["0", "2"]


def test_a_call_that_was_being_transferred_is_not_dialled_twice() -> None:
    link = run(CASES["dial"], [(1.0, "dialer_cuts")])
    assert len(link.simulator.calls) == 2
    assert link.finished[-1]["transfer_cause"] == "SUCCESS"


def test_a_call_of_somebody_else_is_hung_up_and_logged() -> None:
    link = Link("answers:ring=0,talk=forever", attempt(PLAY, "a.wav"), SETTINGS)
    link.server._is_ours = lambda _: False
    with structlog.testing.capture_logs() as logged:
        link.call(MAX_DURATION)
        link.pass_time(2)
    assert [call.cause for call in link.simulator.calls] == ["CALL_REJECTED"]
    assert link.finished == []
    assert any("not a call of this dialer" in str(line.get("reason")) for line in logged)
