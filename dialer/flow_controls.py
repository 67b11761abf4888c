"""The part of the service by which use cases act on the flow at once: `dialer.interfaces.FlowControl`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime

import structlog
from twisted.internet.defer import Deferred

from dialer.calls.fleet import Fleet
from dialer.calls.lifecycle import Lifecycle
from dialer.campaigns.scheduler import Scheduler
from dialer.model import Campaign, Gateway, GatewayHealth, IdleReason, OwnSwitch, Progress

log = structlog.get_logger()


class FlowControls(ABC):
    """Works on the flow that a service has built."""

    fleet: Fleet
    lifecycle: Lifecycle
    scheduler: Scheduler

    @abstractmethod
    def now(self) -> datetime:
        """The moment by the clock that all nodes of the database share."""

    def call_soon(self) -> None:
        """Campaigns or contacts changed."""
        self.scheduler.call_soon()

    def release(self, campaign_id: int) -> None:
        """Give back what was begun and not sent."""
        self.lifecycle.release_unsent(campaign_id)

    def hang_up(self, campaign_id: int) -> None:
        """The same, and hang up the campaign's live calls."""
        self.release(campaign_id)
        hung_up = Deferred.fromCoroutine(self.lifecycle.hang_up_all(campaign_id))
        hung_up.addErrback(lambda failure: log.error("calls not hung up", reason=failure.getErrorMessage()))

    def live_calls(self, campaign_id: int) -> int:
        """How many are open here, and at the other nodes as far as they are known."""
        return self.scheduler.live_calls(campaign_id)

    def gateway_health(self, gateway: Gateway) -> GatewayHealth:
        """How a gateway fared of late, at this node."""
        return self.fleet.gateway_health(gateway, self.now())

    def own_switches(self) -> Sequence[OwnSwitch]:
        """Those of this node."""
        return [OwnSwitch(name=one.name, drains=one.drain) for one in self.fleet]

    def calls_per_second(self) -> float:
        """Of all switches that are there, and take calls."""
        return self.fleet.calls_per_second

    def explain(self, campaign: Campaign, progress: Progress | None) -> IdleReason | None:
        """Why it is not calling."""
        return self.scheduler.explain(campaign, progress)
