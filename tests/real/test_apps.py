"""The voice applications, heard by the switch."""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path

from attrs import evolve
from pytest_twisted import ensureDeferred

from dialer.model import VoipAppType
from tests.real.conftest import Exchange
from tests.unit.apps.world import AGENTS, ANA

DIAL, PLAY, ROOM, SPEAK = VoipAppType.DIAL, VoipAppType.PLAY_AUDIO, VoipAppType.CONFERENCE, VoipAppType.SPEAK
SECOND_LEG = "loopback/answer/default"


def tone(path: Path, seconds: float) -> Path:
    """A sound file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        samples = (round(8000 * math.sin(index / 3)) for index in range(int(8000 * seconds)))
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    path.chmod(0o644)
    return path


def loudness(path: Path) -> float:
    """The root mean square of a recording's samples."""
    with wave.open(str(path), "rb") as file:
        data = file.readframes(file.getnframes())
    samples = struct.unpack(f"<{len(data) // 2}h", data)
    return math.sqrt(sum(sample * sample for sample in samples) / max(len(samples), 1))


@ensureDeferred
async def test_sounds_are_played_one_after_the_other_and_the_call_ends(exchange: Exchange) -> None:
    file = tone(exchange.folder / "hello-500ms.wav", 0.5)
    call = await exchange.call(PLAY, "", f"{file}!tone_stream://%(200,0,440)!/nosuch/file.wav")
    notes = await exchange.over(call)
    assert notes == {"played": "2", "missing": "/nosuch/file.wav", "cause": "NORMAL_CLEARING"}
    assert await exchange.live() == 0


@ensureDeferred
async def test_a_sound_is_found_in_the_folder_for_sounds(exchange: Exchange) -> None:
    tone(exchange.folder / "hello-300ms.wav", 0.3)
    exchange.use(sounds=str(exchange.folder))
    assert (await exchange.over(await exchange.call(PLAY, "hello-300ms.wav")))["played"] == "1"


@ensureDeferred
async def test_a_text_is_spoken_whatever_is_in_it(exchange: Exchange) -> None:
    await exchange.ask("load mod_flite")
    text = "Dear {first_name}, it's 'five' o'clock, \"really\"; 50% off | {bye}"
    call = await exchange.call(SPEAK, text)
    notes = await exchange.over(call)
    assert (notes["spoken"], notes["cause"]) == ("48", "NORMAL_CLEARING")
    (spoken,) = [e for e in exchange.peer.events if e.name == "CHANNEL_EXECUTE" and e["Application"] == "speak"]
    assert spoken["Application-Data"] == "flite|slt|Dear Ana, it's 'five' o'clock, \"really\"; 50% off"
    ended = await exchange.peer.event("CHANNEL_EXECUTE_COMPLETE", Unique_ID=call, Application="speak")
    assert int(ended["Event-Date-Timestamp"]) - int(spoken["Event-Date-Timestamp"]) > 1_500_000


@ensureDeferred
async def test_the_keys_of_the_callee_are_noted(exchange: Exchange) -> None:
    call = await exchange.call(PLAY, "tone_stream://%(2000,0,440)")
    await exchange.began(call, "playback")
    await exchange.ask(f"uuid_recv_dtmf {call} 12#")
    assert (await exchange.over(call))["digits"] == "12#"


@ensureDeferred
async def test_the_key_to_opt_out_ends_the_message_and_is_confirmed(exchange: Exchange) -> None:
    exchange.use(opt_out_digit="9")
    call = await exchange.call(PLAY, "tone_stream://%(15000,0,440)")
    await exchange.began(call, "playback")
    await exchange.ask(f"uuid_recv_dtmf {call} 9")
    notes = await exchange.over(call, 5.0)
    assert (notes["opt_out"], notes["played"], exchange.store.never) == ("9", "0", [ANA.number])
    ended = [event for event in exchange.peer.events if event.name == "CHANNEL_EXECUTE_COMPLETE" and event.uuid == call]
    ended = [event for event in ended if event["Application"] == "playback"]
    assert len(ended) == 2
    assert abs(int(ended[1]["variable_playback_ms"]) - 800) <= 60


@ensureDeferred
async def test_the_key_to_opt_out_interrupts_a_speaker_too(exchange: Exchange) -> None:
    await exchange.ask("load mod_flite")
    exchange.use(opt_out_digit="9")
    call = await exchange.call(SPEAK, "one two three four five six seven eight nine ten " * 10)
    await exchange.began(call, "speak")
    await exchange.peer.pause(0.3)
    await exchange.ask(f"uuid_recv_dtmf {call} 9")
    assert (await exchange.over(call, 5.0))["opt_out"] == "9"


