"""The switch on a stepped clock: limits, timeouts, lifetimes, faults, and what the called side saw."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, cast

import pytest

from dialer.simulator.callees import NumberPlan, parse_pattern
from dialer.simulator.config import SimulatorConfig
from dialer.simulator.templates import Template, Templates
from tests.unit.simulator.harness import START, Bench, Client, bench, named


def originate(client: Client, uuid: str = "u1", dial: str = "sofia/gateway/carrier/5551000", **variables: str) -> None:
    """Ask for a call."""
    known = {"origination_uuid": uuid, "ignore_early_media": "true", "originate_timeout": "10"} | variables
    text = ",".join(f"{name}={value}" for name, value in known.items())
    client.send(f"bgapi originate {{{text}}}{dial} &park\nJob-UUID: {uuid}\n\n")


def listen(simulator: Bench, events: str = "ALL") -> Client:
    """A connection that hears the events."""
    client = simulator.connect()
    client.send(f"event json {events}\n\n")
    client.said()
    return client


def results(client: Client) -> dict[str, str]:
    """Job results by job."""
    return {e["Job-UUID"]: e["_body"] for e in named(client.events(), "BACKGROUND_JOB")}


def test_a_gateway_that_is_down_takes_no_calls_and_is_listed_as_down() -> None:
    simulator = bench(gateways=frozenset({"carrier", "spare"}))
    client = listen(simulator, "BACKGROUND_JOB")
    originate(client)
    simulator.pass_time(0.1)
    simulator.simulator.take_down("carrier")
    originate(client, "u2")
    originate(client, "u3", "sofia/gateway/spare/5551000")
    client.send("api sofia xmlstatus gateway\n\n")
    simulator.pass_time(12.0)
    said = client.said().decode()
    assert "-ERR GATEWAY_DOWN" in said
    assert re.findall(r"<(?:name|status)>(.*?)</", said) == ["carrier", "DOWN", "spare", "UP"]
    assert [call.call_uuid for call in simulator.simulator.calls] == ["u1", "u3"]


# --- limits ---------------------------------------------------------------------------------------------------------------


def test_one_less_than_the_limit_gets_through_each_clock_second() -> None:
    simulator = bench(sps=5)
    client = listen(simulator, "BACKGROUND_JOB")
    for second in range(2):
        for i in range(8):
            originate(client, f"{second}-{i}")
        simulator.pass_time(1.0)
    said = results(client)
    assert sum(text.startswith("+OK") for text in said.values()) == 8
    assert sum(text == "-ERR DESTINATION_OUT_OF_ORDER\n" for text in said.values()) == 8
    assert simulator.simulator.oracle.refused["DESTINATION_OUT_OF_ORDER"] == 8
    assert sorted(simulator.simulator.oracle.originates.values()) == [8, 8]
    assert sorted(simulator.simulator.oracle.invites_per_second().values()) == [4, 4]


def test_new_limit_counts_from_the_next_second_on() -> None:
    simulator = bench(sps=100)
    client = listen(simulator, "BACKGROUND_JOB")
    originate(client, "a")
    assert client.ask("fsctl sps 2") == "+OK sessions per second: 2\n"
    for i in range(5):
        originate(client, f"b{i}")
    simulator.pass_time(1.0)
    for i in range(5):
        originate(client, f"c{i}")
    simulator.pass_time(1.0)
    assert len(simulator.simulator.calls) == 1 + 5 + 1


def test_sessions_at_a_time_are_limited() -> None:
    simulator = bench(max_sessions=2, sps=0)
    client = listen(simulator, "BACKGROUND_JOB")
    for i in range(4):
        originate(client, f"u{i}")
    simulator.pass_time(1.0)
    assert sorted(text[:4] for text in results(client).values()) == ["+OK ", "+OK ", "-ERR", "-ERR"]
    client.ask("uuid_kill u0")
    originate(client, "again")
    simulator.pass_time(1.0)
    assert results(client)["again"] == "+OK again\n"


def test_a_channel_that_is_no_more_is_listed_for_a_while() -> None:
    simulator = bench(list_lag=0.2)
    client = simulator.connect()
    originate(client)
    simulator.pass_time(1.0)
    client.said()
    client.ask("uuid_kill u1")
    assert client.ask("uuid_exists u1") == "false"
    assert [row["uuid"] for row in json.loads(client.ask("show channels as json"))["rows"]] == ["u1"]
    simulator.pass_time(0.2)
    assert json.loads(client.ask("show channels as json")) == {"row_count": 0}


# --- time -----------------------------------------------------------------------------------------------------------------


def test_ringing_ends_at_a_whole_clock_second() -> None:
    simulator = bench("no_answer")
    client = listen(simulator, "BACKGROUND_JOB CHANNEL_HANGUP_COMPLETE")
    simulator.pass_time(0.6)
    originate(client, originate_timeout="3")
    simulator.pass_time(2.3)
    assert results(client) == {}
    simulator.pass_time(0.2)
    assert results(client) == {"u1": "-ERR NO_ANSWER\n"}


def test_nobody_who_never_replies_was_rung() -> None:
    simulator = bench("never_replies")
    client = listen(simulator, "BACKGROUND_JOB")
    originate(client, originate_timeout="60")
    simulator.pass_time(33.0, 0.5)
    assert results(client) == {"u1": "-ERR RECOVERY_ON_TIMER_EXPIRE\n"}
    assert [call.rang for call in simulator.simulator.calls] == [False]


def test_gateway_that_is_down_sends_no_invite() -> None:
    simulator = bench("gateway_down")
    client = listen(simulator, "BACKGROUND_JOB CHANNEL_CREATE CHANNEL_DESTROY")
    originate(client)
    events = client.events()
    assert [dict(event)["Event-Name"] for event in events] == ["CHANNEL_DESTROY", "BACKGROUND_JOB"]
    assert named(events, "BACKGROUND_JOB")[0]["_body"] == "-ERR GATEWAY_DOWN\n"
    assert simulator.simulator.calls == []


def test_machine_is_found_by_the_application_that_listens_for_it() -> None:
    simulator = bench("machine:ring=1,talk=20")
    client = simulator.connect()
    client.send("bgapi originate {origination_uuid=u1,ignore_early_media=true}sofia/gateway/carrier/1 'amd:,park:' inline\n\n")
    simulator.pass_time(3.0)
    assert client.ask("uuid_getvar u1 amd_result") == "MACHINE"


def test_heartbeat_tells_sessions_and_limits() -> None:
    simulator = bench(sps=40, max_sessions=500)
    client = listen(simulator, "HEARTBEAT")
    simulator.simulator.switch.start_heartbeat()
    originate(client)
    simulator.pass_time(41.0, 0.1)
    beats = named(client.events(), "HEARTBEAT")
    assert len(beats) == 2
    assert (beats[0]["Session-Count"], beats[0]["Max-Sessions"], beats[0]["Session-Per-Sec"]) == ("1", "500", "40")
    assert beats[0]["Core-UUID"] == simulator.simulator.core_uuid


def test_clock_of_the_switch_may_be_wrong() -> None:
    simulator = bench(clock_offset=-3600)
    assert simulator.connect().ask("strepoch") == str(int(START) - 3600)


def test_events_may_wait_for_the_poll() -> None:
    simulator = bench("rejected_ringing:ring=1", poll=0.5)
    client = listen(simulator, "BACKGROUND_JOB")
    originate(client)
    simulator.pass_time(1.25)
    assert [call.cause for call in simulator.simulator.calls] == ["CALL_REJECTED"]
    assert results(client) == {}
    simulator.pass_time(0.5)
    assert results(client) == {"u1": "-ERR CALL_REJECTED\n"}


def test_figures_of_an_answered_call_are_those_of_its_times() -> None:
    simulator = bench("answers:setup=0.5,ring=1.5,talk=3")
    client = listen(simulator, "CHANNEL_HANGUP_COMPLETE")
    originate(client)
    simulator.pass_time(6.0)
    (ended,) = named(client.events(), "CHANNEL_HANGUP_COMPLETE")
    figures = ("billsec", "billmsec", "mduration", "answermsec", "progressmsec", "flow_billmsec")
    assert [ended[f"variable_{name}"] for name in figures] == ["3", "3000", "5000", "2000", "500", "5000"]
    assert ended["Caller-Channel-Created-Time"] == str(int(START * 1_000_000))


# --- several legs, early media --------------------------------------------------------------------------------------------


def test_leg_that_answers_first_wins_and_the_others_are_cancelled() -> None:
    simulator = bench("answers:setup=1,ring=1")
    client = listen(simulator, "BACKGROUND_JOB CHANNEL_HANGUP_COMPLETE")
    originate(client, dial="sofia/gateway/carrier/1,sofia/gateway/carrier/2", origination_uuid="")
    simulator.pass_time(2.5)
    (result,) = results(client).values()
    assert result.startswith("+OK ")
    assert sorted(call.cause for call in simulator.simulator.calls) == ["", "LOSE_RACE"]


def test_next_group_is_tried_when_all_legs_of_one_have_failed() -> None:
    patterns = tuple(parse_pattern(text) for text in ("1=busy", "2=rejected", "*=stays"))
    simulator = Bench(SimulatorConfig(plan=NumberPlan(patterns)))
    client = listen(simulator, "BACKGROUND_JOB")
    originate(client, dial="sofia/gateway/carrier/1,sofia/gateway/carrier/2|sofia/gateway/carrier/3", origination_uuid="")
    simulator.pass_time(1.0)
    assert [call.number for call in simulator.simulator.calls] == ["1", "2", "3"]
    assert next(iter(results(client).values())).startswith("+OK ")


@pytest.mark.parametrize(("ignore", "after"), [("true", 1.5), ("false", 0.0)])
def test_early_media_is_success_unless_it_is_ignored(ignore: str, after: float) -> None:
    simulator = bench("early_media:ring=1,talk=forever")
    client = listen(simulator, "BACKGROUND_JOB CHANNEL_EXECUTE CHANNEL_ANSWER")
    originate(client, ignore_early_media=ignore)
    simulator.pass_time(after)
    events = client.events()
    assert [e["_body"] for e in named(events, "BACKGROUND_JOB")] == ["+OK u1\n"]
    assert len(named(events, "CHANNEL_EXECUTE")) == 1
    simulator.pass_time(2.0)
    assert len(named(events + client.events(), "CHANNEL_ANSWER")) == 1


# --- who hears what -------------------------------------------------------------------------------------------------------


def test_job_result_of_a_failed_call_comes_before_or_after_its_last_events() -> None:
    simulator = bench("busy", sps=0)
    client = listen(simulator, "BACKGROUND_JOB CHANNEL_HANGUP_COMPLETE")
    order = set()
    for i in range(30):
        originate(client, f"u{i}")
        order.add(tuple(dict(event)["Event-Name"] for event in client.events()))
    assert order == {("BACKGROUND_JOB", "CHANNEL_HANGUP_COMPLETE"), ("CHANNEL_HANGUP_COMPLETE", "BACKGROUND_JOB")}


def test_event_that_nobody_wants_is_not_built() -> None:
    simulator = bench("busy")
    client = listen(simulator, "BACKGROUND_JOB")
    built: list[str] = []

    class Counting:
        """Templates that note which of them is used."""

        def __init__(self, templates: Templates) -> None:
            self.base, self.optional, self.defaults = templates.base, templates.optional, templates.defaults
            self._templates = templates

        def __getitem__(self, key: str) -> Template:
            built.append(key)
            return self._templates[key]

    bus = simulator.simulator.switch.bus
    bus.templates = cast(Any, Counting(bus.templates))
    originate(client)
    assert built == ["core/BACKGROUND_JOB"]
    assert bus.sequence > 10


def test_my_events_are_those_of_one_call() -> None:
    simulator = bench("busy")
    asking, hearing = simulator.connect(), simulator.connect()
    hearing.send("myevents u2 json\n\n")
    for uuid in ("u1", "u2"):
        originate(asking, uuid)
    heard = hearing.events()
    assert heard
    assert {dict(event)["Unique-ID"] for event in heard} == {"u2"}
    assert "CHANNEL_CALLSTATE" not in {dict(event)["Event-Name"] for event in heard}


@pytest.mark.parametrize(("uuid", "kept"), [("+u1", True), ("-u1", False), ("/^u/", True), ("u2", False)])
def test_filter_may_be_positive_negative_or_a_pattern(uuid: str, kept: bool) -> None:
    simulator = bench("busy")
    client = listen(simulator, "CHANNEL_HANGUP_COMPLETE")
    client.send(f"filter Unique-ID {uuid}\n\n")
    originate(client)
    assert bool(named(client.events(), "CHANNEL_HANGUP_COMPLETE")) is kept


# --- what the called side saw ---------------------------------------------------------------------------------------------


def test_oracle_knows_rings_answers_and_ends(tmp_path: Path) -> None:
    log = tmp_path / "calls.jsonl"
    simulator = bench("answers:ring=1,talk=2", log_path=str(log))
    client = simulator.connect()
    originate(client, accountcode="dialer-x")
    simulator.pass_time(0.5)
    originate(client, "u2", "sofia/gateway/carrier/777")
    assert [call.cause for call in simulator.simulator.oracle.by_number("777")] == [""]
    client.ask("uuid_kill u2")
    simulator.pass_time(4.0)
    oracle = simulator.simulator.oracle
    first, second = oracle.calls
    assert (first.call_uuid, first.number, first.account_code, first.callee) == ("u1", "5551000", "dialer-x", "answers")
    assert (first.cause, first.ended_by, second.cause, second.ended_by) == (
        "NORMAL_CLEARING",
        "callee",
        "NORMAL_CLEARING",
        "switch",
    )
    assert [call.call_uuid for call in oracle.answered_calls()] == ["u1"]
    assert (oracle.rings("u1"), oracle.rings("nosuch"), oracle.rings_by_uuid()["u2"]) == (1, 0, 1)
    assert (oracle.most_live, oracle.live) == (2, 0)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["what"] for line in lines if line["uuid"] == "u1"] == ["invited", "rang", "answered", "ended"]


def test_oracle_tells_what_the_switch_itself_has_refused(tmp_path: Path) -> None:
    log = tmp_path / "calls.jsonl"
    client = bench("answers", log_path=str(log)).connect()
    originate(client, "u1", "error/LOSE_RACE")
    assert client.ask("originate {a &park()") == "-ERR DESTINATION_OUT_OF_ORDER\n"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["what"], line["uuid"], line["cause"]) for line in lines] == [
        ("refused", "u1", "LOSE_RACE"),
        ("refused", "", "DESTINATION_OUT_OF_ORDER"),
    ]


def test_same_seed_gives_the_same_calls() -> None:
    def seen() -> list[tuple[str, str]]:
        simulator = bench(mix="answers=3,busy=2,no_answer=1", sps=0)
        client = simulator.connect()
        for i in range(40):
            originate(client, f"u{i}")
        simulator.pass_time(40.0, 0.1)
        return [(call.callee, call.cause) for call in simulator.simulator.calls]

    assert seen() == seen()
    assert len(set(seen())) > 2


# --- faults ---------------------------------------------------------------------------------------------------------------


def test_restart_takes_all_calls_without_an_event_and_has_a_new_identity() -> None:
    simulator = bench()
    client = listen(simulator, "CHANNEL_HANGUP_COMPLETE BACKGROUND_JOB")
    originate(client)
    simulator.pass_time(1.0)
    client.said()
    before = simulator.simulator.core_uuid
    simulator.simulator.restart()
    assert client.said() == b""
    assert client.transport.disconnecting or client.transport.disconnected
    client.close()
    again = simulator.connect()
    assert simulator.simulator.core_uuid != before
    assert again.ask("global_getvar core_uuid") == simulator.simulator.core_uuid
    assert again.ask("uuid_exists u1") == "false"
    assert [(call.cause, call.ended_by) for call in simulator.simulator.calls] == [("", "switch")]


def test_graceful_stop_says_so_ends_every_call_and_closes() -> None:
    simulator = bench("no_answer")
    client = listen(simulator)
    originate(client)
    client.said()
    client.send("api fsctl shutdown\n\n")
    simulator.pass_time(1.0)
    frames = client.frames()
    assert frames[0].body == b"+OK\n"
    assert frames[-1].body == b"The system is being shut down.\n"
    told = [dict(json.loads(f.body))["Event-Name"] for f in frames if f.content_type == "text/event-json"]
    assert told[0] == "SHUTDOWN"
    bodies = [json.loads(f.body) for f in frames if f.content_type == "text/event-json"]
    assert [b["_body"] for b in bodies if b["Event-Name"] == "BACKGROUND_JOB"] == ["-ERR SYSTEM_SHUTDOWN\n"]
    assert [b["Hangup-Cause"] for b in bodies if b["Event-Name"] == "CHANNEL_HANGUP_COMPLETE"] == ["SYSTEM_SHUTDOWN"]


def test_silent_switch_answers_nothing_until_it_speaks_again() -> None:
    simulator = bench()
    client = simulator.connect()
    simulator.simulator.go_silent()
    client.send("api echo x\n\n")
    assert client.said() == b""
    assert simulator.connect(login=False).said() == b""
    simulator.simulator.go_silent(silent=False)
    assert client.ask("echo y") == "y"


def test_late_switch_answers_in_order_but_late() -> None:
    simulator = bench()
    client = simulator.connect()
    simulator.simulator.reply_late(0.5)
    client.send("api echo 1\n\napi echo 2\n\n")
    simulator.pass_time(0.4)
    assert client.said() == b""
    simulator.pass_time(0.2)
    assert [f.body for f in client.frames()] == [b"1", b"2"]


def test_password_can_be_refused_and_the_address_rejected() -> None:
    simulator = bench()
    simulator.simulator.refuse_password()
    client = simulator.connect(login=False)
    client.send("auth ClueCon\n\n")
    assert b"-ERR invalid" in client.said()
    simulator.simulator.refuse_password(refuse=False)
    assert simulator.connect().ask("echo x") == "x"
    simulator.simulator.reject_address()
    rejected = simulator.connect(login=False).frames()
    assert [f.content_type for f in rejected] == ["text/rude-rejection", "text/disconnect-notice"]


def test_garbage_is_no_event_socket() -> None:
    simulator = bench()
    client = simulator.connect()
    simulator.simulator.send_garbage()
    assert len(client.said()) > 1000
    assert not simulator.connect(login=False).said().startswith(b"Content-Type")
