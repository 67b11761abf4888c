"""What became of our calls while we could not hear the switch: after a lost connection, and after a restart.

The rules are those of the design's crash section. Alive: adopted. Absent after the grace on the same core: `UNKNOWN`. The core
changed: `LOST_SWITCH`. A channel with our account code that nobody owns is looked up again after the grace and only then
hung up.

A job outlives the connection that asked for it: FreeSWITCH may still start a call that it was told of just before the
connection broke. So absence counts only when the grace has passed since the last moment at which the originate could have been
written or started, which for an attempt without a reply is its deadline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from dialer.calls.live import LiveAttempt
from dialer.errors import CommandFailed, SwitchUnavailable
from dialer.interfaces import Now, Switch
from dialer.model import AttemptState, LiveChannel, OwnCause, Signal, SignalKind

log = structlog.get_logger()

LOOK_AGAIN = 1.0
"""Seconds between two looks at the attempts whose fate is still open."""


@define(eq=False)
class Reconciler:
    """Tells the flow, by signals, what became of the attempts that are adrift. `live` is the flow's own table, read only."""

    clock: IReactorTime
    now: Now
    switch: Switch
    account_code: str
    grace: float
    live: Mapping[str, LiveAttempt]
    tell: Callable[[Signal], None]
    _timer: IDelayedCall | None = field(default=None, init=False)
    _running: bool = field(default=False, init=False)
    _looking: bool = field(default=False, init=False)
    _strays: dict[str, datetime] = field(factory=dict, init=False)
    _checking: set[str] = field(factory=set, init=False)

    def start(self) -> None:
        """The switch is there: look at once, and again until nothing is adrift and no stray is left."""
        self._running = True
        self._strays.clear()
        self._look()

    def stop(self) -> None:
        """The switch went away: what was seen of it proves nothing any more."""
        self._running = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def look_for_strays(self) -> None:
        """Look now, unless a look is under way or about to come."""
        if self._running and self._timer is None and not self._looking:
            self._look()

    # --- a job failed, and that does not say whether the call lives ----------------------------------------------------------

    def doubts(self, live: LiveAttempt, signal: Signal) -> bool:
        """`DESTINATION_OUT_OF_ORDER` before any event of the channel may mean that a channel of this UUID is alive (facts,
        "originate"). Returns True when the switch is asked first; the flow hears the signal again when it is not."""
        uuid = signal.call_uuid
        if signal.cause != "DESTINATION_OUT_OF_ORDER" or live.state not in _UNHEARD or uuid in self._checking:
            self._checking.discard(uuid)
            return False
        self._checking.add(uuid)
        Deferred.fromCoroutine(self._check(signal))
        return True

    async def _check(self, signal: Signal) -> None:
        try:
            alive = await self.switch.is_alive(signal.call_uuid)
        except (SwitchUnavailable, CommandFailed) as error:
            log.warning("cannot tell whether a call lives", call=signal.call_uuid, reason=str(error))
            self._checking.discard(signal.call_uuid)
            return  # it is adrift now, or will be found by the next look
        if alive:
            log.warning("the switch knows this call already", call=signal.call_uuid)
            self._checking.discard(signal.call_uuid)
        else:
            self.tell(signal)

    # --- looking ----------------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        self._timer = None
        self._looking = True
        Deferred.fromCoroutine(self._look_once()).addErrback(
            lambda failure: log.error("reconciliation failed", reason=failure.getTraceback())
        ).addCallback(self._again)

    def _again(self, _: object) -> None:
        self._looking = False
        if self._running and self._timer is None and (self._adrift() or self._strays):
            self._timer = self.clock.callLater(LOOK_AGAIN, self._look)

    def _adrift(self) -> list[LiveAttempt]:
        return [live for live in self.live.values() if live.state is AttemptState.ADRIFT and live.sent]

    async def _look_once(self) -> None:
        try:
            channels = {channel.call_uuid: channel for channel in await self.switch.live_channels()}
            for live in self._adrift():
                channel = channels.get(live.attempt.call_uuid)
                if channel is not None:
                    self._found(channel)
                elif not await self._absent(live):
                    return
            await self._hang_up_strays(channels)
        except (SwitchUnavailable, CommandFailed) as error:
            log.warning("cannot compare our calls with the switch", switch=self.switch.name, reason=str(error))

    def _found(self, channel: LiveChannel) -> None:
        kind = SignalKind.FOUND_ANSWERED if channel.answered else SignalKind.FOUND_RINGING
        log.info("call adopted", call=channel.call_uuid, answered=channel.answered)
        self.tell(Signal(kind=kind, call_uuid=channel.call_uuid, at=self.now()))

    async def _absent(self, live: LiveAttempt) -> bool:
        """Decide about a call that the switch does not list. Returns False when the switch went away meanwhile."""
        attempt = live.attempt
        now = self.now()
        restarted = bool(live.core_uuid) and live.core_uuid != self.switch.core_uuid
        if not restarted:
            if now < self._proven_by(live):
                return True
            # `show channels` is a copy that can lag; this answer decides (facts, "Administration")
            if await self.switch.is_alive(attempt.call_uuid):
                self._found(LiveChannel(call_uuid=attempt.call_uuid, account_code=self.account_code, answered=False))
                return True
            if not self._running:
                return False
        cause = OwnCause.LOST_SWITCH if restarted else OwnCause.UNKNOWN
        log.warning("call is gone", call=attempt.call_uuid, cause=cause)
        self.tell(Signal(kind=SignalKind.FOUND_GONE, call_uuid=attempt.call_uuid, at=self.now(), cause=cause))
        return True

    def _proven_by(self, live: LiveAttempt) -> datetime:
        started_by = live.last_heard_at if live.heard else live.attempt.deadline
        return started_by + timedelta(seconds=self.grace)

    async def _hang_up_strays(self, channels: Mapping[str, LiveChannel]) -> None:
        now = self.now()
        strays = {uuid for uuid, channel in channels.items() if self._is_stray(channel)}
        for uuid in list(self._strays):
            if uuid not in strays:
                del self._strays[uuid]
        for uuid in strays:
            seen = self._strays.setdefault(uuid, now)
            if now - seen >= timedelta(seconds=self.grace):
                log.warning("hanging up a call that nobody owns", call=uuid)
                await self.switch.kill(uuid, "NORMAL_CLEARING")
                self._strays.pop(uuid, None)

    def _is_stray(self, channel: LiveChannel) -> bool:
        return (
            channel.outbound
            and channel.account_code == self.account_code
            and channel.call_uuid not in self.live
            and channel.bonded_to in ("", channel.call_uuid)
        )


_UNHEARD = frozenset({AttemptState.PLANNED, AttemptState.SUBMITTED})
