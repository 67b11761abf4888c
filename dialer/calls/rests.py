"""Whether a number rests after a call, and until when: by the campaign's rules and how the call ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType

from dialer.interfaces import OPT_OUT, UNSERVED
from dialer.model import AttemptResult
from dialer.model.rests import ABANDONED


@lru_cache(maxsize=256)
def _hours(text: str) -> Mapping[str, int]:
    pairs = (item.partition("=") for item in text.split(",") if item)
    return MappingProxyType({word: int(number) for word, _, number in pairs})


def rest_after(end: AttemptResult) -> tuple[str, datetime] | None:
    """The word for which the number of an attempt rests, and until when; None when it does not. What was not charged to the
    contact gives it no rest, and a wish not to be called is no abandoned call."""
    hours, session = _hours(end.attempt.plan.campaign.rests), end.outcome.session
    words = [str(end.disposition)]
    if UNSERVED in session and OPT_OUT not in session:
        words.append(ABANDONED)
    known = [word for word in words if word in hours] if end.decision.counts_as_attempt else []
    if not known:
        return None
    word = max(known, key=hours.__getitem__)
    return word, end.outcome.ended_at + timedelta(hours=hours[word])
