"""The methods of `rules`.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Literal

from twisted.internet.defer import Deferred

from dialer.client.calls import ApiCall
from dialer.client.sending import Resource

if TYPE_CHECKING:
    from dialer.client.objects.rules import NumberRulingObject, RuleObject


class AsyncRulesResource(Resource):
    """Each method gives a Deferred, or an iterator for `async for`."""

    def list(
        self,
        *,
        country: str | None = None,
        place: str | None = None,
        at: str | None = None,
        purpose: Literal["sales", "research", "debt", "informational"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[RuleObject]:
        """The calling rules in force, with their sources."""
        return self._pages(ApiCall(
            method="GET",
            path="rules",
            query={"country": country, "place": place, "at": at, "purpose": purpose, "limit": limit},
        ))

    def whereabouts(
        self,
        *,
        number: str,
        at: str | None = None,
        time_zone: str | None = None,
        purpose: Literal["sales", "research", "debt", "informational"] | None = None,
        technology: Literal["live", "prerecorded"] | None = None,
    ) -> Deferred[NumberRulingObject]:
        """Where a number may be, which rules hold there, whether they allow a call at a moment, and when they do."""
        return self._send(ApiCall(
            method="GET",
            path="rules/whereabouts",
            query={"number": number, "at": at, "time_zone": time_zone, "purpose": purpose, "technology": technology},
        ))
