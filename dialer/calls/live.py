"""An attempt while it is in this process's memory: what was heard of its call so far; and how it is hung up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from dialer.errors import SwitchUnavailable
from dialer.interfaces import Switch
from dialer.model import Attempt, AttemptState, Hangup, Outcome, OwnCause, Signal, SignalKind
from dialer.rules.book import RuleBook
from dialer.rules.decide import least_ring


@define(eq=False)
class LiveAttempt:
    """The mutable record of one open attempt. Only `dialer.calls.lifecycle` changes it.

    `inherited` tells that another process, or another node, has begun it; its call may know only where that one listened.
    `sent` is False only while this process knows that no byte of the originate was written; `core_uuid` is the FreeSWITCH
    process that it was written to, "" when that is not known; `heard` tells that the switch answered in any way (for what an
    earlier process left open: that its channel was seen, since nobody knows when the job was accepted), `had_session`
    that a voice application may have begun, and `unfinished` that the last one did not come to its end. `hours_end` tells that
    the hours in which it may be made end before its deadline. `timer` is whatever the attempt waits for next: its turn to be
    submitted, or the rest of its end. `stored` are those who wait for its end to be durable.
    """

    attempt: Attempt
    state: AttemptState
    sent: bool = False
    inherited: bool = False
    core_uuid: str = ""
    heard: bool = False
    sent_at: datetime | None = None
    rang_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    cause: str = ""
    hangup: Hangup | None = None
    sessions: int = 0
    had_session: bool = field(init=False)
    notes: dict[str, str] | None = None
    unfinished: bool = False
    hours_end: bool = False
    timer: IDelayedCall | None = None
    concluding: bool = False
    stored: list[Deferred[bool]] = field(factory=list, init=False)
    last_heard_at: datetime = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.last_heard_at = self.attempt.planned_at
        self.had_session = self.sent  # what an earlier process has sent may have had one
        self.core_uuid = self.attempt.core_uuid
        self.sent_at = self.attempt.sent_at
        self.rang_at = self.attempt.rang_at
        self.answered_at = self.attempt.answered_at
        self.heard = self.attempt.state in CHANNEL_SEEN

    def note(self, signal: Signal) -> None:
        """Keep the facts that a signal brings. The earliest time of each fact counts: repeated signals change nothing."""
        kind = signal.kind
        self.heard = self.heard or kind is not SignalKind.SWITCH_LOST
        self.last_heard_at = max(self.last_heard_at, signal.at)
        if kind is SignalKind.SUBMITTED:
            self.sent_at = self.sent_at or signal.at
        elif kind in _RINGING:
            self.rang_at = self.rang_at or signal.at
        elif kind in _ANSWERED:
            self.answered_at = min(self.answered_at or signal.at, signal.at)
            if kind is SignalKind.SESSION_OPENED:
                self.sessions += 1
                self.had_session = True
        elif kind is SignalKind.SESSION_CLOSED:
            self.sessions -= 1
        elif kind is SignalKind.HUNG_UP and self.hangup is None:
            self.hangup = signal.hangup
            self.ended_at = signal.at
            self.cause = signal.cause
        elif kind in _CAUSES and not self.cause:
            self.ended_at = self.ended_at or signal.at
            self.cause = signal.cause

    def cancel_timer(self) -> None:
        """Stop waiting."""
        if self.timer is not None and self.timer.active():
            self.timer.cancel()
        self.timer = None

    def tell_stored(self, result: bool | Failure) -> None:
        """The end is durable (True), is another's affair (False), or could not be stored."""
        stored, self.stored = self.stored, []
        for waiter in stored:
            waiter.callback(result)

    def longest(self, rules: RuleBook) -> timedelta:
        """How long its call may ring and then last: by its campaign, and by the calling rules, which may ask for a longer
        ring."""
        plan = self.attempt.plan
        ring = max(plan.campaign.call_timeout, least_ring(rules, plan.candidate, plan.campaign, plan.due_at))
        return timedelta(seconds=ring + plan.campaign.call_max_duration)

    def outcome(self, now: datetime) -> Outcome:
        """All that is known of the end, for classification and for the record."""
        ended_at = self.ended_at or now
        hangup = self.hangup
        notes = self.notes or {}
        if hangup is None:
            return Outcome(
                cause=self.cause or OwnCause.UNKNOWN,
                ended_at=ended_at,
                sent_at=self.sent_at,
                rang_at=self.rang_at,
                answered_at=self.answered_at,
                unfinished=self.unfinished,
                session=notes,
            )
        # What the channel itself has noted is better than when the news came, or a session.
        answered_at = hangup.answered_at or self.answered_at
        if answered_at is None and hangup.answered:
            answered_at = ended_at - timedelta(milliseconds=hangup.talk_ms)
        rang_at = hangup.rang_at or self.rang_at
        if rang_at is None and hangup.rang:
            rang_at = (answered_at or ended_at) - timedelta(milliseconds=hangup.ring_ms)
        return Outcome(
            cause=hangup.cause,
            ended_at=ended_at,
            q850=hangup.q850,
            sip_status=hangup.sip_status,
            sip_disposition=hangup.sip_disposition,
            sent_at=self.sent_at,
            rang_at=rang_at,
            answered_at=answered_at,
            ring_ms=hangup.ring_ms,
            talk_ms=hangup.talk_ms,
            duration_ms=hangup.duration_ms,
            unfinished=self.unfinished,
            session=notes,
        )


CHANNEL_SEEN: Final = frozenset({AttemptState.RINGING, AttemptState.ANSWERED, AttemptState.CONNECTED})
"""States of which the switch told something that only a channel can do."""
_RINGING = frozenset({SignalKind.RANG, SignalKind.EARLY_MEDIA_STARTED, SignalKind.FOUND_RINGING})
# A session opens for answered calls only, and so does a job succeed; either may be heard of before the answer.
_ANSWERED = frozenset({SignalKind.ANSWERED, SignalKind.FOUND_ANSWERED, SignalKind.SESSION_OPENED, SignalKind.JOB_SUCCEEDED})
_CAUSES = frozenset({SignalKind.REFUSED, SignalKind.JOB_FAILED, SignalKind.FOUND_GONE})


PAUSES: Final = (0.1, 0.2, 0.4, 0.8, 1.6, 2.0)
"""Seconds between two looks at calls that the switch did not know. A busy switch takes a second to begin a call."""


async def hang_up(calls: Iterable[LiveAttempt], switch: Switch, clock: IReactorTime) -> int:
    """Hang up those of `calls` that were sent and have not ended. Returns how many the switch knew; at once when it is
    away.

    A switch that has accepted an originate makes the channel a moment later. In between it does not know the call, and answers
    that there is none to hang up; so it is asked again.
    """
    killed = 0
    left = list(calls)
    for pause in PAUSES:
        unknown = []
        for live in left:
            if not live.sent or live.state is AttemptState.ENDED:
                continue
            try:
                if await switch.kill(live.attempt.call_uuid, "NORMAL_CLEARING"):
                    killed += 1
                else:
                    unknown.append(live)
            except SwitchUnavailable:
                return killed
        if not unknown:
            break
        left = unknown
        await deferLater(clock, pause)
    return killed
