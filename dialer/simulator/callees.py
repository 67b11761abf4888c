"""The people who are called, scripts named after what becomes of the call; and which number is answered by whom.

A script is a list of steps, each so many seconds after the one before; the first counts from the INVITE. Times are
ranges from which a seeded random generator draws.
"""

from __future__ import annotations

import enum
import fnmatch
import random
import re
from collections.abc import Callable, Mapping, Sequence

from attrs import Factory, evolve, field, frozen
from attrs.converters import optional

from dialer.simulator.dialstring import split_outside

Seconds = tuple[float, float]


class Act(enum.Enum):
    """An act of the called side."""

    RING = "180"
    EARLY_MEDIA = "183"
    ANSWER = "200"
    REFUSE = "refuse"
    HANG_UP = "BYE"
    TYPE = "DTMF"


@frozen
class ScriptStep:
    """One act, `after` seconds after the one before. `value` is the digits of TYPE or the cause of REFUSE."""

    after: float
    act: Act
    value: str = ""
    sip_status: int = 0


def _seconds(value: float | str | Seconds) -> Seconds:
    """A time or a range: 2, "2", "1-4" or (1, 4)."""
    if isinstance(value, tuple):
        return value
    low, dash, high = str(value).partition("-")
    seconds = float(low), float(high if dash else low)
    if not 0 <= seconds[0] <= seconds[1]:
        raise ValueError(f"{value!r} is no range of seconds")
    return seconds


@frozen(kw_only=True)
class Callee:
    """A script. `ring` is how long it rings (180 comes at once), `talk` how long an answered call lasts before the callee
    hangs up, None for ever; `digits` are typed `digits_after` seconds after the answer. `setup` is the time until anything is
    heard of the called side at all."""

    name: str
    rings: bool = True
    early_media: bool = False
    answers: bool = False
    machine: bool = False
    cause: str = ""  # the far end refuses with it
    sip_status: int = 0
    no_channel: str = ""  # the switch itself refuses with it, no INVITE leaves it
    setup: Seconds = field(default=(0.0, 0.0), converter=_seconds)
    ring: Seconds = field(default=(0.0, 0.0), converter=_seconds)
    talk: Seconds | None = field(default=None, converter=optional(_seconds))
    digits: str = ""
    digits_after: Seconds = field(default=(1.0, 1.0), converter=_seconds)

    def steps(self, rng: random.Random, scale: float = 1.0) -> list[ScriptStep]:
        """The acts of one call."""

        def draw(seconds: Seconds) -> float:
            low, high = seconds
            return (low if low == high else rng.uniform(low, high)) * scale

        steps = []
        wait = draw(self.setup)
        if self.rings or self.early_media:
            steps.append(ScriptStep(wait, Act.EARLY_MEDIA if self.early_media else Act.RING))
            wait = draw(self.ring)
        if self.cause:
            steps.append(ScriptStep(wait, Act.REFUSE, self.cause, self.sip_status))
        if self.answers:
            steps.append(ScriptStep(wait, Act.ANSWER))
            typed = 0.0
            if self.digits:
                typed = draw(self.digits_after)
                steps.append(ScriptStep(typed, Act.TYPE, self.digits))
            if self.talk is not None:
                steps.append(ScriptStep(max(draw(self.talk) - typed, 0.0), Act.HANG_UP))
        return steps


# Causes and SIP statuses as recorded where a recording exists (busy, rejected, invalid, unavailable), else as mod_sofia
# maps the status. Times in seconds.
CALLEES: Mapping[str, Callee] = {
    callee.name: callee
    for callee in (
        Callee(name="answers", answers=True, ring=(1, 6), talk=(2, 12)),
        Callee(name="stays", answers=True, ring=(0.2, 0.2)),
        Callee(name="busy", rings=False, cause="USER_BUSY", sip_status=486),
        Callee(name="busy_ringing", ring=(0.1, 0.1), cause="USER_BUSY", sip_status=486),
        Callee(name="no_answer"),
        Callee(name="rejected", rings=False, cause="CALL_REJECTED", sip_status=603),
        Callee(name="rejected_ringing", ring=(1, 4), cause="CALL_REJECTED", sip_status=603),
        Callee(name="invalid", rings=False, cause="UNALLOCATED_NUMBER", sip_status=404),
        Callee(name="machine", answers=True, machine=True, ring=(3, 6), talk=(10, 20)),
        Callee(name="congested", rings=False, cause="NORMAL_CIRCUIT_CONGESTION", sip_status=503),
        Callee(name="unavailable", rings=False, cause="NORMAL_TEMPORARY_FAILURE", sip_status=503),
        Callee(name="unauthorized", rings=False, cause="CALL_REJECTED", sip_status=401),
        Callee(name="forbidden", rings=False, cause="CALL_REJECTED", sip_status=403),
        Callee(name="not_acceptable", rings=False, cause="INCOMPATIBLE_DESTINATION", sip_status=488),
        # A challenge for which the switch has no password.
        Callee(name="challenged", rings=False, cause="MANDATORY_IE_MISSING", sip_status=407),
        Callee(name="early_media", rings=False, early_media=True, answers=True, ring=(1, 4), talk=(2, 12)),
        Callee(name="never_replies", rings=False),
        Callee(name="gateway_down", no_channel="GATEWAY_DOWN"),
    )
}

