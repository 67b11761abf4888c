"""A dialer as a process, attacked from all sides while it makes 20 calls a second: `python -m tests.attack`, in short."""

from __future__ import annotations

from pathlib import Path

from tests.attack.attacker import attacked
from tests.attack.attacks import TOGETHER
from tests.attack.flow import Limits, calling

SECONDS = 3.0
"""Of the attack."""
SHORT = Limits(memory=100.0, kept=60.0, wait=5.0, late=5.0, missing=0.5)
"""Six attacks at once may take more memory than one, of which the long form judges each. Other tests share the machine,
and may stall it: what the calls and the requests lose by that is no finding."""

AT_ONCE = ("idle_connections", "slow_bodies", "deep_json", "unread_lists", "idle_at_records", "forged_sessions")


def test_calls_requests_and_memory_stay_as_they_are_under_attack(tmp_path: Path) -> None:
    with calling(tmp_path, SECONDS, contacts=3000) as stage:
        figures = stage.attacked(TOGETHER.join(AT_ONCE), attacked(stage.place, AT_ONCE, 1), SECONDS, SHORT)
    assert not list(figures.broken(SHORT)), figures.line()
    assert figures.tally["connections"] > 20
    assert figures.answered > 5
