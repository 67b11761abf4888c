"""The API command `sched_hangup`."""

from __future__ import annotations

from tests.unit.simulator.harness import bench


def test_call_ends_after_the_seconds_with_the_cause() -> None:
    simulator = bench("stays")
    client = simulator.connect()
    client.send("bgapi originate {origination_uuid=u1}sofia/gateway/simulator/1 &park()\n\n")
    simulator.pass_time(1.0)
    assert client.ask("sched_hangup +4.7 u1 NORMAL_CLEARING") == "+OK\n"
    simulator.pass_time(3.9)
    assert client.ask("uuid_exists u1") == "true"
    simulator.pass_time(0.2)
    assert client.ask("uuid_exists u1") == "false"
    assert [call.cause for call in simulator.simulator.oracle.calls] == ["NORMAL_CLEARING"]


def test_only_a_channel_that_is_there_can_be_told_to_end() -> None:
    client = bench("stays").connect()
    assert client.ask("sched_hangup +4 u1") == "-ERR No such channel!\n"
    assert client.ask("sched_hangup +4").startswith("-USAGE")
