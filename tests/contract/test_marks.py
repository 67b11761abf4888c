"""The marks of executed originates, in the switch's hash, on a FreeSWITCH and on the simulator."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from pytest_twisted import ensureDeferred

from dialer.esl import commands, sent_marks
from dialer.model import Origination
from tests.contract.client import Peer
from tests.contract.conftest import ACCOUNT, EVENTS, Connect, Target

NOTHING = "-ERR no reply\n"


def call(deadline: datetime, dial_string: str = "loopback/answer/default") -> Origination:
    return Origination(
        call_uuid=str(uuid.uuid4()),
        dial_string=dial_string,
        account_code=ACCOUNT,
        timeout=10,
        max_duration=25,
        deadline=deadline,
        outbound="127.0.0.1:9",
        inline=True,
        caller_id_name="it's (a) b, c",
        variables=(("x", "1:2?3>=4"),),
    )


async def output(peer: Peer, command: commands.Command) -> str:
    """The output of an API command of ours."""
    return await peer.ask(command.payload.decode().removeprefix("api ").strip("\n"))


async def originated(peer: Peer, wanted: Origination) -> str:
    """The answer to an originate."""
    peer.write(commands.originate(wanted, timedelta()).payload.decode())
    assert (await peer.frame()).reply == f"+OK Job-UUID: {wanted.call_uuid}"
    return await peer.job(wanted.call_uuid)


@ensureDeferred
async def test_an_originate_that_was_executed_leaves_a_mark_and_one_that_was_not_leaves_none(connect: Connect) -> None:
    peer = await connect(events=EVENTS)
    now = datetime.now(UTC)
    in_time, late, never = call(now + timedelta(seconds=30)), call(now - timedelta(seconds=1)), call(now)
    assert await originated(peer, in_time) == f"+OK {in_time.call_uuid}\n"
    assert await originated(peer, late) == f"-ERR {commands.LATE_CAUSE}\n"
    marks = [await output(peer, sent_marks.mark_of(each.call_uuid)) for each in (in_time, late, never)]
    assert marks == ["1", "0", NOTHING]
    assert await peer.ask(f"uuid_getvar {in_time.call_uuid} x") == "1:2?3>=4"
    assert await peer.ask(f"uuid_getvar {in_time.call_uuid} origination_caller_id_name") == "it's (a) b, c"
    await peer.ask(f"uuid_kill {in_time.call_uuid}")
    assert await output(peer, sent_marks.mark_of(in_time.call_uuid)) == "1"
    await output(peer, sent_marks.remove([in_time.call_uuid, late.call_uuid, never.call_uuid]))
    marks = [await output(peer, sent_marks.mark_of(each.call_uuid)) for each in (in_time, late, never)]
    assert marks == [NOTHING] * 3


@ensureDeferred
async def test_an_originate_through_no_gateway_is_executed_and_makes_no_channel(connect: Connect) -> None:
    peer = await connect(events=EVENTS)
    wanted = call(datetime.now(UTC) + timedelta(seconds=30), "sofia/gateway/nope/15551234")
    assert await originated(peer, wanted) == "-ERR INVALID_GATEWAY\n"
    assert await output(peer, sent_marks.mark_of(wanted.call_uuid)) == "2"
    await output(peer, sent_marks.remove([wanted.call_uuid]))


@pytest.mark.needs_sip
@ensureDeferred
async def test_a_call_that_its_callee_refuses_had_a_channel(connect: Connect, target: Target) -> None:
    peer = await connect(events=EVENTS)
    wanted = call(datetime.now(UTC) + timedelta(seconds=30), target.number("3001"))
    assert await originated(peer, wanted) == "-ERR CALL_REJECTED\n"
    assert await output(peer, sent_marks.mark_of(wanted.call_uuid)) == "1"
    await output(peer, sent_marks.remove([wanted.call_uuid]))


@pytest.mark.needs_exclusive
@ensureDeferred
async def test_a_switch_that_takes_no_calls_executes_an_originate_and_makes_no_channel(connect: Connect) -> None:
    peer = await connect(events=EVENTS)
    wanted = call(datetime.now(UTC) + timedelta(seconds=30), "sofia/external/15551234@127.0.0.1:9")
    await peer.ask("fsctl pause outbound")
    try:
        assert await originated(peer, wanted) == "-ERR DESTINATION_OUT_OF_ORDER\n"
    finally:
        await peer.ask("fsctl resume outbound")
    assert await output(peer, sent_marks.mark_of(wanted.call_uuid)) == "2"
    await output(peer, sent_marks.remove([wanted.call_uuid]))


@ensureDeferred
async def test_the_moment_from_which_on_marks_are_kept_is_noted_once(connect: Connect) -> None:
    peer = await connect(events=EVENTS)
    await output(peer, sent_marks.remember_since())
    first = await output(peer, sent_marks.since())
    assert first.isdigit()
    await peer.pause(0.01)
    await output(peer, sent_marks.remember_since())
    assert await output(peer, sent_marks.since()) == first


@pytest.mark.parametrize("count", [1, sent_marks.AT_ONCE])
@ensureDeferred
async def test_many_marks_are_removed_with_one_command(connect: Connect, count: int) -> None:
    peer = await connect(events=EVENTS)
    names = [str(uuid.uuid4()) for _ in range(count)]
    for name in names:
        await peer.ask(f"hash insert/{commands.MARK_REALM}/{name}/1")
    said = await output(peer, sent_marks.remove(names))
    assert said.count("+OK") == count
    assert [await output(peer, sent_marks.mark_of(name)) for name in names] == [NOTHING] * count
