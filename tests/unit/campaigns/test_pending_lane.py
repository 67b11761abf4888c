"""The contacts of a lane, in the order in which they come."""

from __future__ import annotations

import random

from dialer.campaigns.pending_lane import LATEST, PART, PendingLane


def drained(lane: PendingLane) -> list[tuple[int, int, int]]:
    found = []
    while lane.first is not None:
        found.append(lane.pop())
    return found


def test_contacts_that_are_added_in_any_order_are_sorted_in_small_steps() -> None:
    chance = random.Random(3)
    rows = [(chance.randrange(1000), key, key % 7) for key in range(2 * PART + 10)]
    lane = PendingLane()
    for first in range(0, len(rows), 1000):
        lane.extend(*zip(*rows[first : first + 1000], strict=True))
    steps = sum(1 for _ in lane.sort())
    assert steps >= 3 + len(rows) // (PART // 5)
    assert sum(1 for _ in lane.sort()) == 0
    assert drained(lane) == sorted(rows)


def test_contacts_that_come_in_their_order_need_no_sorting() -> None:
    lane = PendingLane()
    lane.extend([1, 1, 5], [3, 4, 1], [0, 0, 0])
    lane.extend([5, 6], [2, 1], [0, 0])
    lane.extend([], [], [])
    assert sum(1 for _ in lane.sort()) == 0
    assert [key for _, key, _ in drained(lane)] == [3, 4, 1, 2, 1]


def test_one_that_was_set_aside_comes_again_at_its_time_and_is_left_with_the_others() -> None:
    lane = PendingLane()
    lane.extend([1, 2, 9], [10, 20, 30], [0, 1, 2])
    assert lane.first_again == LATEST
    lane.again(lane.pop(), 5)
    assert (lane.first_again, lane.first_ready) == (5, 2)
    assert sorted(key for _, ids, _ in lane.rest() for key in ids) == [10, 20, 30]
    assert drained(lane) == [(2, 20, 1), (5, 10, 0), (9, 30, 2)]
    assert lane.first_ready == LATEST
