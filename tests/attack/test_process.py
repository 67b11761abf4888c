"""A dialer as a process, attacked from all sides while it makes 20 calls a second: `python -m tests.attack`, in short."""

from __future__ import annotations

from pathlib import Path

from tests.attack.attacker import attacked
from tests.attack.attacks import TOGETHER
from tests.attack.flow import Limits, calling

SECONDS = 3.0
"""Of the attack."""
SHORT = Limits(wait=1.5, late=1.0, missing=0.2, noise=2.0)
"""Other tests share the machine, and may stall it: what the calls and the requests lose by that is no finding. Memory is no
matter of luck."""

AT_ONCE = ("idle_connections", "slow_bodies", "deep_json", "unread_lists", "idle_at_records", "forged_sessions")


def test_calls_requests_and_memory_stay_as_they_are_under_attack(tmp_path: Path) -> None:
    with calling(tmp_path, SECONDS, contacts=3000) as stage:
        figures = stage.attacked(TOGETHER.join(AT_ONCE), attacked(stage.place, AT_ONCE, 1), SECONDS, SHORT)
    assert not list(figures.broken(SHORT)), figures.line()
    assert figures.tally["connections"] > 50
    assert figures.answered > 20
