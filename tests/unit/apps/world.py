"""Voice applications on a call, a store and a clock in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import define, evolve, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from dialer.apps.context import Application
from dialer.apps.gated import NoLimits
from dialer.apps.runner import BUILT_IN, VoiceApplications
from dialer.errors import StoreError
from dialer.interfaces import SecondLegs
from dialer.model import Attempt, CallRules, Candidate, Contact, Gateway, Plan, VoipApp, VoipAppType
from dialer.numbering import Numbering, numbering
from dialer.settings import AppSettings
from tests.fakes.calls import MemoryCall
from tests.unit import builders

ANA = Contact(
    number="4930123456",
    first_name="Ana",
    last_name="O'Neill",
    email="ana@example.org",
    additional_vars={"city": "Lima", "Vip level": "gold\r\nX-Evil: 1"},
)
AGENTS = Gateway(id=7, name="agents", dial_string="sofia/gateway/agents/{number}", removeprefix="+", addprefix="00")


@define(eq=False)
class MemoryAppStore:
    """Follows `ApplicationStore`."""

    contacts: dict[int, Contact] = field(factory=lambda: {1: ANA})
    known: dict[int, Gateway] = field(factory=lambda: {7: AGENTS})
    never: list[str] = field(factory=list)
    rules: CallRules = CallRules()
    asked: list[tuple[int, tuple[str, ...]]] = field(factory=list)
    away: bool = False

    def contact(self, contact_id: int) -> Deferred[Contact | None]:
        return fail(StoreError("locked")) if self.away else succeed(self.contacts.get(contact_id))

    def parties(self, gateway_id: int | None, contact_id: int) -> Deferred[tuple[Gateway | None, Contact | None]]:
        gateway = None if gateway_id is None else self.known.get(gateway_id)
        return self.contact(contact_id).addCallback(lambda contact: (gateway, contact))

    def gateways(self) -> Deferred[list[Gateway]]:
        return fail(StoreError("locked")) if self.away else succeed(list(self.known.values()))

    def call_rules(self, user_id: int, identities: Sequence[str], campaign_id: int = 0) -> Deferred[CallRules]:
        self.asked.append((user_id, tuple(identities)))
        return fail(StoreError("locked")) if self.away else succeed(self.rules)

    def never_call(self, candidate: Candidate, now: datetime, reason: str) -> Deferred[None]:
        if self.away:
            return fail(StoreError("locked"))
        self.never.append(candidate.number)
        return succeed(None)


def attempt(kind: VoipAppType, data: str = "", own: str = "", gateway_id: int | None = 7, **changes: Any) -> Attempt:
    """An attempt of a campaign with `data`, whose voice application has `own` data."""
    voip_app = VoipApp(id=1, name="app", type=kind, data=own, gateway_id=gateway_id)
    campaign = builders.campaign(voip_app=voip_app, voip_app_data=data, **changes)
    plan = Plan(
        call_uuid="call-1",
        candidate=builders.candidate(),
        campaign=campaign,
        gateway=builders.gateway(),
        dial_string="loopback/1",
        due_at=builders.NOON,
    )
    return Attempt(
        id=1, plan=plan, number_of_attempt=1, planned_at=builders.NOON, deadline=builders.NOON + timedelta(seconds=10)
    )


@define(eq=False)
class Apps:
    """`start` runs the application of an attempt; `notes` are what it has returned, None until then."""

    settings: AppSettings = field(factory=AppSettings)
    call: MemoryCall = field(factory=MemoryCall)
    store: MemoryAppStore = field(factory=MemoryAppStore)
    clock: Clock = field(factory=Clock)
    applications: dict[VoipAppType, Application] = field(factory=lambda: dict(BUILT_IN))
    numbering: Numbering = field(factory=numbering)
    limits: SecondLegs = field(factory=NoLimits)
    notes: dict[str, str] | None = None
    error: BaseException | None = None

    def runner(self) -> VoiceApplications:
        return VoiceApplications(
            settings=self.settings,
            store=self.store,
            clock=self.clock,
            now=lambda: datetime(2027, 3, 1, tzinfo=UTC),
            applications=self.applications,
            numbering=self.numbering,
            limits=self.limits,
        )

    def start(self, kind: VoipAppType, data: str = "", own: str = "", **more: Any) -> Deferred[dict[str, str]]:
        runner = self.runner()
        running = self.call.driven_by = Deferred.fromCoroutine(runner.run(self.call, attempt(kind, data, own, **more)))
        running.addCallbacks(lambda notes: setattr(self, "notes", notes), lambda why: setattr(self, "error", why.value))
        return running

    def use(self, **settings: Any) -> None:
        self.settings = evolve(self.settings, **settings)
