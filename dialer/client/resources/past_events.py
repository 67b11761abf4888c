"""The methods of `past_events`.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dialer.client.calls import ApiCall
from dialer.client.sending import Resource

if TYPE_CHECKING:
    from dialer.client.objects.events import EventObject


class PastEventsResource(Resource):
    """Each method waits for its answer."""

    def list(
        self,
        *,
        kinds: str | None = None,
        campaign: int | None = None,
        limit: int | None = None,
    ) -> Iterator[EventObject]:
        """What has happened, the newest first: the events that somebody asked for, as long as they are kept."""
        return self._pages(ApiCall(
            method="GET",
            path="past-events",
            query={"kinds": kinds, "campaign": campaign, "limit": limit},
        ))
