"""The commands for a switch, as bytes. Every value passes through `quoting`; a bad one raises `BadValue`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache

from attrs import field, frozen

from dialer.errors import BadValue
from dialer.esl import inline_dialplan, proof, quoting
from dialer.model import Origination

EVENTS = (
    "CHANNEL_PROGRESS",
    "CHANNEL_PROGRESS_MEDIA",
    "CHANNEL_ANSWER",
    "CHANNEL_HANGUP_COMPLETE",
    "BACKGROUND_JOB",
    "HEARTBEAT",
    "SHUTDOWN",
)
"""The subscription of the inbound connection: three to five events a call instead of about twenty-three."""

SESSION_EVENTS = ("CHANNEL_EXECUTE_COMPLETE", "DTMF", "CHANNEL_HANGUP_COMPLETE")
"""The subscription of an outbound session."""

LATE_CAUSE = "LOSE_RACE"
"""The answer of the switch to an originate after its deadline. No carrier sends it: only FreeSWITCH's own forks end with
it."""

MAX_SECONDS = 86_400

MARK_REALM = "dialer-sent"
"""Of the marks that executed originates leave in the switch's hash (`dialer.esl.sent_marks`)."""
LATE_MARK, DIALLED_MARK, EXECUTED_MARK = "0", "1", "2"
"""The line was refused as late; a channel was made, or may have been; the line was executed, and no channel was made so far.
Versions that know no third one take it for an answer that tells nothing."""
MARK_VARIABLE = "dialer_sent"
CHANNEL_MARK_VARIABLE = "api_on_originate_dialer"
"""FreeSWITCH runs the API command in every variable whose name begins with `api_on_originate` once a channel is there, before
the thread that dials is started (switch_ivr_originate.c, switch_channel_api_on)."""

OWN_VARIABLES = frozenset(
    {
        "origination_uuid",
        "accountcode",
        "ignore_early_media",
        "originate_timeout",
        "execute_on_answer",
        "park_timeout",
        "dialer_socket",
        "dialer_wait",
        "dialer_until",
        proof.VARIABLE,
        MARK_VARIABLE,
        CHANNEL_MARK_VARIABLE,
        "socket_resume",
        "origination_caller_id_number",
        "origination_caller_id_name",
    }
)
"""The variables that the dialer itself sets (FreeSWITCH does not distinguish upper and lower case in their names)."""

HARMFUL_VARIABLES = frozenset(
    {
        "originate_retries",  # would ring a contact several times for one attempt
        "originate_retry_timeout",
        "originate_delay_start",  # would dial after the deadline had been checked
        "origination_nested_vars",
        "originate_continue_on_timeout",
        "return_ring_ready",  # would report success before the answer
        "bridge_early_media",
        "no_throttle_limits",
        "app_disable_expand_variables",
    }
)
"""Variables that would break what the dialer promises of each attempt."""

_SCOPED_ARGUMENT = re.compile(r"%.?\[")


@frozen
class Command:
    """One command. `name` is for messages and holds no secret; `payload` is everything that is written."""

    name: str
    payload: bytes = field(repr=False)


def _line(name: str, line: str) -> Command:
    return Command(name, line.encode() + b"\n\n")


def auth(password: str) -> Command:
    """The answer to `auth/request`."""
    return _line("auth", "auth " + quoting.argument("password", password))


def subscribe(events: Sequence[str] = EVENTS, subclasses: Sequence[str] = ()) -> Command:
    """JSON events of these types, and CUSTOM events of these subclasses: FreeSWITCH takes all that follows CUSTOM for
    subclasses, so they come last."""
    words = [quoting.word("events", event) for event in events]
    if subclasses:
        words += ["CUSTOM", *(quoting.subclass("events", each) for each in subclasses)]
    return _line("event", "event json " + " ".join(words))


def filter_channel(call_uuid: str) -> Command:
    """Only the events of this channel, from now on; BACKGROUND_JOB is removed too."""
    return _line("filter", "filter Unique-ID " + quoting.call_uuid("call_uuid", call_uuid))


def api(function: str, arguments: str = "") -> Command:
    """Run a function and wait for its output; the connection is blocked until then."""
    name = quoting.word("function", function)
    given = quoting.argument("arguments", arguments)
    return _line(f"api {name}", f"api {name} {given}".rstrip(" "))


def kill(call_uuid: str, cause: str) -> Command:
    """Hang a channel up."""
    return api("uuid_kill", f"{quoting.call_uuid('call_uuid', call_uuid)} {quoting.cause('cause', cause)}")


