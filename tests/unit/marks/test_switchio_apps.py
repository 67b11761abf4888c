"""The apps of switchio's own package, unchanged, as docs/hooks.md says of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dialer.errors import BadValue
from dialer.marks.app import load
from dialer.marks.surface import missing
from dialer.marks.trouble import HookLimits
from dialer.model.flow import Transfer
from tests.unit.marks.world import CALL, LEG, World

New = Callable[..., World]

ALL = [
    "players:TonePlay",
    "players:PlayRec",
    "players:MutedPlayRec",
    "bert:Bert",
    "dtmf:DtmfChecker",
    "routers:Proxier",
    "routers:Bridger",
    "routers:Router",
    "blockers:CalleeBlockOnInvite",
    "blockers:CalleeRingback",
    "measure.cdr:CDR",
]


@pytest.mark.parametrize("name", ALL)
def test_each_is_loaded_and_nothing_that_it_uses_is_missing(name: str) -> None:
    assert missing(load(f"switchio.apps.{name}")) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("measure.sys:SysStats", "cannot be made without arguments (missing a required argument: 'psutil')"),
        ("call_gen:Metrics", "cannot be loaded: AttributeError: module 'asyncio' has no attribute 'coroutine'"),
    ],
)
def test_the_others_cannot_be_loaded(name: str, reason: str) -> None:
    with pytest.raises(BadValue) as refused:
        load(f"switchio.apps.{name}")
    assert reason in str(refused.value)


def done(here: World, *expected: Any) -> None:
    here.reactor.until(lambda: len(here.calls.done) >= len(expected))
    assert here.calls.done == list(expected)
    assert here.worker.figures.failures == 0


def legs(here: World, name: str, **headers: str) -> None:
    """The same event of a call's first leg and of its second one, which a loopback makes an inbound one."""
    here.event(name, **headers)
    here.event(name, LEG, Channel_Call_UUID=CALL, Call_Direction="inbound", **headers)


def test_tone_play(world: New) -> None:
    here = world("switchio.apps.players:TonePlay")
    here.event("CHANNEL_PARK", LEG, Channel_Call_UUID=CALL, Call_Direction="inbound")
    legs(here, "CHANNEL_ANSWER")
    tone = (CALL, "aleg", "playback", "{loops=-1}tone_stream://%(251,0,1004)")
    done(here, ("uuid_answer", LEG), tone, (LEG, "aleg", "echo", ""))


def test_dtmf_checker(world: New) -> None:
    here = world("switchio.apps.dtmf:DtmfChecker")
    here.event("CHANNEL_PARK", LEG, Channel_Call_UUID=CALL, Call_Direction="inbound")
    here.event("CHANNEL_PARK")
    for digit in "123456789":
        here.event("DTMF", LEG, DTMF_Digit=digit)
    silence = (CALL, "aleg", "playback", "silence_stream://0")
    done(here, ("uuid_answer", LEG), silence, ("uuid_send_dtmf", f"{CALL} 123456789 @200"))
    here.reactor.until(lambda: not here.app.incomplete)
    assert here.app.failed == []


def test_bert(world: New) -> None:
    here = world("switchio.apps.bert:Bert")
    legs(here, "CHANNEL_CREATE")
    here.event("CHANNEL_PARK")
    here.event("CUSTOM", Event_Subclass="mod_bert::in_sync")
    here.event("CUSTOM", Event_Subclass="mod_bert::timeout")
    here.reactor.until(lambda: here.app.timed_out)
    session = here.app.timed_out[0]
    assert session.vars == {"bert_sync": True, "bert_timeout": True}
    here.reactor.until(lambda: len(here.calls.done) == 2)
    (_, _, application, argument), test = here.calls.done
    assert (application, test) == ("multiset", (CALL, "aleg", "bert_test", ""))
    assert "bert_timeout_ms=3000" in argument


def test_bert_counts_lost_syncs(world: New) -> None:
    here = world("switchio.apps.bert:Bert")
    here.event("CUSTOM", Event_Subclass="mod_bert::lost_sync", sync_lost_percent="40")
    here.reactor.until(lambda: here.app.lost_sync)
    here.reactor.until(lambda: len(here.calls.done) == 2)
    assert here.calls.done[0] == (CALL, "aleg", "set", "bert_stats_sync_lost=true")


HERE = {"variable_sofia_profile_name": "external", "variable_sip_req_uri": "15551234@192.0.2.9"}
BRIDGED = Transfer(dial_string="sofia/external/15551234@192.0.2.9", timeout=60)


