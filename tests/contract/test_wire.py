"""The Event Socket's inbound side: what both a FreeSWITCH and the simulator do."""

from __future__ import annotations

import json
import re
import uuid

import pytest
from pytest_twisted import ensureDeferred

from dialer.esl import sip_gateways
from dialer.esl.connection import CommandReply
from dialer.esl.frames import Frame as Frames
from tests.contract.client import Frame
from tests.contract.conftest import ACCOUNT, Connect, Dialer, Target

GOODBYE = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"

# Command and reply, in this order on one connection (recording 01).
REPLIES = (
    ("nosuchcommand", "-ERR command not found"),
    ("event plain", "-ERR no keywords supplied"),
    ("event", "-ERR no keywords supplied"),
    ("event plain NOSUCHEVENT", "-ERR no keywords supplied"),
    ("event plain HEARTBEAT NOSUCHEVENT", "+OK event listener enabled plain"),
    ("event plain CUSTOM sofia::gateway_state CHANNEL_ANSWER", "+OK event listener enabled plain"),
    ("nixevent CHANNEL_ANSWER", "+OK events nixed"),
    ("noevents", "+OK no longer listening for events"),
    ("noevents", "-ERR not listening for events"),
    ("filter Unique-ID x", "+OK filter added. [Unique-ID]=[x]"),
    ("filter delete Unique-ID", "+OK filter deleted. [Unique-ID][]"),
    ("filter", "-ERR command not found"),
    ("linger", "-ERR not controlling a session"),
    ("nolinger", "-ERR not controlling a session"),
    ("nolog", "-ERR not loging"),
    ("connect", "-ERR command not found"),
    ("getvar x", "-ERR command not found"),
    ("myevents", "-ERR command not found"),
    ("sendmsg", "-ERR invalid session id []"),
    ("sendmsg nosuch", "-ERR invalid session id [nosuch]"),
    ("divert_events on", "-ERR not controlling a session."),
    ("bgapi", "-ERR command not found"),
    ("api", "-ERR command not found"),
    ("resume", "-ERR command not found"),
    ("auth ClueCon", "-ERR command not found"),
)

# API command and its whole output.
OUTPUTS = (
    ("echo hello world", "hello world"),
    ("echo  two  blanks ", "two  blanks"),
    ("echo", "-ERR no reply\n"),
    ("nosuchapi x", "-ERR nosuchapi Command not found!\n"),
    ("global_getvar nosuch", "-ERR no reply\n"),
    ("uuid_exists nosuch", "false"),
    ("uuid_exists", "false"),
    ("uuid_kill", "-USAGE: <uuid> [cause]\n"),
    ("uuid_kill nosuch", "-ERR No such channel!\n"),
    ("uuid_getvar nosuch x", "-ERR No such channel!\n"),
    ("uuid_getvar nosuch", "-USAGE: <uuid> <var>\n"),
    ("uuid_setvar a", "-USAGE: <uuid> <var> [value]\n"),
    ("uuid_setvar nosuch a b", "-ERR No such channel!\n"),
    ("uuid_dump nosuch json", "-ERR No such channel!\n"),
    ("cond 5 < 7 ? a:b : c:d", "a"),
    ("cond 9 < 7 ? a:b : c:d", "b : c:d"),
    ("cond 5<7 ? a : b", "-ERR"),
    ("cond a == a ? x : y", "x"),
    ("cond 5 <7 ? a : b", "-ERR"),
    ("cond '5' == '5' ? yes", "yes"),
    ("cond 1 > 2 ? yes", "-ERR no reply\n"),
    ("expand", "-ERR No input\n"),
    ("expand nosuch", "INVALID COMMAND!\n-ERR Cannot execute command\n"),
    ("expand echo x${cond(5 < 7 ? a : b)}y", "xay"),
    ("expand echo $x ${nosuch} \\$y \\\\z", "$x  $y \\z"),
    ("expand echo ${cond(9 < 7 ? error/X : sofia/external/1@127.0.0.1:5090)}", "sofia/external/1@127.0.0.1:5090"),
    ("sofia status gateway nope", "Invalid Gateway!\n"),
    (
        "hupall NORMAL_CLEARING accountcode nosuch",
        "+OK hangup all channels matching [accountcode]=[nosuch] with cause: NORMAL_CLEARING\n",
    ),
    ("fsctl pause_check", "false"),
    ("hupall X_Y accountcode nosuch", "+OK hangup all channels matching [accountcode]=[nosuch] with cause: NORMAL_CLEARING\n"),
)