def lead(call_uuid: str, outbound: str) -> Command:
    """Have a channel come to another outbound Event Socket, from the next time on that its dialplan asks for one."""
    return api(
        "uuid_setvar", f"{quoting.call_uuid('call_uuid', call_uuid)} dialer_socket {quoting.endpoint('outbound', outbound)}"
    )


def exists(call_uuid: str) -> Command:
    """`true` or `false`."""
    return api("uuid_exists", quoting.call_uuid("call_uuid", call_uuid))


def clock() -> Command:
    """The switch's clock, in microseconds since 1970; the same clock as `strepoch` (mod_dptools.c)."""
    return api("strmicroepoch")


def core_uuid() -> Command:
    """The identity of the running FreeSWITCH process (switch_core.c sets the variable at its start)."""
    return api("global_getvar", "core_uuid")


def host_name() -> Command:
    """The name of the machine that the switch runs on."""
    return api("hostname")


def channels() -> Command:
    """Every channel, as JSON."""
    return api("show", "channels as json")


def connect() -> Command:
    """The first command of an outbound session; the reply holds the channel's variables."""
    return _line("connect", "connect")


def break_off(call_uuid: str) -> Command:
    """End what is playing on a channel."""
    return api("uuid_break", f"{quoting.call_uuid('call_uuid', call_uuid)} all")


def linger(seconds: int) -> Command:
    """Keep an outbound session open for so long after the call has ended, so that its last events arrive."""
    return _line("linger", f"linger {_seconds('seconds', seconds)}")


def leave() -> Command:
    """End the connection."""
    return _line("exit", "exit")


def execute(application: str, argument: str, event_uuid: str) -> Command:
    """Run a dialplan application on the session's channel. Its CHANNEL_EXECUTE_COMPLETE carries `event_uuid` as
    `Application-UUID`. The argument travels as a counted body, so that it may hold line feeds and leading spaces."""
    quoting.argument("argument", argument, lines=True)
    if _SCOPED_ARGUMENT.match(argument):
        raise BadValue("argument", "may not begin with %[, which FreeSWITCH takes for variables (switch_core_session_exec)")
    lines = [
        "sendmsg",
        "call-command: execute",
        "execute-app-name: " + quoting.word("application", application),
        "Event-UUID: " + quoting.call_uuid("event_uuid", event_uuid),
    ]
    name = f"execute {application}"
    if not argument:
        return _line(name, "\n".join(lines))
    # FreeSWITCH expands an application's argument, and eats one level of backslashes with it (switch_core_session_exec);
    # some applications, such as set, expand what they get once more.
    body = argument.replace("\\", "\\\\").encode()
    lines += ["content-type: text/plain", f"content-length: {len(body)}"]
    return Command(name, "\n".join(lines).encode() + b"\n\n" + body)


def broadcast(call_uuid: str, application: str, argument: str, leg: str) -> Command:
    """Run a dialplan application on a channel, on the `leg` aleg, bleg or both, without a session of ours; the answer comes
    before the application ends (switch_ivr_broadcast).

    `uuid_broadcast` cuts its arguments at blanks outside of quotes, and removes the quotes and one level of backslashes
    (separate_string_blank_delim); the application eats another one, as in `execute`.
    """
    quoting.argument("argument", argument)
    if _SCOPED_ARGUMENT.match(argument):
        raise BadValue("argument", "may not begin with %[, which FreeSWITCH takes for variables (switch_core_session_exec)")
    path = f"{quoting.word('application', application)}::{quoting.quoted(argument)}"
    return api("uuid_broadcast", f"{quoting.call_uuid('call_uuid', call_uuid)} '{path}' {quoting.word('leg', leg)}")


def hangup(cause: str) -> Command:
    """End the session's call."""
    named = quoting.cause("cause", cause)
    return _line("hangup", f"sendmsg\ncall-command: hangup\nhangup-cause: {named}")


