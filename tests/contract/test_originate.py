"""`originate`: what it answers, what becomes of the call, on a FreeSWITCH and on the simulator."""

from __future__ import annotations

import uuid

import pytest
from attrs import frozen
from pytest_twisted import ensureDeferred

from tests.contract.conftest import ACCOUNT, Dialer

USAGE = (
    "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>]"
    " [<cid_name>] [<cid_num>] [<timeout_sec>]\n"
)
# Argument of originate and its whole result: no call is made by any of them.
REFUSED = (
    (
        "",
        USAGE,
    ),
    (
        "loopback/answer/default",
        USAGE,
    ),
    ("{a=bloopback/answer/default &park", "-ERR DESTINATION_OUT_OF_ORDER\n"),
    ("user/1000 &park", "-ERR SUBSCRIBER_ABSENT\n"),
    ("error/USER_BUSY &park", "-ERR USER_BUSY\n"),
    ("error/user_busy &park", "-ERR USER_BUSY\n"),
    ("error/BOGUS &park", "-ERR NORMAL_CLEARING\n"),
    ("sofia/nope/1 &park", "-ERR INVALID_PROFILE\n"),
    ("sofia/gateway/nope/1 &park", "-ERR INVALID_GATEWAY\n"),
    ("bogus/1 &park", "-ERR CHAN_NOT_IMPLEMENTED\n"),
    ("sofia &park", "-ERR INVALID_URL\n"),
)


@frozen
class Outcome:
    """How a call to a number of the plan ends: the cause, its SIP status, Q.850 number and who ended it."""

    number: str
    cause: str
    sip_status: str
    q850: str
    disposition: str
    events: tuple[str, ...]


BEGIN = ("CHANNEL_OUTGOING", "CHANNEL_CREATE", "CHANNEL_ORIGINATE")
END = ("CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY")
OUTCOMES = (
    Outcome("1001", "USER_BUSY", "486", "17", "recv_refuse", (*BEGIN, "CHANNEL_PROGRESS", *END)),
    Outcome("2001", "NO_ANSWER", "", "19", "send_cancel", (*BEGIN, "CHANNEL_PROGRESS", *END)),
    Outcome("3001", "CALL_REJECTED", "603", "21", "recv_refuse", (*BEGIN, *END)),
    Outcome("4001", "UNALLOCATED_NUMBER", "404", "1", "recv_refuse", (*BEGIN, *END)),
    Outcome("5001", "NORMAL_TEMPORARY_FAILURE", "503", "41", "recv_refuse", (*BEGIN, *END)),
)


@ensureDeferred
async def test_refused_lines_are_answered_as_recorded(dialer: Dialer) -> None:
    for argument, result in REFUSED:
        job = str(uuid.uuid4())
        await dialer.peer.command(f"bgapi originate {argument}".rstrip(" ") + f"\nJob-UUID: {job}")
        assert (argument, await dialer.peer.job(job)) == (argument, result)


@ensureDeferred
async def test_unknown_gateway_gives_neither_create_nor_hangup_complete(dialer: Dialer) -> None:
    call = await dialer.call("sofia/gateway/nope/1")
    assert await dialer.peer.job(call) == "-ERR INVALID_GATEWAY\n"
    await dialer.peer.pause(0.1)
    assert dialer.peer.named(call) == ["CHANNEL_DESTROY", "CHANNEL_STATE"]


@ensureDeferred
async def test_second_loopback_call_with_the_uuid_of_a_live_one_is_made_under_another(dialer: Dialer) -> None:
    call = await dialer.answered()
    job = str(uuid.uuid4())
    dial = f"{{origination_uuid={call},accountcode={ACCOUNT}}}loopback/answer/default &park"
    await dialer.peer.command(f"bgapi originate {dial}\nJob-UUID: {job}")
    result = await dialer.peer.job(job)
    assert result.startswith("+OK ")
    assert result != f"+OK {call}\n"


@pytest.mark.needs_sip
@ensureDeferred
async def test_second_sip_call_with_the_uuid_of_a_live_one_fails_and_leaves_it_alone(dialer: Dialer) -> None:
    call = await dialer.answered(dialer.target.number("9001"))
    job = str(uuid.uuid4())
    dial = f"{{origination_uuid={call},accountcode={ACCOUNT}}}{dialer.target.number('9002')} &park"
    await dialer.peer.command(f"bgapi originate {dial}\nJob-UUID: {job}")
    assert await dialer.peer.job(job) == "-ERR DESTINATION_OUT_OF_ORDER\n"
    assert await dialer.peer.ask(f"uuid_exists {call}") == "true"
    assert dialer.peer.named(call).count("CHANNEL_CREATE") == 1


