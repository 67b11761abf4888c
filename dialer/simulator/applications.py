"""The dialplan applications that the simulator knows. Each one starts itself and ends at once or later."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dialer.simulator.causes import named
from dialer.simulator.channel import Channel, Room, Runner, Running, Start
from dialer.simulator.dialstring import leading_int, separate

DEFAULT_TERMINATORS = "*"  # playback_terminators of a stock FreeSWITCH
CHARACTERS_PER_SECOND = 14  # mod_flite's slt, about
AMD_SECONDS = 1.5  # how long answering machine detection listens
_TONE = re.compile(r"%\((\d+)\s*,\s*(\d+)[^)]*\)")
_LOOPS = re.compile(r"loops=(-?\d+)")
FOR_EVER = 24 * 3600.0  # seconds; longer than any call


def _instant(runner: Runner, running: Running) -> None:
    running.finish()


def _set(runner: Runner, running: Running) -> None:
    name, equals, value = running.action.argument.partition("=")
    if equals:
        runner.channel.set_variable(name.strip(), runner.channel.switch.expanded(value, runner.channel))
    running.finish()


def _multiset(runner: Runner, running: Running) -> None:
    """`[^^X]name=value...`: several at once, separated by blanks or by X."""
    text = running.action.argument
    separator, text = (text[2], text[3:]) if text.startswith("^^") and len(text) > 2 else (" ", text)
    for item in separate(text, separator, 64):
        name, equals, value = item.partition("=")
        if equals:
            runner.channel.set_variable(name.strip(), runner.channel.switch.expanded(value, runner.channel))
    running.finish()


def _unset(runner: Runner, running: Running) -> None:
    runner.channel.set_variable(running.action.argument.strip(), "")
    running.finish()


def _sleep(runner: Runner, running: Running) -> None:
    """MILLISECONDS. A key ends it, and is left to the next application, unless `sleep_eat_digits` is set: then only those of
    `playback_terminators` end it, and all are gone (sleep_function of mod_dptools.c, switch_ivr_sleep)."""
    channel = runner.channel
    eats = channel.variable("sleep_eat_digits") == "true"
    terminators = channel.variable("playback_terminators") or DEFAULT_TERMINATORS

    def digit(typed: str) -> None:
        if not eats:
            channel.digits += typed
        if not eats or typed in terminators:
            running.finish()

    running.on_digit = digit
    running.end_after(channel, leading_int(running.action.argument) / 1000)
    waiting, channel.digits = channel.digits, ""
    for typed in waiting:
        if running in runner.stack:
            digit(typed)
        elif not eats:
            channel.digits += typed


def _hang_up(runner: Runner, running: Running) -> None:
    switch = runner.channel.switch
    switch.hang_up(runner.channel, named(running.action.argument.strip()) or "NORMAL_CLEARING")


def _sched_hangup(runner: Runner, running: Running) -> None:
    schedule_hangup(runner.channel, running.action.argument)
    running.finish()


def schedule_hangup(channel: Channel, argument: str) -> None:
    """`[+]seconds [cause]`: end the call then, with ALLOTTED_TIMEOUT unless told otherwise. Without `+` it is a moment in
    seconds since 1970."""
    words = separate(argument, " ", 3)
    if not words:
        return
    seconds = float(leading_int(words[0].lstrip("+")))
    if not words[0].startswith("+"):
        seconds -= channel.switch.clock.now()
    cause = named(words[1]) if len(words) > 1 else ""
    channel.later_call(seconds, lambda: channel.switch.hang_up(channel, cause or "ALLOTTED_TIMEOUT"))


def _playback(runner: Runner, running: Running) -> None:
    channel = runner.channel
    seconds = playback_seconds(running.action.argument, channel.switch.config.default_playback)
    if seconds is None:
        channel.set_variable("current_application_response", "FILE NOT FOUND")
        running.finish()
        return
    begun = channel.switch.clock.now()
    length = seconds
    terminators = channel.variable("playback_terminators") or DEFAULT_TERMINATORS

    def note(response: str) -> None:
        played = min(channel.switch.clock.now() - begun, length)
        samples = str(round(played * 8000))
        channel.set_variable("playback_last_offset_pos", samples)
        channel.set_variable("playback_seconds", str(int(played)))
        channel.set_variable("playback_ms", str(round(played * 1000)))
        channel.set_variable("playback_samples", samples)
        channel.set_variable("current_application_response", response)

    def finished() -> None:
        note("FILE PLAYED")
        runner.end(running)

    def digit(typed: str) -> None:
        if typed in terminators:
            channel.set_variable("playback_terminator_used", typed)
            finished()

    running.finish = finished
    running.breakable = True
    running.on_digit = digit
    running.on_hangup = lambda: note("PLAYBACK ERROR")
    running.end_after(channel, seconds)


NO_SUCH = "nosuch"
"""A file with this in its name is not there, for tests."""


def playback_seconds(what: str, default: float) -> float | None:
    """Seconds that a playback lasts; None when there is no such file (a name with `NO_SUCH` in it).

    Knows `tone_stream://%(on,off,hertz);loops=N` and `silence_stream://milliseconds`; a file lasts `default` unless it names
    its length, as in `hello-2500ms.wav`.
    """
    if NO_SUCH in what:
        return None
    if what.startswith("tone_stream://"):
        milliseconds = sum(int(on) + int(off) for on, off in _TONE.findall(what))
        return _looped(what, milliseconds / 1000)
    if what.startswith("silence_stream://"):
        length = what.removeprefix("silence_stream://").partition(",")[0]
        return FOR_EVER if length.startswith("-") else _number(length) / 1000
    named = re.search(r"(\d+)ms\b", what)
    return int(named[1]) / 1000 if named else default


def _looped(what: str, seconds: float) -> float:
    loops = _LOOPS.search(what)
    count = int(loops[1]) if loops else 1
    return FOR_EVER if count < 0 else seconds * max(count, 1)


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _speak(runner: Runner, running: Running) -> None:
    """`ENGINE|VOICE|TEXT`: as long as a slow reader takes."""
    text = separate(running.action.argument, "|", 3)[-1]
    running.breakable = True
    running.end_after(runner.channel, len(text) / CHARACTERS_PER_SECOND)


def _get_digits(runner: Runner, running: Running) -> None:
    """play_and_get_digits MIN MAX TRIES TIMEOUT TERMINATORS FILE INVALID_FILE VARIABLE REGEX: plays the file, then waits for
    digits; ends with MAX digits, a terminator after MIN, or when nothing more comes."""
    channel = runner.channel
    words = separate(running.action.argument, " ", 11)
    if len(words) < 8:
        running.finish()
        return
    least, most, timeout, terminators = leading_int(words[0]), leading_int(words[1]), leading_int(words[3]), words[4]
    seconds = playback_seconds(words[5], channel.switch.config.default_playback) or 0.0
    variable = words[7]
    collected: list[str] = []

    def digit(typed: str) -> None:
        ended = typed in terminators
        if not ended:
            collected.append(typed)
        if len(collected) >= most or (ended and len(collected) >= least):
            channel.set_variable(variable, "".join(collected))
            running.finish()
        else:
            running.stop_timer()
            running.end_after(channel, timeout / 1000)

    running.on_digit = digit
    waiting, channel.digits = channel.digits, ""
    running.end_after(channel, seconds + timeout / 1000)
    for typed in waiting:
        if running in runner.stack:
            digit(typed)


def _amd(runner: Runner, running: Running) -> None:
    """Answering machine detection: `amd_result` is HUMAN or MACHINE, after the greeting was listened to."""
    channel = runner.channel

    def decided() -> None:
        channel.set_variable("amd_result", channel.amd_result)
        runner.end(running)

    running.finish = decided
    running.end_after(channel, AMD_SECONDS)


def _conference(runner: Runner, running: Running) -> None:
    """The application: `NAME[@PROFILE][+FLAGS]`. It ends at once when the room is full, else with the call."""
    channel = runner.channel
    rooms = channel.switch.rooms
    name = running.action.argument.partition("+")[0].partition("@")[0]
    room = rooms.setdefault(name, Room(leading_int(channel.variable("conference_max_members") or "")))
    if room.most and len(room.members) >= room.most:
        running.finish()
        return
    room.members.append(channel)

    def left() -> None:
        room.members.remove(channel)
        if not room.members:
            del rooms[name]

    def finished() -> None:
        left()
        runner.end(running)

    running.finish = finished
    running.on_hangup = left


def room_command(rooms: Mapping[str, Room], text: str) -> str:
    """`conference NAME get count|max_members`."""
    name, _, rest = text.partition(" ")
    room = rooms.get(name)
    if room is None:
        return f"-ERR Conference {name} not found\n"
    values = {"get count": len(room.members), "get max_members": room.most}
    return str(values[rest]) if rest in values else f"-ERR Conference command '{rest}' not found.\n"


def park(runner: Runner, running: Running) -> None:
    """The channel waits until something is sent to it; `park_timeout` (seconds[:cause]) counts for the first time it does."""
    channel = runner.channel
    running.parked = True
    runner.controlled = True
    limit = channel.variable("park_timeout")
    if limit:
        channel.set_variable("park_timeout", "")
        seconds, _, cause = limit.partition(":")

        def expired() -> None:
            if running in runner.stack:
                channel.switch.hang_up(channel, named(cause) or "NORMAL_CLEARING")

        channel.later_call(leading_int(seconds), expired)
    channel.emit("CHANNEL_PARK")
    runner.drain()


# Those that need more than a channel, `bridge` and `socket`, are added where the switch is made.
APPLICATIONS: Mapping[str, Start] = {
    "answer": _instant,
    "amd": _amd,
    "conference": _conference,
    "eval": _instant,
    "export": _set,
    "hangup": _hang_up,
    "info": _instant,
    "log": _instant,
    "multiset": _multiset,
    "park": park,
    "play_and_get_digits": _get_digits,
    "playback": _playback,
    "pre_answer": _instant,
    "record_session": _instant,
    "reuse_caller_profile": _instant,
    "ring_ready": _instant,
    "sched_hangup": _sched_hangup,
    "set": _set,
    "sleep": _sleep,
    "speak": _speak,
    "start_dtmf": _instant,
    "stop_dtmf": _instant,
    "unset": _unset,
}
