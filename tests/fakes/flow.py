"""The flow on doubles and a stepped clock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from attrs import define, evolve, field
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from dialer.calls.fleet import Fleet
from dialer.calls.flow_settings import FlowSettings
from dialer.calls.lifecycle import Lifecycle
from dialer.calls.verdict import Health
from dialer.interfaces import AnsweredCall
from dialer.model import (
    Attempt,
    AttemptResult,
    Campaign,
    CampaignStatus,
    Gateway,
    Hangup,
    LiveChannel,
    Plan,
    Signal,
    SignalKind,
    VoipApp,
    VoipAppType,
)
from tests.fakes.store import MemoryStore
from tests.fakes.switch import MemorySwitch

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

GATEWAY = Gateway(id=1, name="carrier", dial_string="sofia/gateway/carrier/{number}")

CAMPAIGN = Campaign(
    voip_app_id=1,
    id=1,
    user_id=1,
    name="autumn",
    status=CampaignStatus.START,
    starting_at=START - timedelta(days=1),
    expires_at=START + timedelta(days=7),
    daily_start=time(0, 0),
    daily_stop=time(23, 59, 59),
    weekdays=(True,) * 7,
    time_zone="UTC",
    frequency=600,
    call_max_duration=60,
    max_retry=2,
    interval_retry=300,
    call_timeout=30,
    gateway_id=1,
    voip_app=VoipApp(id=1, name="message", type=VoipAppType.PLAY_AUDIO),
)


async def nothing(call: AnsweredCall, attempt: Attempt) -> dict[str, str]:
    """A voice application that is content with the answer."""
    return {}


@define(eq=False)
class Flow:
    """A `Lifecycle` with everything around it in memory."""

    campaign: Campaign = CAMPAIGN
    gateway: Gateway = GATEWAY
    clock: Clock = field(factory=Clock)
    store: MemoryStore = field(factory=MemoryStore)
    switch: MemorySwitch = field(factory=MemorySwitch)
    finished: list[AttemptResult] = field(factory=list)
    fleet: Fleet = field(init=False)
    lifecycle: Lifecycle = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.store.campaigns[self.campaign.id] = self.campaign
        self.store.gateways[self.gateway.id] = self.gateway
        self.lifecycle = self.new_lifecycle()

    @property
    def health(self) -> Health:
        """How the one switch, and the gateways through it, fared."""
        (member,) = self.fleet
        return member.health

    def new_fleet(self) -> Fleet:
        """As a process has it when it starts."""
        return Fleet.of_one(self.switch)

    def new_lifecycle(self) -> Lifecycle:
        """As a new process of the same node would have it."""
        self.fleet = self.new_fleet()
        return Lifecycle(
            clock=self.clock,
            now=self.now,
            store=self.store,
            fleet=self.fleet,
            settings=FlowSettings(installation="test", outbound="127.0.0.1:8084"),
            application=nothing,
            finished=self.finished.append,
        )

    def now(self) -> datetime:
        return START + timedelta(seconds=self.clock.seconds())

    def plan(self, number: str = "15550001", after: float = 0.0) -> Plan:
        """A new contact, and the plan to call it `after` seconds from now."""
        candidate = self.store.add(self.campaign, number, self.now())
        return Plan(
            call_uuid=f"call-{candidate.subscriber_id}",
            candidate=candidate,
            campaign=self.campaign,
            gateway=self.gateway,
            dial_string=f"sofia/gateway/carrier/{number}",
            due_at=self.now() + timedelta(seconds=after),
        )

    def begin(self, *plans: Plan) -> list[int]:
        """Begin them; the list holds how many were begun once that is known."""
        begun: list[int] = []
        Deferred.fromCoroutine(self.lifecycle.begin(plans)).addCallback(lambda attempts: begun.append(len(attempts)))
        self.clock.advance(0)
        return begun

    def call(self, number: str = "15550001") -> str:
        """Begin and submit one call now; returns its UUID."""
        plan = self.plan(number)
        self.begin(plan)
        return plan.call_uuid

    def tell(self, uuid: str, kind: SignalKind, cause: str = "", hangup: Hangup | None = None) -> None:
        self.lifecycle.signal_received(Signal(kind=kind, call_uuid=uuid, at=self.now(), cause=cause, hangup=hangup))

    def hang_up(self, uuid: str, cause: str = "NORMAL_CLEARING", **facts: object) -> None:
        self.tell(uuid, SignalKind.HUNG_UP, cause, evolve(Hangup(cause=cause), **facts))

    def channel(self, uuid: str, *, answered: bool = True, account: str = "dialer-test", **more: object) -> None:
        self.switch.channels[uuid] = evolve(LiveChannel(call_uuid=uuid, account_code=account, answered=answered), **more)