# Of a gateway that is up, in this order.
ELEMENTS = (
    "name profile scheme realm username password from contact exten to proxy context expires freq ping pingfreq pingmin "
    "pingcount pingmax pingtime pinging state status uptime-usec calls-in calls-out failed-calls-in failed-calls-out"
)


@pytest.mark.needs_sip
@ensureDeferred
async def test_all_sip_gateways_are_told_by_one_command(connect: Connect) -> None:
    told = await (await connect()).ask("sofia xmlstatus gateway")
    head, *gateways = told.split("  <gateway>\n")
    assert head == '<?xml version="1.0" encoding="ISO-8859-1"?>\n<gateways>\n'
    [text] = [each for each in gateways if "<name>carrier</name>" in each]
    assert re.findall(r"^    <([a-z-]+)>.*</\1>$", text, re.MULTILINE) == ELEMENTS.split()
    found = sip_gateways.read(CommandReply(sip_gateways.ask(), told, Frames({}, b"")))
    assert found is not None
    [carrier] = [each for each in found if each.name == "carrier"]
    assert (carrier.profile, carrier.state, carrier.status) == ("external", "NOREG", "UP")


@ensureDeferred
async def test_greeting_has_no_body(connect: Connect) -> None:
    peer = await connect(login=False)
    assert await peer.frame() == Frame("Content-Type: auth/request", "")


@ensureDeferred
async def test_wrong_password_is_refused_with_a_notice_that_has_a_body(connect: Connect) -> None:
    peer = await connect(login=False)
    await peer.frame()
    assert (await peer.command("auth wrong")).head == "Content-Type: command/reply\nReply-Text: -ERR invalid"
    assert await peer.frame() == Frame("Content-Type: text/disconnect-notice\nContent-Length: 67", GOODBYE)
    await peer.until(lambda: peer.closed)


@ensureDeferred
async def test_command_before_authentication_is_unknown_and_the_password_may_follow(connect: Connect, target: Target) -> None:
    peer = await connect(login=False)
    await peer.frame()
    assert (await peer.command("api status")).reply == "-ERR command not found"
    assert (await peer.command(f"auth {target.password}")).reply == "+OK accepted"
    assert await peer.ask("echo x") == "x"


@ensureDeferred
async def test_each_command_gets_its_recorded_reply(connect: Connect) -> None:
    peer = await connect()
    for command, reply in REPLIES:
        frame = await peer.command(command)
        assert (command, frame.head, frame.body) == (command, f"Content-Type: command/reply\nReply-Text: {reply}", "")


@ensureDeferred
async def test_each_api_command_says_the_same(connect: Connect) -> None:
    peer = await connect()
    for command, output in OUTPUTS:
        frame = await peer.command(f"api {command}")
        assert (command, frame.body) == (command, output)
        assert frame.names == ["Content-Type", "Content-Length"]


@ensureDeferred
async def test_exit_is_answered_before_the_notice(connect: Connect) -> None:
    peer = await connect()
    assert (await peer.command("exit")).reply == "+OK bye"
    assert (await peer.frame()).body == GOODBYE
    await peer.until(lambda: peer.closed)


@ensureDeferred
async def test_line_ends_blank_lines_and_pipelining_are_all_the_same_to_it(connect: Connect) -> None:
    peer = await connect()
    peer.write("\n\n\napi echo 1\n\napi echo 2\r\n\r\nbgapi echo 3\nJob-UUID: own-job\n\napi echo 4\r\n\r\n")
    said = [await peer.frame() for _ in range(4)]
    assert [frame.body or frame.reply for frame in said] == ["1", "2", "+OK Job-UUID: own-job", "4"]
    assert said[2].names == ["Content-Type", "Reply-Text", "Job-UUID"]


@ensureDeferred
async def test_half_a_command_stops_events_until_it_is_complete(connect: Connect) -> None:
    peer, other = await connect(events="BACKGROUND_JOB"), await connect()
    job = str(uuid.uuid4())
    peer.write("api echo 1\n")
    await peer.pause(0.1)
    await other.command(f"bgapi echo hi\nJob-UUID: {job}")
    await peer.pause(0.3)
    assert not peer.events
    peer.write("\n")
    assert (await peer.frame()).body == "1"
    assert await peer.job(job) == "hi"


