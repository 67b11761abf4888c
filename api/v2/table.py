"""The table of all routes. Another resource is another module in `RESOURCES`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from api.v2.resources import (
    about,
    attempts,
    caller_ids,
    calls,
    campaign_course,
    campaigns,
    contact_explanations,
    contacts,
    do_not_call,
    do_not_call_lists,
    events,
    gateways,
    imports,
    installation,
    me,
    phonebooks,
    previews,
    recordings,
    rules,
    sounds,
    statistics,
    tokens,
    users,
    voice_applications,
    webhooks,
)
from api.v2.routes import Route

RESOURCES: Final[tuple[Any, ...]] = (
    me,
    tokens,
    campaigns,
    campaign_course,
    previews,
    contact_explanations,
    statistics,
    phonebooks,
    contacts,
    imports,
    calls,
    attempts,
    recordings,
    gateways,
    caller_ids,
    voice_applications,
    sounds,
    do_not_call,
    do_not_call_lists,
    rules,
    webhooks,
    events,
    users,
    installation,
)
"""The modules that have a list `ROUTES`, in the order of the document."""


@lru_cache(maxsize=1)
def all_routes() -> tuple[Route, ...]:
    """Every route."""
    return (*(route for module in RESOURCES for route in module.ROUTES), *about.routes(all_routes))