@ensureDeferred
async def test_any_text_may_be_a_call_uuid(dialer: Dialer) -> None:
    name = f"not-a-uuid-{uuid.uuid4()}"
    await dialer.peer.command(
        f"bgapi originate {{origination_uuid={name},accountcode={ACCOUNT}}}loopback/answer/default &park\nJob-UUID: {name}"
    )
    assert await dialer.peer.job(name) == f"+OK {name}\n"


@ensureDeferred
async def test_call_before_the_deadline_is_dialled_and_a_later_one_refused_without_a_channel(dialer: Dialer) -> None:
    now = int(await dialer.peer.ask("strepoch"))
    for deadline, answer in ((now + 30, "+OK "), (now - 1, "-ERR CALL_REJECTED")):
        choice = f"${{cond(${{strepoch()}} >= {deadline} ? error/CALL_REJECTED : loopback/answer/default)}}"
        call = await dialer.call(choice, verb="expand originate")
        assert (await dialer.peer.job(call)).startswith(answer)
        made = await dialer.peer.ask(f"uuid_exists {call}")
        assert (made, bool(dialer.peer.named(call))) == (("true", True) if answer == "+OK " else ("false", False))


@ensureDeferred
async def test_variables_are_taken_apart_as_freeswitch_does(dialer: Dialer) -> None:
    given = {
        "plain": "abc",
        "comma": "a\\,b",
        "alternative": "^^:a:b",
        "percent": "50%20off",
        "unicode": "Ünïcødé",
        "semicolon": "a;b&c=d",
        "brackets": "[x]",
        "parentheses": "a(b)c",
        "newline": "a\\nb",
        "quoted": "'x'",
    }
    call = await dialer.answered(**given)
    event = await dialer.peer.event("CHANNEL_CREATE", Unique_ID=call)
    got = {name: event.get(f"variable_{name}") for name in given}
    assert got == given | {"comma": "a,b", "newline": "a\nb", "quoted": "x"}


@ensureDeferred
async def test_whole_argument_may_be_quoted_for_blanks_and_have_its_own_delimiter(dialer: Dialer) -> None:
    call = str(uuid.uuid4())
    variables = f"^^;origination_uuid={call};accountcode={ACCOUNT};note=a, b;origination_caller_id_name=Two Words"
    await dialer.peer.command(f"bgapi originate '{{{variables}}}loopback/answer/default' &park\nJob-UUID: {call}")
    assert await dialer.peer.job(call) == f"+OK {call}\n"
    event = await dialer.peer.event("CHANNEL_CREATE", Unique_ID=call)
    assert (event["variable_note"], event["Caller-Caller-ID-Name"]) == ("a, b", "Two Words")


@ensureDeferred
async def test_ringing_ends_with_the_timeout_counted_in_whole_clock_seconds(dialer: Dialer) -> None:
    call = await dialer.call("loopback/ring/default", originate_timeout="2")
    begun = await dialer.peer.event("CHANNEL_CREATE", Unique_ID=call)
    assert await dialer.peer.job(call) == "-ERR NO_ANSWER\n"
    ended = await dialer.peer.event("CHANNEL_HANGUP_COMPLETE", Unique_ID=call)
    lasted = (int(ended["Event-Date-Timestamp"]) - int(begun["Event-Date-Timestamp"])) / 1_000_000
    assert 0.9 <= lasted <= 4.0
    assert ended["variable_hangup_cause_q850"] == "19"


@ensureDeferred
async def test_ringing_call_that_is_killed_gives_its_cause(dialer: Dialer) -> None:
    call = await dialer.call("loopback/ring/default")
    await dialer.peer.event("CHANNEL_PROGRESS", Unique_ID=call)
    await dialer.peer.ask(f"uuid_kill {call} ORIGINATOR_CANCEL")
    assert await dialer.peer.job(call) == "-ERR ORIGINATOR_CANCEL\n"
    ended = await dialer.peer.event("CHANNEL_HANGUP_COMPLETE", Unique_ID=call)
    assert (ended["Hangup-Cause"], ended["variable_hangup_cause_q850"]) == ("ORIGINATOR_CANCEL", "16")