@ensureDeferred
async def test_a_callee_in_a_conference_may_opt_out(exchange: Exchange) -> None:
    exchange.use(opt_out_digit="9", conference_prefix="dialer-test-")
    call = await exchange.call(ROOM, "optout")
    await exchange.began(call, "conference")
    await exchange.peer.pause(0.3)
    await exchange.ask(f"uuid_recv_dtmf {call} 9")
    notes = await exchange.over(call, 6.0)
    assert (notes["opt_out"], notes["conference"]) == ("9", "dialer-test-optout")
    assert [e["Application-Data"][:4] for e in exchange.peer.events if e.get("Application") == "playback"]


@ensureDeferred
async def test_a_second_leg_is_dialled_and_ended_with_the_first(exchange: Exchange) -> None:
    call = await exchange.call(DIAL, "", SECOND_LEG)
    await exchange.peer.event("CHANNEL_BRIDGE", Unique_ID=call)
    await exchange.peer.pause(1.0)
    assert await exchange.live() >= 3
    await exchange.ask(f"uuid_kill {call}")
    notes = await exchange.over(call)
    assert (notes["transfer"], notes["transfer_to"], notes["transfer_ended_by"]) == ("answered", SECOND_LEG, "contact")
    assert 0.8 <= float(notes["transfer_seconds"]) <= 2.0
    await exchange.peer.pause(0.3)
    assert await exchange.live() == 0


@ensureDeferred
async def test_a_second_leg_that_hangs_up_ends_the_call_politely(exchange: Exchange) -> None:
    call = await exchange.call(DIAL, "", SECOND_LEG)
    bridged = await exchange.peer.event("CHANNEL_BRIDGE", Unique_ID=call)
    await exchange.peer.pause(0.5)
    second = await exchange.ask(f"uuid_getvar {call} bridge_uuid")
    assert second != call, bridged.headers
    await exchange.ask(f"uuid_kill {second}")
    notes = await exchange.over(call)
    assert (notes["transfer_ended_by"], notes["transfer_cause"]) == ("target", "NORMAL_CLEARING")
    assert notes["cause"] == "NORMAL_CLEARING"


@ensureDeferred
async def test_a_busy_second_leg_is_a_failed_transfer_of_a_good_call(exchange: Exchange) -> None:
    call = await exchange.call(DIAL, "", "loopback/busy/default")
    notes = await exchange.over(call)
    assert (notes["transfer"], notes["transfer_cause"], notes["cause"]) == ("failed", "USER_BUSY", "NORMAL_CLEARING")
    assert notes["transfer_seconds"] == "0.0"


@ensureDeferred
async def test_a_second_leg_that_nobody_answers_is_given_up(exchange: Exchange) -> None:
    exchange.use(dial_timeout=2)
    notes = await exchange.over(await exchange.call(DIAL, "", "loopback/ring/default"))
    assert (notes["transfer"], notes["transfer_cause"], notes["cause"]) == ("failed", "NO_ANSWER", "NORMAL_CLEARING")


@ensureDeferred
async def test_a_number_is_transferred_through_the_gateway(exchange: Exchange, sip: tuple[str, ...]) -> None:
    assert "7*=answers:ring=0.2,talk=2" in sip
    exchange.store.known[7] = evolve(AGENTS, dial_string=exchange.target.dial, removeprefix="00", addprefix="7")
    call = await exchange.call(DIAL, "00 49 30 1234", dial=exchange.target.number("8001"))
    notes = await exchange.over(call)
    assert (notes["transfer"], notes["transfer_to"], notes["transfer_ended_by"]) == ("answered", "0049301234", "target")
    assert 1.7 <= float(notes["transfer_seconds"]) <= 2.4


@ensureDeferred
async def test_the_contact_reaches_the_second_leg_exactly_as_variables(exchange: Exchange) -> None:
    odd = "a,b=c; 'd' \\ [e] ^^:f|g&h<i>"
    exchange.store.contacts[1] = type(ANA)(number="4930123456", first_name="Ana", additional_vars={"odd": odd, "next": "n"})
    call = await exchange.call(DIAL, "", SECOND_LEG)
    await exchange.peer.event("CHANNEL_BRIDGE", Unique_ID=call)
    second = await exchange.ask(f"uuid_getvar {call} bridge_uuid")
    assert await exchange.ask(f"uuid_getvar {second} sip_h_X-Odd") == "a,b=c;  d    [e] ^^:f|g&h i"
    assert await exchange.ask(f"uuid_getvar {second} sip_h_X-Next") == "n"
    assert await exchange.ask(f"uuid_getvar {second} sip_h_X-First-Name") == "Ana"


