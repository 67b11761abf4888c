"""What a test begins with, made by the use cases as everybody makes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred

from dialer.management import (
    Management,
    campaigns,
    contacts,
    do_not_call,
    gateways,
    grants,
    phonebooks,
    records,
    subscribers,
    users,
)
from dialer.model import Account, CallRecord, CampaignDetails, CampaignStatus, Contact, Progress, SubscriberStatus
from dialer.model.do_not_call import EVERYBODYS
from dialer.model.user import ADMINISTRATOR, PROTECTIVE_LIMITS
from dialer.store.database import Database

T = "2026-11-23 10:00:00.000000"
SEED = f"""
INSERT INTO user_account (id, username, password_hash, is_superuser, is_active, created_at)
    VALUES (1, 'ann', '', 0, 1, '{T}');
INSERT INTO gateway (id, name, description, protocol, hostname, dial_string, removeprefix, addprefix, addparameter, status,
    created_at, updated_at) VALUES (1, 'g', '', 'SIP', 'h', '', '', '', '', 1, '{T}', '{T}');
INSERT INTO voip_app (id, name, description, type, data, created_at, updated_at) VALUES (1, 'v', '', 1, '', '{T}', '{T}');
INSERT INTO campaign (id, user_id, name, description, status, starting_at, expires_at, frequency, max_retry, gateway_id,
    voip_app_id, created_at, updated_at) VALUES (1, 1, 'c', '', 1, '{T}', '{T}', 10, 3, 1, 1, '{T}', '{T}');
INSERT INTO phonebook (id, user_id, name, description, created_at) VALUES (1, 1, 'p', '', '{T}');
INSERT INTO contact (id, phonebook_id, number, first_name, last_name, email, description, additional_vars, created_at,
    updated_at, identity) VALUES (1, 1, '100', '', '', '', '', '{{}}', '{T}', '{T}', '100');
INSERT INTO contact (id, phonebook_id, number, first_name, last_name, email, description, additional_vars, created_at,
    updated_at, identity) VALUES (2, 1, '200', '', '', '', '', '{{}}', '{T}', '{T}', '200');
INSERT INTO subscriber (id, campaign_id, contact_id, number, status, ready_at, count_attempt, free_retries, identity)
    VALUES (1, 1, 1, '100', 1, '{T}', 0, 0, '100');
INSERT INTO subscriber (id, campaign_id, contact_id, number, status, count_attempt, free_retries, identity)
    VALUES (2, 1, 2, '200', 6, 0, 0, '200');
INSERT INTO attempt (id, call_uuid, campaign_id, subscriber_id, gateway_id, number, dial_string, number_of_attempt, state,
    owner, epoch, core_uuid, planned_at, due_at, deadline, identity)
    VALUES (1, 'one', 1, 2, 1, '200', 'x', 1, 'planned', 'here', 1, '', '{T}', '{T}', '{T}', '200');
"""
"""A started campaign of ann's with two subscribers, of whom one is being called."""

LISTED = f"INSERT INTO do_not_call (list_id, number, identity, created_at) VALUES (1, '300', '300', '{T}');"
"""A number that nobody calls."""

RECORDS = f"""
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
INSERT INTO attempt (id, call_uuid, campaign_id, subscriber_id, gateway_id, number, identity, caller_id, caller_name,
    dial_string, number_of_attempt, state, owner, epoch, core_uuid, planned_at, due_at, deadline, sent_at, rang_at,
    answered_at, ended_at, cause, disposition, counts_as_attempt, reason, q850, sip_status, sip_disposition, ring_ms, talk_ms,
    duration_ms, machine, session)
    SELECT 10 + i, 'call-' || i, 1, 1, 1, '100', '100', '15550100', 'Ana', 'x', i, 'ended', 'here', 1, '',
    strftime('%Y-%m-%d %H:%M:%f', '{T}', '+' || i || ' seconds') || '000', '{T}', '{T}', '{T}', '{T}', '{T}', '{T}',
    'NORMAL_CLEARING', 'ANSWERED', 1, 'reached', 16, 200, 'recv_bye', 4000, 31000, 36000, 0, '{{"digits": "1"}}' FROM n;
"""
"""As many ended attempts of the subscriber 1 of `SEED` as `:count` says, one begun in a second; for SQLite."""


