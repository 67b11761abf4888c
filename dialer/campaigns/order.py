"""The turns of new contacts and of retries in a campaign whose order is a mix."""

from __future__ import annotations


def after_turn(credit: float, *, is_retry: bool) -> float:
    """The turns that retries have left over once a call is begun. `credit` is what they had with their share of this turn:
    from 1 on it is theirs. What nobody could use is not kept beyond one turn."""
    return min(credit - 1 if is_retry and credit >= 1 else credit, 1.0)
