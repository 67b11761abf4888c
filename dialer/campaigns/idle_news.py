"""Tells others of campaigns that are idle, and of those that have finished where no end of a call told it.

One node does it for all campaigns. Each look asks the one explanation (`dialer.campaigns.idle`) of every started campaign, a
page at a time, so that calls find their way between. A reason counts when it is there at two looks in a row, and a campaign
is told of once a minute at most: reasons that come and go make no flood. What was told last is stored, whoever looks.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from dialer.errors import StoreError
from dialer.interfaces import Now
from dialer.model import Campaign, EventKind, IdleCode, IdleReason, Progress
from dialer.periodic import DegradedLog, PeriodicLoop

LOOK_EVERY: Final = 5.0
UNASKED_EVERY: Final = 60.0
"""Seconds between two looks while nobody asks for these events: what is told later then begins with what comes later."""
TOLD_EVERY: Final = 60.0
"""Seconds between two events that a campaign is idle."""

KINDS: Final = frozenset({EventKind.CAMPAIGN_IDLE, EventKind.CAMPAIGN_FINISHED})

AT_WORK: Final = frozenset(
    {IdleCode.LAST_CALLS, IdleCode.NEXT_CALL_LATER, IdleCode.CAMPAIGN_FULL, IdleCode.GATEWAY_FULL, IdleCode.NO_DATABASE}
)
"""Reasons of a campaign that makes as many calls as it may; and one that nobody could write."""

OWN: Final = frozenset(
    {
        IdleCode.NO_SWITCH,
        IdleCode.SWITCH_DRAINED,
        IdleCode.SWITCH_FULL,
        IdleCode.GATEWAY_PAUSED,
        IdleCode.GATEWAY_DOWN,
    }
)
"""Reasons of this process: while others call, they are none of the campaign."""

Standing = tuple[Campaign, Progress, str]
"""A started campaign, how far it is, and the code of the reason that was told last, "" for none."""


class IdleStore(Protocol):
    """The started campaigns, and what was told of them. Fails with: `StoreError`."""

    def hold(self, now: datetime) -> Deferred[bool]:
        """Tell of them for the next seconds, again or anew; False while another node does."""
        ...

    def started(self, after: int, now: datetime) -> Deferred[tuple[list[Standing], int | None]]:
        """The next ones behind that id, and the id behind which the next page begins; None after the last."""
        ...

    def tell(self, campaign: Campaign, reason: IdleReason | None, now: datetime) -> Deferred[None]:
        """It is idle for that reason, or not idle: noted, and told when somebody asks for it, unless it is known."""
        ...

    def forget_gone(self) -> Deferred[None]:
        """Nothing was told of campaigns that are not started."""
        ...


@define(eq=False)
class IdleNews:
    """Looks at `store`, and asks `explain`. `wanted` are the kinds that somebody asks for, `others_call` whether other nodes
    make calls."""

    clock: IReactorTime
    now: Now
    store: IdleStore
    explain: Callable[[Campaign, Progress], IdleReason | None]
    wanted: Callable[[], frozenset[EventKind]]
    others_call: Callable[[], bool]
    _loop: PeriodicLoop = field(init=False)
    _look_at: float = field(default=0.0, init=False)
    _seen: dict[int, IdleCode] = field(factory=dict, init=False)
    _told_at: dict[int, float] = field(factory=dict, init=False)
    _degraded: DegradedLog = field(
        factory=lambda: DegradedLog("nothing is told of idle campaigns: the database does not serve"), init=False
    )

    def __attrs_post_init__(self) -> None:
        self._loop = PeriodicLoop("idle campaigns", LOOK_EVERY, self.look, self.clock)

    def start(self) -> None:
        """Begin to look."""
        self._loop.start()

    def stop(self) -> Deferred[None]:
        """No more looks."""
        return self._loop.stop()

    async def look(self) -> None:
        """Look at all of them, when it is time."""
        now = self.clock.seconds()
        if now < self._look_at:
            return
        if not self.wanted() & KINDS:
            self._look_at = now + UNASKED_EVERY
        try:
            if await self.store.hold(self.now()):
                await self._look()
            else:
                self._seen.clear()
        except StoreError as error:
            self._degraded.failed(str(error))
        else:
            self._degraded.worked()

    async def _look(self) -> None:
        await self.store.forget_gone()
        seen: dict[int, IdleCode] = {}
        after: int | None = 0
        while after is not None:
            page, after = await self.store.started(after, self.now())
            for campaign, progress, told in page:
                reason = self._reason(campaign, progress)
                if reason is not None:
                    seen[campaign.id] = reason.code
                if self._is_news(campaign, reason, told):
                    await self.store.tell(campaign, reason, self.now())
        forgotten = self.clock.seconds() - TOLD_EVERY
        self._told_at = {key: at for key, at in self._told_at.items() if at > forgotten}
        self._seen = seen

    def _reason(self, campaign: Campaign, progress: Progress) -> IdleReason | None:
        reason = self.explain(campaign, progress)
        if reason is None or reason.code in AT_WORK or (reason.code in OWN and self.others_call()):
            return None
        return reason

    def _is_news(self, campaign: Campaign, reason: IdleReason | None, told: str) -> bool:
        if reason is None or reason.code is IdleCode.ALL_DONE:
            return told != ("" if reason is None else reason.code)
        if told == reason.code or self._seen.get(campaign.id) is not reason.code or campaign.id in self._told_at:
            return False
        self._told_at[campaign.id] = self.clock.seconds()
        return True
