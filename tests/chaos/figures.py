"""What a run was worth: kills, calls, corrections by kind, and how long the dialers needed to get over what happened.

A recovery begins with the line of a dialer's log that says that it is connected to the switch, and is over with the next thing
that keeps it from calling. Within it, `adopted` is the time until the last call was known that had gone on meanwhile (one of
another node: the time since it was taken over), and `resumed` the time until a call was made that was planned since. One that
is over without such a call took at least as long.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

from attrs import Factory, define, frozen

from tests.chaos.arena import Arena
from tests.harness.dialer_log import ADOPTED, CONNECTED, RESCUED, LogLine, correction, corrections
from tests.harness.judge import Broken, Evidence, Kind
from tests.harness.node import Node


@frozen
class Recovery:
    """Seconds since the connection; None where nothing was to be adopted."""

    resumed: float
    adopted: float | None


@define
class Figures:
    """The sums of some runs."""

    kills: int = 0
    switch_kills: int = 0
    open_at_kills: list[int] = Factory(list)
    calls: int = 0
    rings: int = 0
    refused_late: int = 0
    contacts: int = 0
    corrections: Counter[str] = Factory(Counter)
    causes: Counter[str] = Factory(Counter)
    recoveries: list[Recovery] = Factory(list)
    starts: list[float] = Factory(list)
    durations: dict[str, list[float]] = Factory(dict)
    elapsed: float = 0.0
    cpu: float = 0.0
    broken: list[Broken] = Factory(list)

    @property
    def worst_resumed(self) -> float:
        """The longest time until calls were made again."""
        return max((one.resumed for one in self.recoveries), default=0.0)

    @property
    def worst_adopted(self) -> float:
        """The longest time until a call that had gone on was known."""
        return max((one.adopted for one in self.recoveries if one.adopted is not None), default=0.0)

    def add(self, arena: Arena, broken: Sequence[Broken]) -> None:
        """Another run, which is over."""
        seen = arena.seen()
        evidence = arena.evidence(seen)
        logs = {node: node.log() for node in arena.nodes}
        self.kills += len(arena.open_at_kills)
        self.switch_kills += len(arena.switch.lives) - 1
        self.open_at_kills += arena.open_at_kills
        self.calls += len(seen.calls)
        self.rings += sum(call.rang for call in seen.calls)
        self.refused_late += sum(refusal.cause == "LOSE_RACE" for refusal in seen.refusals)
        self.contacts += arena.campaign.contacts
        self.causes += Counter(attempt.cause or "open" for attempt in evidence.attempts)
        for node, log in logs.items():
            self.corrections += corrections(log)
            self.recoveries += recoveries(log, _ends(arena, node), _made(arena, node, evidence))
            self.starts += starts(node, log)
        for name, times in arena.durations.items():
            self.durations.setdefault(name, []).extend(times)
        self.elapsed += arena.elapsed
        self.cpu += arena.cpu
        self.broken += broken

    def lines(self) -> Iterator[str]:
        """The report."""
        duplicates, lost = (sum(one.kind is kind for one in self.broken) for kind in (Kind.DUPLICATE, Kind.LOST))
        median = sorted(self.open_at_kills)[len(self.open_at_kills) // 2] if self.open_at_kills else 0
        yield f"kills: {self.kills} of dialers ({median} attempts open in the middle), {self.switch_kills} of the switch"
        yield f"calls: {self.calls}, of which {self.rings} rang; {self.contacts} contacts"
        yield f"originates that the switch refused because they were late: {self.refused_late}"
        yield f"duplicates: {duplicates}, lost: {lost}, otherwise broken: {len(self.broken) - duplicates - lost}"
        yield f"corrections: {_counts(self.corrections)}"
        yield f"ends: {_counts(self.causes)}"
        yield (
            f"worst recovery of {len(self.recoveries)}, counted from the connection to the switch: live calls known after "
            f"{self.worst_adopted:.2f} s, dialling resumed after {self.worst_resumed:.2f} s"
        )
        yield f"worst start of {len(self.starts)}: connected after {max(self.starts, default=0.0):.2f} s"
        for name, times in self.durations.items():
            yield f"{name}: {len(times)} times, {sum(times) / len(times):.1f} s each"
        load = self.cpu / self.elapsed if self.elapsed else 0.0
        yield f"{self.elapsed:.0f} s, {self.kills / (self.elapsed or 1):.2f} kills/s, {load:.2f} CPUs"


def starts(node: Node, log: Sequence[LogLine]) -> Iterator[float]:
    """Seconds from the start of each process to its connection to the switch, where it lived to see that."""
    connected = [line.at for line in log if line.text.startswith(CONNECTED)]
    for life in node.lives:
        first = bisect_left(connected, life.started_at)
        if first < len(connected) and (life.ended_at is None or connected[first] < life.ended_at):
            yield connected[first] - life.started_at


def recoveries(log: Sequence[LogLine], ends: Sequence[float], made: Sequence[tuple[float, float]]) -> Iterator[Recovery]:
    """The recoveries of a node. `ends`, in order, are the moments that end one; `made` are its calls: when each of them was
    planned, and when it was made."""
    rescued = {line.fields["call"]: line.at for line in log if correction(line) == RESCUED}
    for line in log:
        after = bisect_left(ends, line.at)
        if not line.text.startswith(CONNECTED) or after == len(ends):
            continue
        until = ends[after]
        calls = [call for planned, call in made if planned >= line.at and call <= until]
        known = [one for one in log if line.at <= one.at <= until and correction(one).startswith(ADOPTED)]
        adopted = max((one.at - max(line.at, rescued.get(one.fields["call"], line.at)) for one in known), default=None)
        yield Recovery(min(calls, default=until) - line.at, adopted)


def _ends(arena: Arena, node: Node) -> list[float]:
    """When something began that may keep a node from calling."""
    happenings = [one.at for one in arena.happenings if one.node in ("", node.name)]
    return sorted([*happenings, *([arena.paused_at] if arena.paused_at is not None else [])])


def _made(arena: Arena, node: Node, evidence: Evidence) -> list[tuple[float, float]]:
    """The calls of a node: when each was planned, and when made. A dialer alone may have any name."""
    invited = {call.uuid: call.invited_at for call in evidence.calls}
    own = [one for one in evidence.attempts if len(arena.nodes) == 1 or one.owner == node.name]
    return [(one.planned_at, invited[one.uuid]) for one in own if one.uuid in invited]


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counter.most_common()) or "none"
