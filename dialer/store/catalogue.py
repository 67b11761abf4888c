"""Users, gateways and voice applications, for the one who administers them: listed, changed, removed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from attrs import define, fields, frozen
from twisted.internet.defer import Deferred

from dialer.appdata import check_data
from dialer.errors import InUse, NotFound
from dialer.model import GatewayStatus, VoipAppType
from dialer.store import number_rules
from dialer.store.database import Database
from dialer.store.entities import Entities
from dialer.store.refusals import refusals
from dialer.store.times import from_entity, to_entity


@frozen(kw_only=True)
class UserEntry:
    """A user. A limit of None is no limit; the lists are patterns of numbers (`dialer.patterns`)."""

    id: int
    username: str
    is_superuser: bool
    is_active: bool
    has_password: bool
    max_number_campaign: int | None
    max_number_subscriber_campaign: int | None
    max_frequency: int | None
    max_duration: int | None
    max_retries: int | None
    max_timeout: int | None
    blacklist: tuple[str, ...]
    whitelist: tuple[str, ...]
    created_at: datetime


@frozen(kw_only=True)
class GatewayEntry:
    """A gateway as it was entered. `failover` is a gateway's name."""

    id: int
    name: str
    description: str
    protocol: str
    hostname: str
    dial_string: str
    removeprefix: str
    addprefix: str
    addparameter: str
    maximum_call: int | None
    calls_per_second: int | None
    failover: str | None
    status: GatewayStatus
    created_at: datetime
    updated_at: datetime


@frozen(kw_only=True)
class VoipAppEntry:
    """A voice application as it was entered. `gateway` is a gateway's name."""

    id: int
    name: str
    description: str
    type: VoipAppType
    gateway: str | None
    data: str
    created_at: datetime
    updated_at: datetime


@define(eq=False)
class Catalogue:
    """Each method is one transaction. Fails with: `StoreError`; `change_*` with `Duplicate` and `BadValue`, which name the
    field, and `NotFound`; `remove_*` with `NotFound` and `InUse`. Ids are the rows'."""

    database: Database

    def users(self) -> Deferred[list[UserEntry]]:
        """All of them, the oldest first."""

        def read(e: Entities) -> list[UserEntry]:
            rules = number_rules.read_all(e.db.get_connection())
            return [_user(row, rules.get(row.id, number_rules.NumberRules())) for row in e.User.select().order_by(e.User.id)]

        return self.database.run_with_entities(read)

    def gateways(self) -> Deferred[list[GatewayEntry]]:
        """All of them, the oldest first."""
        return self.database.run_with_entities(
            lambda e: [
                _entry(GatewayEntry, row, failover=row.failover and row.failover.name, status=GatewayStatus(row.status))
                for row in e.Gateway.select().order_by(e.Gateway.id)
            ]
        )

    def voip_apps(self) -> Deferred[list[VoipAppEntry]]:
        """All of them, the oldest first."""
        return self.database.run_with_entities(
            lambda e: [
                _entry(VoipAppEntry, row, gateway=row.gateway and row.gateway.name, type=VoipAppType(row.type))
                for row in e.VoipApp.select().order_by(e.VoipApp.id)
            ]
        )

    def change_user(
        self, user_id: int, changes: Mapping[str, object], patterns: Mapping[str, tuple[str, ...]] | None = None
    ) -> Deferred[None]:
        """`changes` are attributes of `NewUser` or `is_active`; `patterns` replaces the lists that it names."""

        def change(e: Entities) -> None:
            with refusals():
                _existing(e.User, "user", user_id).set(**changes)
            for kind, list_of_patterns in (patterns or {}).items():
                number_rules.write(e.db.get_connection(), user_id, kind, list_of_patterns)

        return self.database.run_with_entities(change)

    def change_gateway(self, gateway_id: int, changes: Mapping[str, object], now: datetime) -> Deferred[None]:
        """`changes` are attributes of `NewGateway`."""
        return self._change(lambda e: e.Gateway, "gateway", gateway_id, changes, now)

    def change_voip_app(self, app_id: int, changes: Mapping[str, object], now: datetime) -> Deferred[None]:
        """`changes` are attributes of `NewVoipApp`. Its data must fit its kind afterwards."""

        def check(row: Any) -> None:
            check_data(VoipAppType(row.type), row.data, by_admin=True, field="data")

        return self._change(lambda e: e.VoipApp, "voip app", app_id, changes, now, check)

    def remove_user(self, user_id: int) -> Deferred[None]:
        """With its lists; it must have neither campaigns nor phonebooks."""

        def remove(e: Entities) -> None:
            row = _existing(e.User, "user", user_id)
            _refuse_in_use(
                "user", row.username, {"campaign": row.campaigns.count(), "phonebook": row.phonebooks.count()}, "it has"
            )
            for kind in (number_rules.BLACKLIST, number_rules.WHITELIST):
                number_rules.write(e.db.get_connection(), user_id, kind, ())
            row.delete()

        return self.database.run_with_entities(remove)

    def remove_gateway(self, gateway_id: int) -> Deferred[None]:
        """Nothing may use it, nor ever have called through it."""

        def remove(e: Entities) -> None:
            row = _existing(e.Gateway, "gateway", gateway_id)
            uses = {
                "campaign": row.campaigns.count(),
                "voip app": row.voip_apps.count(),
                "gateway": row.fails_over_for.count(),
                "attempt": row.attempts.count(),
            }
            _refuse_in_use("gateway", row.name, uses, "it is used by")
            row.delete()

        return self.database.run_with_entities(remove)

    def remove_voip_app(self, app_id: int) -> Deferred[None]:
        """No campaign may use it."""

        def remove(e: Entities) -> None:
            row = _existing(e.VoipApp, "voip app", app_id)
            _refuse_in_use("voip app", row.name, {"campaign": row.campaigns.count()}, "it is used by")
            row.delete()

        return self.database.run_with_entities(remove)

    def _change(
        self,
        entity: Callable[[Entities], Any],
        kind: str,
        key: int,
        changes: Mapping[str, object],
        now: datetime,
        check: Callable[[Any], None] = lambda _: None,
    ) -> Deferred[None]:
        def change(e: Entities) -> None:
            with refusals():
                values = dict(changes)
                for reference in ("failover", "gateway"):
                    other = values.pop(f"{reference}_id", None)
                    if f"{reference}_id" in changes:
                        values[reference] = None if other is None else _existing(e.Gateway, "gateway", other)
                row = _existing(entity(e), kind, key)
                row.set(**values, updated_at=to_entity(now))
                check(row)

        return self.database.run_with_entities(change)


def _existing(entity: Any, kind: str, key: Any) -> Any:
    found = entity.get(id=key)
    if found is None:
        raise NotFound(kind, key)
    return found


def _refuse_in_use(kind: str, name: str, uses: Mapping[str, int], verb: str) -> None:
    counts = [f"{count} {what}{'' if count == 1 else 's'}" for what, count in uses.items() if count]
    if counts:
        raise InUse(kind, name, f"{verb} {', '.join(counts)}")


def _user(row: Any, rules: number_rules.NumberRules) -> Any:
    return _entry(UserEntry, row, has_password=bool(row.password_hash), blacklist=rules.blacklist, whitelist=rules.whitelist)


def _entry(kind: Any, row: Any, **made: object) -> Any:
    """A value from the attributes of a row; `made` are those that are not as they stand there."""
    values = dict(made)
    for name in (attribute.name for attribute in fields(kind)):
        if name not in made:
            value = getattr(row, name)
            values[name] = from_entity(value) if isinstance(value, datetime) else value
    return kind(**values)
