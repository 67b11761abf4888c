"""Previews that were made a short time ago: their contacts are read page by page, and none of them is made again for that."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field, frozen

from dialer.model.preview import PreviewSummary, Prospect

MOST: Final = 4
"""That are kept: of a million contacts each has 16 MB."""
KEEP: Final = timedelta(minutes=10)


@frozen
class Listed:
    """Subscribers of one prospect by their ids, in the order in which they are shown, and for each a moment in microseconds
    since 1970, 0 for none."""

    ids: array[int] = field(factory=lambda: array("q"))
    moments: array[int] = field(factory=lambda: array("q"))

    def add(self, subscriber_id: int, at: int = 0) -> None:
        """One more."""
        self.ids.append(subscriber_id)
        self.moments.append(at)

    def extend(self, subscriber_ids: Sequence[int]) -> None:
        """Some more, without a moment."""
        self.ids.extend(subscriber_ids)
        self.moments.frombytes(bytes(self.moments.itemsize * len(subscriber_ids)))


@frozen(kw_only=True)
class KeptPreview:
    """A preview, and all contacts that it has told of."""

    summary: PreviewSummary
    lists: Mapping[Prospect, Listed]
    made_at: datetime


@define(eq=False)
class KeptPreviews:
    """The newest ones, by their keys. `making` tells that one is being made."""

    making: bool = False
    _kept: dict[str, KeptPreview] = field(factory=dict, init=False)

    def keep(self, preview: KeptPreview) -> None:
        """Keep it, and forget what is old."""
        since = preview.made_at - KEEP
        recent = [each for each in self._kept.values() if each.made_at > since]
        self._kept = {each.summary.key: each for each in [*recent, preview][-MOST:]}

    def newest(self, campaign_id: int, horizon: timedelta, now: datetime) -> KeptPreview | None:
        """The newest one of a campaign for that horizon."""
        kept = (self.find(key, campaign_id, now) for key in reversed(self._kept))
        return next((each for each in kept if each and each.summary.end - each.summary.begin == horizon), None)

    def find(self, key: str, campaign_id: int, now: datetime) -> KeptPreview | None:
        """The one of that key, when it is one of that campaign and still kept."""
        found = self._kept.get(key)
        is_kept = found is not None and found.summary.campaign.id == campaign_id and found.made_at > now - KEEP
        return found if is_kept else None
