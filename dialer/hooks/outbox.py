"""Delivers what waits in the outbox: in order, at least once, again after failures, until it arrives.

`JsonLines` is the hook that writes them to a local file.

A delivery is a row that was committed with its cause, so it survives whatever happens to this process; it may arrive twice
when the process dies between telling and noting that it told.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import structlog
from attrs import define, field, frozen
from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.internet.interfaces import IReactorTime

from dialer.errors import HookFailed, StoreError
from dialer.interfaces import DeliveryStore, Hook, Now
from dialer.model import Delivery
from dialer.periodic import DegradedLog, PeriodicLoop
from dialer.safe_files import UnsafeFile
from dialer.safe_paths import parent_of

log = structlog.get_logger()

LOOK_EVERY = 1.0
"""Seconds between two looks at the outbox."""

BATCH = 200
"""Deliveries that a hook gets at a time."""

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=5)


@define(eq=False)
class OutboxDeliverer:
    """Hands what is due in `store` to `hook`."""

    clock: IReactorTime
    now: Now
    store: DeliveryStore
    hook: Hook
    _loop: PeriodicLoop = field(init=False)
    _degraded: DegradedLog = field(
        factory=lambda: DegradedLog("nothing is delivered: the database does not serve"), init=False
    )

    def __attrs_post_init__(self) -> None:
        self._loop = PeriodicLoop("outbox", LOOK_EVERY, self.deliver_due, self.clock)

    def start(self) -> None:
        """Begin to deliver."""
        self._loop.start()

    async def stop(self) -> None:
        """Deliver what is due, once more, then no more."""
        await self._loop.stop()
        await self.deliver_due()

    async def deliver_due(self) -> None:
        """Deliver everything that is due now, as long as it arrives."""
        try:
            while due := await self.store.due(self.now(), BATCH):
                self._degraded.worked()
                if not await self._deliver(due):
                    return
        except StoreError as error:
            self._degraded.failed(str(error))

    async def _deliver(self, due: list[Delivery]) -> bool:
        try:
            await self.hook(due)
        except HookFailed as error:
            log.warning("not delivered", deliveries=len(due), reason=str(error))
            await _all([self.store.try_again(one.id, self.now() + _pause(one.tries), str(error)) for one in due])
            return False
        await _all([self.store.delivered(one.id, self.now()) for one in due])
        return True


def _pause(tries: int) -> timedelta:
    """Before the next try: doubled each time, 1 s to 5 min."""
    return min(FIRST_PAUSE * 2 ** min(tries, 16), LONGEST_PAUSE)


async def _all(settled: list[Deferred[bool]]) -> None:
    """Wait for all of them. Raises what the first one that failed has failed with."""
    try:
        await gatherResults(settled, consumeErrors=True)
    except FirstError as first:
        first.subFailure.raiseException()


@frozen
class JsonLines:
    """A hook that appends one line for each outcome to `path`; the lines are on disk when it returns. The file is opened for
    each batch, so that it may be rotated away."""

    path: Path

    async def __call__(self, deliveries: Sequence[Delivery]) -> None:
        """Append the payloads. Raises `HookFailed`; a line that was written in part is ended, so that it spoils no other."""
        lines = "".join(delivery.payload + "\n" for delivery in deliveries)
        try:
            with parent_of(self.path) as (folder, name):
                descriptor = folder.open(name, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
            with os.fdopen(descriptor, "ab") as file:
                size = file.tell()
                if size and os.pread(descriptor, 1, size - 1) != b"\n":
                    file.write(b"\n")
                file.write(lines.encode())
                file.flush()
                os.fsync(descriptor)
        except UnsafeFile as error:
            raise HookFailed(str(error)) from error
        except OSError as error:
            raise HookFailed(f"{self.path}: {error.strerror}") from error
