"""The facts that a voice application has beside its call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from dialer.appdata import Data
from dialer.interfaces import AnsweredCall, ApplicationStore
from dialer.model import Attempt, Contact, Gateway
from dialer.numbering import Numbering, numbering
from dialer.settings import AppSettings


@define(eq=False, kw_only=True)
class CallContext:
    """One answered call's surroundings. `notes` are stored with the attempt, however the call ends: an application writes
    there what happened, as it happens."""

    attempt: Attempt
    settings: AppSettings
    store: ApplicationStore
    clock: IReactorTime
    numbering: Numbering = field(factory=numbering)
    notes: dict[str, str] = field(factory=dict)

    @property
    def data(self) -> str:
        """The campaign's data for the application, else the voice application's own; "" when neither has any."""
        return self._data.text

    @property
    def by_admin(self) -> bool:
        """Whether `data` is the voice application's own, which only an administrator enters."""
        return self._data.by_admin

    @property
    def _data(self) -> Data:
        campaign = self.attempt.plan.campaign
        return Data.of(campaign.voip_app_data, campaign.voip_app)

    async def contact(self) -> Contact:
        """The contact, read now; one without a name when it was removed meanwhile. Fails with `StoreError`."""
        candidate = self.attempt.plan.candidate
        return await self.store.contact(candidate.contact_id) or Contact(number=candidate.number)

    async def gateway(self) -> Gateway | None:
        """The gateway of the voice application, read now. Fails with `StoreError`."""
        return (await self.parties())[0]

    async def parties(self, *, through_gateway: bool = True) -> tuple[Gateway | None, Contact]:
        """Both, read at once; without `through_gateway`, the contact alone."""
        candidate = self.attempt.plan.candidate
        gateway_id = self.attempt.plan.campaign.voip_app.gateway_id if through_gateway else None
        gateway, contact = await self.store.parties(gateway_id, candidate.contact_id)
        return gateway, contact or Contact(number=candidate.number)


Application = Callable[[AnsweredCall, CallContext], Awaitable[Mapping[str, str] | None]]
"""Drives an answered call; when it returns, the call is hung up. What it returns is added to the notes. May raise
`SessionGone` (the callee hung up) and any other `DialerError` (the call is hung up, the attempt's notes tell why)."""
