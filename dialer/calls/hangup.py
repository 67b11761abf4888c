"""Hanging up calls until they are over.

A switch that has accepted an originate makes the channel a moment later. In between it does not know the call, and answers
that there is none to hang up; so it is asked again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from dialer.calls.live import LiveAttempt
from dialer.errors import SwitchUnavailable
from dialer.interfaces import Switch
from dialer.model import AttemptState

PAUSES: Final = (0.1, 0.2, 0.4, 0.8, 1.6, 2.0)
"""Seconds between two looks at calls that the switch did not know. A busy switch takes a second to begin a call."""


async def hang_up(calls: Iterable[LiveAttempt], switch: Switch, clock: IReactorTime) -> int:
    """Hang up those of `calls` that were sent and have not ended. Returns how many the switch knew; at once when it is
    away."""
    killed = 0
    left = list(calls)
    for pause in PAUSES:
        unknown = []
        for live in left:
            if not live.sent or live.state is AttemptState.ENDED:
                continue
            try:
                if await switch.kill(live.attempt.call_uuid, "NORMAL_CLEARING"):
                    killed += 1
                else:
                    unknown.append(live)
            except SwitchUnavailable:
                return killed
        if not unknown:
            break
        left = unknown
        await deferLater(clock, pause)
    return killed
