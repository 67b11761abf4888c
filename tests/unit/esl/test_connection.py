from __future__ import annotations

import pytest

from dialer.errors import CommandFailed, ProtocolError
from dialer.esl import commands
from dialer.esl.commands import Command
from dialer.esl.connection import AuthRequested, CommandReply, Disconnected, EslConnection, Happening, Rejected
from dialer.esl.events import EslEvent
from tests.unit.esl.recorded import NAMES, chunks, said_by_switch

GREETING = b"Content-Type: auth/request\n\n"


def happenings(connection: EslConnection, data: bytes) -> list[Happening]:
    connection.receive_data(data)
    found = []
    while (happening := connection.next_event()) is not None:
        found.append(happening)
    return found


def replay(name: str) -> list[Happening]:
    """Feed a recorded conversation, with one pending command for each that the client gave."""
    connection = EslConnection()
    found = []
    for who, data in chunks(name):
        if who == "switch":
            found += happenings(connection, data)
        else:
            for line in data.replace(b"\r", b"").split(b"\n\n"):
                if line.strip() and not line.startswith(b"big="):
                    connection.send(Command(line.strip().split(b"\n")[0].decode(), line))
    return found


def test_commands_and_replies_pair_by_order_whatever_the_type_of_the_reply() -> None:
    connection = EslConnection()
    first, second = commands.api("status"), commands.subscribe()
    assert connection.send(first) == b"api status\n\n"
    connection.send(second)
    refused, accepted = happenings(
        connection,
        b"Content-Type: command/reply\nReply-Text: -ERR permission denied\n\n"
        b"Content-Type: command/reply\nReply-Text: +OK event listener enabled json\n\n",
    )
    assert isinstance(refused, CommandReply)
    assert isinstance(accepted, CommandReply)
    assert (refused.command, accepted.command) == (first, second)
    assert accepted.checked() is accepted
    with pytest.raises(CommandFailed, match="api status: -ERR permission denied"):
        refused.checked()


def test_a_recorded_conversation_of_commands_pairs_every_reply_with_its_command() -> None:
    replies = {r.command.name: r.text for r in replay("01-auth-and-commands") if isinstance(r, CommandReply)}
    assert replies["api echo hello world"] == "hello world"
    assert replies["api echo"] == "-ERR no reply"
    assert replies["api nosuchapi x"] == "-ERR nosuchapi Command not found!"
    assert replies["event plain CUSTOM sofia::gateway_state CHANNEL_ANSWER"] == "+OK event listener enabled plain"
    assert replies["exit"] == "+OK bye"


def test_pipelined_commands_pair_in_order() -> None:
    texts = [r.text for r in replay("03-crlf-and-pipelining") if isinstance(r, CommandReply)]
    assert texts == ["+OK accepted", "1", "2", "+OK Job-UUID: my-own-job-id", "4"]


def test_every_recording_can_be_replayed_without_a_broken_protocol() -> None:
    for name in NAMES:
        if name not in ("32b-event-xml", "26-outbound-first-command-not-connect"):
            assert replay(name), name


def test_the_switch_asks_for_a_password_first() -> None:
    assert happenings(EslConnection(), GREETING) == [AuthRequested()]


def test_a_wrong_password_gives_a_refusal_and_a_notice_with_a_body() -> None:
    greeting, refusal, notice = replay("02-auth-failure")
    assert greeting == AuthRequested()
    assert isinstance(refusal, CommandReply)
    assert refusal.text == "-ERR invalid"
    assert notice == Disconnected("Disconnected, goodbye. See you at ClueCon! http://www.cluecon.com/")


def test_a_command_before_the_password_is_refused_and_the_password_still_accepted() -> None:
    texts = [r.text for r in replay("02b-command-before-auth") if isinstance(r, CommandReply)]
    assert texts == ["-ERR command not found", "+OK accepted", "x"]


def test_a_rude_rejection_tells_its_reason() -> None:
    rejected, notice = happenings(EslConnection(), said_by_switch("47-rude-rejection"))
    assert rejected == Rejected("Access Denied, go away.")
    assert isinstance(notice, Disconnected)


def test_lingering_is_told_apart_from_the_end() -> None:
    notices = [h for h in replay("23-outbound-remote-bye-linger") if isinstance(h, Disconnected)]
    assert [notice.lingering for notice in notices] == [True, False]


def test_the_end_of_the_connection_has_the_reason_of_the_notice() -> None:
    connection = EslConnection()
    happenings(connection, b"Content-Type: text/disconnect-notice\nContent-Length: 4\n\nbye\n")
    assert connection.receive_eof() == Disconnected("bye")


def test_an_end_without_notice_says_so() -> None:
    assert EslConnection().receive_eof().reason == "closed without a notice"


def test_an_end_in_the_middle_of_a_message_says_so() -> None:
    connection = EslConnection()
    happenings(connection, b"Content-Type: auth/req")
    assert "in the middle of a message" in connection.receive_eof().reason


def test_a_reply_without_a_command_breaks_the_protocol() -> None:
    connection = EslConnection()
    connection.receive_data(b"Content-Type: command/reply\nReply-Text: +OK\n\n")
    with pytest.raises(ProtocolError, match="no command"):
        connection.next_event()


def test_an_unknown_type_breaks_the_protocol() -> None:
    connection = EslConnection()
    connection.receive_data(b"Content-Type: text/html\n\n")
    with pytest.raises(ProtocolError, match="text/html"):
        connection.next_event()


def test_log_lines_are_passed_over() -> None:
    data = b"Content-Type: log/data\nContent-Length: 3\nLog-Level: 7\n\nabc"
    assert happenings(EslConnection(), data + GREETING) == [AuthRequested()]


def test_events_and_replies_mix() -> None:
    connection = EslConnection()
    connection.send(commands.api("uuid_exists", "x"))
    event, reply = happenings(
        connection,
        b'Content-Length: 26\nContent-Type: text/event-json\n\n{"Event-Name":"HEARTBEAT"} '.rstrip()
        + b"Content-Type: api/response\nContent-Length: 4\n\ntrue",
    )
    assert isinstance(event, EslEvent)
    assert event.name == "HEARTBEAT"
    assert isinstance(reply, CommandReply)
    assert (reply.text, connection.in_flight) == ("true", 0)


def test_the_answer_to_connect_is_a_reply_with_the_channel() -> None:
    reply = next(h for h in replay("24-outbound-hangup-nolinger") if isinstance(h, CommandReply))
    assert reply.command.name == "connect"
    assert not reply.failed
    assert reply.channel_data().value("Channel-State") == "CS_EXECUTE"


def test_when_the_first_command_is_not_connect_its_reply_never_comes() -> None:
    said = said_by_switch("26-outbound-first-command-not-connect")
    assert said.count(b"Reply-Text") == 2


def test_bare_end_of_a_killed_switch_has_no_notice() -> None:
    assert not [h for h in replay("46-sigkill") if isinstance(h, Disconnected)]


def test_a_shutdown_is_announced_before_the_notice() -> None:
    found = replay("43-fsctl-shutdown")
    names = [h.name for h in found if isinstance(h, EslEvent)]
    assert "SHUTDOWN" in names
    assert isinstance(found[-1], Disconnected)
