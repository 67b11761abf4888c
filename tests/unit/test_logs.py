"""The log: one line an event, whoever tells it."""

from __future__ import annotations

import enum
import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.logger import Logger, LogPublisher, formatEvent, globalLogPublisher
from twisted.python.failure import Failure

from dialer.logs import LineLog, LineObserver, log_to_twisted
from dialer.model import AttemptState, CampaignStatus

NOON = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def lines():
    before = structlog.get_config()
    log = LineLog(io.StringIO(), lambda: NOON)
    log.set_levels("info", "warning")
    yield log
    structlog.configure(**before)


def written(log: LineLog) -> list[str]:
    return log.stream.getvalue().splitlines()


def test_an_event_of_ours_is_a_line_with_time_level_and_values(lines):
    structlog.get_logger().warning("gateway spared", gateway="my carrier", faults=3, note="")
    assert written(lines) == ["2026-11-23T12:00:00.123Z WARNING dialer: gateway spared gateway='my carrier' faults=3 note=''"]


def test_an_event_of_twisted_is_a_line_of_the_same_form(lines):
    logger = Logger("dialer.esl.inbound.InboundSwitch", observer=LogPublisher(LineObserver(lines)))
    logger.warn("lost {name}", name="127.0.0.1:8021")
    assert written(lines) == ["2026-11-23T12:00:00.123Z WARNING dialer.esl.inbound: lost 127.0.0.1:8021"]


def test_levels_are_our_own_and_those_of_the_libraries(lines):
    observer = LogPublisher(LineObserver(lines))
    for namespace in ("twisted.web.Site", "api.site.ApiSite"):
        Logger(namespace, observer=observer).info("started")
    structlog.get_logger().debug("detail")
    assert [line.split(": ", 1)[1] for line in written(lines)] == ["started"]
    assert "api.site" in written(lines)[0]
    lines.set_levels("debug", "debug")
    Logger("twisted.web.Site", observer=observer).info("started")
    structlog.get_logger().debug("detail")
    assert len(written(lines)) == 3


def test_a_traceback_follows_indented(lines):
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        structlog.get_logger().exception("it broke")
        failure = Failure()
    first, *rest = written(lines)
    assert first.endswith("ERROR dialer: it broke")
    assert all(line.startswith("2026-11-23T12:00:00.123Z ERROR     ") for line in rest)
    lines.stream.truncate(0)
    Logger("dialer.x.Y", observer=LogPublisher(LineObserver(lines))).failure("it broke", failure)
    assert any("ValueError: first" in line for line in written(lines))


def test_the_journal_gets_priorities_and_no_time():
    log = LineLog(io.StringIO(), lambda: NOON, for_journal=True)
    log.write("error", "dialer", "gone")
    log.write("info", "dialer", "back")
    assert written(log) == ["<3>dialer: gone", "<6>dialer: back"]


@given(st.text())
def test_no_value_can_begin_a_line(text):
    log = LineLog(io.StringIO(), lambda: NOON)
    log.set_levels("info", "info")
    structlog.get_logger().info("contact refused", number=text)
    log.write("info", "dialer", text)
    assert len(log.stream.getvalue().split("\n")) == 3
    assert all(character.isprintable() or character == "\n" for character in log.stream.getvalue())


def test_a_stream_that_is_gone_is_no_error():
    stream = io.StringIO()
    stream.close()
    LineLog(stream, lambda: NOON).write("error", "dialer", "gone")
    assert sys.stderr is not stream


# --- words, not Python ------------------------------------------------------------------------------------------------------


class Manner(enum.Enum):
    READ_ONLY = object()


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Path("/var/lib/dialer.toml"), "/var/lib/dialer.toml"),
        (AttemptState.RINGING, "ringing"),
        (CampaignStatus.START, "start"),
        (Manner.READ_ONLY, "read-only"),
        (("frequency", "max_retry"), "'frequency, max_retry'"),
        ((AttemptState.RINGING,), "ringing"),
        (frozenset({"b", "a"}), "'a, b'"),
        ({AttemptState.RINGING: 2}, "'ringing 2'"),
        (IPv4Address("TCP", "127.0.0.1", 8084), "127.0.0.1:8084"),
        (IPv6Address("TCP", "::1", 8084), "[::1]:8084"),
        (TimeoutError(), "TimeoutError"),
        (ValueError("no number"), "'no number'"),
        (None, "None"),
    ],
)
def test_a_value_is_told_in_words_not_as_python_writes_it(lines, value, told):
    structlog.get_logger().info("seen", value=value)
    assert written(lines)[0].endswith(f"dialer: seen value={told}")


def test_an_address_in_an_event_of_twisted_is_told_in_words(lines):
    logger = Logger("dialer.esl.session.Session", observer=LogPublisher(LineObserver(lines)))
    logger.warn("the session of {peer} failed: {error}", peer=IPv4Address("TCP", "127.0.0.1", 40000), error=TimeoutError())
    assert written(lines)[0].endswith("the session of 127.0.0.1:40000 failed: TimeoutError")


# --- JSON -------------------------------------------------------------------------------------------------------------------


