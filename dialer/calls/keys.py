"""The keys that a callee presses in a session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.python.failure import Failure

from dialer.errors import SessionGone
from dialer.interfaces import AnsweredCall

MOST_KEYS: Final = 200
"""Of a session that are told of: whoever leans on a key makes no flood."""


def hear_keys(call: AnsweredCall, note: Callable[[str], bool], most: int = MOST_KEYS) -> None:
    """Tell `note` each key that the callee presses, until the session is over or it returns False."""

    def pressed(digit: str) -> None:
        if note(digit):
            hear_keys(call, note, most - 1)

    if most:
        call.next_digit().addCallback(pressed).addErrback(_over)


def _over(failure: Failure) -> None:
    """The session has ended, as it does."""
    failure.trap(SessionGone)
