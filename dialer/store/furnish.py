"""What a database needs before anybody can use it: a superuser, a gateway, a voice application. Who joins a database that is
in use adds only what is missing."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen
from twisted.internet.defer import Deferred

from dialer.store.connection import Connection
from dialer.store.database import Database
from dialer.store.drafts import NewGateway, NewUser, NewVoipApp
from dialer.store.times import to_column

SUPERUSERS = "SELECT username FROM user_account WHERE is_superuser = 1 AND is_active = 1 ORDER BY id"
ADD_SUPERUSER = (
    "INSERT INTO user_account (username, password_hash, is_superuser, is_active, created_at) VALUES (?, ?, 1, 1, ?) "
    "ON CONFLICT (username) DO NOTHING"
)
ADD_GATEWAY = (
    "INSERT INTO gateway (name, description, protocol, hostname, dial_string, removeprefix, addprefix, addparameter, status, "
    "created_at, updated_at) SELECT ?, ?, ?, ?, ?, '', '', '', 1, ?, ? WHERE NOT EXISTS (SELECT 1 FROM gateway)"
)
ADD_VOIP_APP = (
    "INSERT INTO voip_app (name, description, type, gateway_id, data, created_at, updated_at) "
    "SELECT ?, ?, ?, (SELECT min(id) FROM gateway), ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM voip_app)"
)


@frozen(kw_only=True)
class Furniture:
    """What shall be there. With `only_first`, the user is added only where there is no other superuser."""

    user: NewUser
    only_first: bool
    gateway: NewGateway
    voip_app: NewVoipApp


@frozen(kw_only=True)
class Furnished:
    """Whether the user was added, and which superusers there were before."""

    user_added: bool
    superusers: tuple[str, ...]


def furnish(database: Database, wanted: Furniture, now: datetime) -> Deferred[Furnished]:
    """Add what is missing, in one transaction. Fails with `StoreError`."""

    def add(connection: Connection) -> Furnished:
        moment, gateway, app = to_column(now), wanted.gateway, wanted.voip_app
        superusers = tuple(name for (name,) in connection.execute(SUPERUSERS))
        user_added = False
        if not (wanted.only_first and superusers):
            row = (wanted.user.username, wanted.user.password_hash, moment)
            user_added = connection.execute(ADD_SUPERUSER, row).rowcount > 0
        ways = (gateway.name, gateway.description, gateway.protocol, gateway.hostname, gateway.dial_string)
        connection.execute(ADD_GATEWAY, (*ways, moment, moment))
        connection.execute(ADD_VOIP_APP, (app.name, app.description, int(app.type), app.data, moment, moment))
        return Furnished(user_added=user_added, superusers=superusers)

    return database.run(add)
