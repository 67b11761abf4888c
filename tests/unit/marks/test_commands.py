"""The commands that an app's sessions give: only for the dialer's own calls, through the gate, in order, and not too many."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from dialer.errors import BadValue, CommandFailed
from dialer.marks import requests
from dialer.marks.connection import MOST_UNANSWERED
from dialer.marks.requests import Ask, Execute, Later, SecondLeg
from dialer.model.flow import Transfer
from tests.unit.marks.world import CALL, LEG, World

New = Callable[..., World]


def execute(application: str, argument: str = "", leg: str = "aleg") -> tuple[str, str, str, str]:
    return (CALL, leg, application, argument)


SURFACE: list[tuple[str, Callable[[Any], Any], Any]] = [
    ("hangup", lambda s: s.hangup(), ("uuid_kill", f"{CALL} NORMAL_CLEARING")),
    ("a cause", lambda s: s.hangup("USER_BUSY"), ("uuid_kill", f"{CALL} USER_BUSY")),
    ("answer", lambda s: s.answer(), ("uuid_answer", CALL)),
    ("park", lambda s: s.park(), ("uuid_park", CALL)),
    ("later", lambda s: s.sched_hangup(0.5), ("sched_hangup", f"+0.5 {CALL} NORMAL_CLEARING")),
    ("dtmf", lambda s: s.send_dtmf("123", 200), ("uuid_send_dtmf", f"{CALL} 123 @200")),
    ("break", lambda s: s.breakmedia(), ("uuid_break", CALL)),
    ("mute", lambda s: s.mute(), ("uuid_audio", f"{CALL} start write mute 1")),
    ("unmute", lambda s: s.unmute(), ("uuid_audio", f"{CALL} start write mute 0")),
    ("record", lambda s: s.record("start", "/tmp/x.wav"), ("uuid_record", f"{CALL} start /tmp/x.wav")),
    ("media", lambda s: s.bypass_media(True), ("uuid_media", f"off {CALL}")),
    ("amd", lambda s: s.start_amd(), ("avmd", f"{CALL} start")),
    ("echo", lambda s: s.echo(), execute("echo")),
    ("playback", lambda s: s.playback("a b.wav"), execute("playback", "a b.wav")),
    ("several", lambda s: s.playback(("a", "b")), execute("playback", "a;b")),
    ("of one", lambda s: s.playback("a", leg="bleg"), execute("playback", "a", "bleg")),
    (
        "tones",
        lambda s: s.playback("tone_stream://%(2000, 4000, 440)"),
        execute("playback", "tone_stream://%(2000, 4000, 440)"),
    ),
    ("set", lambda s: s.setvar("a", "b c"), execute("set", "a=b c")),
    ("set many", lambda s: s.setvars({"a": 1, "b": "x y"}), execute("multiset", "^^;a=1;b=x y")),
    ("unset", lambda s: s.unsetvar("a"), execute("unset", "a")),
    ("recording", lambda s: s.start_record("/tmp/x.wav"), execute("record_session", "/tmp/x.wav")),
    ("respond", lambda s: s.respond(486), execute("respond", "486")),
    ("deflect", lambda s: s.deflect("sip:1@pbx"), execute("deflect", "sip:1@pbx")),
    ("broadcast", lambda s: s.broadcast("playback::x", "both"), execute("playback", "x", "both")),
    ("a path", lambda s: s.broadcast("x.wav"), execute("playback", "x.wav")),
]


@pytest.mark.parametrize(("work", "asked"), [case[1:] for case in SURFACE], ids=[case[0] for case in SURFACE])
def test_what_a_session_can_do(world: New, work: Callable[[Any], Any], asked: Any) -> None:
    here = world("Commands")
    here.do(work)
    here.reactor.until(lambda: asked in here.calls.done)


def test_a_bridge_is_a_second_leg(world: New) -> None:
    here = world("Commands")
    params = {"a": "b", "originate_timeout": 20, "origination_caller_id_number": "4930"}
    here.do(lambda s: s.bridge("15551234@pbx", profile="external", proxy="10.0.0.1", params=params))
    here.do(lambda s: s.bridge("15551234", gateway="carrier"))
    here.reactor.until(lambda: len(here.calls.done) == 2)
    variables, caller = (("a", "b"),), "4930"
    address = "sofia/external/15551234@pbx;fs_path=sip:10.0.0.1"
    assert here.calls.done == [
        (CALL, "aleg", Transfer(dial_string=address, timeout=20, variables=variables, caller_id_number=caller)),
        (CALL, "aleg", Transfer(dial_string="sofia/gateway/carrier/15551234", timeout=60)),
    ]


def test_what_is_scheduled_is_given_when_it_is_due(world: New) -> None:
    here = world("Commands")
    here.do(lambda s: s.broadcast("playback::x", delay=3))
    here.do(lambda s: s.sched_dtmf(4, "12"))
    here.do(lambda s: s.stop_record(delay=5))
    here.reactor.drain()
    here.reactor.advance(2.9)
    assert here.calls.done == []
    here.reactor.pump([0.2, 1, 1])
    asked = [execute("playback", "x"), ("uuid_send_dtmf", f"{CALL} 12"), execute("stop_record_session", "all")]
    assert here.calls.done == asked
    here.do(lambda s: s.broadcast("playback::x", delay=3))
    here.reactor.drain()
    here.calls.own.clear()
    here.reactor.advance(4)
    assert here.calls.done == asked


def test_what_is_scheduled_is_given_up_when_the_dialer_stops() -> None:
    here = World(("Commands",)).start()
    here.do(lambda s: s.broadcast("playback::x", delay=300))
    here.reactor.drain()
    here.stop()
    here.reactor.advance(301)
    assert here.calls.done == []


def test_an_answer_is_waited_for_on_the_thread(world: New) -> None:
    here = world("Commands")
    here.calls.answer = "value"
    assert here.do(lambda s: s.getvar("a")) == "value"
    assert here.do(lambda s: s.con.api(f"uuid_exists {s.uuid}", block=True)) == {"Body": "value"}
    assert here.do(lambda s: here.app.client.cmd("global_getvar sounds_dir")) == "value"
    assert here.calls.done[-1] == ("global_getvar", "sounds_dir")


def test_what_the_switch_says_against_it_comes_as_switchios_error(world: New) -> None:
    here = world("Commands")
    here.calls.answer = CommandFailed("api uuid_getvar", "-ERR No such channel")
    with capture_logs() as logs:
        error = here.do(lambda s: s.getvar("a"))
        assert (type(error).__name__, str(error)) == ("APIError", "api uuid_getvar: -ERR No such channel")
        told: Any = here.do(lambda s: asyncio.ensure_future(s.con.api(f"uuid_exists {s.uuid}", errcheck=False)))
        here.reactor.until(told.done)
        assert told.result()["Body"].startswith("-ERR")
        failed: Any = here.do(lambda s: s.con.api(f"uuid_exists {s.uuid}"))
        here.reactor.until(failed.done)
    assert "No such channel" in str(failed.exception())
    assert [line["event"] for line in logs] == ["a command of a hook was refused"]


OTHERS = [
    f"uuid_kill {LEG}",
    f"uuid_broadcast {LEG} playback::x",
    f"uuid_broadcast {LEG} bridge::sofia/external/15551234",
    f"uuid_setvar {LEG} a b",
    f"sched_hangup +1 {LEG}",
]


@pytest.mark.parametrize("command", OTHERS)
def test_the_calls_of_others_are_left_alone(world: New, command: str) -> None:
    here = world("Commands")
    answer: Any = here.do(lambda s: s.con.api(command))
    here.reactor.until(answer.done)
    assert str(answer.exception()) == f"uuid: {LEG} is not a call of this dialer, or has ended"
    assert here.calls.done == []


FORBIDDEN = [
    "originate sofia/gateway/x/15551234 &park",
    "bgapi originate user/1 &park",
    "hupall",
    "reload mod_bert",
    "fsctl shutdown",
    "system rm -rf /",
    "bg_system x",
    "lua x.lua",
    "global_setvar a=b",
    "global_getvar default_password",
    "global_getvar ",
    f"sched_del {CALL}",
    f"uuid_dump {CALL}",
    f"uuid_getvar {CALL} dialer_password",
    f"uuid_bridge {CALL} {LEG}",
    f"uuid_kill {CALL} x; hupall",
    f"uuid_kill {CALL}\nhupall",
    "uuid_kill",
    f"uuid_send_dtmf {CALL} 1\n\nbgapi x",
    f"uuid_record {CALL} start $${{x}}",
    "sched_api +1 none originate user/1 &park",
    f"sched_api +1 none sched_api +1 none uuid_kill {CALL}",
    f"sched_api +999999 none uuid_kill {CALL}",
    f"sched_hangup 0 {CALL}",
    f"uuid_broadcast {CALL}",
    f"uuid_broadcast {CALL} bridge::{{a=bsofia/external/1",
    f"uuid_broadcast {CALL} bridge::{{a}}sofia/external/1",
    f"uuid_broadcast {CALL} bridge::{{originate_timeout=x}}sofia/external/1",
    "uuid_setvar x",
    "x" * 5000,
    "",
]


@pytest.mark.parametrize("command", FORBIDDEN)
def test_a_command_that_a_hook_may_not_give_is_refused_at_once(command: str) -> None:
    with pytest.raises(BadValue):
        requests.read(command)


def test_the_proof_of_a_call_is_not_told(world: New) -> None:
    here = world("Commands")
    error = here.do(lambda s: s.getvar("dialer_proof"))
    assert str(error) == "uuid_getvar: dialer_proof is a secret"
    assert here.calls.done == []


def test_a_refusal_is_an_error_of_switchio_in_the_app(world: New) -> None:
    here = world("Commands")
    error = here.do(lambda s: s.con.api("reload mod_bert"))
    assert type(error).__name__ == "APIError"
    assert str(error) == "reload: is not a command for a hook, which acts on the dialer's own calls alone"
    assert "time limit of the call" in str(here.do(lambda s: s.clear_tasks()))


@given(st.text(max_size=60), st.sampled_from(["uuid_broadcast", "sched_api", "uuid_kill", "uuid_transfer", "uuid_setvar", ""]))
def test_any_text_is_a_request_of_one_channel_or_refused(text: str, function: str) -> None:
    try:
        request = requests.read(f"{function} {text}")
    except BadValue:
        return
    assert isinstance(request, Ask | Execute | SecondLeg | Later)
    assert request.uuid in text


def test_the_bridge_of_any_spelling_is_seen() -> None:
    request = requests.read(f"uuid_broadcast {CALL} BRIDGE::sofia/external/1@x both")
    assert isinstance(request, SecondLeg)
    assert request.leg == "both"
    moved = requests.read(f"uuid_transfer {CALL} -bleg 1555 XML default")
    assert moved == Execute(uuid=CALL, application="transfer", argument="-bleg 1555 XML default")


def test_too_many_unanswered_commands_are_refused(world: New) -> None:
    here = world("Commands")
    here.calls.answer = None

    def flood(sess: Any) -> None:
        for _ in range(MOST_UNANSWERED + 1):
            sess.con.api(f"uuid_exists {sess.uuid}")

    assert str(here.do(flood)) == f"{MOST_UNANSWERED} commands of this app are not answered yet"


def test_commands_are_paced_and_keep_their_order(world: New) -> None:
    here = world("Commands", commands=2.0)
    here.do(lambda s: [s.broadcast(f"playback::{n}") for n in range(6)] and None)
    here.reactor.drain()
    assert [argument for *_, argument in here.calls.done] == ["0", "1"]
    here.reactor.pump([0.5] * 4)
    assert [argument for *_, argument in here.calls.done] == ["0", "1", "2", "3", "4", "5"]
