"""Campaigns without a way out are paused: those whose every gateway refuses us, call after call, for reasons that do not pass
by themselves, such as a wrong password or a caller id that the carrier does not take. Somebody mends that, and resumes them.

A fault that may pass, such as 503 or a gateway that is down, pauses nobody: the gateway is backed off from and tried again
(`dialer.gateways.Backoff`). The contacts are not charged in either case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import structlog
from attrs import define, field

from dialer.calls.fleet import Fleet
from dialer.interfaces import FlowStore, Now
from dialer.model import Gateway, ObeyedRefusals, Refusals

log = structlog.get_logger()

_NOTHING: Final = ObeyedRefusals(paused=(), unused=frozenset())


@define(eq=False)
class Breaker:
    """Looks at how the gateways of `fleet` fare, and pauses campaigns in `store`."""

    fleet: Fleet
    store: FlowStore
    now: Now
    _looked_at: Mapping[int, Refusals] = field(factory=dict, init=False)

    async def look(self, gateways: Mapping[int, Gateway]) -> None:
        """Pause whatever has no way out, whenever there are more refusals than before. A gateway through which nobody calls
        then is counted anew, so that a campaign that is resumed has as many tries as before. Fails with `StoreError`: they are
        looked at again."""
        refusals = self.fleet.refusals(gateways)
        if refusals == self._looked_at:
            return
        obeyed = await self.store.pause_refused(refusals, self.now()) if refusals else _NOTHING
        self.fleet.forget_refusals(obeyed.unused)
        self._looked_at = {key: each for key, each in refusals.items() if key not in obeyed.unused}
        for each in obeyed.paused:
            log.warning("campaign paused: its gateways refuse us", campaign=each.name, id=each.id, reason=each.reason)