@ensureDeferred
async def test_scheduled_hangup_ends_the_answered_call(dialer: Dialer) -> None:
    call = await dialer.answered(execute_on_answer="'sched_hangup +2 ALLOTTED_TIMEOUT'")
    ended = await dialer.peer.event("CHANNEL_HANGUP_COMPLETE", Unique_ID=call)
    assert ended["Hangup-Cause"] == "ALLOTTED_TIMEOUT"
    executed = [e for e in dialer.peer.events if e.uuid == call and e.name == "CHANNEL_EXECUTE"]
    assert [e["Application"] for e in executed] == ["sched_hangup", "park"]
    assert executed[0]["Application-Data"] == "+2 ALLOTTED_TIMEOUT"


@ensureDeferred
async def test_parked_call_ends_with_its_park_timeout(dialer: Dialer) -> None:
    call = await dialer.answered(park_timeout="1:NO_USER_RESPONSE")
    assert (await dialer.peer.event("CHANNEL_HANGUP_COMPLETE", Unique_ID=call))["Hangup-Cause"] == "NO_USER_RESPONSE"


@ensureDeferred
async def test_socket_with_nobody_listening_still_succeeds_and_clears_the_call(dialer: Dialer) -> None:
    call = await dialer.answered(then="'&socket(127.0.0.1:1 async full)'")
    assert (await dialer.peer.event("CHANNEL_HANGUP_COMPLETE", Unique_ID=call))["Hangup-Cause"] == "NORMAL_CLEARING"


@ensureDeferred
async def test_unknown_application_ends_the_call_out_of_order(dialer: Dialer) -> None:
    call = await dialer.answered(then="&nosuchapp")
    ended = await dialer.peer.event("CHANNEL_HANGUP_COMPLETE", Unique_ID=call)
    assert ended["Hangup-Cause"] == "DESTINATION_OUT_OF_ORDER"


@ensureDeferred
async def test_inline_dialplan_runs_its_applications_in_turn(dialer: Dialer) -> None:
    call = await dialer.answered(then="'set:a=b,playback:tone_stream://%(100;50;440),hangup:USER_BUSY' inline")
    ended = await dialer.peer.event("CHANNEL_HANGUP_COMPLETE", Unique_ID=call)
    applications = [e["Application"] for e in dialer.peer.events if e.uuid == call and e.name == "CHANNEL_EXECUTE"]
    assert applications == ["set", "playback", "hangup"]
    assert (ended["Hangup-Cause"], ended["variable_a"]) == ("USER_BUSY", "b")


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.cause)
@pytest.mark.needs_sip
@ensureDeferred
async def test_failed_sip_call_is_told_by_cause_status_and_events(dialer: Dialer, outcome: Outcome) -> None:
    call = await dialer.call(dialer.target.number(outcome.number), originate_timeout="2")
    assert await dialer.peer.job(call) == f"-ERR {outcome.cause}\n"
    await dialer.peer.event("CHANNEL_DESTROY", Unique_ID=call)
    ended = await dialer.peer.event("CHANNEL_HANGUP_COMPLETE", Unique_ID=call)
    assert ended["Hangup-Cause"] == outcome.cause
    assert ended.get("variable_sip_term_status") == outcome.sip_status
    assert ended["variable_hangup_cause_q850"] == outcome.q850
    assert ended["variable_sip_hangup_disposition"] == outcome.disposition
    assert ended["variable_billsec"] == "0"
    told = [name for name in dialer.peer.named(call) if name not in ("CHANNEL_STATE", "CHANNEL_CALLSTATE")]
    assert tuple(told) == outcome.events


