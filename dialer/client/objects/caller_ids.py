"""Objects of the API v2: caller ids.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict


class CallerIdPoolObject(TypedDict):
    """Numbers from which campaigns take the one that callees see."""

    id: int
    """its number, given by the database"""
    user_id: int
    """the user that it belongs to"""
    name: str
    """its name, unique among its user's"""
    description: str
    """for people"""
    strategy: Literal["sticky", "rotating", "nearest"]
    """how a number is chosen for a contact; retries keep it while it can be used. sticky: in turn, and the contact keeps
    it in all campaigns of the pool; rotating: in turn, in each campaign anew; nearest: the one with the most leading
    digits in common"""
    foreign_callees: Literal["refuse", "allow"]
    """whether a number is shown to callees of other countries than its own"""
    time_zone: str
    """the zone whose midnight begins a day of the daily caps and the counts"""
    created_at: str
    """when it was created"""
    updated_at: str
    """when it was last changed"""


class NewCallerIdPoolObject(TypedDict):
    """What is sent."""

    name: str
    """its name, unique among its user's"""
    description: NotRequired[str]
    """for people"""
    strategy: NotRequired[Literal["sticky", "rotating", "nearest"]]
    """how a number is chosen for a contact; retries keep it while it can be used. sticky: in turn, and the contact keeps
    it in all campaigns of the pool; rotating: in turn, in each campaign anew; nearest: the one with the most leading
    digits in common"""
    foreign_callees: NotRequired[Literal["refuse", "allow"]]
    """whether a number is shown to callees of other countries than its own"""
    time_zone: NotRequired[str]
    """the zone whose midnight begins a day of the daily caps and the counts"""


class ChangedCallerIdPoolObject(TypedDict, total=False):
    """What is sent."""

    name: str
    """its name, unique among its user's"""
    description: str | None
    strategy: Literal["sticky", "rotating", "nearest"] | None
    foreign_callees: Literal["refuse", "allow"] | None
    time_zone: str | None


class CallerIdPoolUseNumberObject(TypedDict):
    """The calls of today that showed a number."""

    caller_id_id: int
    number: str
    allowed_today: int | None
    """calls that may show it; null: any number"""
    unusable: str | None
    """why no call shows it now; null when it can be"""
    usable_at: str | None
    """when it can be used again, where that is known"""
    calls: int
    """that count for the daily cap: all that were begun, without those that were not dialled"""
    ended: int
    """of these, the ones that are over"""
    answered: int
    """by a person or a machine"""
    answer_rate: float | None
    """answered / ended, from 0 to 1; null when none is over"""
    short: int
    """answered, and over within six seconds"""
    short_rate: float | None
    """short / answered, from 0 to 1; null when none was answered"""
    talk_ms: int
    """from the answer to the end, of all of them together"""
    refused: dict[str, int]
    """how many ended with each SIP status by which a network or a callee refuses a caller"""


class CallerIdPoolUseObject(TypedDict):
    """How the numbers of a pool are used today, by the zone of the pool."""

    numbers: list[CallerIdPoolUseNumberObject]


class CallerIdObject(TypedDict):
    """A number of a pool."""

    id: int
    """its number, given by the database"""
    pool_id: int
    """the pool that it stands in"""
    number: str
    """the number that callees see"""
    identity: str
    """the number's identity"""
    country: str
    """the country of the number, such as US; empty: not known"""
    name: str
    """the name that callees see; empty: that of the campaign"""
    note: str
    """the proof that you may show the number: contract, carrier, date"""
    daily_cap: int | None
    """calls that show it in a day at most (calls)"""
    warm_up_start: int
    """of its first day, where it is warmed up; from there it grows evenly (calls)"""
    warm_up_days: int
    """days from the first use after which it may make as many calls as its cap; 0: at once (days)"""
    first_used_at: str | None
    """when it was first used; set by its first call where it is not given"""
    rest_until: str | None
    """no call shows it before"""
    active: bool
    """whether it is used"""
    created_at: str
    """when it was added"""
    updated_at: str
    """when it was last changed"""
    gateways: list[int]
    """the gateways that may show it; empty: every one"""


class NewCallerIdObject(TypedDict):
    """What is sent."""

    pool_id: int
    """the pool that it stands in"""
    number: str
    """the number that callees see"""
    name: NotRequired[str]
    """the name that callees see; empty: that of the campaign"""
    note: NotRequired[str]
    """the proof that you may show the number: contract, carrier, date"""
    daily_cap: NotRequired[int | None]
    """calls that show it in a day at most (calls)"""
    warm_up_start: NotRequired[int]
    """of its first day, where it is warmed up; from there it grows evenly (calls)"""
    warm_up_days: NotRequired[int]
    """days from the first use after which it may make as many calls as its cap; 0: at once (days)"""
    first_used_at: NotRequired[str | None]
    """when it was first used; set by its first call where it is not given"""
    rest_until: NotRequired[str | None]
    """no call shows it before"""
    active: NotRequired[bool]
    """whether it is used"""
    gateways: NotRequired[Sequence[int]]
    """the ids of the gateways that may show it; empty: every one"""


class ChangedCallerIdObject(TypedDict, total=False):
    """What is sent."""

    name: str | None
    note: str | None
    daily_cap: int | None
    """calls that show it in a day at most (calls)"""
    warm_up_start: int | None
    warm_up_days: int | None
    first_used_at: str | None
    """when it was first used; set by its first call where it is not given"""
    rest_until: str | None
    """no call shows it before"""
    active: bool | None
    gateways: Sequence[int] | None


class CallerIdRestObject(TypedDict):
    """What is sent."""

    until: str | None
    """no call shows it before; null ends its rest"""


class CallerIdDaysDayObject(TypedDict):
    """A day."""

    day: str
    calls: int
    """that count for the daily cap: all that were begun, without those that were not dialled"""
    ended: int
    """of these, the ones that are over"""
    answered: int
    """by a person or a machine"""
    answer_rate: float | None
    """answered / ended, from 0 to 1; null when none is over"""
    short: int
    """answered, and over within six seconds"""
    short_rate: float | None
    """short / answered, from 0 to 1; null when none was answered"""
    talk_ms: int
    """from the answer to the end, of all of them together"""
    refused: dict[str, int]
    """how many ended with each SIP status by which a network or a callee refuses a caller"""


class CallerIdDaysObject(TypedDict):
    """What came of the calls that showed a number, by the day of its pool's zone, the newest first."""

    days: list[CallerIdDaysDayObject]
