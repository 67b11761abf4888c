"""Campaigns, as users read and write them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from dialer.errors import AlreadyExists, NotFound
from dialer.model import CampaignStatus
from dialer.records import Account, CampaignChange, CampaignDraft, CampaignRecord
from dialer.store.admin import DAYS
from dialer.store.connection import Connection
from dialer.store.requests import entered, rows, statements
from dialer.store.requests.accounts import Limits, check_limit, limits
from dialer.store.requests.phonebooks import add_phonebook, free_name
from dialer.store.times import to_column

LIFETIME: Final = timedelta(days=7)
"""How long a campaign lasts whose expiry is not given, from the moment of its creation."""

PHONEBOOK_DESCRIPTION: Final = "Auto created Phonebook from API"

KIND: Final = "SELECT type FROM voip_app WHERE id = ?"
APPLICATION: Final = "SELECT voip_app_id, voip_app_data FROM campaign WHERE id = ?"


def read(connection: Connection, who: Account, campaign_id: int) -> CampaignRecord:
    """One campaign. Raises `NotFound`."""
    row = connection.execute(statements.CAMPAIGN.of(connection), (campaign_id, who.id, who.is_superuser)).fetchone()
    if row is None:
        raise NotFound("campaign", campaign_id)
    return rows.campaign(row)


def read_several(connection: Connection, who: Account, statuses: Collection[CampaignStatus]) -> list[CampaignRecord]:
    """Those in one of `statuses`, the newest first."""
    parameters = (who.id, who.is_superuser, *map(int, statuses))
    found = connection.execute(statements.campaigns(len(statuses)).of(connection), parameters)
    return [rows.campaign(row) for row in found]


def check_ours(connection: Connection, who: Account, campaign_id: int) -> None:
    """Raise `NotFound` for a campaign that does not exist, or is somebody else's."""
    if connection.execute(statements.OUR_CAMPAIGN, (campaign_id, who.id, who.is_superuser)).fetchone() is None:
        raise NotFound("campaign", campaign_id)


def create(connection: Connection, who: Account, draft: CampaignDraft, now: datetime) -> CampaignRecord:
    """A started campaign with a phonebook of its name. Raises `LimitExceeded`, `NotFound`, `AlreadyExists`, `BadValue`."""
    allowed = limits(connection, who)
    (count,) = connection.execute(statements.COUNT_CAMPAIGNS, (who.id,)).fetchone()
    check_limit("campaigns", count + 1, allowed.campaigns)
    _check_values(draft, allowed)
    _check_references(connection, draft)
    _check_data(connection, draft.voip_app_id, draft.voip_app_data)
    _check_name(connection, who.id, draft.name)
    columns = _columns(draft) | {
        "starting_at": to_column(draft.starting_at or now),
        "expires_at": to_column(draft.expires_at or now + LIFETIME),
        **{day: int(flag) for day, flag in zip(DAYS, draft.weekdays, strict=True)},
        "user_id": who.id,
        "created_at": to_column(now),
        "updated_at": to_column(now),
    }
    (campaign_id,) = connection.execute(statements.ADD_CAMPAIGN, [columns[name] for name in statements.INSERTED]).fetchone()
    name = free_name(connection, who.id, draft.name, str(campaign_id))
    add_phonebook(connection, who.id, name, PHONEBOOK_DESCRIPTION, campaign_id, now)
    return read(connection, who, campaign_id)


def change(connection: Connection, who: Account, campaign_id: int, wanted: CampaignChange, now: datetime) -> CampaignRecord:
    """Change what is named. Raises `LimitExceeded`, `NotFound`, `AlreadyExists`, `BadValue`."""
    row = connection.execute(statements.OUR_CAMPAIGN, (campaign_id, who.id, who.is_superuser)).fetchone()
    if row is None:
        raise NotFound("campaign", campaign_id)
    owner, name = row
    _check_values(wanted, limits(connection, who))
    _check_references(connection, wanted)
    if wanted.voip_app_id is not None or wanted.voip_app_data is not None:
        voip_app_id, data = connection.execute(APPLICATION, (campaign_id,)).fetchone()
        _check_data(
            connection,
            voip_app_id if wanted.voip_app_id is None else wanted.voip_app_id,
            data if wanted.voip_app_data is None else wanted.voip_app_data,
        )
    if wanted.name is not None and wanted.name != name:
        _check_name(connection, owner, wanted.name)
    columns = _columns(wanted) | {DAYS[day]: int(flag) for day, flag in wanted.weekdays.items()}
    if wanted.status is not None:
        columns["status"] = int(wanted.status)
    columns["updated_at"] = to_column(now)
    connection.execute(statements.change_campaign(list(columns)), (*columns.values(), campaign_id))
    return read(connection, who, campaign_id)


def _columns(wanted: CampaignDraft | CampaignChange) -> dict[str, Any]:
    """What is given, as it is stored."""
    columns: dict[str, Any] = {name: getattr(wanted, name) for name in (*statements.TEXTS, *statements.NUMBERS)}
    columns |= {name: value and str(value) for name in statements.WORDS for value in (getattr(wanted, name),)}
    columns |= {name: value and to_column(value) for name in statements.MOMENTS for value in (getattr(wanted, name),)}
    clocks = ((name, getattr(wanted, name)) for name in statements.CLOCKS)
    columns |= {name: None if clock is None else clock.isoformat("seconds") for name, clock in clocks}
    return {name: value for name, value in columns.items() if value is not None}


def _check_values(wanted: CampaignDraft | CampaignChange, allowed: Limits) -> None:
    check_limit("Frequency", wanted.frequency, allowed.frequency)
    check_limit("Duration", wanted.call_max_duration, allowed.duration)
    check_limit("Retries", wanted.max_retry, allowed.retries)
    check_limit("Timeout", wanted.call_timeout, allowed.timeout)


def _check_references(connection: Connection, wanted: CampaignDraft | CampaignChange) -> None:
    gateway, voip_app = wanted.gateway_id, wanted.voip_app_id
    if gateway is not None and connection.execute(statements.GATEWAY_EXISTS, (gateway,)).fetchone() is None:
        raise NotFound("gateway", gateway)
    if voip_app is not None and connection.execute(statements.VOIP_APP_EXISTS, (voip_app,)).fetchone() is None:
        raise NotFound("voip app", voip_app)


def _check_data(connection: Connection, voip_app_id: int, data: str) -> None:
    (kind,) = connection.execute(KIND, (voip_app_id,)).fetchone()
    entered.application_data(kind, data)


def _check_name(connection: Connection, user_id: int, name: str) -> None:
    if connection.execute(statements.CAMPAIGN_NAMED, (user_id, name)).fetchone() is not None:
        raise AlreadyExists("campaign", "name", name)
