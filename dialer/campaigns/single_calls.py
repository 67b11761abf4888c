"""Keeps calls without a campaign going: those whose time comes are woken, and those that are done or too late are ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from twisted.internet.interfaces import IReactorTime

from dialer.errors import StoreError
from dialer.interfaces import Now
from dialer.periodic import DegradedLog, PeriodicLoop

LOOK_EVERY: Final = 5.0
"""Seconds. Calls are woken longer than that before their time."""


def keeping_calls_going(clock: IReactorTime, now: Now, keep_going: Callable[[datetime], Awaitable[None]]) -> PeriodicLoop:
    """Has `keep_going` done again and again; a `StoreError` of it is logged, and it is tried at the next look."""
    degraded = DegradedLog("calls without a campaign are not woken: the database does not serve")

    async def look() -> None:
        try:
            await keep_going(now())
        except StoreError as error:
            degraded.failed(str(error))
        else:
            degraded.worked()

    return PeriodicLoop("single calls", LOOK_EVERY, look, clock)
