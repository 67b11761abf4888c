"""Creating what campaigns are made of. The database validates; what it refuses comes back as the field that is to blame."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from attrs import asdict, define
from pony import orm
from twisted.internet.defer import Deferred

from dialer.appdata import check_data
from dialer.errors import BadValue, NotFound
from dialer.model import CampaignStatus, VoipAppType
from dialer.store import number_rules
from dialer.store.connection import Connection
from dialer.store.database import Database
from dialer.store.drafts import NewCampaign, NewGateway, NewPhonebook, NewUser, NewVoipApp
from dialer.store.entities import Entities
from dialer.store.refusals import refusals
from dialer.store.times import to_column, to_entity
from dialer.store.values import parameters

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@define(eq=False)
class Admin:
    """Each method is one transaction and fires with the new id. Fails with: `Duplicate`, `BadValue` (both name the field),
    `NotFound` (what a draft refers to), `StoreError`."""

    database: Database

    def create_user(self, draft: NewUser, now: datetime) -> Deferred[int]:
        """A user; its name is unique."""

        def create(e: Entities) -> Any:
            values = _given(asdict(draft))
            patterns = {kind: values.pop(kind) for kind in (number_rules.BLACKLIST, number_rules.WHITELIST)}
            user = e.User(**values, created_at=to_entity(now))
            orm.flush()
            for kind, some in patterns.items():
                number_rules.write(e.db.get_connection(), user.id, kind, some)
            return user

        return self._create(create)

    def create_gateway(self, draft: NewGateway, now: datetime) -> Deferred[int]:
        """A gateway; its name is unique."""

        def create(e: Entities) -> Any:
            parameters(draft.addparameter)
            values = _given(asdict(draft))
            failover = values.pop("failover_id", None)
            if failover is not None:
                values["failover"] = _existing(e.Gateway, "gateway", failover)
            return e.Gateway(**values, created_at=to_entity(now), updated_at=to_entity(now))

        return self._create(create)

    def create_voip_app(self, draft: NewVoipApp, now: datetime) -> Deferred[int]:
        """A voice application; its name is unique, and its data such that its kind can do something with it."""

        def create(e: Entities) -> Any:
            check_data(draft.type, draft.data, by_admin=True, field="data")
            values = _given(asdict(draft))
            gateway = values.pop("gateway_id", None)
            if gateway is not None:
                values["gateway"] = _existing(e.Gateway, "gateway", gateway)
            return e.VoipApp(**values, created_at=to_entity(now), updated_at=to_entity(now))

        return self._create(create)

    def create_phonebook(self, draft: NewPhonebook, now: datetime) -> Deferred[int]:
        """A phonebook; its name is unique among its user's."""

        def create(e: Entities) -> Any:
            user = _existing(e.User, "user", draft.user_id)
            return e.Phonebook(user=user, name=draft.name, description=draft.description, created_at=to_entity(now))

        return self._create(create)

    def create_campaign(self, draft: NewCampaign, now: datetime) -> Deferred[int]:
        """A campaign without phonebooks; its name is unique among its user's."""

        def create(e: Entities) -> Any:
            _check_time_zone(draft.time_zone)
            values = _given(asdict(draft, recurse=False))
            references = {
                "user": _existing(e.User, "user", values.pop("user_id")),
                "gateway": _existing(e.Gateway, "gateway", values.pop("gateway_id")),
                "voip_app": _existing(e.VoipApp, "voip app", values.pop("voip_app_id")),
            }
            check_data(VoipAppType(references["voip_app"].type), draft.voip_app_data)
            days = dict(zip(DAYS, values.pop("weekdays"), strict=True))
            for name in ("starting_at", "expires_at"):
                values[name] = to_entity(values[name])
            for name in ("daily_start", "daily_stop"):
                values[name] = values[name].isoformat("seconds")
            return e.Campaign(**values, **days, **references, created_at=to_entity(now), updated_at=to_entity(now))

        return self._create(create)

    def set_campaign_status(self, campaign_id: int, status: CampaignStatus, now: datetime) -> Deferred[None]:
        """Any status at any time. No attempt of the campaign is begun after the answer unless the status is START."""

        def update(connection: Connection) -> None:
            changed = connection.execute(
                "UPDATE campaign SET status = ?, updated_at = ? WHERE id = ?", (int(status), to_column(now), campaign_id)
            ).rowcount
            if not changed:
                raise NotFound("campaign", campaign_id)

        return self.database.run(update)

    def _create(self, make: Callable[[Entities], Any]) -> Deferred[int]:
        def create(entities: Entities) -> int:
            with refusals():
                row = make(entities)
            return int(row.id)

        return self.database.run_with_entities(create)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Enums of numbers as numbers, enums of words as words; what is absent is left to the entity."""
    plain = {}
    for name, value in values.items():
        if value is not None:
            plain[name] = int(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if "unknown_policy" in plain:
        plain["unknown_policy"] = str(plain["unknown_policy"])
    return plain


def _existing(entity: Any, kind: str, key: int) -> Any:
    found = entity.get(id=key)
    if found is None:
        raise NotFound(kind, key)
    return found


def _check_time_zone(name: str) -> None:
    """UTC needs no data base of zones, which a small system may lack."""
    if name == "UTC":
        return
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise BadValue("time_zone", f"expected an IANA name such as Europe/Madrid, got {name!r}") from error
