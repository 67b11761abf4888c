"""The dialplan applications that the simulator knows. Each one starts itself and ends at once or later."""

from __future__ import annotations

from dialer.simulator.bridging import bridge
from dialer.simulator.causes import named
from dialer.simulator.channel import Channel
from dialer.simulator.dialstring import leading_int, separate
from dialer.simulator.media import playback_seconds
from dialer.simulator.rooms import conference
from dialer.simulator.runner import Runner, Running, Start

DEFAULT_TERMINATORS = "*"  # playback_terminators of a stock FreeSWITCH
CHARACTERS_PER_SECOND = 14  # mod_flite's slt, about
AMD_SECONDS = 1.5  # how long answering machine detection listens


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
    running.end_after(runner.channel, leading_int(running.action.argument) / 1000)


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


def _socket(runner: Runner, running: Running) -> None:
    channel = runner.channel
    channel.switch.open_socket(channel, runner, running)


APPLICATIONS: dict[str, Start] = {
    "answer": _instant,
    "amd": _amd,
    "bridge": bridge,
    "conference": conference,
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
    "ring_ready": _instant,
    "sched_hangup": _sched_hangup,
    "set": _set,
    "sleep": _sleep,
    "socket": _socket,
    "speak": _speak,
    "start_dtmf": _instant,
    "stop_dtmf": _instant,
    "unset": _unset,
}
