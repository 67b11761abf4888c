"""Which callee answers which number: patterns first, then a weighted mix drawn by a seeded generator."""

from __future__ import annotations

import fnmatch
import random
import re
from collections.abc import Sequence

from attrs import Factory, frozen

from dialer.simulator.callees import CALLEES, Callee, parse_callee

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
    """Who answers on the loopback; None for whom the plan has. A dialplan in the dial string itself, `m:~:answer~sleep:9000`,
    is taken for one that answers and stays when `answer` comes first."""
    return LOOPBACK["answer"] if _INLINE.match(number) else LOOPBACK.get(number)


@frozen
class NumberPlan:
    """`patterns` are shell patterns over the dialled number (`555*`, `*7`), the first that matches counts; other numbers get a
    callee from `mix`, drawn anew for each call."""

    patterns: Sequence[tuple[str, Callee]] = ()
    mix: Sequence[tuple[Callee, float]] = Factory(lambda: parse_mix(DEFAULT_MIX))

    def callee_for(self, number: str, rng: random.Random) -> Callee:
        """Who answers that number this time."""
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
    for item in _items(text):
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


def _items(text: str) -> list[str]:
    items, depth, start = [], 0, 0
    for i, char in enumerate(text):
        depth += (char == "[") - (char == "]")
        if char == "," and not depth:
            items.append(text[start:i])
            start = i + 1
    return [item.strip() for item in [*items, text[start:]] if item.strip()]
