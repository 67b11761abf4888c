"""The `socket` application: sessions that control an answered call, on a FreeSWITCH and on the simulator."""

from __future__ import annotations

import urllib.parse
import uuid

import pytest
from pytest_twisted import ensureDeferred

from tests.contract.client import Frame, Peer
from tests.contract.conftest import Dialer, Sockets

GOODBYE = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"


async def session(
    dialer: Dialer, sockets: Sockets, flags: str = "async full", dial: str = "", **more: str
) -> tuple[str, Peer]:
    """A call that is controlled by a connection: its UUID and the connection, before any command."""
    target = f"'&socket(127.0.0.1:{sockets.port} {flags})'"
    call = await dialer.answered(dial or "loopback/answer/default", target, **more)
    return call, await sockets.next()


async def connected(dialer: Dialer, sockets: Sockets, dial: str = "", **more: str) -> tuple[str, Peer, Frame]:
    """The same, with `connect` answered."""
    call, peer = await session(dialer, sockets, dial=dial, **more)
    return call, peer, await peer.command("connect")


def execute(application: str, argument: str, event: str = "", *, lock: bool = False) -> str:
    """A `sendmsg` that runs an application."""
    lines = ["sendmsg", "call-command: execute", f"execute-app-name: {application}", f"execute-app-arg: {argument}"]
    return "\n".join(lines + ([f"Event-UUID: {event}"] if event else []) + (["event-lock: true"] if lock else []))


def notice(call: str) -> Frame:
    """The last frame of a session."""
    head = (
        f"Content-Type: text/disconnect-notice\nControlled-Session-UUID: {call}\n"
        "Content-Disposition: disconnect\nContent-Length: 67"
    )
    return Frame(head, GOODBYE)


@ensureDeferred
async def test_connect_is_answered_with_the_channel_in_the_header_block(dialer: Dialer, sockets: Sockets) -> None:
    call, _, answer = await connected(dialer, sockets, campaign_id="4\\,2")
    headers = answer.headers
    assert "Content-Length" not in headers
    assert (headers["Event-Name"], headers["Content-Type"]) == ("CHANNEL_DATA", "command/reply")
    assert (headers["Reply-Text"], headers["Socket-Mode"], headers["Control"]) == ("%2BOK%0A", "async", "full")
    assert (headers["Unique-ID"], headers["Channel-Call-State"], headers["Answer-State"]) == (call, "ACTIVE", "answered")
    assert headers["variable_socket_host"] == "127.0.0.1"
    assert headers["variable_campaign_id"] == "4,2"
    assert answer.names[-4:] == ["Content-Type", "Reply-Text", "Socket-Mode", "Control"]


@ensureDeferred
async def test_first_command_that_is_not_connect_is_carried_out_but_not_answered(dialer: Dialer, sockets: Sockets) -> None:
    _, peer = await session(dialer, sockets)
    peer.write("myevents\n\n")
    await peer.pause(0.3)
    assert not peer.frames
    assert (await peer.command("linger")).reply == "+OK will linger"
    assert (await peer.command("connect")).headers["Event-Name"] == "CHANNEL_DATA"
    assert (await peer.command("myevents")).reply == "-ERR aready enabled."


@ensureDeferred
async def test_session_commands_get_their_recorded_replies(dialer: Dialer, sockets: Sockets) -> None:
    call, peer, _ = await connected(dialer, sockets)
    for command, reply in (
        ("myevents json", "+OK Events Enabled"),
        ("myevents", "-ERR aready enabled."),
        ("linger 3", "+OK will linger 3 seconds"),
        ("linger", "+OK will linger"),
        ("nolinger", "+OK will not linger"),
        ("divert_events off", "+OK events not diverted"),
        ("getvar origination_uuid", call),
        ("event json BACKGROUND_JOB", "+OK event listener enabled json"),
        ("filter a b", "+OK filter added. [a]=[b]"),
        ("sendmsg nosuch", "-ERR invalid session id [nosuch]"),
        ("nosuch", "-ERR command not found"),
        ("resume", "+OK"),
    ):
        assert (command, (await peer.command(command)).reply) == (command, reply)


@ensureDeferred
async def test_without_full_there_are_fewer_commands(dialer: Dialer, sockets: Sockets) -> None:
    _, peer = await session(dialer, sockets, "async")
    assert (await peer.command("connect")).headers["Control"] == "single-channel"
    for command in ("linger", "event plain ALL", "bgapi status", "api status", "log 7"):
        assert (command, (await peer.command(command)).reply) == (command, "-ERR command not found")
    assert (await peer.command("myevents")).reply == "+OK Events Enabled"


