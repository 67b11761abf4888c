"""The open attempts of this process, keyed by the UUIDs of their calls: from the durable begin to the durable end.

The database is their durable copy and is never read per event. What is counted here counts from the begin to the stored end,
so that a limit can never be passed by what is still on its way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, KeysView, Mapping
from datetime import timedelta
from typing import Final, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred

from dialer.calls.live import LiveAttempt
from dialer.model import AttemptState, Signal, SignalKind

T = TypeVar("T")


@define(eq=False)
class OpenAttempts:
    """Holds them, counts them, and tells those that wait for their end. Only the lifecycle adds and removes; others look.

    `gateways`, `campaigns` and `switches` are how many attempts are open, by the id of their gateway and of their campaign,
    and by the name of their switch; what has none is not listed. Second legs count in `gateways` and `switches`, too.
    """

    _live: dict[str, LiveAttempt] = field(factory=dict, init=False)
    _unsent: dict[str, LiveAttempt] = field(factory=dict, init=False)
    _gateways: dict[int, int] = field(factory=dict, init=False)
    _campaigns: dict[int, int] = field(factory=dict, init=False)
    _switches: dict[str, int] = field(factory=dict, init=False)
    _unsent_on: dict[str, int] = field(factory=dict, init=False)
    _second_legs: dict[str, int] = field(factory=dict, init=False)
    """The gateways of those that were not heard to end, by call UUID."""
    _idle: list[Deferred[None]] = field(factory=list, init=False)

    # --- what is open -----------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._live)

    def __iter__(self) -> Iterator[LiveAttempt]:
        """Those of this moment, in the order in which they were begun or taken over; they may end while one goes through."""
        return iter(list(self._live.values()))

    @property
    def calls(self) -> KeysView[str]:
        """The call UUIDs, as they are at any time."""
        return self._live.keys()

    @property
    def gateways(self) -> Mapping[int, int]:
        """How many are open through each gateway, second legs included."""
        return self._gateways

    @property
    def campaigns(self) -> Mapping[int, int]:
        """How many are open in each campaign."""
        return self._campaigns

    @property
    def switches(self) -> Mapping[str, int]:
        """How many are open on each switch, second legs included."""
        return self._switches

    @property
    def unsent(self) -> int:
        """How many were begun and wait for their due time."""
        return len(self._unsent)

    def unsent_on(self, switch: str) -> int:
        """How many of these wait for that switch."""
        return self._unsent_on.get(switch, 0)

    def find(self, call_uuid: str) -> LiveAttempt | None:
        """The attempt of a call; None when this process does not own it."""
        return self._live.get(call_uuid)

    def holds(self, live: LiveAttempt) -> bool:
        """Whether this very attempt is still open here."""
        return self._live.get(live.attempt.call_uuid) is live

    def owns(self, call_uuid: str) -> bool:
        """Whether a channel is one of ours and not ended: the outbound server accepts no other."""
        return self.state_of(call_uuid) not in (None, AttemptState.ENDED)

    def state_of(self, call_uuid: str) -> AttemptState | None:
        """Where the attempt of a call is; ENDED until its end is durable, None when this process does not own it."""
        live = self._live.get(call_uuid)
        return None if live is None else live.state

    def states(self) -> Counter[AttemptState]:
        """How many attempts are in which state."""
        return Counter(live.state for live in self._live.values())

    def of_campaign(self, campaign_id: int | None) -> list[LiveAttempt]:
        """The attempts of a campaign; of all campaigns when it is None."""
        return [live for live in self._live.values() if campaign_id in (None, live.attempt.plan.campaign.id)]

    # --- waiting for ends -------------------------------------------------------------------------------------------------

    def when_stored(self, call_uuid: str) -> Deferred[bool]:
        """Fires once the end of a call that is being written is durable, at once when none is; with False when somebody else
        has ended it, or owns it by now. Fails with `StoreError`."""
        stored: Deferred[bool] = Deferred()
        live = self._live.get(call_uuid)
        if live is None or not live.concluding:
            stored.callback(True)
        else:
            live.stored.append(stored)
        return stored

    def when_idle(self) -> Deferred[None]:
        """Fires once no attempt is open, at once when that is so."""
        waiter: Deferred[None] = Deferred()
        if self._live:
            self._idle.append(waiter)
        else:
            waiter.callback(None)
        return waiter

    # --- second legs --------------------------------------------------------------------------------------------------------

    def begin_leg(self, call_uuid: str, gateway_id: int) -> bool:
        """A second leg of a call that has none counts in its gateway as an attempt does, until it ends or its attempt does.
        False when this process does not own the call."""
        live = self._live.get(call_uuid)
        if live is None:
            return False
        self._second_legs[call_uuid] = gateway_id
        _count(self._gateways, gateway_id)
        _count(self._switches, live.attempt.plan.switch)
        return True

    def end_leg(self, call_uuid: str) -> bool:
        """It is over; False when the call has none."""
        gateway_id = self._second_legs.pop(call_uuid, None)
        if gateway_id is None:
            return False
        _discount(self._gateways, gateway_id)
        _discount(self._switches, self._live[call_uuid].attempt.plan.switch)
        return True

    # --- for the lifecycle ------------------------------------------------------------------------------------------------

    def add(self, live: LiveAttempt) -> None:
        """An attempt is open from now on; unless it is marked as sent, it waits for its due time."""
        call_uuid, plan = live.attempt.call_uuid, live.attempt.plan
        self._live[call_uuid] = live
        if not live.sent:
            self._unsent[call_uuid] = live
            _count(self._unsent_on, plan.switch)
        _count(self._gateways, plan.gateway.id)
        _count(self._campaigns, plan.campaign.id)
        _count(self._switches, plan.switch)
        if live.attempt.second_gateway_id is not None:
            self.begin_leg(call_uuid, live.attempt.second_gateway_id)

    def sending(self, live: LiveAttempt) -> None:
        """From now on a byte of its originate may have been written."""
        self._forget_unsent(live)
        live.sent = True

    def take_unsent(self, which: Callable[[LiveAttempt], bool]) -> list[LiveAttempt]:
        """Those of the attempts of which no byte was written; they do not wait for their due time any more."""
        taken = [live for live in self._unsent.values() if which(live)]
        for live in taken:
            self._forget_unsent(live)
        return [live for live in taken if live.state is AttemptState.PLANNED]

    def remove(self, live: LiveAttempt, *, ended: bool) -> None:
        """The end of an attempt is durable (`ended`), or it is another's affair. Nothing when that was told before."""
        if not self.holds(live):
            return
        call_uuid, plan = live.attempt.call_uuid, live.attempt.plan
        self.end_leg(call_uuid)
        del self._live[call_uuid]
        self._forget_unsent(live)
        _discount(self._gateways, plan.gateway.id)
        _discount(self._campaigns, plan.campaign.id)
        _discount(self._switches, plan.switch)
        live.tell_stored(ended)
        if not self._live:
            waiting, self._idle = self._idle, []
            for waiter in waiting:
                waiter.callback(None)

    def _forget_unsent(self, live: LiveAttempt) -> None:
        if self._unsent.pop(live.attempt.call_uuid, None) is not None:
            _discount(self._unsent_on, live.attempt.plan.switch)