@ensureDeferred
async def test_three_calls_meet_in_a_conference(exchange: Exchange) -> None:
    exchange.use(conference_prefix="dialer-test-")
    calls = [await exchange.call(ROOM, "three") for _ in range(3)]
    for call in calls:
        await exchange.began(call, "conference")
    await exchange.peer.pause(0.5)
    assert await exchange.ask("conference dialer-test-three get count") == "3"
    assert await exchange.ask("conference dialer-test-three get max_members") == "50"
    for call in calls:
        await exchange.ask(f"uuid_kill {call}")
    for call in calls:
        assert (await exchange.over(call))["conference"] == "dialer-test-three"
    await exchange.peer.pause(0.3)
    assert "not found" in await exchange.ask("conference dialer-test-three get count")


@ensureDeferred
async def test_a_full_conference_takes_nobody_else(exchange: Exchange) -> None:
    exchange.use(conference_prefix="dialer-test-", conference_members=2)
    calls = [await exchange.call(ROOM, "two") for _ in range(2)]
    for call in calls:
        await exchange.began(call, "conference")
    await exchange.peer.pause(0.5)
    third = await exchange.call(ROOM, "two")
    await exchange.over(third)
    assert await exchange.ask("conference dialer-test-two get count") == "2"


@ensureDeferred
async def test_an_application_that_reaches_its_limit_ends_the_call(exchange: Exchange) -> None:
    exchange.use(play_limit=1)
    notes = await exchange.over(await exchange.call(PLAY, "silence_stream://-1"))
    assert (notes["limit"], notes["cause"]) == ("1", "NORMAL_CLEARING")
    assert await exchange.live() == 0


@ensureDeferred
async def test_a_call_is_recorded_and_the_recording_is_not_silent(exchange: Exchange, freeswitch: bool) -> None:
    exchange.use(recordings=str(exchange.folder))
    call = await exchange.call(PLAY, "tone_stream://%(1500,0,440)")
    notes = await exchange.over(call)
    assert notes["recording"] == str(exchange.folder / f"{call}.wav")
    if freeswitch:
        await exchange.peer.pause(0.5)
        assert loudness(Path(notes["recording"])) > 500


@ensureDeferred
async def test_what_is_spoken_can_be_heard(exchange: Exchange, freeswitch: bool) -> None:
    await exchange.ask("load mod_flite")
    exchange.use(recordings=str(exchange.folder))
    notes = await exchange.over(await exchange.call(SPEAK, "This is a message for {first_name}."))
    if freeswitch:
        await exchange.peer.pause(0.5)
        assert loudness(Path(notes["recording"])) > 200


@ensureDeferred
async def test_a_call_whose_session_is_lost_gets_another_one_and_ends(exchange: Exchange) -> None:
    call = await exchange.call(PLAY, "tone_stream://%(1000,0,440)")
    await exchange.began(call, "playback")
    for session in list(exchange.server._sessions):
        session.socket.abort("the test says so")
    notes = await exchange.over(call, 15.0)
    assert (notes["played"], notes["cause"]) == ("1", "NORMAL_CLEARING")
    assert await exchange.live() == 0


@ensureDeferred
async def test_a_call_that_was_transferred_is_not_transferred_again_by_the_next_session(exchange: Exchange) -> None:
    call = await exchange.call(DIAL, "", SECOND_LEG)
    await exchange.peer.event("CHANNEL_BRIDGE", Unique_ID=call)
    for session in list(exchange.server._sessions):
        session.socket.abort("the test says so")
    await exchange.peer.pause(0.5)
    second = await exchange.ask(f"uuid_getvar {call} bridge_uuid")
    await exchange.ask(f"uuid_kill {second}")
    notes = await exchange.over(call, 15.0)
    assert (notes["transfer_cause"], notes["cause"]) == ("SUCCESS", "NORMAL_CLEARING")
    assert [e for e in exchange.peer.events if e.name == "CHANNEL_BRIDGE" and e.uuid == call][1:] == []


@ensureDeferred
async def test_a_call_of_somebody_else_is_hung_up(exchange: Exchange) -> None:
    call = await exchange.call(PLAY, "tone_stream://%(100,0,440)")
    await exchange.over(call)
    exchange.server._is_ours = lambda _: False
    stranger = await exchange.call(PLAY, "tone_stream://%(100,0,440)")
    ended = await exchange.peer.event("CHANNEL_HANGUP_COMPLETE", Unique_ID=stranger)
    assert ended["Hangup-Cause"] == "CALL_REJECTED"
    assert stranger not in exchange.notes
