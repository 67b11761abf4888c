"""What the page shows and changes, a module for each thing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from api.page.routes import PageRoute
from api.page.views import (
    account,
    actions,
    attempts,
    caller_ids,
    calls,
    campaign_contacts,
    campaigns,
    contacts,
    do_not_call,
    exports,
    gateway_health,
    gateways,
    imports,
    installation,
    overview,
    previews,
    rules,
    users,
    voice_applications,
    watching,
    webhooks,
)

VIEWS: Final = (
    overview, campaigns, actions, previews, attempts, contacts, imports, exports, do_not_call, gateways, gateway_health,
    caller_ids, rules, calls, voice_applications, installation, webhooks, users, watching, account,
    campaign_contacts,
)  # fmt: skip


def all_routes() -> Sequence[PageRoute]:
    """Every route of somebody who is signed in."""
    return [route for view in VIEWS for route in view.ROUTES]