def _count(ledger: dict[T, int], key: T) -> None:
    ledger[key] = ledger.get(key, 0) + 1


def _discount(ledger: dict[T, int], key: T) -> None:
    ledger[key] -= 1
    if not ledger[key]:
        del ledger[key]


REMEMBERED_FOR: Final = timedelta(seconds=330)
"""How long: the longest lease, and the time in which its end is noticed."""

MOST_FOREIGN_HANGUPS: Final = 10_000
"""How many: those of a stock switch in that time, at 1 kB each."""


@define(eq=False)
class ForeignHangups:
    """The last ends of calls that are not this process's, by call UUID, the oldest first; at most `most`, none where there can
    be no other node.

    A switch tells everybody. When a node dies, the calls that ended before another one takes its attempts over have told their
    causes once. So they are remembered for a while: what is taken over then ends as it really did, and not as unknown.
    """

    most: int = 0
    _ends: dict[str, Signal] = field(factory=dict, init=False)

    def note(self, signal: Signal) -> None:
        """A signal of somebody else's call; all but ends are forgotten at once."""
        if not self.most or signal.kind is not SignalKind.HUNG_UP:
            return
        self._ends[signal.call_uuid] = signal
        oldest = next(iter(self._ends))
        if len(self._ends) > self.most or signal.at - self._ends[oldest].at > REMEMBERED_FOR:
            del self._ends[oldest]

    def recall(self, call_uuid: str) -> list[Signal]:
        """The end of a call, if it was heard; once."""
        end = self._ends.pop(call_uuid, None)
        return [] if end is None else [end]
