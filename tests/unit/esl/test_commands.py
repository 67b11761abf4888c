from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.errors import BadValue
from dialer.esl import commands
from tests.unit.esl.freeswitch_reader import packets


def test_the_subscription_is_narrow_and_json() -> None:
    assert commands.subscribe().payload == (
        b"event json CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_ANSWER CHANNEL_HANGUP_COMPLETE "
        b"BACKGROUND_JOB HEARTBEAT SHUTDOWN\n\n"
    )


def test_the_subscription_has_no_custom_that_would_swallow_what_follows() -> None:
    assert "CUSTOM" not in commands.EVENTS


def test_a_command_does_not_show_its_bytes_and_so_no_password() -> None:
    assert "secret" not in repr(commands.auth("secret"))
    assert commands.auth("secret").payload == b"auth secret\n\n"


@pytest.mark.parametrize("password", ["a\nb", "a\r", "a$b"])
def test_a_password_cannot_be_a_second_command(password: str) -> None:
    with pytest.raises(BadValue, match="password"):
        commands.auth(password)


def test_simple_commands_are_one_line() -> None:
    assert commands.kill("c-1", "NORMAL_CLEARING").payload == b"api uuid_kill c-1 NORMAL_CLEARING\n\n"
    assert commands.exists("c-1").payload == b"api uuid_exists c-1\n\n"
    assert commands.channels().payload == b"api show channels as json\n\n"
    assert commands.clock().payload == b"api strmicroepoch\n\n"
    assert commands.core_uuid().payload == b"api global_getvar core_uuid\n\n"
    assert commands.linger(10).payload == b"linger 10\n\n"
    assert commands.filter_channel("c-1").payload == b"filter Unique-ID c-1\n\n"
    assert commands.hangup("USER_BUSY").payload == b"sendmsg\ncall-command: hangup\nhangup-cause: USER_BUSY\n\n"


@pytest.mark.parametrize("call_uuid", ["", "-x", "a b", "a\n", "x" * 37, "a/b"])
def test_an_id_that_freeswitch_would_change_is_refused(call_uuid: str) -> None:
    with pytest.raises(BadValue, match="call_uuid"):
        commands.exists(call_uuid)


@pytest.mark.parametrize("cause", ["", "normal", "A B", "X\n"])
def test_a_cause_must_be_a_name(cause: str) -> None:
    with pytest.raises(BadValue, match="cause"):
        commands.hangup(cause)


@given(st.text(max_size=40))
def test_an_argument_of_an_application_travels_exactly_or_is_refused(argument: str) -> None:
    try:
        payload = commands.execute("playback", argument, "ev-1").payload
    except BadValue as refused:
        assert refused.field == "argument"
        return
    # A newline before the packet's end of the headers would be the only way out of it.
    (packet,) = packets(payload)
    assert packet.command == "sendmsg"
    wanted = {"call-command", "execute-app-name", "event-uuid", "body"}
    assert set(packet.headers) == wanted | ({"content-type", "content-length"} if argument else set())
    assert packet.headers["body"].replace("\\\\", "\\") == argument


def test_line_feeds_survive_in_an_argument() -> None:
    payload = commands.execute("speak", "one\n\ntwo, three", "ev-1").payload
    assert payload.endswith(b"content-length: 15\n\none\n\ntwo, three")


@pytest.mark.parametrize("argument", ["${x}", "a\0", "a\rb", "%[a=b]x", "%,[a=b]x"])
def test_an_argument_that_freeswitch_would_interpret_is_refused(argument: str) -> None:
    with pytest.raises(BadValue, match="argument"):
        commands.execute("playback", argument, "ev-1")


@pytest.mark.parametrize("application", ["", "a b", "x\nhangup-cause: Y", "a:b"])
def test_an_application_is_one_word(application: str) -> None:
    with pytest.raises(BadValue, match="application"):
        commands.execute(application, "", "ev-1")


def test_an_api_function_is_one_word() -> None:
    with pytest.raises(BadValue, match="function"):
        commands.api("status\n\nbgapi")
