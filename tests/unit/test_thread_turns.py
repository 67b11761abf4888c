"""The length of threads' turns: the shortest that anybody wants, and the usual one afterwards."""

from __future__ import annotations

import sys

from pytest import approx

from dialer.thread_turns import shortened


def test_the_shortest_turn_that_is_wanted_holds_until_nobody_wants_one() -> None:
    before = sys.getswitchinterval()
    with shortened(0.001):
        assert sys.getswitchinterval() == approx(0.001)
        with shortened(0.002):
            assert sys.getswitchinterval() == approx(0.001)
    assert sys.getswitchinterval() == before


def test_who_ends_first_leaves_the_wish_of_the_other() -> None:
    before, first, second = sys.getswitchinterval(), shortened(0.0002), shortened(0.001)
    with second:
        first.__enter__()
        assert sys.getswitchinterval() == approx(0.0002)
        first.__exit__(None, None, None)
        assert sys.getswitchinterval() == approx(0.001)
    assert sys.getswitchinterval() == before


def test_two_who_want_the_same_are_two() -> None:
    before = sys.getswitchinterval()
    with shortened(0.001):
        with shortened(0.001):
            pass
        assert sys.getswitchinterval() == approx(0.001)
    assert sys.getswitchinterval() == before
