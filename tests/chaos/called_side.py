"""What the called side saw, from the simulator's log files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from tests.harness.called_side import SeenCall


@frozen
class Refusal:
    """A call that the switch refused before any INVITE."""

    at: float
    uuid: str
    cause: str


@frozen
class CalledSideLog:
    """Calls and refusals, in the order of their times."""

    calls: Sequence[SeenCall] = ()
    refusals: Sequence[Refusal] = ()


def read_log(lives: Iterable[tuple[Path, float | None]]) -> CalledSideLog:
    """The log of each process of the switch with the time of its death, None while it lives."""
    calls: list[SeenCall] = []
    refusals: list[Refusal] = []
    for path, died_at in lives:
        some = _calls_of(path, refusals)
        for call in some:
            if call.ended_at is None and died_at is not None:
                call.ended_at, call.died = died_at, True
        calls += some
    return CalledSideLog(calls, refusals)


def _calls_of(path: Path, refusals: list[Refusal]) -> list[SeenCall]:
    calls: list[SeenCall] = []
    current: dict[str, SeenCall] = {}
    for line in _lines(path):
        at, uuid = line["at"], line["uuid"]
        match line["what"]:
            case "invited":
                current[uuid] = SeenCall(uuid, line["number"], at, caller=line.get("caller", ""))
                calls.append(current[uuid])
            case "rang":
                current[uuid].rang_at = at
            case "answered":
                current[uuid].answered_at = at
            case "ended":
                current[uuid].ended_at = at
            case "refused":
                refusals.append(Refusal(at, uuid, line["cause"]))
            case other:
                raise ValueError(f"{path}: what is {other!r}?")
    return calls


def _lines(path: Path) -> Iterable[Any]:
    """Whole lines: a line is one write, and a process is not killed in the middle of that."""
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)
