"""When a request that did not arrive is made again (Standard Webhooks, "Deliverability and reliability")."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

PAUSES: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""After the first try, the second, and so on: ten tries in 75 hours, 35 minutes and 5 seconds."""

JITTER: Final = 0.1
"""A pause is longer by up to this share of it, so that what failed together is not tried again together."""

LONGEST_ASKED: Final = timedelta(hours=24)
"""A receiver that asks for a longer pause is given this one."""


def pause_after(tries: int, rng: random.Random) -> timedelta | None:
    """How long to wait after so many tries, of which none arrived; None when there are no more."""
    if tries > len(PAUSES):
        return None
    return PAUSES[tries - 1] * (1 + JITTER * rng.random())


def asked_pause(text: str, now: datetime) -> timedelta | None:
    """The pause that a `Retry-After` asks for (RFC 9110, section 10.2.3: seconds, or a date); None when it means nothing."""
    word = text.strip()
    if word.isascii() and word.isdigit():
        return min(timedelta(seconds=int(word[:9])), LONGEST_ASKED)
    try:
        moment = parsedate_to_datetime(word)
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(moment - now, timedelta()), LONGEST_ASKED)
