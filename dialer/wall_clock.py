"""The wall clock. Everything below the wiring is handed this function, and asks no clock of its own."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The moment, aware and in UTC."""
    return datetime.now(UTC)
