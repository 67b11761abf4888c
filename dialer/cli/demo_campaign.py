"""The campaign of a demo: found where an earlier run left it, or made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from attrs import define, frozen

from dialer.errors import NotFound
from dialer.management import Management, campaigns, contacts, gateways, users
from dialer.model import Account, CampaignDetails, CampaignStatus, Contact, VoipAppType


@frozen(kw_only=True)
class DemoRules:
    """The numbers, and how they are dialled. `way` names the switch and the gateway: an unfinished one goes on by that way
    only, since made-up numbers of the simulator belong to somebody on a real switch."""

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
    """Prepares the campaign."""

    management: Management
    rules: DemoRules
    continued: bool = False
    name: str = ""

    async def prepare(self, now: datetime) -> int:
        """The id of the campaign, which has all the contacts and is started. The rules of today hold for what is left."""
        ask = self.management.ask
        who = await self._user()
        known = await ask(campaigns.listed, who, frozenset(CampaignStatus))
        unfinished = await ask(campaigns.unfinished, who)
        settings = self._settings(now)
        self.continued = bool(unfinished)
        if unfinished:
            details = await ask(campaigns.change, who, unfinished[-1], {**settings, "status": CampaignStatus.START})
            await ask(gateways.change_application, details.campaign.voip_app_id, {"data": self.rules.audio})
        else:
            details = await self._create(who, f"demo-{len(known) + 1}", settings)
        self.name = details.campaign.name
        phonebook_id = details.phonebooks[0].id
        await contacts.subscribe(self.management, details.campaign.id, phonebook_id)
        await contacts.import_contacts(self.management, phonebook_id, self.rules.contacts)
        return details.campaign.id

    async def _user(self) -> Account:
        """The user of this way. Its name had colons once, which a name cannot have any more."""
        name = f"demo: {self.rules.way}"[:150]
        for known in (name, name.replace(":", "")):
            try:
                return await self.management.ask(users.account, known)
            except NotFound:
                continue
        return Account(id=await self.management.ask(users.create, {"username": known}), username=known)

    def _settings(self, now: datetime) -> dict[str, Any]:
        rules = self.rules
        return {
            "expires_at": now + timedelta(days=7),
            "frequency": rules.frequency,
            "call_max_duration": rules.call_max_duration,
            "max_retry": rules.max_retry,
            "interval_retry": rules.interval_retry,
            "call_timeout": rules.call_timeout,
            "voip_app_data": "",
        }

    async def _create(self, who: Account, name: str, settings: Mapping[str, Any]) -> CampaignDetails:
        unique = f"{name} of user {who.id}"
        gateway = {"name": unique, "dial_string": self.rules.dial_string}
        app = {"name": unique, "type": VoipAppType.PLAY_AUDIO, "data": self.rules.audio}
        given = {
            **settings,
            "name": name,
            "gateway_id": await self.management.ask(gateways.create, gateway),
            "voip_app_id": await self.management.ask(gateways.create_application, app),
        }
        return await self.management.ask(campaigns.create, who, given)