def account(user_id: int = 1) -> Account:
    """Somebody who asks."""
    return Account(id=user_id, username=f"user {user_id}")


@define(eq=False)
class Seeds:
    """The use cases on a database, at one moment, which can be moved."""

    database: Database
    now: datetime
    management: Management = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.management = Management(self.database, lambda: self.now)

    def ask(self, use_case: Any, *arguments: Any, **more: Any) -> Deferred[Any]:
        return self.management.ask(use_case, *arguments, **more)

    # --- nouns ------------------------------------------------------------------------------------------------------------

    def user(self, **given: Any) -> Deferred[int]:
        """Without limits unless they are given."""
        return self.ask(users.create, {**dict.fromkeys(PROTECTIVE_LIMITS), **given})

    def grant(self, user_id: int = 1, gateways: Iterable[int] = (), voip_apps: Iterable[int] = ()) -> Deferred[None]:
        return self.ask(grants.grant, user_id, {"gateway": gateways, "voip app": voip_apps})

    def gateway(self, **given: Any) -> Deferred[int]:
        return self.ask(gateways.create, given)

    def voip_app(self, **given: Any) -> Deferred[int]:
        return self.ask(gateways.create_application, given)

    async def progress(self, campaign_id: int = 1) -> Progress:
        """How far the campaign is."""
        _, found = await self.ask(campaigns.progress, ADMINISTRATOR, campaign_id)
        return found

    async def phonebook(self, user_id: int = 1, **given: Any) -> int:
        """Its id."""
        return int((await self.ask(phonebooks.create, account(user_id), given)).id)

    async def campaign(self, user_id: int = 1, **given: Any) -> CampaignDetails:
        """With a phonebook of its own; it has begun yesterday, and lasts for a week. An administrator chose what it uses."""
        dates = {"starting_at": self.now - timedelta(days=1), "expires_at": self.now + timedelta(days=7)}
        first = {"gateway_id": 1, "voip_app_id": 1}
        wanted = {**dates, **first, **given}
        found: CampaignDetails = await self.ask(campaigns.create, account(user_id), wanted, granting=True)
        return found

    async def change_campaign(self, campaign_id: int, **given: Any) -> CampaignDetails:
        found: CampaignDetails = await self.ask(campaigns.change, ADMINISTRATOR, campaign_id, given)
        return found

    async def set_campaign_status(self, campaign_id: int, status: CampaignStatus) -> None:
        await self.change_campaign(campaign_id, status=status)

    # --- contacts ---------------------------------------------------------------------------------------------------------

    async def add(self, phonebook_id: int, some: Iterable[Contact]) -> contacts.Imported:
        """What is there already is left as it is."""
        return await contacts.import_contacts(self.management, phonebook_id, some)

    def add_all(self, phonebook_id: int, some: Sequence[Contact]) -> Deferred[int]:
        """All or none."""
        return self.ask(contacts.add_all, phonebook_id, some)

    async def subscribe(self, campaign_id: int, phonebook_id: int) -> int:
        return await contacts.subscribe(self.management, campaign_id, phonebook_id)

    def set_status(self, campaign_id: int, number: str, status: SubscriberStatus, user_id: int = 1) -> Deferred[Any]:
        return self.ask(subscribers.set_status, account(user_id), campaign_id, number, status)

    def forbid(self, *some: str, reason: str = "") -> Deferred[int]:
        """Onto the list that holds for everybody. Fires with how many were not there."""
        entries = do_not_call.entries_of(some, self.management.numbering, {"reason": reason})
        return self.ask(do_not_call.add, ADMINISTRATOR, EVERYBODYS, entries).addCallback(lambda found: found.changed)

    # --- what became of them ------------------------------------------------------------------------------------------------

    def attempts(self, campaign_id: int = 1) -> Deferred[list[CallRecord]]:
        return self.ask(records.attempts, campaign_id)
