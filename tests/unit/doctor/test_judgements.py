"""What the doctor makes of what it is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from attrs import evolve

from dialer.doctor.diagnosis import Level, as_json, as_text, failure, ok, warning, worst
from dialer.doctor.judgements import SipRoute, judge_context, judge_pace, judge_route, judge_sessions, limit_in, route_of
from dialer.doctor.local import judge_disk, judge_files, judge_permissions
from dialer.doctor.loopback_check import running_address
from dialer.doctor.ports import Door, judge_owner, name_of, owners
from dialer.doctor.record_keeping import judge_keeping
from dialer.doctor.records import judge_configuration
from dialer.freeswitch.content import shipped
from dialer.settings import OutboundSettings
from tests.unit.builders import campaign as make_campaign

HERE = "127.0.0.1:8084"
SOCKET = '<action application="socket" data="${dialer_socket} async full"/>'
LIMIT = '<action application="sched_hangup" data="+60"/>'


def context(*actions: str, expression: str = "^dialer$") -> str:
    inside = "".join(actions)
    return (
        f'<context name="dialer"><extension><condition field="destination_number" expression="{expression}">{inside}'
        "</condition></extension></context>"
    )


def waiting(*actions: str, expression: str = "^dialer$") -> str:
    again = '<extension><condition field="destination_number" expression="^dialer_away$"/></extension>'
    return context(*actions, expression=expression).replace("</context>", f"{again}</context>")


def test_the_shipped_context_is_well() -> None:
    text = shipped().joinpath("dialplan", "dialer.xml").read_text()
    shipped_context = text[text.index("<context") : text.index("</include>")]
    assert judge_context(shipped_context, HERE).level is Level.OK


@pytest.mark.parametrize(
    ("located", "level"),
    [
        ("can't find anything\n", Level.FAILURE),
        ("-ERR bad args", Level.FAILURE),
        (context(), Level.FAILURE),
        (context(SOCKET, SOCKET, LIMIT, expression="^other$"), Level.FAILURE),
        (context(SOCKET, SOCKET, LIMIT, expression="(("), Level.FAILURE),
        (context(SOCKET.replace(" full", "")), Level.FAILURE),
        (context(SOCKET.replace("${dialer_socket}", "192.0.2.1:8084")), Level.FAILURE),
        (context(SOCKET.replace("${dialer_socket}", HERE), SOCKET, LIMIT), Level.WARNING),
        (waiting(SOCKET.replace("${dialer_socket}", HERE), SOCKET, LIMIT), Level.OK),
        (waiting(SOCKET, LIMIT), Level.WARNING),
        (waiting(SOCKET, SOCKET), Level.WARNING),
        (waiting(SOCKET, SOCKET, LIMIT, expression="^.*$"), Level.OK),
    ],
)
def test_a_context_is_well_when_it_hands_its_calls_to_the_dialer_twice_and_limits_them(located: str, level: Level) -> None:
    assert judge_context(located, HERE).level is level


@pytest.mark.parametrize(
    ("dial_string", "route"),
    [
        ("sofia/gateway/carrier/{number}", SipRoute("gateway", "carrier")),
        ("sofia/external/{number}@192.0.2.1", SipRoute("profile", "external")),
        ("loopback/{number}", None),
        ("user/{number}", None),
    ],
)
def test_a_dial_string_tells_what_it_goes_through(dial_string: str, route: SipRoute | None) -> None:
    assert route_of(dial_string) == route


def status(state: str = "NOREG", up: str = "UP", ping: int = 5) -> str:
    fields = f"From    \t<sip:carrier@127.0.0.1>\nPingFreq\t{ping}\nState   \t{state}\nStatus  \t{up}\n"
    return f"====\nName    \tcarrier\n{fields}====\n"


@pytest.mark.parametrize(
    ("answer", "level"),
    [
        (status(), Level.OK),
        (status("REGED"), Level.OK),
        (status(up="DOWN"), Level.FAILURE),
        (status("FAIL_WAIT", "DOWN"), Level.FAILURE),
        (status("TRYING"), Level.WARNING),
        (status(ping=0), Level.WARNING),
        ("Invalid Gateway!\n", Level.FAILURE),
        ("-ERR sofia Command not found!\n", Level.FAILURE),
    ],
)
def test_a_gateway_is_well_when_it_is_up_and_pinged(answer: str, level: Level) -> None:
    assert judge_route("ours", SipRoute("gateway", "carrier"), answer).level is level


@pytest.mark.parametrize(
    ("mode", "level"),
    [
        (0o600, Level.OK),
        (0o400, Level.OK),
        (0o640, Level.WARNING),
        (0o644, Level.FAILURE),
        (0o660, Level.FAILURE),
        (0o602, Level.FAILURE),
    ],
)
def test_only_the_owner_should_read_the_configuration(mode: int, level: Level) -> None:
    assert judge_permissions(Path("dialer.toml"), 0o100000 | mode).level is level


@pytest.mark.parametrize(("free", "level"), [(3e9, Level.OK), (1e9, Level.WARNING), (1e8, Level.FAILURE)])
def test_a_disk_that_is_filling_up_is_told_before_it_is_full(free: float, level: Level) -> None:
    assert judge_disk(Path("/var"), int(free)).level is level


@pytest.mark.parametrize(("limit", "level"), [(None, Level.OK), (3000, Level.OK), (1024, Level.WARNING)])
def test_every_connection_and_every_call_needs_an_open_file(limit: int | None, level: Level) -> None:
    assert judge_files(limit, 2600, "the dialer").level is level


@pytest.mark.parametrize(("reply", "limit"), [("+OK sessions per second: 30", 30), ("-ERR no", None), ("", None)])
def test_a_limit_is_the_number_at_the_end_of_the_answer(reply: str, limit: int | None) -> None:
    assert limit_in(reply) == limit


def test_a_switch_admits_one_session_less_than_its_limit() -> None:
    assert judge_sessions(30, 1000, 29, []).level is Level.OK
    assert judge_sessions(29, 1000, 29, []).level is Level.FAILURE
    assert judge_sessions(None, 1000, 29, []).level is Level.FAILURE


def test_sessions_must_suffice_for_calls_that_ring_until_their_timeout() -> None:
    campaign = make_campaign(frequency=1200, call_timeout=60)
    assert judge_sessions(60, 1200, 29, [campaign]).level is Level.OK
    assert judge_sessions(60, 1199, 29, [campaign]).level is Level.WARNING
    assert judge_sessions(60, 1199, 29, [evolve(campaign, max_concurrent=100)]).level is Level.OK


def test_campaigns_that_want_more_than_the_switch_may_be_given_are_a_warning() -> None:
    campaign = make_campaign(frequency=600)
    assert judge_pace(10, [campaign]).level is Level.OK
    assert judge_pace(10, [campaign, campaign]).level is Level.WARNING


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, "127.0.0.1:8084"),
        ({"endpoint": "tcp:9000"}, "127.0.0.1:9000"),
        ({"endpoint": "tcp:9000:interface=0.0.0.0"}, "127.0.0.1:9000"),
        ({"endpoint": "tcp:9000:interface=192.0.2.1:backlog=5"}, "192.0.2.1:9000"),
        ({"endpoint": "tcp:9000", "advertise": "192.0.2.7:9001"}, "192.0.2.7:9001"),
    ],
)
def test_a_running_dialer_is_reached_where_it_listens_or_says(settings: dict[str, str], address: str) -> None:
    assert running_address(OutboundSettings(**settings)) == address


def json_cdr(**params: str) -> str:
    inside = "".join(f'<param name="{name.replace("_", "-")}" value="{value}"></param>' for name, value in params.items())
    return f'<configuration name="json_cdr.conf"><settings>{inside}</settings></configuration>'


def test_the_addresses_of_records_are_tried_with_their_credentials() -> None:
    located = json_cdr(url="http://192.0.2.1/cdr", cred="a:b", log_dir="x")
    assert judge_configuration(loaded=True, located=located) == [("http://192.0.2.1/cdr", "a:b")]


def test_an_unloaded_module_writes_no_records_whatever_its_file_says() -> None:
    assert judge_configuration(loaded=False, located=json_cdr(log_dir="x")) == ok("cdr", judge_text())


def judge_text() -> str:
    return "no call detail records are written (mod_json_cdr is not loaded), and none are needed"


def test_findings_are_one_line_each_whatever_a_switch_says() -> None:
    lines = list(as_text([ok("a", "fine"), failure("b", "two\nlines\x1b[31m", "repair it")]))
    assert lines == ["ok       a            fine", "failure  b            two?lines?[31m -> repair it"]


def test_findings_as_json_tell_the_worst_level_first() -> None:
    findings = [ok("a", "fine"), warning("b", "so so", "look")]
    assert worst(findings) is Level.WARNING
    assert worst([]) is Level.OK
    assert json.loads(as_json(findings)) == {
        "worst": "warning",
        "findings": [
            {"check": "a", "level": "ok", "text": "fine", "advice": ""},
            {"check": "b", "level": "warning", "text": "so so", "advice": "look"},
        ],
    }


def test_without_the_context_both_ways_out_are_named() -> None:
    advice = judge_context("-ERR not found", HERE).advice
    assert "dialer freeswitch install" in advice
    assert "inline = true in [outbound]" in advice


DOOR = Door("outbound.endpoint", "tcp:8084:interface=127.0.0.1")


@pytest.mark.parametrize(
    ("owners", "dialer", "level"),
    [
        ([], None, Level.FAILURE),
        ([17], None, Level.FAILURE),
        ([17], 18, Level.FAILURE),
        ([18], 18, Level.OK),
        ([17, 18], 18, Level.OK),
        ([], 18, Level.OK),  # hidden from this user
    ],
)
def test_a_port_that_is_taken_may_be_the_dialers_own(owners: list[int], dialer: int | None, level: Level) -> None:
    assert judge_owner(DOOR, owners, dialer).level is level


def test_the_owner_of_a_port_is_found_by_the_kernels_tables(tmp_path: Path) -> None:
    head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    line = "   0: 0100007F:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000     0        0 {inode} 1\n"
    (tmp_path / "net").mkdir()
    listening, connected = line.format(port=8084, state="0A", inode=77), line.format(port=8084, state="01", inode=78)
    (tmp_path / "net" / "tcp").write_text(head + connected + listening)
    for process, inode in ((5, 77), (6, 78), (7, 77)):
        (tmp_path / str(process) / "fd").mkdir(parents=True)
        (tmp_path / str(process) / "fd" / "3").symlink_to(f"socket:[{inode}]")
    (tmp_path / "5" / "cmdline").write_bytes(b"/usr/bin/python3\0/opt/bin/dialer\0run\0")
    assert owners(8084, tmp_path) == [5, 7]
    assert owners(8085, tmp_path) == []
    assert name_of(5, tmp_path) == "python3 dialer"
    assert name_of(99, tmp_path) == "?"


@pytest.mark.parametrize(("keep", "level"), [(1826, Level.OK), (1825, Level.WARNING), (31, Level.WARNING)])
def test_records_that_go_before_five_years_are_over_are_told_of(keep: int, level: Level) -> None:
    finding = judge_keeping(datetime(2022, 3, 1, tzinfo=UTC), keep)
    assert (finding.level, "2022-03-01" in finding.text, f"{keep} days" in finding.text) == (level, True, True)
    assert "no call record" in judge_keeping(None, keep).text
