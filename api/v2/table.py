"""The table of all routes. Another resource is another module in `RESOURCES`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from api.v2.resources import (
    about,
    attempts,
    caller_ids,
    campaigns,
    contacts,
    do_not_call,
    do_not_call_lists,
    events,
    gateways,
    me,
    phonebooks,
    statistics,
    tokens,
    webhooks,
)
from api.v2.routes import Route

RESOURCES: Final[tuple[Any, ...]] = (
    me,
    tokens,
    campaigns,
    statistics,
    phonebooks,
    contacts,
    attempts,
    gateways,
    caller_ids,
    do_not_call,
    do_not_call_lists,
    webhooks,
    events,
)
"""The modules that have a list `ROUTES`, in the order of the document."""


@lru_cache(maxsize=1)
def all_routes() -> tuple[Route, ...]:
    """Every route."""
    return (*(route for module in RESOURCES for route in module.ROUTES), *about.routes(all_routes))
