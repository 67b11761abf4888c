"""Why attempts end."""

from __future__ import annotations

import enum


class Disposition(enum.StrEnum):
    """Why an attempt ended, in business words."""

    ANSWERED = "ANSWERED"
    BUSY = "BUSY"
    NO_ANSWER = "NO_ANSWER"
    REJECTED = "REJECTED"
    INVALID_NUMBER = "INVALID_NUMBER"
    CANCELLED = "CANCELLED"
    CONGESTION = "CONGESTION"
    MACHINE = "MACHINE"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"
