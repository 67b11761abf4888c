"""The events that an app gets, and its sessions."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

import pytest

from dialer.marks.session import LINGER
from dialer.marks.trouble import HookLimits
from dialer.model.masking import MASK
from tests.unit.marks.world import CALL, LEG, PATIENCE, World

New = Callable[..., World]


def test_an_app_gets_the_events_that_it_asked_for_with_a_session_of_the_call(world: New) -> None:
    here = world("Recorder")
    here.event("CHANNEL_ANSWER", variable_x="1", Caller_Channel_Created_Time="1795402999000000")
    name, session = here.heard()
    assert (name, session.uuid, session["variable_x"], session.answered) == ("CHANNEL_ANSWER", CALL, "1", True)
    assert (session.is_outbound(), session.is_inbound(), session.host, session.uptime) == (True, False, "192.0.2.7", 1.0)
    here.event("CHANNEL_CREATE")
    here.event("DTMF", DTMF_Digit="5", variable_x="")
    name, again = here.heard()
    assert (name, again) == ("DTMF", session)
    assert (again["DTMF-Digit"], again["variable_x"], again.get("nothing", "default")) == ("5", "1", "default")
    assert again.events[0]["Event-Name"] == "DTMF"


def test_events_of_others_are_nobodys(world: New) -> None:
    here = world("Recorder")
    here.event("CHANNEL_ANSWER", "somebody-else")
    here.event("CHANNEL_HANGUP_COMPLETE", "somebody-else")
    here.event("DTMF")
    assert here.heard()[0] == "DTMF"
    assert list(here.app.listener.sessions) == [CALL]


def test_a_second_leg_is_another_session_of_the_same_call(world: New) -> None:
    here = world("Recorder")
    here.event("CHANNEL_ANSWER")
    first = here.heard()[1]
    here.event("CHANNEL_ANSWER", LEG, Channel_Call_UUID=CALL)
    second = here.heard()[1]
    assert second.call is first.call
    assert (first.call.uuid, first.call.first, first.call.last) == (CALL, first, second)
    assert first.call.get_peer(first) is second
    here.calls.own.clear()
    here.event("DTMF", LEG)
    assert here.heard()[1] is second


def test_an_end_is_counted_and_late_events_find_their_session(world: New) -> None:
    here = world("Recorder")
    here.event("CHANNEL_ANSWER")
    session = here.heard()[1]
    assert here.app.pool.evals("listener.count_calls()") == [1]
    here.event("CHANNEL_HANGUP", Hangup_Cause="NORMAL_CLEARING")
    assert here.heard() == ("CHANNEL_HANGUP", None)
    here.event("CHANNEL_HANGUP_COMPLETE", Hangup_Cause="NORMAL_CLEARING")
    here.calls.own.clear()
    assert here.heard()[1] is session
    assert session.hungup
    here.event("DTMF")
    assert here.heard()[1] is session
    here.event("CHANNEL_DESTROY")
    assert here.heard() == ("CHANNEL_DESTROY", session)
    listener = here.app.listener
    assert (listener.count_sessions(), listener.count_calls(), listener.count_failed()) == (0, 0, 0)
    assert listener.hangup_causes == {"NORMAL_CLEARING": 1}


def test_a_channel_whose_end_was_not_heard_is_forgotten(world: New) -> None:
    here = world("Recorder")
    here.event("CHANNEL_ANSWER")
    listener = here.heard()[1] and here.app.listener
    here.calls.own.clear()
    here.reactor.advance(LINGER + 1)
    here.reactor.until(lambda: not listener.sessions)
    assert not here.hub.owns(CALL)


def test_a_channel_is_known_for_a_while_after_its_end(world: New) -> None:
    here = world("Recorder")
    here.event("CHANNEL_HANGUP_COMPLETE")
    here.calls.own.clear()
    assert here.hub.owns(CALL)
    here.reactor.advance(LINGER + 1)
    assert not here.hub.owns(CALL)


def test_custom_events_of_a_subclass_and_events_of_no_call(world: New) -> None:
    here = world("Recorder")
    here.event("CUSTOM", Event_Subclass="conference::maintenance")
    assert here.heard()[0] == "conference::maintenance"
    here.event("CUSTOM", "", Event_Subclass="sofia::register")
    here.event("HEARTBEAT", "", Session_Count="7")
    name, event = here.heard()
    assert (name, event["Session-Count"]) == ("HEARTBEAT", "7")


def test_secrets_are_not_given(world: New) -> None:
    here = world("Recorder")
    secret = {
        "variable_dialer_proof": "t0p",
        "variable_sip_auth_password": "t0p",
        "variable_sip_h_X-API-Key": "t0p",
        "Application-Data": "{sip_auth_password=t0p}sofia/gateway/x/1",
        "variable_current_application_data": "dialer_proof=t0p",
    }
    here.event("CHANNEL_ANSWER", **secret, variable_sip_auth_username="ann")
    session = here.heard()[1]
    assert "t0p" not in repr(session.events)
    assert session["variable_sip_auth_password"] == MASK
    assert session["variable_sip_auth_username"] == "ann"


def test_a_body_is_called_as_switchio_does(world: New) -> None:
    here = world("Recorder")
    here.event("HEARTBEAT", "", _body="text")
    assert here.heard()[1]["Body"] == "text"


def test_coroutines_wait_for_events_and_end_with_the_call(world: New, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialer.marks.session.LINGER", 3600.0)
    here = world("Waits")
    here.event("CHANNEL_ANSWER")
    here.heard()
    here.event("PLAYBACK_STOP", Playback_File_Path="/tmp/x.wav")
    assert here.heard() == ("stopped", "/tmp/x.wav")
    here.event("CHANNEL_HANGUP_COMPLETE", Hangup_Cause="USER_BUSY")
    told = [here.heard()[0] for _ in range(3)]
    assert told == ["CHANNEL_HANGUP_COMPLETE", "polled", "ended"]
    assert not here.worker.off


def test_a_coroutine_that_has_just_begun_hears_the_very_next_event() -> None:
    here = World(("Waits",))
    here.event("CHANNEL_ANSWER")
    here.event("PLAYBACK_STOP", Playback_File_Path="/tmp/x.wav")
    here.event("CHANNEL_HANGUP", Hangup_Cause="USER_BUSY")
    here.start()
    told = [here.heard() for _ in range(4)]
    assert told[1] == ("stopped", "/tmp/x.wav")
    assert sorted(each[0] for each in told[2:]) == ["CHANNEL_HANGUP", "polled"]
    here.stop()


def test_a_full_queue_drops_the_oldest_but_never_the_end_of_a_call(world: New) -> None:
    here = world("Recorder", limits=HookLimits(queue=10))
    listener = here.app.listener
    here.event("CHANNEL_ANSWER")
    here.heard()
    begun, go_on = threading.Event(), threading.Event()
    here.app.listener.event_loop.loop.call_soon_threadsafe(lambda: begun.set() or go_on.wait(PATIENCE))
    assert begun.wait(PATIENCE)
    here.event("CHANNEL_HANGUP_COMPLETE")
    here.calls.own.add("other")
    for _ in range(30):
        here.event("DTMF", "other")
    assert (here.worker.waiting, here.worker.figures.dropped) == (10, 21)
    go_on.set()
    here.reactor.until(lambda: list(listener.sessions) == ["other"])
    here.look()
    assert here.hub.figures["hook-events-dropped"] == 21


def test_apps_that_never_began_are_stopped_without_a_word() -> None:
    here = World(("Recorder",))
    before = sys.getswitchinterval()
    here.stop()
    assert not here.worker.started
    here.start()
    assert sys.getswitchinterval() < before
    here.stop()
    assert sys.getswitchinterval() == before


def test_apps_start_when_the_switch_is_there_and_what_came_before_waits_for_them() -> None:
    here = World(("Recorder",))
    here.hub.start()
    here.event("CHANNEL_ANSWER")
    assert not here.worker.started
    here.hub.switch_up()
    assert here.heard()[0] == "CHANNEL_ANSWER"
    here.hub.switch_up()
    app = here.app
    assert (app.more, app.client.host) == (3, "192.0.2.7")
    here.stop()
    assert app.finished
