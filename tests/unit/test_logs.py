"""The log: one line an event, whoever tells it."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import Logger, LogPublisher
from twisted.python.failure import Failure

from dialer.logs import LineLog, LineObserver

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
