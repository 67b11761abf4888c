"""Objects of the API v2: rules.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from typing import TypedDict

CallingRuleObject = TypedDict("CallingRuleObject", {
    "place": str,
    "name": str,
    "for": str,
    "weekday": str,
    "saturday": str,
    "sunday": str,
    "holiday": str,
    "holidays": str,
    "attempts": str,
    "rest_after_answer": str,
    "ring": str,
    "valid_from": str,
    "valid_to": str,
    "source": str,
    "read_on": str,
    "confidence": str,
    "note": str,
})
"""Something that a place asks of its callers. What it does not say, it does not limit."""


class NumberRulingObject(TypedDict):
    """Whether a number may be called by the hours of the place where it is, with the rows that hold."""

    number: str
    identity: str
    """its canonical digits"""
    places: list[str]
    """where it may be"""
    time_zones: list[str]
    clocks: list[str]
    """the time there"""
    rows: list[str]
    """the names of the rows that hold"""
    ruling: str
    """open, closed or never"""
    until: str | None
    """when it may be called, where it may not be now"""
    text: str
    """why not"""
    unknown: str
    """what is not known of where it is"""
    technology: str
    """live or prerecorded"""