@pytest.mark.parametrize("form", ["plain", "json"])
@ensureDeferred
async def test_job_result_reaches_every_subscriber(connect: Connect, form: str) -> None:
    asking, hearing = await connect(events="BACKGROUND_JOB", form=form), await connect(events="BACKGROUND_JOB", form=form)
    job = str(uuid.uuid4())
    await asking.command(f"bgapi echo a b\nJob-UUID: {job}")
    for peer in (asking, hearing):
        event = await peer.event("BACKGROUND_JOB", Job_UUID=job)
        assert (event["Job-Command"], event["Job-Command-Arg"], event["_body"]) == ("echo", "a b", "a b")
        assert event.frame.names == ["Content-Length", "Content-Type"]
        assert event["Content-Length"] == "3"


@ensureDeferred
async def test_job_outlives_the_connection_that_asked_for_it(connect: Connect) -> None:
    hearing, asking = await connect(events="BACKGROUND_JOB"), await connect()
    job = str(uuid.uuid4())
    # A call, so that the job lasts a moment; `echo` may be over before the connection is gone.
    dial = f"{{originate_timeout=3,accountcode={ACCOUNT}}}loopback/ring/default &park"
    await asking.command(f"bgapi originate {dial}\nJob-UUID: {job}")
    asking.close()
    assert await hearing.job(job) == "-ERR NO_ANSWER\n"


@ensureDeferred
async def test_what_follows_custom_is_a_subclass(connect: Connect) -> None:
    peer, sure = await connect(events="CUSTOM x BACKGROUND_JOB"), await connect(events="BACKGROUND_JOB")
    job = str(uuid.uuid4())
    await sure.command(f"bgapi echo a\nJob-UUID: {job}")
    await sure.job(job)
    await peer.pause(0.2)
    assert not peer.events


@ensureDeferred
async def test_filter_on_a_channel_removes_job_results(connect: Connect) -> None:
    peer, sure = await connect(events="BACKGROUND_JOB"), await connect(events="BACKGROUND_JOB")
    await peer.command("filter Unique-ID nosuch")
    job = str(uuid.uuid4())
    await sure.command(f"bgapi echo a\nJob-UUID: {job}")
    await sure.job(job)
    await peer.pause(0.2)
    assert not peer.events
    await peer.command("filter Job-UUID other-job")
    await peer.command("filter delete Unique-ID")
    await peer.command("bgapi echo b\nJob-UUID: other-job")
    assert await peer.job("other-job") == "b"


@ensureDeferred
async def test_nixed_event_is_not_sent_any_more(connect: Connect) -> None:
    peer, sure = await connect(events="BACKGROUND_JOB HEARTBEAT"), await connect(events="BACKGROUND_JOB")
    await peer.command("nixevent BACKGROUND_JOB")
    job = str(uuid.uuid4())
    await sure.command(f"bgapi echo a\nJob-UUID: {job}")
    await sure.job(job)
    await peer.pause(0.2)
    assert job not in [event.get("Job-UUID") for event in peer.events]


@ensureDeferred
async def test_api_blocks_its_connection_and_events_wait_for_it(connect: Connect) -> None:
    peer = await connect(events="CHANNEL_CREATE BACKGROUND_JOB")
    call = str(uuid.uuid4())
    peer.write(
        f"api originate {{origination_uuid={call},originate_timeout=2,accountcode={ACCOUNT}}}loopback/ring/default &park\n\n"
    )
    peer.write("api echo after\n\n")
    await peer.pause(0.5)
    assert not peer.frames
    assert call not in [event.uuid for event in peer.events]
    assert (await peer.frame()).body == "-ERR NO_ANSWER\n"
    assert (await peer.frame()).body == "after"
    await peer.event("CHANNEL_CREATE", Unique_ID=call)


@ensureDeferred
async def test_channels_are_listed_as_json(dialer: Dialer) -> None:
    call = await dialer.answered()
    rows: list[dict[str, str]] = []
    while len([row for row in rows if row["accountcode"] == ACCOUNT and row["callstate"] == "ACTIVE"]) < 2:
        listed = json.loads(await dialer.peer.ask("show channels as json"))  # it may lag behind
        rows = listed.get("rows", [])
        assert listed["row_count"] == len(rows)
    (row,) = [row for row in rows if row["uuid"] == call]
    wanted = {"direction": "outbound", "accountcode": ACCOUNT, "callstate": "ACTIVE", "state": "CS_EXECUTE", "dest": "answer"}
    assert wanted.items() <= row.items()
    assert row["call_uuid"] == call
    halves = [r for r in rows if r["accountcode"] == ACCOUNT]
    assert sorted(r["direction"] for r in halves) == ["inbound", "outbound"]


