"""The buttons of a campaign: start, pause, stop, abort, and its frequency."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from api.page.routes import PREFIX, Moved, Visit, changes
from api.page.sign_in import local_address
from dialer.management import campaigns
from dialer.model import CampaignStatus

_STATUSES: Final = {
    "start": CampaignStatus.START,
    "pause": CampaignStatus.PAUSE,
    "stop": CampaignStatus.END,
    "abort": CampaignStatus.ABORT,
}


def back(visit: Visit, campaign_id: int) -> str:
    """Where the button was."""
    return local_address(visit.form.get("back", ""), f"{PREFIX}campaigns/{campaign_id}")


def _to(word: str, status: CampaignStatus) -> Callable[[Visit], Awaitable[Moved]]:
    async def serve(visit: Visit) -> Moved:
        key = visit.key("campaign")
        await visit.do(f"campaign {key}", campaigns.change, visit.who, key, {"status": status})
        return Moved(to=back(visit, key), told=f"campaign-{word}")

    return serve


async def _set_frequency(visit: Visit) -> Moved:
    key, wanted = visit.key("campaign"), visit.form.get("frequency", "")
    await visit.do(f"campaign {key}", campaigns.change, visit.who, key, {"frequency": wanted}, details={"frequency": wanted})
    return Moved(to=back(visit, key), told="frequency")


ROUTES: Final = (
    *(changes(f"campaigns/<campaign>/{word}", _to(word, status)) for word, status in _STATUSES.items()),
    changes("campaigns/<campaign>/frequency", _set_frequency),
)
