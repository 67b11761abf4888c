"""Whose event it is, told from its bytes: a switch tells everybody everything, and decoding 9 kB of another's call is work.

FreeSWITCH writes JSON without blanks between a name and its value, and escapes quotation marks in values, so what looks like a
header here is one. A name inside another (`Caller-Unique-ID`) has another character than a quotation mark before it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_CHANNEL: Final = b'"Unique-ID":"'
_JOB: Final = b'"Job-UUID":"'
_END: Final = b'"Event-Name":"CHANNEL_HANGUP_COMPLETE"'
_LONGEST: Final = 64
"""Characters of a UUID, with room."""

HEAD: Final = 200
"""Bytes within which the event's name stands: it is the first header."""


def concerns(body: bytes, owns: Callable[[str], bool]) -> bool:
    """Whether an event is to be decoded: one of a call (or its job) that `owns` knows, the end of any call, and whatever is
    not about a call at all."""
    for name in (_CHANNEL, _JOB):
        at = body.find(name)
        if at >= 0:
            begin = at + len(name)
            end = body.find(b'"', begin, begin + _LONGEST)
            return end < 0 or owns(body[begin:end].decode("ascii", "replace")) or _END in body[:HEAD]
    return True
