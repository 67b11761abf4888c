"""What all voice applications have in common."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred

from dialer.apps import runner
from dialer.apps.context import CallContext
from dialer.apps.runner import BUILT_IN, CONFIRMATION, LONGEST_NOTE, MOST_NOTES
from dialer.errors import BadValue
from dialer.interfaces import UNFINISHED
from dialer.model import VoipAppType
from tests.fakes.calls import MemoryCall
from tests.unit.apps.world import ANA, Apps

DIAL, PLAY, ROOM, SPEAK = VoipAppType.DIAL, VoipAppType.PLAY_AUDIO, VoipAppType.CONFERENCE, VoipAppType.SPEAK


@pytest.fixture
def apps() -> Apps:
    return Apps()


@pytest.fixture
def listening() -> Apps:
    apps = Apps()
    apps.use(opt_out_digit="9", opt_out_wait=5.0)
    return apps


def test_the_digits_are_noted_even_when_the_callee_hangs_up(apps: Apps) -> None:
    apps.call.slow.add("playback")
    apps.start(PLAY, "a.wav")
    apps.call.press("12#")
    apps.call.end()
    assert apps.notes == {"played": "0", "digits": "12#", UNFINISHED: "the callee hung up"}


def test_a_callee_who_hangs_up_behind_the_end_of_the_application_has_heard_all(apps: Apps) -> None:
    apps.use(opt_out_wait=5)
    apps.start(PLAY, "a.wav")
    apps.clock.advance(1)
    apps.call.end()
    assert apps.notes == {"played": "1"}


def test_a_conference_has_no_other_end_than_that_somebody_hangs_up(apps: Apps) -> None:
    apps.call.slow.add("conference")
    apps.start(ROOM, "room")
    apps.call.end()
    assert UNFINISHED not in apps.notes


def test_an_application_has_a_limit(apps: Apps) -> None:
    apps.use(play_limit=20)
    apps.call.slow.add("playback")
    apps.start(PLAY, "a.wav")
    apps.clock.advance(19)
    assert apps.notes is None
    apps.clock.advance(1)
    assert apps.notes == {"played": "0", "limit": "20"}
    assert apps.clock.getDelayedCalls() == []


@pytest.mark.parametrize(("kind", "name"), [(DIAL, "dial"), (ROOM, "conference"), (SPEAK, "speak")])
def test_every_kind_has_its_limit(apps: Apps, kind: VoipAppType, name: str) -> None:
    apps.use(**{f"{name}_limit": 7})
    apps.call.slow |= {"bridge", "conference", "speak"}
    apps.start(kind, "2000")
    apps.clock.advance(7)
    assert apps.notes["limit"] == "7"


def test_a_recording_is_named_after_its_call(apps: Apps) -> None:
    apps.use(recordings="/srv/recordings/", inband_dtmf=True)
    apps.start(PLAY, "a.wav")
    assert apps.call.executed[:2] == [("record_session", "/srv/recordings/call-1.wav"), ("start_dtmf", "")]
    assert apps.notes["recording"] == "/srv/recordings/call-1.wav"


def test_what_the_store_refuses_is_noted(apps: Apps) -> None:
    apps.store.away = True
    apps.start(SPEAK, "{first_name}")
    assert apps.notes == {"error": "locked", "unserved": "locked"}


def test_an_application_that_is_broken_is_noted_without_its_secrets(apps: Apps) -> None:
    async def broken(call: Any, context: CallContext) -> None:
        context.notes["step"] = "1"
        raise RuntimeError("password=hunter2")

    apps.applications[SPEAK] = broken
    apps.start(SPEAK, "x")
    assert apps.notes["step"] == "1"
    assert "hunter2" not in apps.notes["error"]


def test_an_application_that_the_session_gives_up_ends(apps: Apps) -> None:
    apps.call.slow.add("playback")
    running = apps.start(PLAY, "a.wav")
    running.cancel()
    assert isinstance(apps.error, CancelledError)
    assert apps.clock.getDelayedCalls() == []


def test_notes_are_texts_and_have_limits(apps: Apps) -> None:
    async def talkative(call: Any, context: CallContext) -> dict[str, Any]:
        return {f"note{index}": index for index in range(1000)} | {"note0": "x" * 5000}

    apps.applications[SPEAK] = talkative
    apps.start(SPEAK, "x")
    assert len(apps.notes) == MOST_NOTES
    assert apps.notes["note1"] == "1"
    assert len(apps.notes["note0"]) == LONGEST_NOTE


# --- do not call me again ---------------------------------------------------------------------------------------------------


def test_the_key_stops_the_message_puts_the_number_on_the_list_and_says_so(listening: Apps) -> None:
    listening.call.slow.add("playback")
    listening.start(PLAY, "a.wav!b.wav")
    listening.call.press("59")
    assert listening.store.never == [ANA.number]
    assert listening.call.executed == [("playback", "a.wav"), ("uuid_break", ""), ("playback", CONFIRMATION)]
    listening.call.complete()
    assert listening.notes == {"played": "0", "opt_out": "9", "digits": "59"}
    assert listening.clock.getDelayedCalls() == []


def test_the_key_counts_for_a_while_after_the_message(listening: Apps) -> None:
    listening.start(PLAY, "a.wav")
    listening.clock.advance(4.9)
    assert listening.notes is None
    listening.call.press("9")
    assert listening.store.never == [ANA.number]
    assert listening.notes["opt_out"] == "9"


def test_a_call_without_the_key_ends_after_the_wait(listening: Apps) -> None:
    listening.start(PLAY, "a.wav")
    listening.call.press("1")
    listening.clock.advance(5)
    assert listening.notes == {"played": "1", "digits": "1"}
    assert listening.store.never == []
    assert listening.clock.getDelayedCalls() == []


def test_a_callee_who_hangs_up_during_the_wait_is_not_waited_for(listening: Apps) -> None:
    listening.start(PLAY, "a.wav")
    listening.call.end()
    assert listening.notes == {"played": "1"}
    assert listening.clock.getDelayedCalls() == []


def test_a_callee_who_presses_the_key_and_hangs_up_is_on_the_list(listening: Apps) -> None:
    listening.call.slow.add("playback")
    listening.call.press("9")
    listening.call.gone = True
    listening.start(PLAY, "a.wav")
    assert listening.store.never == [ANA.number]
    assert listening.notes["opt_out"] == "9"


def test_a_store_that_is_away_leaves_the_wish_in_the_notes(listening: Apps) -> None:
    listening.call.slow.add("playback")
    listening.start(PLAY, "a.wav")
    listening.store.away = True
    listening.call.press("9")
    assert listening.notes["opt_out"] == "9"


def test_a_configured_sound_confirms(listening: Apps) -> None:
    listening.use(opt_out_sound="bye.wav", sounds="/srv")
    listening.call.slow.add("speak")
    listening.start(SPEAK, "hello")
    listening.call.press("9")
    assert listening.call.played() == ["/srv/bye.wav"]


def test_the_key_belongs_to_the_agent_during_a_transfer(listening: Apps) -> None:
    listening.call.slow.add("bridge")
    listening.start(DIAL, "2000")
    listening.call.press("9")
    assert listening.store.never == []
    listening.call.complete()
    assert listening.notes["transfer"] == "answered"


def test_the_key_may_count_during_a_transfer_when_that_is_configured(listening: Apps) -> None:
    listening.use(opt_out_kinds=frozenset({DIAL}))
    listening.call.slow.add("bridge")
    listening.start(DIAL, "2000")
    listening.call.press("9")
    assert listening.store.never == [ANA.number]


# --- applications of one's own ----------------------------------------------------------------------------------------------


async def survey(call: MemoryCall, context: CallContext) -> dict[str, str]:
    await call.execute("playback", "question.wav")
    return {"answer": await call.next_digit()}


async def alone(call: MemoryCall) -> None:
    pass


def blocking(call: MemoryCall, context: CallContext) -> None:
    pass


def test_an_application_of_ones_own_takes_the_place_of_a_kind(apps: Apps) -> None:
    apps.applications = runner.applications({SPEAK: f"{__name__}:survey", PLAY: ""})
    assert apps.applications[PLAY] is BUILT_IN[PLAY]
    apps.start(SPEAK, "anything")
    apps.call.press("4")
    assert apps.notes == {"answer": "4", "digits": "4"}


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("survey", "is not package.module:function"),
        ("nosuchpackage.apps:survey", "ModuleNotFoundError"),
        (f"{__name__}:nosuch", "AttributeError"),
        (f"{__name__}:blocking", "is not an async def"),
        (f"{__name__}:alone", "does not take two arguments"),
        (f"{__name__}:ANA", "is not an async def"),
    ],
)
def test_what_cannot_be_an_application_is_refused_by_the_settings_name(name: str, problem: str) -> None:
    with pytest.raises(BadValue, match=problem) as refused:
        runner.applications({DIAL: name})
    assert refused.value.field == "apps.dial"


def test_a_wait_of_an_application_of_ones_own_ends_with_the_call(apps: Apps) -> None:
    apps.applications[SPEAK] = survey
    running: Deferred[Any] = apps.start(SPEAK, "x")
    assert not running.called
    apps.call.end()
    assert apps.notes == {UNFINISHED: "the callee hung up"}
