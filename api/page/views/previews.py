"""The preview of a campaign: who would be called within the next hour or day, who later, who never, and why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from api.page.routes import PageReply, Visit, shows
from dialer.errors import BadValue
from dialer.kinds import Whole
from dialer.management import campaigns, previews
from dialer.model.preview import Prospect, ProspectGroup

HORIZONS: Final = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "7d": timedelta(days=7)}
PAGE: Final = 50
_PLACE: Final = Whole(0, 2**40)


def _horizon(visit: Visit) -> tuple[str, timedelta]:
    word = visit.query.get("horizon") or "1h"
    if word not in HORIZONS:
        raise BadValue("horizon", f"expected one of {', '.join(HORIZONS)}")
    return word, HORIZONS[word]


async def _show(visit: Visit) -> PageReply:
    key = visit.key("campaign")
    word, horizon = _horizon(visit)
    details = await visit.ask(campaigns.read, visit.who, key)
    found = await previews.preview(visit.management, visit.who, key, horizon)
    groups = [(group, found.in_group(group), _of_group(found, group)) for group in ProspectGroup]
    values = {
        "campaign": details.campaign,
        "found": found,
        "groups": groups,
        "horizon": word,
        "horizons": list(HORIZONS),
        "done": {status: count for status, count in found.done.items() if count},
    }
    return PageReply(template="preview.html", values=values)


def _of_group(found: Any, group: ProspectGroup) -> list[tuple[Prospect, int, Any]]:
    return [
        (prospect, count, found.examples.get(prospect, ()))
        for prospect, count in found.counts.items()
        if count and prospect.group is group
    ]


async def _contacts(visit: Visit) -> PageReply:
    """Contacts with one prospect, page by page, of a preview that was made a moment ago."""
    key = visit.key("campaign")
    word, horizon = _horizon(visit)
    given = visit.query.get("prospect", Prospect.CALLED)
    if given not in tuple(Prospect):
        raise BadValue("prospect", f"expected one of {', '.join(Prospect)}")
    prospect = Prospect(given)
    details = await visit.ask(campaigns.read, visit.who, key)
    found, more = await previews.page(visit.management, visit.who, key, horizon, prospect, _place(visit), PAGE)
    values = {
        "campaign": details.campaign,
        "prospect": prospect,
        "horizon": word,
        "found": found,
        "more": "" if more is None else f"{more[0]}~{more[1]}",
    }
    return PageReply(template="preview_contacts.html", values=values)


def _place(visit: Visit) -> tuple[str, int] | None:
    """Where a page begins. Raises `BadValue`."""
    given = visit.query.get("after", "")
    if not given:
        return None
    key, _, count = given.partition("~")
    try:
        return key, _PLACE.parse(count)
    except ValueError:
        raise BadValue("after", "is not of this list") from None


ROUTES: Final = (
    shows("campaigns/<campaign>/preview", _show),
    shows("campaigns/<campaign>/preview/contacts", _contacts),
)
