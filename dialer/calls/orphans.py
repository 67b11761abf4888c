"""Channels on the switch that carry our account code and that no attempt knows.

The attempt of a channel may be another dialer's, when several share a database, or this process's own a moment before it is
known here; so a channel is an orphan only when neither this process's memory nor the database knows it, and still so after the
grace. The database is asked after the switch has listed its channels: an attempt is durable before its call exists, so a call
that was begun meanwhile is known.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta

import structlog
from attrs import define, field
from twisted.internet.defer import Deferred

from dialer.calls.corrections import Correction, CorrectionLog
from dialer.calls.register import OpenAttempts
from dialer.errors import CommandFailed, StoreError, SwitchUnavailable
from dialer.interfaces import Now, Switch
from dialer.model import LiveChannel

log = structlog.get_logger()


@define(eq=False, kw_only=True)
class OrphanChannels:
    """Remembers what it has seen, and hangs up what stays an orphan for `grace` seconds. `known` is `FlowStore.known`. True
    while there may be one, so that somebody has to look again."""

    now: Now
    switch: Switch
    account_code: str
    grace: float
    attempts: OpenAttempts
    known: Callable[[Collection[str]], Deferred[set[str]]]
    corrections: CorrectionLog
    _seen: dict[str, datetime] = field(factory=dict, init=False)
    _looking: bool = field(default=False, init=False)
    _failed: bool = field(default=False, init=False)

    def __bool__(self) -> bool:
        return bool(self._seen) or self._looking or self._failed

    def forget(self) -> None:
        """The switch went away: its channels as last seen prove nothing any more."""
        self._seen.clear()

    def look(self, channels: Iterable[LiveChannel]) -> None:
        """Look for orphans among the channels of the switch, in the background: the database may take its time. Does nothing
        while a look is under way."""
        if self._looking:
            return
        self._looking = True
        Deferred.fromCoroutine(self._look([one.call_uuid for one in channels if self._may_be_orphan(one)])).addErrback(
            lambda failure: log.error("cannot look for orphans", reason=failure.getTraceback())
        )

    async def _look(self, suspects: list[str]) -> None:
        self._failed = True
        try:
            await self._hang_up_orphans(suspects)
            self._failed = False
        except (StoreError, SwitchUnavailable, CommandFailed) as error:
            log.warning("cannot tell whose calls these are", switch=self.switch.name, reason=str(error))
        finally:
            self._looking = False

    async def _hang_up_orphans(self, suspects: list[str]) -> None:
        known = await self.known(suspects) if suspects else set()
        now = self.now()
        orphans = [uuid for uuid in suspects if uuid not in known and uuid not in self.attempts.calls]
        self._seen = {uuid: self._seen.get(uuid, now) for uuid in orphans}
        for uuid, seen_at in list(self._seen.items()):
            if now - seen_at < timedelta(seconds=self.grace) or uuid in self.attempts.calls:
                continue
            if await self.switch.kill(uuid, "NORMAL_CLEARING"):
                self.corrections.note(
                    Correction.ORPHAN_HUNG_UP, uuid, "the channel has our account code, and no attempt knows it"
                )
            self._seen.pop(uuid, None)

    def _may_be_orphan(self, channel: LiveChannel) -> bool:
        """The far half of a loopback call carries our account code, too, and so does the second leg of a call."""
        return (
            channel.outbound
            and channel.account_code == self.account_code
            and channel.call_uuid not in self.attempts.calls
            and channel.bonded_to in ("", channel.call_uuid)
        )