@ensureDeferred
async def test_playback_is_told_from_its_beginning_to_its_end_with_our_id(dialer: Dialer, sockets: Sockets) -> None:
    call, peer, _ = await connected(dialer, sockets)
    await peer.command("myevents json")
    tone = "tone_stream://%(300,100,500)"
    assert (await peer.command(execute("playback", tone, "ev-1"))).reply == "+OK"
    begun = await peer.event("CHANNEL_EXECUTE", Application_UUID="ev-1")
    ended = await peer.event("CHANNEL_EXECUTE_COMPLETE", Application_UUID="ev-1")
    for event in (begun, ended):
        assert (event["Application"], event["Application-Data"], event.uuid) == ("playback", tone, call)
    assert ended["Application-Response"] == "FILE PLAYED"
    assert abs(int(ended["variable_playback_ms"]) - 400) <= 40
    lasted = (int(ended["Event-Date-Timestamp"]) - int(begun["Event-Date-Timestamp"])) / 1_000_000
    assert 0.3 <= lasted <= 2.0  # on a machine that has much to do, too


@ensureDeferred
async def test_application_sent_during_a_playback_runs_at_once(dialer: Dialer, sockets: Sockets) -> None:
    _, peer, _ = await connected(dialer, sockets)
    await peer.command("myevents json")
    await peer.command(execute("playback", "tone_stream://%(400,0,500)", "long"))
    await peer.command(execute("set", "foo=a b", "quick", lock=True))
    await peer.event("CHANNEL_EXECUTE_COMPLETE", Application_UUID="long")
    told = [(e.name, e["Application-UUID"]) for e in peer.events if e.name.startswith("CHANNEL_EXECUTE")]
    begin, end = "CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE"
    assert told == [(begin, "long"), (begin, "quick"), (end, "quick"), (end, "long")]
    assert (await peer.command("getvar foo")).reply == "a b"


@ensureDeferred
async def test_locked_playback_makes_what_follows_wait(dialer: Dialer, sockets: Sockets) -> None:
    _, peer, _ = await connected(dialer, sockets)
    await peer.command("myevents json")
    await peer.command(execute("playback", "tone_stream://%(300,0,500)", "one", lock=True))
    await peer.command(execute("playback", "tone_stream://%(200,0,500)", "two", lock=True))
    await peer.event("CHANNEL_EXECUTE_COMPLETE", Application_UUID="two")
    told = [(e.name, e["Application-UUID"]) for e in peer.events if e.name.startswith("CHANNEL_EXECUTE")]
    begin, end = "CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE"
    assert told == [(begin, "one"), (end, "one"), (begin, "two"), (end, "two")]


@ensureDeferred
async def test_argument_may_be_a_body(dialer: Dialer, sockets: Sockets) -> None:
    call, peer, _ = await connected(dialer, sockets)
    await peer.command("myevents")
    body = "big=x,y\nz=1%2"
    peer.write(
        "sendmsg\ncall-command: execute\nexecute-app-name: set\nEvent-UUID: e\n"
        f"content-type: text/plain\ncontent-length: {len(body)}\n\n{body}"
    )
    assert (await peer.frame()).reply == "+OK"
    await peer.event("CHANNEL_EXECUTE_COMPLETE", Application_UUID="e")
    assert await peer.ask(f"uuid_getvar {call} big") == "x,y\nz=1%2"


@ensureDeferred
async def test_getvar_is_cut_at_511_bytes(dialer: Dialer, sockets: Sockets) -> None:
    call, peer, _ = await connected(dialer, sockets, long="x" * 600)
    assert (await peer.command("getvar long")).reply == "x" * 511
    assert len(await peer.ask(f"uuid_getvar {call} long")) == 600


@ensureDeferred
async def test_hangup_by_the_session_ends_in_a_notice(dialer: Dialer, sockets: Sockets) -> None:
    call, peer, _ = await connected(dialer, sockets)
    await peer.command("myevents json")
    assert (await peer.command("sendmsg\ncall-command: hangup\nhangup-cause: USER_BUSY")).reply == "+OK"
    assert await peer.frame() == notice(call)
    await peer.until(lambda: peer.closed)
    told = [event.name for event in peer.events if event.uuid == call]
    assert told[-6:] == [
        "CHANNEL_HANGUP",
        "CHANNEL_UNPARK",
        "CHANNEL_EXECUTE_COMPLETE",
        "CHANNEL_STATE",
        "CHANNEL_STATE",
        "CHANNEL_HANGUP_COMPLETE",
    ]
    assert peer.events[-1]["Hangup-Cause"] == "USER_BUSY"
    assert peer.events[-1]["variable_hangup_cause_q850"] == "17"


