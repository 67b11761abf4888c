"""The people who are called: scripts named after what becomes of the call.

A script is a list of steps, each so many seconds after the one before; the first counts from the INVITE. Times are
ranges from which a seeded random generator draws.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Callable, Mapping

from attrs import evolve, field, frozen
from attrs.converters import optional

Seconds = tuple[float, float]


class Act(enum.Enum):
    """What the called side does."""

    RING = "180"
    EARLY_MEDIA = "183"
    ANSWER = "200"
    REFUSE = "refuse"
    HANG_UP = "BYE"
    TYPE = "DTMF"


@frozen
class Step:
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

    def steps(self, rng: random.Random, scale: float = 1.0) -> list[Step]:
        """The acts of one call."""

        def draw(seconds: Seconds) -> float:
            low, high = seconds
            return (low if low == high else rng.uniform(low, high)) * scale

        steps = []
        wait = draw(self.setup)
        if self.rings or self.early_media:
            steps.append(Step(wait, Act.EARLY_MEDIA if self.early_media else Act.RING))
            wait = draw(self.ring)
        if self.cause:
            steps.append(Step(wait, Act.REFUSE, self.cause, self.sip_status))
        if self.answers:
            steps.append(Step(wait, Act.ANSWER))
            typed = 0.0
            if self.digits:
                typed = draw(self.digits_after)
                steps.append(Step(typed, Act.TYPE, self.digits))
            if self.talk is not None:
                steps.append(Step(max(draw(self.talk) - typed, 0.0), Act.HANG_UP))
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