@ensureDeferred
async def test_killed_channel_is_gone(dialer: Dialer) -> None:
    call = await dialer.answered()
    assert await dialer.peer.ask(f"uuid_exists {call}") == "true"
    assert await dialer.peer.ask(f"uuid_kill {call} NO_USER_RESPONSE") == "+OK\n"
    ended = await dialer.peer.event("CHANNEL_HANGUP_COMPLETE", Unique_ID=call)
    assert (ended["Hangup-Cause"], ended["variable_hangup_cause_q850"]) == ("NO_USER_RESPONSE", "18")
    await dialer.peer.event("CHANNEL_DESTROY", Unique_ID=call)
    assert await dialer.peer.ask(f"uuid_exists {call}") == "false"
    assert await dialer.peer.ask(f"uuid_kill {call}") == "-ERR No such channel!\n"


@ensureDeferred
async def test_hupall_spares_the_channels_of_others(dialer: Dialer) -> None:
    mine, other = await dialer.answered(accountcode=f"{ACCOUNT}-a"), await dialer.answered()
    said = await dialer.peer.ask(f"hupall NORMAL_CLEARING accountcode {ACCOUNT}-a")
    assert said == f"+OK hangup all channels matching [accountcode]=[{ACCOUNT}-a] with cause: NORMAL_CLEARING\n"
    await dialer.peer.event("CHANNEL_HANGUP_COMPLETE", Unique_ID=mine)
    assert await dialer.peer.ask(f"uuid_exists {other}") == "true"


@ensureDeferred
async def test_channel_variables_are_set_and_read(dialer: Dialer) -> None:
    call = await dialer.answered(campaign_id="42")
    ask = dialer.peer.ask
    assert await ask(f"uuid_getvar {call} campaign_id") == "42"
    assert await ask(f"uuid_getvar {call} nosuch") == "_undef_"
    assert await ask(f"uuid_setvar {call} note a b") == "+OK\n"
    assert await ask(f"uuid_getvar {call} note") == "a b"
    dumped = json.loads(await ask(f"uuid_dump {call} json"))
    assert (dumped["Event-Name"], dumped["Unique-ID"], dumped["variable_note"]) == ("CHANNEL_DATA", call, "a b")


@ensureDeferred
async def test_plain_leaves_what_looks_encoded_alone_and_json_is_exact(connect: Connect) -> None:
    plain, exact = await connect(events="BACKGROUND_JOB", form="plain"), await connect(events="BACKGROUND_JOB")
    job = str(uuid.uuid4())
    text = '50%20off "x" Üñ%41 a=b&c;d\\e'
    await exact.command(f"bgapi echo {text}\nJob-UUID: {job}")
    assert (await exact.event("BACKGROUND_JOB", Job_UUID=job))["Job-Command-Arg"] == text
    block = (await plain.event("BACKGROUND_JOB", Job_UUID=job)).frame.body
    assert "Job-Command-Arg: 50%20off%20%22x%22%20%C3%9C%C3%B1%41%20a%3Db%26c%3Bd%5Ce\n" in block


@ensureDeferred
async def test_core_uuid_of_events_is_the_one_that_the_api_tells(dialer: Dialer) -> None:
    call = await dialer.answered()
    core = await dialer.peer.ask("global_getvar core_uuid")
    assert (await dialer.peer.event("CHANNEL_ANSWER", Unique_ID=call))["Core-UUID"] == core
    uuid.UUID(core)


@ensureDeferred
async def test_clock_of_the_switch_can_be_asked(connect: Connect) -> None:
    peer = await connect()
    seconds, micros = int(await peer.ask("strepoch")), int(await peer.ask("strmicroepoch"))
    assert abs(micros / 1_000_000 - seconds) < 2


@ensureDeferred
async def test_status_tells_the_limits(connect: Connect) -> None:
    said = (await (await connect()).ask("status")).splitlines()
    assert said[0].startswith("UP 0 years, ")
    assert " session(s) per Sec out of max " in said[4]
    assert said[5].endswith(" session(s) max")
