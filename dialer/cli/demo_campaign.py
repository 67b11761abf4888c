"""The campaign of a demo: found where an earlier run left it, or made."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from attrs import define, frozen

from dialer.model import CampaignStatus, Contact, VoipAppType
from dialer.records import Account, CampaignChange
from dialer.store.admin import Admin
from dialer.store.catalogue import Catalogue
from dialer.store.contacts import Contacts
from dialer.store.database import Database
from dialer.store.drafts import NewCampaign, NewGateway, NewPhonebook, NewUser, NewVoipApp
from dialer.store.lookup import CampaignEntry, Lookup
from dialer.store.requests import campaigns


@frozen(kw_only=True)
class DemoRules:
    """What is dialled and how. `way` names the switch and the gateway: what was left unfinished on one way is gone on with on
    that way only, since made-up numbers of the simulator belong to somebody on a real switch."""

    way: str
    dial_string: str
    contacts: tuple[Contact, ...]
    frequency: int
    max_retry: int
    interval_retry: int
    call_timeout: int
    call_max_duration: int
    audio: str


@define
class DemoCampaign:
    """Prepares the campaign in `database`."""

    database: Database
    rules: DemoRules
    continued: bool = False
    name: str = ""

    async def prepare(self, now: datetime) -> int:
        """The id of the campaign, which has all the contacts and is started. The rules of today hold for what is left."""
        lookup, contacts = Lookup(self.database), Contacts(self.database)
        username = f"demo: {self.rules.way}"[:150]
        user_id = await lookup.user(username)
        if user_id is None:
            user_id = await Admin(self.database).create_user(NewUser(username=username), now)
        known = await lookup.campaigns(user_id)
        unfinished = [campaign for campaign in known if campaign.unfinished]
        if unfinished:
            entry = unfinished[-1]
            self.continued = True
            await self._change(Account(id=user_id, username=username), entry.id, _unique(entry.name, user_id), now)
        else:
            entry = await self._create(user_id, len(known) + 1, now)
        self.name = entry.name
        assert entry.phonebook_id is not None  # noqa: S101 - every campaign of this user was made here
        await contacts.subscribe(entry.id, entry.phonebook_id, now)
        await contacts.import_contacts(entry.phonebook_id, self.rules.contacts, now)
        return entry.id

    async def _change(self, who: Account, campaign_id: int, app_name: str, now: datetime) -> None:
        rules = self.rules
        wanted = CampaignChange(
            status=CampaignStatus.START,
            expires_at=now + timedelta(days=7),
            frequency=rules.frequency,
            call_max_duration=rules.call_max_duration,
            max_retry=rules.max_retry,
            interval_retry=rules.interval_retry,
            call_timeout=rules.call_timeout,
            voip_app_data="",
        )
        catalogue = Catalogue(self.database)
        (app_id,) = [app.id for app in await catalogue.voip_apps() if app.name == app_name]
        await catalogue.change_voip_app(app_id, {"data": rules.audio}, now)
        await self.database.run(partial(campaigns.change, who=who, campaign_id=campaign_id, wanted=wanted, now=now))

    async def _create(self, user_id: int, number: int, now: datetime) -> CampaignEntry:
        admin, rules, name = Admin(self.database), self.rules, f"demo-{number}"
        unique = _unique(name, user_id)
        gateway_id = await admin.create_gateway(NewGateway(name=unique, dial_string=rules.dial_string), now)
        app_id = await admin.create_voip_app(NewVoipApp(name=unique, type=VoipAppType.PLAY_AUDIO, data=rules.audio), now)
        phonebook_id = await admin.create_phonebook(NewPhonebook(user_id=user_id, name=name), now)
        draft = NewCampaign(
            user_id=user_id,
            name=name,
            gateway_id=gateway_id,
            voip_app_id=app_id,
            starting_at=now,
            expires_at=now + timedelta(days=7),
            frequency=rules.frequency,
            call_max_duration=rules.call_max_duration,
            max_retry=rules.max_retry,
            interval_retry=rules.interval_retry,
            call_timeout=rules.call_timeout,
        )
        campaign_id = await admin.create_campaign(draft, now)
        return CampaignEntry(id=campaign_id, name=name, status=draft.status, phonebook_id=phonebook_id, unfinished=True)


def _unique(name: str, user_id: int) -> str:
    """The name of the gateway and of the voice application of a user's campaign."""
    return f"{name} of user {user_id}"