@ensureDeferred
async def test_playing_session_hears_the_callee_hang_up(dialer: Dialer, sockets: Sockets) -> None:
    call, peer, _ = await connected(dialer, sockets)
    await peer.command("myevents json")
    await peer.command(execute("playback", "tone_stream://%(3000,0,500)", "long"))
    await peer.event("CHANNEL_EXECUTE", Application_UUID="long")
    await dialer.peer.ask(f"uuid_kill {call}")
    assert await peer.frame() == notice(call)
    told = [e.name for e in peer.events if e.name != "CHANNEL_STATE"]
    assert told[-5:] == [
        "CHANNEL_HANGUP",
        "CHANNEL_EXECUTE_COMPLETE",
        "CHANNEL_UNPARK",
        "CHANNEL_EXECUTE_COMPLETE",
        "CHANNEL_HANGUP_COMPLETE",
    ]


@ensureDeferred
async def test_lingering_session_gets_two_notices(dialer: Dialer, sockets: Sockets) -> None:
    call, peer, _ = await connected(dialer, sockets)
    await peer.command("myevents json")
    await peer.command("linger 1")
    await peer.command("sendmsg\ncall-command: hangup")
    first = await peer.frame()
    ended = await peer.event("CHANNEL_HANGUP_COMPLETE", Unique_ID=call)  # before the notice, or soon after it
    assert first == Frame(
        f"Content-Type: text/disconnect-notice\nControlled-Session-UUID: {call}\nContent-Disposition: linger\n"
        f"Channel-Name: {ended['Channel-Name']}\nLinger-Time: 1\nContent-Length: 0"
    )
    assert await peer.ask(f"uuid_exists {call}") in ("true", "false")
    assert await peer.frame() == notice(call)
    await peer.until(lambda: peer.closed)


@ensureDeferred
async def test_endless_linger_lasts_until_exit(dialer: Dialer, sockets: Sockets) -> None:
    call, peer, _ = await connected(dialer, sockets)
    await peer.command("linger")
    await peer.command("myevents json")
    await dialer.peer.ask(f"uuid_kill {call}")
    assert (await peer.frame()).headers["Linger-Time"] == "-1"
    assert (await peer.command("getvar hangup_cause")).reply == "NORMAL_CLEARING"
    assert (await peer.command("exit")).reply == "+OK bye"
    assert await peer.frame() == notice(call)


@ensureDeferred
async def test_keys_of_the_callee_are_events_and_are_collected(dialer: Dialer, sockets: Sockets) -> None:
    call, peer, _ = await connected(dialer, sockets)
    await peer.command("myevents json")
    await peer.command(
        execute("play_and_get_digits", "1 3 1 3000 # tone_stream://%(200,0,500) silence_stream://10 choice \\d+", "ask")
    )
    await peer.event("CHANNEL_EXECUTE", Application_UUID="ask")
    await peer.pause(0.4)
    assert await dialer.peer.ask(f"uuid_recv_dtmf {call} 12#") == f"+OK {call} received DTMF 12#.\n"
    await peer.event("CHANNEL_EXECUTE_COMPLETE", Application_UUID="ask")
    assert await peer.ask(f"uuid_getvar {call} choice") == "12"
    digits = [e for e in peer.events if e.name == "DTMF"]
    assert [e["DTMF-Digit"] for e in digits][:2] == ["1", "2"]
    assert {"DTMF-Duration", "DTMF-Source"} <= set(digits[0].names)


@ensureDeferred
async def test_key_that_ends_a_playback(dialer: Dialer, sockets: Sockets) -> None:
    call, peer, _ = await connected(dialer, sockets)
    await peer.command("myevents json")
    await peer.command(execute("playback", "tone_stream://%(3000,0,500)", "long"))
    await peer.event("CHANNEL_EXECUTE", Application_UUID="long")
    await peer.pause(0.1)
    await dialer.peer.ask(f"uuid_recv_dtmf {call} *")
    ended = await peer.event("CHANNEL_EXECUTE_COMPLETE", 2.0, Application_UUID="long")
    assert (ended["Application-Response"], ended["variable_playback_terminator_used"]) == ("FILE PLAYED", "*")