def test_as_json_an_event_is_an_object_on_a_line(lines):
    lines.format = "json"
    structlog.get_logger().warning("gateway spared", gateway="my carrier", faults=3, state=AttemptState.RINGING, left=None)
    [line] = written(lines)
    assert json.loads(line) == {
        "time": "2026-11-23T12:00:00.123Z",
        "level": "warning",
        "logger": "dialer",
        "event": "gateway spared",
        "gateway": "my carrier",
        "faults": 3,
        "state": "ringing",
        "left": None,
    }


def test_as_json_a_traceback_is_a_value_and_twisted_has_the_same_form(lines):
    lines.format = "json"
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        structlog.get_logger().exception("it broke")
        failure = Failure()
    Logger("twisted.web.Site", observer=LogPublisher(LineObserver(lines))).failure("it broke {how}", failure, how="again")
    ours, theirs = map(json.loads, written(lines))
    assert (ours["event"], ours["level"], ours["logger"]) == ("it broke", "error", "dialer")
    assert "ValueError: first\nsecond" in ours["traceback"]
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("it broke again", "critical", "twisted.web")
    assert "ValueError: first" in theirs["traceback"]


def test_as_json_under_the_journal_the_priority_stays(lines):
    log = LineLog(io.StringIO(), lambda: NOON, for_journal=True, format="json")
    log.write("error", "dialer", "gone")
    priority, line = written(log)[0].split(">", 1)
    assert (priority, json.loads(line)["event"]) == ("<3", "gone")


@given(st.text())
def test_as_json_no_value_can_begin_a_line_or_replace_what_the_log_says(text):
    log = LineLog(io.StringIO(), lambda: NOON, format="json")
    log.set_levels("info", "info")
    structlog.get_logger().info("contact refused", number=text, time=text, level=text, logger=text)
    [line, end] = log.stream.getvalue().split("\n")
    told = json.loads(line)
    assert end == ""
    assert (told["level"], told["logger"], told["time"]) == ("info", "dialer", "2026-11-23T12:00:00.123Z")
    assert told["number"] == text
    assert line.isascii()


# --- numbers, and whose request it is ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"number": "+1 (555) 123-0001"}, {"number": "+* (***) ***-*001"}),
        ({"identity": "15551230001"}, {"identity": "********001"}),
        ({"contact": 15551230001}, {"contact": "********001"}),
        ({"caller_id": "1001"}, {"caller_id": "*001"}),
        ({"number": "112"}, {"number": "112"}),
        ({"dial": "sofia/gateway/carrier/15551230001"}, {"dial": "sofia/gateway/carrier/********001"}),
        (
            {"reason": "15551230001 is on the blacklist of this user"},
            {"reason": "********001 is on the blacklist of this user"},
        ),
        ({"call": "12345678-1234-4234-9234-123456789012"}, {"call": "12345678-1234-4234-9234-123456789012"}),
        ({"times": 12345678, "seconds": 1.5, "left": None}, {"times": 12345678, "seconds": 1.5, "left": None}),
        ({"told": ("15551230001", "2026-11-23")}, {"told": "********001, 2026-11-23"}),
        ({"number": "١٢٣٤٥"}, {"number": "**٣٤٥"}),
    ],
)
def test_numbers_are_masked_but_for_their_last_three_digits(lines, values, told):
    lines.format, lines.mask_numbers = "json", True
    structlog.get_logger().info("seen", **values)
    assert json.loads(written(lines)[0]).items() >= told.items()


def test_numbers_are_masked_in_sentences_tracebacks_and_what_twisted_tells(lines):
    lines.mask_numbers = True
    try:
        raise ValueError("15551230001 is no number")
    except ValueError:
        structlog.get_logger().exception("15551230001 refused")
    Logger("dialer.x.Y", observer=LogPublisher(LineObserver(lines))).warn("lost {number}", number="15551230001")
    assert "15551230001" not in lines.stream.getvalue()
    for told in ("dialer: ********001 refused", "ValueError: ********001 is no number", "dialer.x: lost ********001"):
        assert told in lines.stream.getvalue()


def test_numbers_stay_as_they_are_where_nothing_is_masked(lines):
    structlog.get_logger().info("15551230001 refused", number="15551230001")
    assert written(lines)[0].endswith("dialer: 15551230001 refused number=15551230001")


def test_the_log_of_twist_masks_numbers_too():
    told = []
    globalLogPublisher.addObserver(told.append)
    before = structlog.get_config()
    try:
        log_to_twisted("info", mask_numbers=True)
        structlog.get_logger().info("15551230001 refused", number="1001")
        log_to_twisted("info")
        structlog.get_logger().info("15551230001 refused", number="1001")
    finally:
        globalLogPublisher.removeObserver(told.append)
        structlog.configure(**before)
    assert [formatEvent(event) for event in told] == ["********001 refused number=*001", "15551230001 refused number=1001"]


def test_the_lines_of_a_request_have_its_id_and_those_of_others_have_not(lines):
    lines.format = "json"
    go_on = Deferred()

    async def request():
        structlog.contextvars.bind_contextvars(request_id="r-1")
        await go_on
        structlog.get_logger().info("served")

    served = Deferred.fromCoroutine(request())
    structlog.get_logger().info("elsewhere")
    go_on.callback(None)
    structlog.get_logger().info("afterwards")
    assert served.called
    told = [json.loads(line) for line in written(lines)]
    assert [(line["event"], line.get("request_id")) for line in told] == [
        ("elsewhere", None),
        ("served", "r-1"),
        ("afterwards", None),
    ]
