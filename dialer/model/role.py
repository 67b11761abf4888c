"""Roles: what the logins of a user may do with what it sees. Whose objects it sees is another matter: a superuser everybody's,
anybody else its own."""

from __future__ import annotations

import enum
from typing import Final

from dialer.model.token import EVERY_SCOPE, Scope


class Role(enum.StrEnum):
    """A viewer looks, an operator changes, starts and stops, an admin keeps users, gateways and lists, too."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


_VIEWS: Final = frozenset({Scope.READ})
_OPERATES: Final = frozenset({Scope.READ, Scope.DIAL})


def scopes_of(role: Role, *, superuser: bool) -> frozenset[Scope]:
    """What a password of such a user is good for. The scope `admin` of one that is no superuser lets it make tokens for
    itself."""
    if role is Role.VIEWER:
        return _VIEWS
    return _OPERATES if superuser and role is Role.OPERATOR else EVERY_SCOPE