@pytest.mark.needs_sip
@ensureDeferred
async def test_answered_sip_call_that_the_callee_ends(dialer: Dialer) -> None:
    call = await dialer.answered(
        dialer.target.number("7001"), origination_caller_id_number="5550001", origination_caller_id_name="Dialer"
    )
    await dialer.peer.event("CHANNEL_DESTROY", Unique_ID=call)
    ended = await dialer.peer.event("CHANNEL_HANGUP_COMPLETE", Unique_ID=call)
    assert (ended["Hangup-Cause"], ended["variable_sip_term_status"], ended["variable_sip_hangup_disposition"]) == (
        "NORMAL_CLEARING",
        "200",
        "recv_bye",
    )
    assert ended["variable_hangup_cause_q850"] == "16"
    assert 1500 <= int(ended["variable_billmsec"]) <= 5000
    assert 100 <= int(ended["variable_answermsec"]) <= 2500
    assert int(ended["variable_mduration"]) >= int(ended["variable_billmsec"]) + int(ended["variable_answermsec"]) - 2
    # After the answer the caller id is flipped; these keep what was asked for.
    kept = ("Caller-Orig-Caller-ID-Number", "Caller-ANI", "Caller-Destination-Number", "Caller-Caller-ID-Number")
    assert [ended[name] for name in kept] == ["5550001", "5550001", "7001", "7001"]
    assert ended.names.count("Hangup-Cause") == 2
    told = [name for name in dialer.peer.named(call) if name not in ("CHANNEL_STATE", "CHANNEL_CALLSTATE")]
    assert told == [
        *BEGIN,
        "CHANNEL_PROGRESS",
        "CHANNEL_ANSWER",
        "CHANNEL_EXECUTE",
        "CHANNEL_PARK",
        "CHANNEL_HANGUP",
        "CHANNEL_UNPARK",
        "CHANNEL_EXECUTE_COMPLETE",
        "CHANNEL_HANGUP_COMPLETE",
        "CHANNEL_DESTROY",
    ]


@pytest.mark.needs_sip
@ensureDeferred
async def test_call_that_the_switch_ends_says_bye(dialer: Dialer) -> None:
    call = await dialer.answered(dialer.target.number("9001"))
    await dialer.peer.ask(f"uuid_kill {call}")
    ended = await dialer.peer.event("CHANNEL_HANGUP_COMPLETE", Unique_ID=call)
    assert (ended["Hangup-Cause"], ended["variable_sip_hangup_disposition"]) == ("NORMAL_CLEARING", "send_bye")


@pytest.mark.needs_sip
@ensureDeferred
async def test_second_group_is_dialled_when_the_first_fails_and_legs_race(dialer: Dialer) -> None:
    number = dialer.target.number
    second = await dialer.call(f"{number('5001')}|{number('9001')}", origination_uuid="")
    assert (await dialer.peer.job(second)).startswith("+OK ")
    both = await dialer.call(f"{number('3001')},{number('4001')}", origination_uuid="")
    assert (await dialer.peer.job(both)) in ("-ERR CALL_REJECTED\n", "-ERR UNALLOCATED_NUMBER\n")


async def new_limit_counts(dialer: Dialer) -> None:
    """Wait until a new limit counts: FreeSWITCH fills up its sessions each second, by a timer of its own."""
    await dialer.peer.pause(1.1)


async def burst(dialer: Dialer) -> list[str]:
    """Twelve calls at once; their results."""
    calls = [await dialer.call("null/x") for _ in range(12)]
    return [await dialer.peer.job(call) for call in calls]


@pytest.mark.needs_exclusive
@ensureDeferred
async def test_sessions_per_second_lets_through_one_less(dialer: Dialer) -> None:
    ask, peer = dialer.peer.ask, dialer.peer
    before = (await ask("fsctl sps")).rsplit(" ", 1)[1].strip()
    assert await ask("fsctl sps 5") == "+OK sessions per second: 5\n"
    results = []
    for _ in range(3):
        # The timer may tick in the middle of a burst, which then gets through twice; not so in all of these three.
        await new_limit_counts(dialer)
        await peer.pause(0.25)
        results.append(await burst(dialer))
    await ask(f"fsctl sps {before}")
    await new_limit_counts(dialer)
    counts = [sum(result.startswith("+OK") for result in each) for each in results]
    assert (min(counts), max(counts) <= 8) == (4, True), counts
    assert {result for each in results for result in each if result.startswith("-")} == {"-ERR DESTINATION_OUT_OF_ORDER\n"}


@pytest.mark.needs_exclusive
@ensureDeferred
async def test_paused_or_full_switch_refuses_calls_out_of_order(dialer: Dialer) -> None:
    ask, peer = dialer.peer.ask, dialer.peer
    before = (await ask("fsctl max_sessions")).rsplit(" ", 1)[1].strip()
    await dialer.answered()
    assert await ask("fsctl max_sessions 2") == "+OK max sessions: 2\n"
    assert await peer.job(await dialer.call("loopback/answer/default")) == "-ERR DESTINATION_OUT_OF_ORDER\n"
    await ask(f"fsctl max_sessions {before}")
    assert await ask("fsctl pause") == "+OK\n"
    assert await ask("fsctl pause_check") == "true"
    assert await peer.job(await dialer.call("loopback/answer/default")) == "-ERR DESTINATION_OUT_OF_ORDER\n"
    assert await ask("fsctl resume") == "+OK\n"
    await dialer.answered()
