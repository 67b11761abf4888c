"""The judge of caller ids: the numbers that callees saw, against what the pool of the campaign lets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from tests.harness.called_side import SeenCall
from tests.harness.campaign import CampaignRules, StoredAttempt


def shown_numbers(rules: CampaignRules, calls: Sequence[SeenCall], attempts: Sequence[StoredAttempt]) -> Iterator[str]:
    """What was shown that may not be shown, more often than it may, or in the place of the number that a contact has."""
    pool = {each.number: each for each in rules.caller_ids}
    if not pool:
        return
    stored = {attempt.uuid: attempt for attempt in attempts}
    for call in calls:
        attempt = stored.get(call.uuid)
        known = pool.get(call.caller)
        if known is None:
            yield f"{call.number} was shown {call.caller or 'no number'}, which is none of the pool"
        elif known.hindrance:
            yield f"{call.number} was shown {call.caller}, which {known.hindrance}"
        if attempt is not None and attempt.caller != call.caller:
            yield f"{call.number} was shown {call.caller}, and its attempt {call.uuid} has {attempt.caller}"
    allowed = _Allowed(rules)
    yield from _caps(allowed, calls, stored)
    yield from _kept(allowed, attempts)


class _Allowed:
    """How many calls of a day may show a number."""

    def __init__(self, rules: CampaignRules) -> None:
        self.pool = {each.number: each for each in rules.caller_ids}
        self.zone = ZoneInfo(rules.day_zone)
        self.first_day = None if rules.made_at is None else self.day(rules.made_at.timestamp())

    def day(self, at: float) -> date:
        return datetime.fromtimestamp(at, UTC).astimezone(self.zone).date()

    def on(self, number: str, day: date) -> int | None:
        """None: any number."""
        known = self.pool.get(number)
        if known is None:
            return None
        return known.cap if known.first is None or day != self.first_day else known.first


def _caps(allowed: _Allowed, calls: Sequence[SeenCall], stored: Mapping[str, StoredAttempt]) -> Iterator[str]:
    """A call counts for the day on which its attempt was begun."""
    shown: Counter[tuple[str, date]] = Counter()
    for call in calls:
        attempt = stored.get(call.uuid)
        shown[call.caller, allowed.day(call.invited_at if attempt is None else attempt.planned_at)] += 1
    for (number, day), count in shown.items():
        most = allowed.on(number, day)
        if most is not None and count > most:
            yield f"{count} calls of {day} showed {number}, and {most} may"


def _kept(allowed: _Allowed, attempts: Sequence[StoredAttempt]) -> Iterator[str]:
    """A contact keeps the number of its last attempt, unless that has its calls of the day: at most as many as were begun."""
    begun: Counter[tuple[str, date]] = Counter()
    last: dict[str, str] = {}
    for attempt in attempts:
        day, before = allowed.day(attempt.planned_at), last.get(attempt.number)
        if before is not None and attempt.caller != before:
            most = allowed.on(before, day)
            if most is None or begun[before, day] < most:
                yield f"the attempt {attempt.uuid} to {attempt.number} shows {attempt.caller}, and the one before {before}"
        begun[attempt.caller, day] += 1
        last[attempt.number] = attempt.caller
