"""Old rows go in small steps, and as fast as they come."""

from __future__ import annotations

import pytest
import pytest_twisted

from dialer.hooks.pruning import MOST_STEPS, Pruner

AT_ONCE = 500


class Table:
    """So many old rows; `steps` are the sizes of the transactions."""

    def __init__(self, old: int) -> None:
        self.old = old
        self.steps: list[int] = []

    async def remove(self, limit: int) -> int:
        assert limit <= AT_ONCE, "a small step"
        gone = min(self.old, limit)
        self.old -= gone
        self.steps.append(gone)
        return gone


@pytest_twisted.ensureDeferred
async def test_it_keeps_up_with_three_hundred_calls_a_second() -> None:
    table = Table(0)
    pruner = Pruner(table.remove, AT_ONCE, 60.0)
    longest = 0
    for second in range(1800):
        table.old += 300 * 8
        await pruner.look(float(second))
        longest = max(longest, table.old)
    assert longest < 80 * 300 * 8, "what came while it rested, and a little more"
    assert table.old < 70 * 300 * 8


@pytest_twisted.ensureDeferred
async def test_it_does_little_at_a_look_and_more_only_while_there_is_more() -> None:
    table = Table(100 * AT_ONCE)
    pruner = Pruner(table.remove, AT_ONCE, 60.0)
    counts = []
    for second in range(10):
        before = len(table.steps)
        await pruner.look(float(second))
        counts.append(len(table.steps) - before)
    assert counts == [1, 2, 4, 8, MOST_STEPS, 16, 16, 16, 16, 6]
    await pruner.look(20.0)
    assert len(table.steps) == 101, "it rests"
    await pruner.look(70.0)
    assert len(table.steps) == 102


@pytest_twisted.ensureDeferred
async def test_a_database_that_does_not_serve_is_asked_at_the_next_look() -> None:
    async def away(limit: int) -> int:
        raise RuntimeError("away")

    pruner = Pruner(away, AT_ONCE, 60.0)
    for second in range(2):
        with pytest.raises(RuntimeError):
            await pruner.look(float(second))
