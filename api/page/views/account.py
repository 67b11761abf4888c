"""Signing out."""

from __future__ import annotations

from typing import Final

from api.page.routes import PREFIX, Moved, Visit, changes
from dialer.management.page_sessions import end, end_all
from dialer.model import Scope


async def _sign_out(visit: Visit) -> Moved:
    await visit.do("", end, visit.signed_in.digest)
    return Moved(to=f"{PREFIX}sign-in")


async def _sign_out_everywhere(visit: Visit) -> Moved:
    await visit.do("", end_all, visit.who.id)
    return Moved(to=f"{PREFIX}sign-in")


ROUTES: Final = (
    changes("sign-out", _sign_out, scope=Scope.READ),
    changes("sign-out-everywhere", _sign_out_everywhere, scope=Scope.READ),
)
