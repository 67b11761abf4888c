"""How many rows an import takes at once."""

from __future__ import annotations

import pytest

from dialer.management.import_run import FEWEST, MOST, ROWS, WANTED, rows_after


@pytest.mark.parametrize(
    ("rows", "seconds", "next_rows"),
    [
        (1000, WANTED, 1000),
        (1000, WANTED * 2, 500),
        (1000, 60.0, 500),
        (1000, WANTED / 10, 1500),
        (1000, 0.0, 1500),
        (1000, -5.0, 1500),
        (FEWEST, 60.0, FEWEST),
        (MOST, 0.0, MOST),
    ],
)
def test_a_transaction_is_to_take_as_long_as_wanted(rows: int, seconds: float, next_rows: int) -> None:
    assert rows_after(rows, seconds) == next_rows


def test_the_first_one_is_within_the_bounds() -> None:
    assert FEWEST <= ROWS <= MOST
