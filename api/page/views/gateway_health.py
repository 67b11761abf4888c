"""How a gateway is: whether it serves, how it is used, and how its newest calls ended."""

from __future__ import annotations

from typing import Final

from api.page.routes import PageReply, Visit, shows
from dialer.management import gateway_ends, gateways


async def _show(visit: Visit) -> PageReply:
    key = visit.key("gateway")
    standing = await gateways.standing(visit.management, visit.who, key)
    ends = await visit.ask(gateway_ends.of_late, visit.who, key)
    overview = await visit.site.overviews.read(visit.who)
    values = {
        "standing": standing,
        "gateway": standing.gateway,
        "view": next((view for view in overview.gateways if view.gateway.id == key), None),
        "ends": ends,
        "total": sum(each.calls for each in ends),
    }
    return PageReply(template="gateway_health.html", values=values)


ROUTES: Final = (shows("gateways/<gateway>/health", _show),)
