"""What the pictures show: data as JSON in an attribute, which a script draws; the same stands in a table beside."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import orjson

from api.page.rendering import text
from dialer.model.statistics import CampaignStatistics, Sums

HOUR: Final = timedelta(hours=1)
MOST_HOURS: Final = 14 * 24
"""That are drawn, the newest."""
LEAST_HOURS: Final = 11
"""Before the newest, that are drawn whether there was anything or not."""


def hours_of(found: CampaignStatistics) -> str:
    """Attempts and answers of each hour, without gaps, as JSON."""
    hours = sorted(found.by_hour)
    if not hours:
        return ""
    last = hours[-1]
    first = max(min(hours[0], last - LEAST_HOURS * HOUR), last - MOST_HOURS * HOUR)
    moments = [first + step * HOUR for step in range((last - first) // HOUR + 1)]
    drawn = [found.by_hour.get(moment, Sums()) for moment in moments]
    data = {
        "x": [int(moment.timestamp()) for moment in moments],
        "series": [
            {"label": text("campaign.attempts"), "color": "in-process", "values": [each.attempts for each in drawn]},
            {"label": text("overview.answered"), "color": "complete", "values": [each.answered for each in drawn]},
        ],
        "hour": text("campaign.hour"),
    }
    return orjson.dumps(data).decode()
