"""Pools of caller ids: the numbers that calls show as their caller's, and how one of them is chosen for a call.

A number stands in one pool of the installation, whoever owns that: what is counted of it, and its rest, hold for all calls
that show it. A number that was removed and is added again is the same one, with what it was used for before.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from attrs import frozen

from dialer.declare import key, noun, reference, setting, stamp
from dialer.kinds import Number
from dialer.numbers import parse_number
from dialer.time_kinds import Zone
from dialer.variables import caller_name

MOST_CALLER_IDS: Final = 500
"""Of one pool: all of them are looked at whenever calls are begun."""

SHORT_CALL_MS: Final = 6000
"""An answered call that lasted less is a short one: six seconds, by which carriers in the United States count them."""

REFUSALS: Final = (403, 603, 607, 608)
"""SIP statuses by which a network or a callee refuses a caller: Forbidden, Decline (RFC 3261), Unwanted (RFC 8197), Rejected
(RFC 8688)."""


class CallerIdStrategy(enum.StrEnum):
    """How a number is chosen for a contact that has none. Retries keep it, as long as it can be used."""

    STICKY = "sticky"  # in turn; the contact keeps it in all campaigns of the pool
    ROTATING = "rotating"  # in turn, in each campaign anew
    NEAREST = "nearest"  # the one with the most leading digits in common with the contact's


class ForeignPolicy(enum.StrEnum):
    """Whether a number is shown to callees of other countries than its own."""

    REFUSE = "refuse"
    ALLOW = "allow"


@noun("caller id pool")
@frozen(kw_only=True)
class CallerIdPool:
    """Caller ids from which campaigns of its user take theirs. `turn` is the id of the number that was chosen in turn last."""

    id: int = key()
    user_id: int = reference("user", reverse="caller_id_pools", doc="the user that it belongs to")
    name: str = setting(shortest=1, doc="its name, unique among its user's")
    description: str = setting("", longest=2000, lines=True, doc="for people")
    strategy: CallerIdStrategy = setting(
        CallerIdStrategy.STICKY,
        doc="how a number is chosen for a contact; retries keep it while it can be used. sticky: in turn, and the contact "
        "keeps it in all campaigns of the pool; rotating: in turn, in each campaign anew; nearest: the one with the most "
        "leading digits in common",
    )
    foreign_callees: ForeignPolicy = setting(
        ForeignPolicy.REFUSE, doc="whether a number is shown to callees of other countries than its own"
    )
    time_zone: str = setting("UTC", kind=Zone(), doc="the zone whose midnight begins a day of the daily caps and the counts")
    turn: int = setting(0, read_only=True, doc="the number that was chosen in turn last")
    created_at: datetime = stamp("when it was created")
    updated_at: datetime = stamp("when it was last changed")
    archived_at: datetime | None = setting(None, read_only=True, doc="when it was removed")


@noun("caller id", links={"gateways": "gateway"})
@frozen(kw_only=True)
class CallerId:
    """A number of a pool. Without gateways that are linked to it, it may be shown through all of them. The warm-up begins on
    the day of its first use."""

    id: int = key()
    pool_id: int = reference("caller id pool", reverse="caller_ids", doc="the pool that it stands in")
    number: str = setting(kind=Number(64, 1), check=parse_number, doc="the number that callees see")
    identity: str = setting("", longest=64, read_only=True, doc="the number's identity")
    country: str = setting("", longest=2, read_only=True, doc="the country of the number, such as US; empty: not known")
    name: str = setting("", longest=60, check=caller_name, doc="the name that callees see; empty: that of the campaign")
    note: str = setting("", longest=2000, lines=True, doc="the proof that you may show the number: contract, carrier, date")
    daily_cap: int | None = setting(None, ge=1, le=1_000_000, unit="calls", doc="calls that show it in a day at most")
    warm_up_start: int = setting(
        1, ge=1, le=1_000_000, unit="calls", doc="of its first day, where it is warmed up; from there it grows evenly"
    )
    warm_up_days: int = setting(
        0, le=365, unit="days", doc="days from the first use after which it may make as many calls as its cap; 0: at once"
    )
    first_used_at: datetime | None = setting(None, doc="when it was first used; set by its first call where it is not given")
    rest_until: datetime | None = setting(None, doc="no call shows it before")
    active: bool = setting(True, doc="whether it is used")
    created_at: datetime = stamp("when it was added")
    updated_at: datetime = stamp("when it was last changed")
    archived_at: datetime | None = setting(None, read_only=True, doc="when it was removed; its attempts stay")


@frozen(kw_only=True)
class ShownCaller:
    """The caller that a call shows: a number of a pool by its id, and the day of the pool for which the call counts; or, where
    `id` is None, the number of the campaign."""

    number: str
    name: str
    id: int | None = None
    day: str | None = None


@frozen(kw_only=True)
class CallerIdCounts:
    """The calls that have shown a number. `unsent` of them were never dialled, `ended` are over, `answered` by a person or a
    machine, `short` of these shorter than `SHORT_CALL_MS`; `refused` are those that ended with one of `REFUSALS`."""

    calls: int = 0
    unsent: int = 0
    ended: int = 0
    answered: int = 0
    short: int = 0
    talk_ms: int = 0
    refused: Mapping[int, int]

    @property
    def used(self) -> int:
        """Those that count for the daily cap: all that may have been dialled."""
        return self.calls - self.unsent

    @property
    def answer_rate(self) -> float | None:
        """The part of those that were dialled and are over that was answered, from 0 to 1; None when there is none."""
        dialled = self.ended - self.unsent
        return self.answered / dialled if dialled > 0 else None

    @property
    def short_rate(self) -> float | None:
        """The part of those answered that was short, from 0 to 1; None when none was answered."""
        return self.short / self.answered if self.answered else None


@frozen(kw_only=True)
class CallerIdDetails:
    """A number with its gateways (none: all), what it is used for today by its pool's zone, how many calls it may make today
    (None: any number), and why it cannot be used now, "" when it can, and until when, where that is known."""

    caller_id: CallerId
    pool: CallerIdPool
    gateways: tuple[int, ...]
    today: CallerIdCounts
    allowed: int | None
    unusable: str
    until: datetime | None


@frozen(kw_only=True)
class CallerIdWait:
    """Why contacts wait for a caller id, and until when, where that is known. `contacts` are those that were set aside for it;
    with `for_all`, none of the campaign's can be called."""

    text: str
    until: datetime | None = None
    contacts: int = 0
    for_all: bool = False
