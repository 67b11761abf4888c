"""Calls that wait for a dialer that does not come, on the stepped clock: no port is ever open there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dialer.esl import commands
from dialer.model import Origination
from tests.unit.simulator.harness import START, Bench, Client, bench, named

CALL = "00000000-0000-4000-8000-000000000001"
TONES = "tone_stream://%(330,30,950);%(330,30,1400);%(330,0,1800)"
both = pytest.mark.parametrize("inline", [True, False])


def placed(switch: Bench, *, inline: bool, wait: int, longest: int = 3600) -> Client:
    """Somebody has answered; what is executed from then on is heard."""
    client = switch.connect()
    client.send("event json CHANNEL_EXECUTE CHANNEL_HANGUP_COMPLETE\n\n")
    call = Origination(
        call_uuid=CALL,
        dial_string="sofia/gateway/carrier/15551234",
        account_code="dialer-test",
        timeout=10,
        max_duration=longest,
        deadline=datetime.fromtimestamp(START + 60, UTC),
        outbound="127.0.0.1:9",
        wait_for_dialer=wait,
        inline=inline,
    )
    client.send(commands.originate(call, timedelta()).payload.decode())
    switch.pass_time(1.0)
    return client


def story(client: Client) -> tuple[list[dict[str, str]], str]:
    """What was executed, and the cause of the end, "" when the call goes on."""
    events = client.events()
    ends = named(events, "CHANNEL_HANGUP_COMPLETE")
    return named(events, "CHANNEL_EXECUTE"), ends[0]["Hangup-Cause"] if ends else ""


@both
@pytest.mark.parametrize("wait", [5, 60, 600])
def test_a_call_waits_as_long_as_it_is_told_asks_every_two_seconds_and_ends_with_tones(inline: bool, wait: int) -> None:
    switch = bench()
    client = placed(switch, inline=inline, wait=wait)
    switch.pass_time(wait + 8)
    executed, cause = story(client)
    assert cause == "NORMAL_CLEARING"
    assert [one["Application-Data"] for one in executed if one["Application"] == "playback"] == [TONES]
    tried = [int(one["Event-Date-Timestamp"]) / 1e6 for one in executed if one["Application"] == "socket"]
    assert wait / 2 - 1 <= len(tried) <= wait / 2 + 3
    assert wait - 2 <= tried[-1] - tried[0] <= wait + 4


@both
def test_the_longest_duration_of_the_call_counts_also_while_it_waits(inline: bool) -> None:
    switch = bench()
    client = placed(switch, inline=inline, wait=600, longest=20)
    switch.pass_time(25)
    executed, cause = story(client)
    assert cause == "ALLOTTED_TIMEOUT"
    assert "playback" not in {one["Application"] for one in executed}


@both
def test_keys_that_nobody_takes_do_not_shorten_the_pauses(inline: bool) -> None:
    switch = bench()
    client = placed(switch, inline=inline, wait=20)
    other = switch.connect()
    for _ in range(40):
        other.ask(f"uuid_recv_dtmf {CALL} 5")
        switch.pass_time(0.25)
    executed, cause = story(client)
    assert cause == ""
    assert [one["Application"] for one in executed].count("socket") <= 7


@both
def test_a_callee_who_hangs_up_while_it_waits_is_gone(inline: bool) -> None:
    switch = bench("answers:ring=0.2,talk=5")
    client = placed(switch, inline=inline, wait=60)
    switch.pass_time(10)
    executed, cause = story(client)
    assert cause == "NORMAL_CLEARING"
    assert "playback" not in {one["Application"] for one in executed}


@both
def test_without_mod_expr_a_call_asks_once_more_and_ends_with_tones(inline: bool) -> None:
    modules = bench().config.modules - {"mod_expr"}
    switch = bench(modules=modules)
    client = placed(switch, inline=inline, wait=60)
    switch.pass_time(10)
    executed, cause = story(client)
    assert cause == "NORMAL_CLEARING"
    applications = [one["Application"] for one in executed]
    assert applications.count("socket") == 2
    assert "playback" in applications


def test_a_call_is_transferred_no_more_than_freeswitch_allows() -> None:
    switch = bench()
    client = switch.connect()
    client.send("event json CHANNEL_EXECUTE CHANNEL_HANGUP_COMPLETE\n\n")
    client.send("bgapi originate sofia/gateway/carrier/15551234 again 'inline:m:~:sleep:100~transfer:again'\n\n")
    switch.pass_time(10)
    executed, cause = story(client)
    assert cause == "EXCHANGE_ROUTING_ERROR"
    assert [one["Application"] for one in executed].count("transfer") == 70