def test_proxier_and_bridger(world: New) -> None:
    for name in ("Proxier", "Bridger"):
        here = world(f"switchio.apps.routers:{name}")
        here.event("CHANNEL_PARK", Call_Direction="inbound", **HERE)
        done(here, (CALL, "aleg", BRIDGED))


def test_a_router_with_routes(world: New) -> None:
    here = world("tests.hooked_router:router")
    here.event("CHANNEL_PARK", Caller_Destination_Number="5551234", **HERE)
    done(here, (CALL, "aleg", BRIDGED))


def test_a_router_rejects_what_it_has_no_route_for(world: New) -> None:
    here = world("tests.hooked_router:router")
    here.event("CHANNEL_PARK", Caller_Destination_Number="nobody", **HERE)
    done(here, ("uuid_kill", f"{CALL} NO_ROUTE_DESTINATION"))
    here.event("CHANNEL_HANGUP_COMPLETE", Hangup_Cause="NO_ROUTE_DESTINATION")
    here.reactor.until(lambda: not here.worker._tasks)


def test_callee_block_on_invite(world: New) -> None:
    here = world("switchio.apps.blockers:CalleeBlockOnInvite")
    here.event("CHANNEL_CREATE", Call_Direction="inbound")
    done(here, ("uuid_kill", f"{CALL} NORMAL_CLEARING"))


def test_callee_ringback(world: New) -> None:
    here = world("switchio.apps.blockers:CalleeRingback")
    here.event("CHANNEL_CALLSTATE", Call_Direction="inbound", Channel_Call_State="RINGING")
    tones = (CALL, "aleg", "playback", "tone_stream://%(2000, 4000, 440, 480)")
    done(here, (CALL, "aleg", "pre_answer", ""), tones)


def test_play_rec_plays_to_both_legs(world: New) -> None:
    here = world("switchio.apps.players:PlayRec")
    here.calls.answer = "/sounds"
    app = here.app
    app.rec_period = float("inf")  # no recording
    here.event("CHANNEL_PARK", LEG, Channel_Call_UUID=CALL, Call_Direction="inbound")
    here.event("CHANNEL_PARK")
    here.event("CHANNEL_ANSWER", LEG, Channel_Call_UUID=CALL, Call_Direction="inbound")
    here.event("CHANNEL_ANSWER")
    here.reactor.until(lambda: (LEG, "aleg", "playback", "silence_stream://0") in here.calls.done)
    here.event("PLAYBACK_START", LEG, Channel_Call_UUID=CALL, Playback_File_Path="silence_stream://0")
    here.reactor.until(lambda: (CALL, "aleg", "playback", app.audiofile) in here.calls.done)
    assert app.audiofile == "/sounds/en/us/callie/ivr/8000/ivr-founder_of_freesource.wav"
    assert here.worker.figures.failures == 0


def test_muted_play_rec_mutes_the_other_leg(world: New) -> None:
    here = world("switchio.apps.players:MutedPlayRec")
    here.app.rec_period = float("inf")
    here.event("CHANNEL_PARK")
    here.event("CHANNEL_ANSWER", LEG, Channel_Call_UUID=CALL, Call_Direction="inbound")
    here.event("CHANNEL_ANSWER")
    mute = ("uuid_audio", f"{LEG} start write mute 1")
    here.reactor.until(lambda: here.calls.done.count(mute) == 2)
    here.reactor.until(lambda: len([each for each in here.calls.done if "endless_playback" in each]) == 2)


def test_cdr_with_a_storer_of_its_own(world: New) -> None:
    here = world("tests.hooked_router:Records")
    rows = here.app.rows
    for name in ("CHANNEL_CREATE", "CHANNEL_ORIGINATE", "CHANNEL_ANSWER", "CHANNEL_HANGUP"):
        here.event(name, Hangup_Cause="NORMAL_CLEARING" if name == "CHANNEL_HANGUP" else "")
    here.reactor.until(lambda: not rows.empty())
    row = rows.get()
    assert row[1] == "NORMAL_CLEARING"
    assert row[2] == row[3] == 1795403000.0
    assert here.worker.figures.failures == 0


def test_cdr_with_switchios_storer_is_off_before_it_starts_a_process(world: New) -> None:
    here = world("switchio.apps.measure.cdr:CDR", limits=HookLimits())
    here.reactor.until(lambda: here.told)
    assert "signal only works in main thread" in here.told[0][2]
