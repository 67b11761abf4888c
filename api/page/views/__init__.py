"""What the page shows and changes, a module for each thing."""

from __future__ import annotations

from collections.abc import Sequence

from api.page.routes import PageRoute
from api.page.views import account, actions, overview


def all_routes() -> Sequence[PageRoute]:
    """Every route of somebody who is signed in."""
    return [route for view in (overview, actions, account) for route in view.ROUTES]
