"""The campaign of a demo: found where an earlier run left it, or made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import define, frozen

from dialer.errors import NotFound
from dialer.management import Management, campaigns, contacts, gateways, subscribers, users
from dialer.model import Account, CampaignDetails, CampaignStatus, Contact, VoipAppType
from dialer.model.user import ADMINISTRATOR, PROTECTIVE_LIMITS

_OVER: Final = (CampaignStatus.END, CampaignStatus.ABORT)


@frozen(kw_only=True)
class DemoRules:
    """The numbers, and how they are dialled. `way` names the switch and the gateway: an unfinished one goes on by that way
    only, since made-up numbers of the simulator belong to somebody on a real switch. With `again`, numbers that an earlier run
    has called are called once more."""

    way: str
    dial_string: str
    contacts: tuple[Contact, ...]
    frequency: int
    max_retry: int
    interval_retry: int
    call_timeout: int
    call_max_duration: int
    audio: str
    again: bool = False


@define
class DemoCampaign:
    """Prepares the campaign. `continued` tells that an earlier run left it unfinished; `user` is whose it is."""

    management: Management
    rules: DemoRules
    continued: bool = False
    name: str = ""
    user: Account = ADMINISTRATOR

    async def prepare(self, now: datetime) -> int:
        """The id of the campaign, which is started and has those of the contacts that no earlier run was done with: whom one
        has called is not called by the next. With `again`, a campaign of its own has all of them. The rules of today hold for
        what is left."""
        ask = self.management.ask
        who = self.user = await self._user()
        known = await campaigns.listed(self.management, who, frozenset(CampaignStatus))  # the newest first
        running = [details for details in known if details.campaign.status not in _OVER]
        settings = self._settings(now)
        current = None if self.rules.again else await self._current(who, known, running)
        if current is not None:
            details = await ask(campaigns.change, who, current.campaign.id, {**settings, "status": CampaignStatus.START})
            await ask(gateways.change_application, details.campaign.voip_app_id, {"data": self.rules.audio})
        else:
            for one in running:
                await ask(campaigns.change, who, one.campaign.id, {"status": CampaignStatus.END})
            details = await self._create(who, f"demo-{len(known) + 1}", settings)
        self.name = details.campaign.name
        phonebook_id = details.phonebooks[0].id
        done = set() if self.rules.again else await self._done(who, [one for one in known if one != current])
        identity = self.management.numbering.identity
        fresh = (contact for contact in self.rules.contacts if identity(contact.number) not in done)
        await contacts.subscribe(self.management, details.campaign.id, phonebook_id)
        await contacts.import_contacts(self.management, phonebook_id, fresh)
        return details.campaign.id

    async def _current(
        self, who: Account, known: Sequence[CampaignDetails], running: Sequence[CampaignDetails]
    ) -> CampaignDetails | None:
        """The campaign to go on with: one that has contacts left to call, else the newest, whose phonebook tells whom it has
        called; None when there is none."""
        unfinished = set(await self.management.ask(campaigns.unfinished, who))
        left = [details for details in running if details.campaign.id in unfinished]
        self.continued = bool(left)
        return left[0] if left else next(iter(known), None)

    async def _done(self, who: Account, earlier: Sequence[CampaignDetails]) -> set[str]:
        """The identities of the numbers that other campaigns of this way are done with."""
        identity = self.management.numbering.identity
        done: set[str] = set()
        for details in earlier:
            found = await subscribers.listed(self.management, who, details.campaign.id, subscribers.DONE)
            done.update(identity(each.subscriber.number) for each in found)
        return done

    async def _user(self) -> Account:
        """The user of this way. Its name had colons once, which a name cannot have any more."""
        name = f"demo: {self.rules.way}"[:150]
        for known in (name, name.replace(":", "")):
            try:
                return await self.management.ask(users.account, known)
            except NotFound:
                continue
        given = {"username": known, **dict.fromkeys(PROTECTIVE_LIMITS)}
        return Account(id=await self.management.ask(users.create, given), username=known)

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
        return await self.management.ask(campaigns.create, who, given, granting=True)