def originate(call: Origination, clock_offset: timedelta, token: str = "") -> Command:
    """Dial, as a background job whose id is the call's, unless the switch's own clock has passed the deadline.

    `clock_offset` is the switch's clock minus ours, `token` the proof that its session will bring (`dialer.esl.proof`).
    The refusal is the first branch of `cond` because cond_function cuts its branches at `:` (mod_commands.c): only the
    last one may hold `host:port`. Seen on FreeSWITCH 1.10.12: dials `sofia/external/8001@127.0.0.1:5090` in time, and
    answers `-ERR LOSE_RACE` with no channel when late. The line leaves a mark that it was executed, before it dials, and
    another one when a channel is there (`dialer.esl.sent_marks`); without mod_hash, the first one's variable is empty, and the
    switch does not set it, and the second one's command does nothing.
    """
    deadline = math.floor((call.deadline + clock_offset).timestamp())
    call_uuid = quoting.call_uuid("call_uuid", call.call_uuid)
    address = quoting.dial_string("dial_string", call.dial_string)
    late = f"${{strepoch()}} >= {deadline}"
    # mod_sofia asks for a channel under this UUID at once. Other endpoints may look something up for seconds before that, such
    # as `user/`, and nobody could tell this time from that after a failure.
    tells_channels = address.lower().startswith("sofia/")
    executed = EXECUTED_MARK if tells_channels else DIALLED_MARK
    mark = f"${{hash(insert/{MARK_REALM}/{call_uuid}/${{cond({late} ? {LATE_MARK} : {executed})}})}}"
    fenced = f"${{cond({late} ? error/{LATE_CAUSE} : {address})}}"
    common = _common_variables(
        call.account_code,
        call.timeout,
        call.max_duration,
        call.outbound,
        call.wait_for_dialer,
        call.caller_id_number,
        call.caller_id_name,
        call.variables,
    )
    target = inline_dialplan.target(call.wait_for_dialer) if call.inline else "dialer XML dialer"
    proven = f"{proof.VARIABLE}={quoting.word('token', token)}," if token else ""
    until = f"dialer_until={inline_dialplan.NOT_YET}," if call.inline else ""
    dialled = f",{CHANNEL_MARK_VARIABLE}=hash insert/{MARK_REALM}/{call_uuid}/{DIALLED_MARK}" if tells_channels else ""
    own = f"origination_uuid={call_uuid},{proven}{until}{MARK_VARIABLE}={mark}{dialled}"
    line = f"bgapi expand originate '{{{own},{common}}}{fenced}' {target}"
    return Command(f"originate {call_uuid}", f"{line}\nJob-UUID: {call_uuid}\n\n".encode())


@lru_cache(maxsize=256)
def _common_variables(
    account_code: str,
    timeout: int,
    max_duration: int,
    outbound: str,
    wait_for_dialer: int,
    caller_number: str,
    caller_name: str,
    variables: tuple[tuple[str, str], ...],
) -> str:
    """The variables that the calls of a campaign through a gateway have in common, as they stand between the braces."""
    duration = _seconds("max_duration", max_duration)
    own = [
        ("accountcode", quoting.word("account_code", account_code)),
        ("ignore_early_media", "true"),
        ("originate_timeout", str(_seconds("timeout", timeout))),
        ("execute_on_answer", f"sched_hangup +{duration} ALLOTTED_TIMEOUT"),
        ("park_timeout", str(duration + 60)),
        ("dialer_socket", quoting.endpoint("outbound", outbound)),
        ("dialer_wait", str(_seconds("wait_for_dialer", wait_for_dialer))),
        # Without it, a session that closed at once left 4 of 8 channels parked for ever, one that closed without a word
        # 8 of 8; with it the dialplan went on in 16 of 16 tries (FreeSWITCH 1.10.12).
        ("socket_resume", "true"),
    ]
    if caller_number:
        number = quoting.caller_number("caller_id_number", caller_number)
        own.append(("origination_caller_id_number", number))
    if caller_name:
        own.append(("origination_caller_id_name", quoting.caller_name("caller_id_name", caller_name)))
    return quoting.assignments(own + given_variables(variables))


def given_variables(variables: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """Channel variables of others, checked. Raises `BadValue` for those that the dialer keeps for itself."""
    given = []
    seen = set()
    for name, value in variables:
        quoting.variable_name("variables", name)
        folded = name.lower()
        if folded in OWN_VARIABLES or folded in HARMFUL_VARIABLES:
            raise BadValue("variables", f"{name} is reserved for the dialer")
        if folded in seen:
            raise BadValue("variables", f"{name} is given twice")
        seen.add(folded)
        given.append((name, quoting.variable_value(f"variables.{name}", value)))
    return given


def _seconds(name: str, value: int) -> int:
    if not 0 < value <= MAX_SECONDS:
        raise BadValue(name, f"{value} is not a number of seconds from 1 to {MAX_SECONDS}")
    return value
