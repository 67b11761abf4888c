"""`me`: who asks, and with what."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred

from api.v2.attributes import Encoder, answer
from api.v2.routes import Asked, Route
from dialer.management import users
from dialer.model import Account, Scope, User
from dialer.model.token import EVERY_SCOPE, Scopes

_SHOWN: Final = Encoder(User, ("archived_at", "is_active"))
_encode = _SHOWN.encoder()


def _shown(found: tuple[Account, User]) -> dict[str, Any]:
    who, user = found
    scopes = [scope for scope in Scope if scope in who.scopes and (scope is not Scope.ADMIN or user.is_superuser)]
    return {**_encode(user), "scopes": scopes, "token_id": who.token_id}


ME: Final = answer(
    "Me",
    "The user that asks, its limits, and what its login is good for; `token_id` is null for a password.",
    {
        **_SHOWN.properties,
        "scopes": {**Scopes().schema(), "maxItems": len(EVERY_SCOPE)},
        "token_id": {"type": ["integer", "null"]},
    },
    _shown,
)


def _read(asked: Asked) -> Deferred[tuple[Account, User]]:
    """Who asks, and what the login is good for."""
    return asked.ask(users.read, asked.who).addCallback(lambda user: (asked.who, user))


ROUTES: Final = (Route(method="GET", path="me", scope=Scope.READ, serve=_read, answer=ME),)
