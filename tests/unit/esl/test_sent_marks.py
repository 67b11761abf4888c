"""What the marks of executed originates tell, and how they are removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from dialer.errors import BadValue, SwitchUnavailable
from dialer.esl import sent_marks
from dialer.esl.commands import Command
from dialer.esl.connection import CommandReply
from dialer.esl.frames import Frame
from dialer.esl.sent_marks import AT_ONCE, WAIT, MarkRemover, execution
from dialer.model import Execution

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
BEFORE, AFTER = (str(int((NOON + timedelta(seconds=s)).timestamp() * 1_000_000)) for s in (-1, 1))
NOTHING, NO_HASH = "-ERR no reply", "-ERR hash Command not found!"


def said(text: str) -> CommandReply:
    return CommandReply(Command("api hash", b""), text, Frame({}, b""))


@pytest.mark.parametrize(
    ("mark", "since", "executed"),
    [
        ("1", BEFORE, Execution.DIALLED),
        ("1", NOTHING, Execution.DIALLED),
        ("2", BEFORE, Execution.NO_CHANNEL),
        ("2", NOTHING, Execution.NO_CHANNEL),
        ("0", BEFORE, Execution.NEVER),
        (NOTHING, BEFORE, Execution.NEVER),
        (NOTHING, AFTER, Execution.UNTOLD),  # the switch, or mod_hash, was started after the call had been planned
        (NOTHING, NOTHING, Execution.UNTOLD),
        (NO_HASH, NO_HASH, Execution.UNTOLD),
        ("", BEFORE, Execution.UNTOLD),
        ("3", BEFORE, Execution.UNTOLD),  # what a later version may write
    ],
)
def test_a_missing_mark_tells_only_of_calls_that_were_planned_while_marks_were_kept(
    mark: str, since: str, executed: Execution
) -> None:
    assert execution(said(mark), said(since), NOON) is executed


def test_the_commands_name_the_call_and_nothing_else() -> None:
    assert sent_marks.mark_of("c-1").payload == b"api hash select/dialer-sent/c-1\n\n"
    assert sent_marks.remove(["c-1", "c-2"]).payload == (
        b"api expand echo ${hash(delete/dialer-sent/c-1)}${hash(delete/dialer-sent/c-2)}\n\n"
    )
    for text in ("c/1", "c)}", "${x}", "c 1"):
        with pytest.raises(BadValue):
            sent_marks.mark_of(text)
        with pytest.raises(BadValue):
            sent_marks.remove([text])


class Sent:
    """Commands as they were given; the switch is away with `away`."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.payloads: list[bytes] = []
        self.away = False
        self.marks = MarkRemover(self.clock, self.send)

    def send(self, command: Command) -> Deferred[CommandReply]:
        if self.away:
            return fail(SwitchUnavailable(command.name, "not connected", sent=False))
        self.payloads.append(command.payload)
        return succeed(said("+OK"))

    @property
    def removed(self) -> int:
        return sum(payload.count(b"delete/") for payload in self.payloads)


def test_marks_are_removed_many_with_one_command() -> None:
    sent = Sent()
    sent.marks.opened()
    for number in range(2 * AT_ONCE + 3):
        sent.marks.add(f"c-{number}")
    assert (len(sent.payloads), sent.removed) == (2, 2 * AT_ONCE)
    sent.clock.advance(WAIT)
    assert (len(sent.payloads), sent.removed) == (3, 2 * AT_ONCE + 3)
    sent.clock.advance(10 * WAIT)
    assert len(sent.payloads) == 3


def test_marks_wait_for_a_switch_that_is_away_and_a_failure_stops_nothing() -> None:
    sent = Sent()
    for number in range(AT_ONCE + 1):
        sent.marks.add(f"c-{number}")
    sent.clock.advance(10 * WAIT)
    assert sent.payloads == []
    sent.marks.opened()
    sent.clock.advance(WAIT)
    sent.clock.advance(0)
    assert sent.removed == AT_ONCE + 1
    sent.away = True
    sent.marks.add("c-99")
    sent.clock.advance(WAIT)
    sent.marks.closed()
    assert sent.clock.getDelayedCalls() == []