Settable = Callable[[Callee, str], Callee]
SETTINGS: Mapping[str, Settable] = {
    "setup": lambda callee, value: evolve(callee, setup=value),
    "ring": lambda callee, value: evolve(callee, ring=value),
    "talk": lambda callee, value: evolve(callee, talk=None if value == "forever" else value),
    "digits": lambda callee, value: evolve(callee, digits=value),
    "digits_after": lambda callee, value: evolve(callee, digits_after=value),
}


def parse_callee(text: str) -> Callee:
    """A script from its name and settings, such as `answers:ring=0.5,talk=2-5,digits=1`. Raises ValueError."""
    name, _, settings = text.partition(":")
    if name not in CALLEES:
        raise ValueError(f"no such callee {name!r}: expected one of {', '.join(CALLEES)}")
    callee = CALLEES[name]
    for setting in filter(None, settings.split(",")):
        key, equals, value = setting.partition("=")
        try:
            if not equals:
                raise KeyError(key)
            callee = SETTINGS[key](callee, value)
        except (KeyError, ValueError) as error:
            expected = f"{', '.join(SETTINGS)} with seconds such as 2 or 1-4"
            raise ValueError(f"bad setting {setting!r} of callee {name}: expected {expected}") from error
    return callee


# Mostly answers, as a demo wants it; the sum does not matter.
DEFAULT_MIX = "answers=55,no_answer=15,busy=10,machine=8,rejected=5,invalid=4,congested=3"

# Destinations that are the same whatever the plan, as the recordings' dialplan has them for loopback.
LOOPBACK = {
    "answer": Callee(name="stays", rings=False, answers=True),
    "busy": CALLEES["busy"],
    "noanswer": CALLEES["no_answer"],
    "ring": CALLEES["no_answer"],
}

_INLINE = re.compile(r"m:(.):answer(?:\1|$)")


def loopback_callee(number: str) -> Callee | None:
    """The callee on the loopback; None for the one of the plan. A dialplan in the dial string itself, `m:~:answer~sleep:9000`,
    is taken for one that answers and stays when `answer` comes first."""
    return LOOPBACK["answer"] if _INLINE.match(number) else LOOPBACK.get(number)


@frozen
class NumberPlan:
    """`patterns` are shell patterns over the dialled number (`555*`, `*7`), the first that matches counts; other numbers get a
    callee from `mix`, drawn anew for each call."""

    patterns: Sequence[tuple[str, Callee]] = ()
    mix: Sequence[tuple[Callee, float]] = Factory(lambda: parse_mix(DEFAULT_MIX))

    def callee_for(self, number: str, rng: random.Random) -> Callee:
        """The callee that answers that number this time."""
        for pattern, callee in self.patterns:
            if fnmatch.fnmatchcase(number, pattern):
                return callee
        callees = [callee for callee, _ in self.mix]
        return rng.choices(callees, [weight for _, weight in self.mix])[0]


def parse_pattern(text: str) -> tuple[str, Callee]:
    """`PATTERN=SCRIPT`, such as `555*=busy` or `*9=answers:ring=1,talk=3`. Raises ValueError."""
    pattern, equals, script = text.partition("=")
    if not pattern or not equals:
        raise ValueError(f"{text!r}: expected PATTERN=SCRIPT, such as 555*=busy")
    return pattern, parse_callee(script)


def parse_mix(text: str) -> tuple[tuple[Callee, float], ...]:
    """`SCRIPT=WEIGHT,...`; a script with settings is written in brackets: `[answers:ring=1,talk=2]=3`. Raises ValueError."""
    mix = []
    for item in filter(None, map(str.strip, split_outside(text, ","))):
        script, equals, weight = item.rpartition("=")
        try:
            number = float(weight)
        except ValueError:
            number = -1.0
        if not equals or number < 0:
            raise ValueError(f"{item!r}: expected SCRIPT=WEIGHT, such as busy=10")
        mix.append((parse_callee(script.strip("[]")), number))
    if not any(weight for _, weight in mix):
        raise ValueError("the mix is empty")
    return tuple(mix)
