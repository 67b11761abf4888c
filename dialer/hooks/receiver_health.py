"""How a receiver of requests fares: how many may be made to it at once, whether anything arrives, and when it is tried again.

The number of requests at once grows while the receiver answers quickly and halves when it does not. After `BREAKER` failures
in a row nothing arrives any more: then it is probed from time to time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from attrs import define, evolve, field

from dialer.interfaces import ReceiverAnswer
from dialer.model.webhook import WebhookDelivery

MOST_AT_ONCE: Final = 64
FIRST_AT_ONCE: Final = 4.0
QUICK: Final = 1.0
"""Seconds: an answer that takes longer lets the number of requests at once shrink."""

BREAKER: Final = 5
"""Failures in a row."""
FIRST_PROBE: Final = timedelta(seconds=5)
LONGEST_PROBE: Final = timedelta(minutes=5)
"""A probe before a row's own time is no try of it: an outage of hours takes no event's tries away."""

GIVEN_UP: Final = timedelta(days=1)
"""A receiver at which nothing has arrived for so long is told no more."""


@define(eq=False)
class ReceiverHealth:
    """`failing_since` is since when nothing has arrived, which is stored with the webhook. Until `quiet_until`, nothing is
    sent."""

    failing_since: datetime | None = None
    quiet_until: datetime | None = field(default=None, init=False)
    _at_once: float = field(default=FIRST_AT_ONCE, init=False)
    _failures: int = field(default=0, init=False)
    _probe_at: datetime | None = field(default=None, init=False)

    @property
    def at_once(self) -> int:
        """Requests that may be under way at the same time."""
        return int(self._at_once)

    @property
    def is_broken(self) -> bool:
        """Whether nothing arrives any more."""
        return self._failures >= BREAKER

    def is_quiet(self, now: datetime) -> bool:
        """Whether it asked to be left alone for a while."""
        return self.quiet_until is not None and now < self.quiet_until

    def may_probe(self, now: datetime) -> bool:
        """Whether it is time to try one at which nothing arrives."""
        return self._probe_at is None or now >= self._probe_at

    def has_given_up(self, now: datetime) -> bool:
        """Whether nothing has arrived for too long."""
        return self.failing_since is not None and now - self.failing_since >= GIVEN_UP

    def worked(self, milliseconds: int) -> None:
        """Something has arrived, and was answered after so long."""
        self._failures, self.failing_since, self._probe_at = 0, None, None
        quick = milliseconds < 1000 * QUICK
        self._at_once = min(self._at_once + 1, MOST_AT_ONCE) if quick else max(self._at_once / 2, 1.0)

    def failed(self, now: datetime) -> None:
        """Something has not arrived."""
        self._at_once = max(self._at_once / 2, 1.0)
        self._failures += 1
        self.failing_since = self.failing_since or now
        if self.is_broken:
            self._probe_at = now + min(FIRST_PROBE * 2 ** min(self._failures - BREAKER, 16), LONGEST_PROBE)

    def moved(self) -> None:
        """It is another receiver from now on; what is under way with the one before goes on."""
        self._failures, self.failing_since, self._probe_at, self.quiet_until = 0, None, None, None


def after(delivery: WebhookDelivery, answer: ReceiverAnswer, now: datetime) -> WebhookDelivery:
    """A delivery after one more try."""
    return evolve(
        delivery,
        tries=delivery.tries + 1,
        http_status=answer.status,
        milliseconds=answer.milliseconds,
        error="" if answer.is_success else problem(answer)[:200],
        updated_at=now,
    )


def problem(answer: ReceiverAnswer) -> str:
    """Why it is no success, for a reader."""
    return answer.error or f"the answer was {answer.status}"
