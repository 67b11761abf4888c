"""The contracts of the flow: with the store, and with whoever changes what it works on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from twisted.internet.defer import Deferred

from dialer.model import (
    Attempt,
    AttemptResult,
    AttemptState,
    Campaign,
    CampaignStatus,
    Candidate,
    Gateway,
    GatewayHealth,
    IdleReason,
    ObeyedRefusals,
    OwnSwitch,
    Plan,
    Progress,
    Refusals,
    RefusedContact,
    Signal,
    Snapshot,
)
from dialer.model.campaign import CallOrder

Now = Callable[[], datetime]
"""Returns the current moment, aware, in UTC."""


class FlowStore(Protocol):
    """The durable side of the flow. Fails with: `StoreError`."""

    def snapshot(self, now: datetime | None = None, also: Collection[int] = ()) -> Deferred[Snapshot]:
        """The started campaigns and all gateways; with `now`, only the campaigns that have somebody to call at that moment,
        and those of `also`, as far as they are started."""
        ...

    def candidates(
        self,
        campaign_id: int,
        now: datetime,
        limit: int,
        skip: int = 0,
        order: CallOrder = CallOrder.RETRIES_FIRST,
        share: int = 50,
    ) -> Deferred[list[Candidate]]:
        """At most `limit` subscribers that are ready at `now`, not on the do-not-call list and with no attempt open to their
        number: of the highest priority, in that order, of which `share` percent are retries where it is a mix. The first
        `skip` are left to others, if there are more."""
        ...

    def is_cut_short(self, campaign_id: int) -> bool:
        """Whether the last answer about a campaign's candidates was given before all that are ready were looked at: many had
        to be set aside."""
        ...

    def begin(self, plans: Sequence[Plan], now: datetime, until: datetime, deadline: datetime) -> Deferred[list[Attempt]]:
        """Claim the subscribers and write the attempts, in one transaction for the batch. What is no longer allowed (campaign
        not started, subscriber not ready, number on the do-not-call list, another attempt open to that number) is left out of
        the answer. Where other nodes call, too, the limits that hold over all of them are obeyed: a call may be due later than
        planned, and one that would be due after `until`, or for which there is no headroom, is left out. Fires only when the
        rows are durable."""
        ...

    @property
    def backlog(self) -> int:
        """How many changes wait for the database."""
        ...

    def refuse(self, refused: Sequence[RefusedContact], now: datetime) -> Deferred[None]:
        """These are not called: they become NOT_AUTHORISED, unless a call of theirs is live, or wait until the moment that is
        named."""
        ...

    def pause_refused(self, refusals: Mapping[int, Refusals], now: datetime) -> Deferred[ObeyedRefusals]:
        """Gateways refuse us, by their ids: pause the started campaigns that have no way out but such, in one transaction,
        with the reason. A gateway through which a call of any node got since its first refusal refuses nobody."""
        ...

    def move(self, attempt: Attempt, to: AttemptState, at: datetime, core_uuid: str = "") -> None:
        """Note a move forward. Batched: durable soon, before the attempt's end is; an attempt that has ended stays so."""
        ...

    def pressed(self, attempt: Attempt, digits: str, at: datetime) -> None:
        """Note keys that the callee pressed, when somebody wants to hear of it. Batched with the moves."""
        ...

    def finish(self, finish: AttemptResult, *, unless_recorded: bool = False) -> Deferred[bool]:
        """End the attempt, set the subscriber, write the events: one transaction. Fires with False, and nothing is
        changed, when the attempt had ended before, is another node's by now, or, with `unless_recorded`, has a pending call
        detail record."""
        ...

    def begin_leg(self, call_uuid: str, gateway: Gateway, now: datetime, wanted: datetime) -> Deferred[datetime]:
        """A second leg of an open call of this node counts in its gateway from now on, for all nodes, until it or the call
        ends; fires, once that is durable, with the moment at which it may be dialled: `wanted` or later. Fails, with nothing
        written, with `BadValue` when the gateway has no room for it, when it is not due soon enough for somebody who waits, or
        when the call is not this node's any more."""
        ...

    def end_leg(self, call_uuid: str) -> Deferred[None]:
        """It is over; nothing when that was known, or when the call is another node's by now."""
        ...

    def pending_cdr(self, attempt: Attempt) -> Deferred[Signal | None]:
        """The HUNG_UP of a call detail record of an open attempt of this node, which had come to another process; None when
        there is none."""
        ...

    def open_attempts(self) -> Deferred[list[Attempt]]:
        """The attempts of this node that have not ended, as the database holds them."""
        ...

    def known(self, call_uuids: Collection[str]) -> Deferred[set[str]]:
        """Those of the calls of which an attempt is open at any node."""
        ...

    def progress(self, campaign_id: int) -> Deferred[Progress]:
        """The subscribers of a campaign by status."""
        ...

    def statuses(self, campaign_ids: Collection[int]) -> Deferred[dict[int, CampaignStatus]]:
        """The statuses of these campaigns, as far as they exist."""
        ...


class FlowControl(Protocol):
    """The flow as the use cases need it, so that a change acts at once. Called on the reactor thread; nothing waits or
    fails."""

    def call_soon(self) -> None:
        """Campaigns or contacts changed: do not wait for the next tick."""
        ...

    def release(self, campaign_id: int) -> None:
        """Give back the attempts of a campaign that were begun and of which no byte was written to the switch."""
        ...

    def hang_up(self, campaign_id: int) -> None:
        """The same, and hang up the campaign's live calls."""
        ...

    def live_calls(self, campaign_id: int) -> int:
        """How many attempts of a campaign are open."""
        ...

    def gateway_health(self, gateway: Gateway) -> GatewayHealth:
        """How a gateway fared of late."""
        ...

    def own_switches(self) -> Sequence[OwnSwitch]:
        """The switches of this process."""
        ...

    def calls_per_second(self) -> float:
        """How many calls all switches together take that are there; 0 when none is."""
        ...

    def explain(self, campaign: Campaign, progress: Progress | None) -> IdleReason | None:
        """Why the campaign is not calling; None when nothing keeps it from it. Without `progress`, its contacts are not looked
        at."""
        ...
