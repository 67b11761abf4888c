"""Answered calls that are given back: they ask for a dialer again and again, on a FreeSWITCH and on the simulator; with the
dialplan that a call brings itself, and with the shipped one where the switch has it."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from pytest_twisted import ensureDeferred

from dialer.esl import commands
from dialer.model import Origination
from tests.contract.client import Event, Peer
from tests.contract.conftest import ACCOUNT, Dialer, Sockets
from tests.contract.test_outbound import execute

TONES = "tone_stream://%(330,30,950);%(330,30,1400);%(330,0,1800)"
both = pytest.mark.parametrize("inline", [True, False], ids=["inline", "shipped"])


async def place(dialer: Dialer, port: int, *, inline: bool, wait: int = 60, longest: int = 30) -> str:
    """A call that is answered and asks for a session at that port of this machine."""
    located = await dialer.peer.ask("xml_locate dialplan context name dialer")
    if not inline and "dialer_away" not in located:
        pytest.skip("the switch has not got the context dialer as it is shipped (dialer freeswitch install)")
    call = Origination(
        call_uuid=str(uuid.uuid4()),
        dial_string="loopback/answer/default",
        account_code=ACCOUNT,
        timeout=5,
        max_duration=longest,
        deadline=datetime.now(UTC) + timedelta(seconds=30),
        outbound=f"127.0.0.1:{port}",
        wait_for_dialer=wait,
        inline=inline,
    )
    dialer.peer.write(commands.originate(call, timedelta()).payload.decode())
    assert (await dialer.peer.frame()).reply == f"+OK Job-UUID: {call.call_uuid}"
    assert await dialer.peer.job(call.call_uuid) == f"+OK {call.call_uuid}\n"
    return call.call_uuid


async def drive(peer: Peer, call: str) -> None:
    """Run something on the call, and be gone without a word."""
    assert (await peer.command("connect")).headers["Unique-ID"] == call
    await peer.command(execute("set", "driven=yes"))
    await peer.pause(0.2)
    peer.close()


async def over(dialer: Dialer, call: str, seconds: float) -> str:
    """The cause of the end."""
    return (await dialer.peer.event("CHANNEL_HANGUP_COMPLETE", seconds, Unique_ID=call))["Hangup-Cause"]


def turns(dialer: Dialer, call: str) -> list[float]:
    """When the call has asked for a session, in seconds since 1970."""
    asked = [one for one in dialer.peer.events if one.get("Application") == "socket" and one.uuid == call]
    return [int(one["Event-Date-Timestamp"]) / 1e6 for one in asked if one.name == "CHANNEL_EXECUTE"]


def _plays(event: Event, call: str) -> bool:
    return event.get("Application") == "playback" and event.uuid == call


@both
@ensureDeferred
async def test_a_call_comes_back_to_every_next_dialer_and_each_time_its_waiting_begins_anew(
    dialer: Dialer, sockets: Sockets, inline: bool
) -> None:
    call = await place(dialer, sockets.port, inline=inline, wait=3)
    for _ in range(4):
        await drive(await sockets.next(), call)
    last = await sockets.next()
    assert (await last.command("connect")).headers["variable_driven"] == "yes"
    await dialer.peer.until(lambda: len(turns(dialer, call)) == 5)
    asked = turns(dialer, call)
    assert asked[-1] - asked[0] > 8  # longer than one waiting, with its tones, lasts
    assert all(2 <= after - before <= 6 for before, after in pairwise(asked))
    await dialer.peer.ask(f"uuid_kill {call}")


@both
@ensureDeferred
async def test_without_a_dialer_a_call_asks_after_each_pause_whatever_is_pressed_and_ends_with_tones(
    dialer: Dialer, sockets: Sockets, inline: bool
) -> None:
    call = await place(dialer, 9, inline=inline, wait=2)
    for _ in range(8):
        await dialer.peer.ask(f"uuid_recv_dtmf {call} 5")
        await dialer.peer.pause(0.2)
    assert await over(dialer, call, 12.0) == "NORMAL_CLEARING"
    asked = turns(dialer, call)
    assert 2 <= len(asked) <= 4
    assert all(after - before >= 1.9 for before, after in pairwise(asked))
    played = [
        one["Application-Data"] for one in dialer.peer.events if one.get("Application") == "playback" and one.uuid == call
    ]
    assert set(played) == {TONES}


@both
@ensureDeferred
async def test_the_longest_duration_of_a_call_counts_while_it_waits(dialer: Dialer, inline: bool) -> None:
    call = await place(dialer, 9, inline=inline, longest=3)
    assert await over(dialer, call, 8.0) == "ALLOTTED_TIMEOUT"


@both
@ensureDeferred
async def test_a_call_that_waits_can_be_led_to_another_dialer(dialer: Dialer, sockets: Sockets, inline: bool) -> None:
    call = await place(dialer, 9, inline=inline)
    dialer.peer.write(commands.lead(call, f"127.0.0.1:{sockets.port}").payload.decode())
    assert (await dialer.peer.frame()).body.startswith("+OK")
    peer = await sockets.next()
    assert (await peer.command("connect")).headers["Unique-ID"] == call
    await dialer.peer.ask(f"uuid_kill {call}")


@both
@ensureDeferred
async def test_a_call_that_is_declined_is_not_driven_and_its_waiting_goes_on(
    dialer: Dialer, sockets: Sockets, inline: bool
) -> None:
    call = await place(dialer, sockets.port, inline=inline, wait=2)
    until = time.monotonic() + 12
    while not any(_plays(one, call) for one in dialer.peer.events) and time.monotonic() < until:
        if sockets.accepted:
            peer = sockets.accepted.pop()
            assert (await peer.command("connect")).headers["Unique-ID"] == call
            await peer.pause(0.02)
            peer.close()
        await dialer.peer.pause(0.05)
    assert await over(dialer, call, 5.0) == "NORMAL_CLEARING"
    assert 2 <= len(turns(dialer, call)) <= 4
