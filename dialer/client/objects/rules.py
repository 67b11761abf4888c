"""Objects of the API v2: rules.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from typing import Literal, TypedDict


class RuleAttemptObject(TypedDict):
    """So many attempts within any such span."""

    most: int
    seconds: int


class RuleObject(TypedDict):
    """A row of the calling rules, with its source. It is no legal advice."""

    id: int
    """its place among the rules; it may have another one when these change"""
    place: str
    """a country such as FR, a state such as US-FL, or * for every number"""
    place_name: str | None
    """the name of a state or a country of North America"""
    name: str
    purposes: list[Literal["sales", "research", "debt", "informational"]]
    """those of the campaigns it holds for; empty: all"""
    technology: Literal["live", "prerecorded"] | None
    """null: both"""
    valid_from: str | None
    """the first day, by the clock there"""
    valid_to: str | None
    """the last day"""
    weekday: list[str] | None
    """when calls may be made on Mondays to Fridays, by the clock there; empty: not at all; null: at any time"""
    saturday: list[str] | None
    """when calls may be made on Saturdays, by the clock there; empty: not at all; null: at any time"""
    sunday: list[str] | None
    """when calls may be made on Sundays, by the clock there; empty: not at all; null: at any time"""
    holiday: list[str] | None
    """the same on holidays; null: as on other days"""
    holidays: str | None
    """the list of its holidays, of the package holidays"""
    more_holidays: list[str]
    """further days"""
    attempts: list[RuleAttemptObject]
    """at most so many to a number, by all campaigns"""
    rest_after_answer: int
    """seconds after an answered call"""
    min_ring: int
    """seconds that a call rings at least"""
    source: str
    read_on: str
    """when its source was read"""
    confidence: Literal["high", "medium", "low"]
    note: str


class NumberRulingPlaceObject(TypedDict):
    """A place in which a number may be."""

    place: str
    name: str | None


class NumberRulingClockObject(TypedDict):
    """What a clock there shows."""

    time_zone: str
    shows: str
    """without offset"""


class NumberRulingObstacleObject(TypedDict):
    """Something in the rules that stands in the way of a call."""

    text: str
    until: str | None
    """null: for ever"""
    rule_ids: list[int]
    """the rules that say so"""


class NumberRulingRuleAttemptObject(TypedDict):
    """So many attempts within any such span."""

    most: int
    seconds: int


class NumberRulingRuleObject(TypedDict):
    """A row of the calling rules, with its source. It is no legal advice."""

    id: int
    """its place among the rules; it may have another one when these change"""
    place: str
    """a country such as FR, a state such as US-FL, or * for every number"""
    place_name: str | None
    """the name of a state or a country of North America"""
    name: str
    purposes: list[Literal["sales", "research", "debt", "informational"]]
    """those of the campaigns it holds for; empty: all"""
    technology: Literal["live", "prerecorded"] | None
    """null: both"""
    valid_from: str | None
    """the first day, by the clock there"""
    valid_to: str | None
    """the last day"""
    weekday: list[str] | None
    """when calls may be made on Mondays to Fridays, by the clock there; empty: not at all; null: at any time"""
    saturday: list[str] | None
    """when calls may be made on Saturdays, by the clock there; empty: not at all; null: at any time"""
    sunday: list[str] | None
    """when calls may be made on Sundays, by the clock there; empty: not at all; null: at any time"""
    holiday: list[str] | None
    """the same on holidays; null: as on other days"""
    holidays: str | None
    """the list of its holidays, of the package holidays"""
    more_holidays: list[str]
    """further days"""
    attempts: list[NumberRulingRuleAttemptObject]
    """at most so many to a number, by all campaigns"""
    rest_after_answer: int
    """seconds after an answered call"""
    min_ring: int
    """seconds that a call rings at least"""
    source: str
    read_on: str
    """when its source was read"""
    confidence: Literal["high", "medium", "low"]
    note: str


class NumberRulingObject(TypedDict):
    """Where a number may be, which rules hold there for such a call, and whether their hours allow it at the moment."""

    number: str
    identity: str
    at: str
    purpose: Literal["sales", "research", "debt", "informational"]
    technology: Literal["live", "prerecorded"]
    places: list[NumberRulingPlaceObject]
    """the places in which it may be: all of their rules hold"""
    clocks: list[NumberRulingClockObject]
    """of the zones in which it may be: it is called while all of them are open"""
    unknown: str | None
    """why its place or its clock is not known"""
    permission: Literal["open", "closed", "never"]
    until: str | None
    """when it opens, where it is closed"""
    obstacles: list[NumberRulingObstacleObject]
    """what forbids the call at the moment"""
    min_ring: int
    """seconds that the call rings at least"""
    rules: list[NumberRulingRuleObject]
    """those that are valid at the moment, and meant for such a call"""


class CampaignHoursPlaceObject(TypedDict):
    """A place in which a number may be."""

    place: str
    name: str | None


class CampaignHoursRuleAttemptObject(TypedDict):
    """So many attempts within any such span."""

    most: int
    seconds: int


class CampaignHoursRuleObject(TypedDict):
    """A row of the calling rules, with its source. It is no legal advice."""

    id: int
    """its place among the rules; it may have another one when these change"""
    place: str
    """a country such as FR, a state such as US-FL, or * for every number"""
    place_name: str | None
    """the name of a state or a country of North America"""
    name: str
    purposes: list[Literal["sales", "research", "debt", "informational"]]
    """those of the campaigns it holds for; empty: all"""
    technology: Literal["live", "prerecorded"] | None
    """null: both"""
    valid_from: str | None
    """the first day, by the clock there"""
    valid_to: str | None
    """the last day"""
    weekday: list[str] | None
    """when calls may be made on Mondays to Fridays, by the clock there; empty: not at all; null: at any time"""
    saturday: list[str] | None
    """when calls may be made on Saturdays, by the clock there; empty: not at all; null: at any time"""
    sunday: list[str] | None
    """when calls may be made on Sundays, by the clock there; empty: not at all; null: at any time"""
    holiday: list[str] | None
    """the same on holidays; null: as on other days"""
    holidays: str | None
    """the list of its holidays, of the package holidays"""
    more_holidays: list[str]
    """further days"""
    attempts: list[CampaignHoursRuleAttemptObject]
    """at most so many to a number, by all campaigns"""
    rest_after_answer: int
    """seconds after an answered call"""
    min_ring: int
    """seconds that a call rings at least"""
    source: str
    read_on: str
    """when its source was read"""
    confidence: Literal["high", "medium", "low"]
    note: str


class CampaignHoursObject(TypedDict):
    """The hours of a campaign, and the rules by which its contacts are called more narrowly."""

    campaign_id: int
    purpose: Literal["sales", "research", "debt", "informational"]
    override: str | None
    """why the rules do not hold for it; null: they hold"""
    time_zone: str
    daily_start: str
    daily_stop: str
    weekdays: list[Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]]
    """the days on which it calls"""
    places: list[CampaignHoursPlaceObject]
    """those in which its contacts may be, by their numbers"""
    unknown: int
    """beginnings of its contacts' numbers whose clock is not known, in places with hours"""
    rules: list[CampaignHoursRuleObject]
    """those that hold there today"""
