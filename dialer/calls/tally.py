"""The tally of a contact: how often its calls ended in which way, and how often on the last such day.

It is a JSON object of `[ends, day, ends on that day]` by the words of `dialer.model.retries.RetryOutcome`; the store keeps it
with the contact. The day is one of the campaign's time zone.
"""

from __future__ import annotations

from datetime import date

import orjson
from attrs import frozen

from dialer.model.retries import RetryOutcome


@frozen
class Counted:
    """The tally with one end more; of those like that, how many there were at all, and on that day."""

    tally: str
    ends: int
    on_the_day: int


def count(tally: str, outcome: RetryOutcome, day: date) -> Counted:
    """One end more of that kind, on that day."""
    kept = orjson.loads(tally)
    ends, last_day, on_the_day = kept.get(outcome, (0, "", 0))
    shown = day.isoformat()
    kept[str(outcome)] = (ends + 1, shown, (on_the_day if last_day == shown else 0) + 1)
    return Counted(orjson.dumps(kept).decode(), ends + 1, kept[str(outcome)][2])
