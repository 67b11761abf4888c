"""The first rows of a database, without which nobody can use it: a superuser, a gateway, a voice application. A dialer that
joins a database in use adds only what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from dialer.management import gateways, users
from dialer.management.management import Transaction, writes


@frozen(kw_only=True)
class Seed:
    """The rows that shall be there. With `only_first`, the user is added only where there is no other superuser."""

    user: Mapping[str, Any]
    only_first: bool
    gateway: Mapping[str, Any]
    voip_app: Mapping[str, Any]


@frozen(kw_only=True)
class Seeded:
    """Whether the user was added, and which superusers there were before."""

    user_added: bool
    superusers: tuple[str, ...]


@writes
def seed(t: Transaction, wanted: Seed) -> Seeded:
    """Add what is missing. Raises `BadValue` for what cannot be."""
    e = t.entities
    before = users.superusers(t)
    taken = e.User.get(username=wanted.user["username"]) is not None
    user_added = not taken and not (wanted.only_first and before)
    if user_added:
        users.create(t, wanted.user)
    if not e.Gateway.select().exists():
        gateways.create(t, wanted.gateway)
    if not e.VoipApp.select().exists():
        first = e.Gateway.select().order_by(lambda g: g.id).first().id
        gateways.create_application(t, {**wanted.voip_app, "gateway_id": first})
    return Seeded(user_added=user_added, superusers=before)