@ensureDeferred
async def test_missing_file_is_told_in_the_response(dialer: Dialer, sockets: Sockets) -> None:
    _, peer, _ = await connected(dialer, sockets)
    await peer.command("myevents json")
    await peer.command(execute("playback", "/nosuch/file.wav", "gone"))
    ended = await peer.event("CHANNEL_EXECUTE_COMPLETE", Application_UUID="gone")
    assert ended["Application-Response"] == "FILE NOT FOUND"


@ensureDeferred
async def test_unknown_application_ends_the_controlled_call(dialer: Dialer, sockets: Sockets) -> None:
    call, peer, _ = await connected(dialer, sockets)
    await peer.command(execute("nosuchapp", "x", "odd"))
    ended = await dialer.peer.event("CHANNEL_HANGUP_COMPLETE", Unique_ID=call)
    assert ended["Hangup-Cause"] == "DESTINATION_OUT_OF_ORDER"


@ensureDeferred
async def test_dialplan_goes_on_when_the_listener_closes(dialer: Dialer, sockets: Sockets) -> None:
    plan = f"'socket:127.0.0.1:{sockets.port} async full,sleep:300,socket:127.0.0.1:{sockets.port} async full,hangup' inline"
    call = await dialer.answered(then=plan)
    first = await sockets.next()
    await first.command("connect")
    await first.pause(0.3)
    first.close()
    second = await sockets.next()
    assert (await second.command("connect")).headers["Unique-ID"] == call


@ensureDeferred
async def test_listener_that_closes_during_a_playback_gives_the_call_back_at_its_end(dialer: Dialer, sockets: Sockets) -> None:
    plan = f"'socket:127.0.0.1:{sockets.port} async full,set:after=yes,park' inline"
    call = await dialer.answered(then=plan)
    peer = await sockets.next()
    await peer.command("connect")
    await peer.command(execute("playback", "tone_stream://%(1000,0,500)", "long"))
    await peer.pause(0.2)
    peer.close()
    await dialer.peer.pause(0.3)
    assert await dialer.peer.ask(f"uuid_getvar {call} after") == "_undef_"
    await dialer.peer.event("CHANNEL_EXECUTE", Unique_ID=call, Application="park")
    assert await dialer.peer.ask(f"uuid_getvar {call} after") == "yes"


@ensureDeferred
async def test_exit_gives_the_call_back_too(dialer: Dialer, sockets: Sockets) -> None:
    plan = f"'socket:127.0.0.1:{sockets.port} async full,hangup:USER_BUSY' inline"
    call = await dialer.answered(then=plan)
    peer = await sockets.next()
    await peer.command("connect")
    await peer.pause(0.2)
    assert (await peer.command("exit")).reply == "+OK bye"
    assert await peer.frame() == notice(call)
    assert (await dialer.peer.event("CHANNEL_HANGUP_COMPLETE", Unique_ID=call))["Hangup-Cause"] == "USER_BUSY"


@ensureDeferred
async def test_background_job_of_a_session_reaches_others_too(dialer: Dialer, sockets: Sockets) -> None:
    _, peer, _ = await connected(dialer, sockets)
    job = str(uuid.uuid4())
    assert (await peer.command(f"bgapi echo x\nJob-UUID: {job}")).reply == f"+OK Job-UUID: {job}"
    assert await dialer.peer.job(job) == "x"


@pytest.mark.needs_sip
@ensureDeferred
async def test_callee_that_hangs_up_ends_the_session(dialer: Dialer, sockets: Sockets) -> None:
    call, peer, answer = await connected(
        dialer,
        sockets,
        dialer.target.number("7001"),
        origination_caller_id_number="5550001",
        origination_caller_id_name="Dialer",
    )
    assert urllib.parse.unquote(answer.headers["Channel-Orig-Caller-ID-Name"]) == "Dialer"
    await peer.command("linger 1")  # without it the switch may close before this event, the more often the busier it is
    await peer.command("myevents json")
    ended = await peer.event("CHANNEL_HANGUP_COMPLETE", Unique_ID=call)
    assert ended["Hangup-Cause"] == "NORMAL_CLEARING"
    assert ended["variable_sip_hangup_disposition"] == "recv_bye"
    assert ended["variable_last_app"] == "socket"
    assert (await peer.frame()).headers["Content-Disposition"] == "linger"
    assert await peer.frame() == notice(call)
