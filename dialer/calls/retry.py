"""The fate of a contact after an attempt.

| class | becomes | counts |
|---|---|---|
| DONE | COMPLETE; as RETRY where the callee was not reached all the same, see below | yes |
| STOP | FAIL | yes |
| RETRY | START after the campaign's interval, while attempts are left; else FAIL | yes |
| REQUEUE | START after a growing pause, at most `MAX_REQUEUES` times in a row; then as RETRY | no |
| REQUEUE for a fault of the caller, the carrier, the switch or the dialer | START after that pause, as often as need be | no |

A doubtful fault may be the number's: what only this contact meets, while the gateway gets others through, counts after
`MAX_REQUEUES` in a row. What everybody meets never does: the gateway is backed off from (`dialer.gateways.Backoff`).

An answered call did not reach the contact when it was shorter than the campaign's `min_call_duration`, or when the voice
application could do nothing for the callee, unless the campaign's `unserved_policy` takes that for complete; nor when the
callee hung up before the application had come to its end, where the campaign has a row `incomplete`.

How many attempts are left, and when the next one is made, is told by the row of the campaign's `retry` table for that outcome:
it counts the ends like that alone. Without one, `max_retry` counts all attempts, and `interval_retry` lies between them.

An end that nobody can tell (disposition UNKNOWN) is a RETRY or FAIL, as the campaign's `unknown_policy` says. The store keeps
the two counts of a candidate: an attempt that counts adds one to `count_attempt` and sets `free_retries` to 0, one that does
not adds one to `free_retries`. So without a table, a contact has at most 1 + `max_retry` attempts that count.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from dialer.calls.causes import OURS, Verdict
from dialer.calls.tally import count
from dialer.interfaces import OPT_OUT, UNSERVED
from dialer.model import (
    Campaign,
    Candidate,
    Decision,
    Disposition,
    Outcome,
    RetryClass,
    SubscriberStatus,
    UnknownPolicy,
    UnservedPolicy,
)
from dialer.model.retries import RetryOutcome

FIRST_PAUSE: Final = timedelta(seconds=5)
"""Before a requeued contact is ready again; doubled each time: 5, 10, 20, 40, 80 s."""

MAX_REQUEUES: Final = 5
"""In a row, within two and a half minutes."""

LONGEST_ROW: Final = 20
"""Requeues in a row that are looked back on."""

LONGEST_PAUSE: Final = timedelta(minutes=10)
"""While a fault lasts that others meet, too."""
LONGEST_PAUSE_OF_ONE: Final = timedelta(hours=1)
"""Where the gateway works for others: whatever is wrong with the way to this number lasts."""

SHORTEST_INTERVAL: Final = timedelta(seconds=1)
"""An interval of 0 must not let a contact be ready again in the instant in which it failed."""


def requeued_for(candidate: Candidate) -> timedelta:
    """What passed at least since the first of the attempts in a row after which the candidate was requeued."""
    return sum((_pause(before) for before in range(min(candidate.free_retries, LONGEST_ROW))), timedelta())


def decide(
    verdict: Verdict,
    outcome: Outcome,
    candidate: Candidate,
    campaign: Campaign,
    now: datetime,
    *,
    alone: bool = False,
) -> Decision:
    """The fate of the candidate, whose counts are those before this attempt, by the campaign's rules of this moment.
    `alone` tells that the gateway got others through since it first failed the contact, and fails nobody else now."""
    match verdict.retry:
        case RetryClass.DONE if _unserved(outcome, campaign):
            text = f"{verdict.reason}, and the application could do nothing ({outcome.session[UNSERVED]})"
            return _counted(text, RetryOutcome.INCOMPLETE, candidate, campaign, now)
        case RetryClass.DONE if 0 < outcome.talk_ms < 1000 * campaign.min_call_duration:
            text = f"{verdict.reason} for less than {campaign.min_call_duration} s"
            return _counted(text, RetryOutcome.INCOMPLETE, candidate, campaign, now)
        case RetryClass.DONE if _unfinished(outcome, campaign):
            text = f"{verdict.reason}, and the callee hung up before the application had come to its end"
            return _counted(text, RetryOutcome.INCOMPLETE, candidate, campaign, now)
        case RetryClass.DONE:
            return _closed(SubscriberStatus.COMPLETE, verdict.reason)
        case RetryClass.STOP:
            return _closed(SubscriberStatus.FAIL, f"{verdict.reason}: no further attempt")
        case RetryClass.REQUEUE if verdict.at_once:
            return Decision(
                status=SubscriberStatus.START, ready_at=now + SHORTEST_INTERVAL, counts_as_attempt=False, reason=verdict.reason
            )
        case RetryClass.REQUEUE if candidate.free_retries < MAX_REQUEUES or not verdict.tried:
            return _requeued(verdict.reason, candidate.free_retries, now)
        case RetryClass.REQUEUE if verdict.blame in OURS and not (verdict.doubtful and alone):
            longest = LONGEST_PAUSE_OF_ONE if alone else LONGEST_PAUSE
            return _requeued(verdict.reason, candidate.free_retries, now, longest)
        case _ if verdict.disposition is Disposition.UNKNOWN and campaign.unknown_policy is UnknownPolicy.NEVER:
            return _closed(SubscriberStatus.FAIL, f"{verdict.reason}: the campaign does not try such contacts again")
        case _:
            return _counted(verdict.reason, RetryOutcome(verdict.disposition.lower()), candidate, campaign, now)


def _unserved(outcome: Outcome, campaign: Campaign) -> bool:
    """A callee who did not want to be called again was served: that wish was heard."""
    return UNSERVED in outcome.session and OPT_OUT not in outcome.session and campaign.unserved_policy is UnservedPolicy.RETRY


def _unfinished(outcome: Outcome, campaign: Campaign) -> bool:
    """Only a campaign that says how often calls again whose application did not come to its end."""
    return outcome.unfinished and OPT_OUT not in outcome.session and campaign.retry.row(RetryOutcome.INCOMPLETE) is not None


def _closed(status: SubscriberStatus, reason: str) -> Decision:
    return Decision(status=status, ready_at=None, counts_as_attempt=True, reason=reason)


_LAST_OF_A_ROW: Final = FIRST_PAUSE * 2 ** (MAX_REQUEUES - 1)


def _pause(before: int, longest: timedelta = LONGEST_PAUSE) -> timedelta:
    return min(FIRST_PAUSE * 2 ** min(before, 20), longest)


def _requeued(reason: str, before: int, now: datetime, longest: timedelta = _LAST_OF_A_ROW) -> Decision:
    pause = _pause(before, longest)
    text = f"{reason}: requeued after {pause.total_seconds():.0f} s ({before + 1} in a row)"
    return Decision(status=SubscriberStatus.START, ready_at=now + pause, counts_as_attempt=False, reason=text)


def _counted(reason: str, outcome: RetryOutcome, candidate: Candidate, campaign: Campaign, now: datetime) -> Decision:
    """By the row of that outcome in the campaign's table; without one, by its two simple settings."""
    zone = ZoneInfo(campaign.time_zone)
    today = now.astimezone(zone).date()
    counted = count(candidate.tally, outcome, today)
    row = campaign.retry.row(outcome)
    if row is None:
        retry = candidate.count_attempt + 1  # the attempts before this one, less the first, which is no retry, and the next
        most, seconds, by = campaign.max_retry, float(campaign.interval_retry), ""
    else:
        retry, most, seconds, by = counted.ends, row.retries, row.interval(counted.ends), f" (row {outcome}={row})"
    if retry > most:
        return _closed(SubscriberStatus.FAIL, f"{reason}: no attempt left of {1 + most}{by}")
    ready_at = now + max(timedelta(seconds=seconds), SHORTEST_INTERVAL)
    text = f"{reason}: retry {retry} of {most} after {seconds:.0f} s"
    if row is not None and row.per_day is not None and counted.on_the_day >= row.per_day:
        tomorrow = datetime.combine(today + timedelta(days=1), campaign.daily_start, zone).astimezone(UTC)
        if tomorrow > ready_at:
            ready_at, text = tomorrow, f"{reason}: retry {retry} of {most} on the next day"
    return Decision(
        status=SubscriberStatus.START,
        ready_at=ready_at,
        counts_as_attempt=True,
        reason=f"{text}{by}",
        tally=counted.tally,
    )
