"""Takes the files that wait in the folder of imports, beside a dialer that calls.

Rows are read on threads of their own; the database gets a chunk at a time, in the turns of the import's user
(`dialer.management.turns`), so that the flow's transactions come between. What is left by a process that died is found again
here, and goes on with the row behind the last chunk.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Final, TypeVar

import structlog
from attrs import define, field
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from dialer.errors import StoreError
from dialer.files.import_folder import ImportFolder
from dialer.management import import_jobs
from dialer.management.import_run import ImportRun
from dialer.management.management import Management
from dialer.model.import_job import ImportJob
from dialer.periodic import DegradedLog, PeriodicLoop
from dialer.store.contacts import IMPORT_CACHE, USUAL_CACHE, hold_indexes
from dialer.thread_turns import READING, shortened

log = structlog.get_logger()
T = TypeVar("T")

LOOK_EVERY: Final = 0.5
"""Seconds between two looks for imports that wait."""
HOLD_EVERY: Final = 3.0
"""Seconds, of the ten for which a node that is dead still has its imports."""
AT_ONCE: Final = 2
"""Imports that this node works on at the same time."""
TIDY_EVERY: Final = 3600.0
"""Seconds between two looks for what is old."""
FORGOTTEN: Final = 3600.0
"""Seconds without a write after which a file that no import has is nobody's: an upload that was broken off by a crash."""
STEP: Final = 100
"""Imports, or pieces of what they refused, that are forgotten in one transaction."""


@define(eq=False)
class ImportWorker:
    """Works on imports as the node of that name. What ended longer ago than `keep` is forgotten."""

    management: Management
    folder: ImportFolder
    node: str
    keep: timedelta
    _loop: PeriodicLoop = field(init=False)
    _pool: ThreadPool = field(factory=lambda: ThreadPool(0, AT_ONCE, "imports"), init=False)
    _runs: dict[int, tuple[ImportRun, Deferred[None]]] = field(factory=dict, init=False)
    _hold_at: float = field(default=0.0, init=False)
    _tidy_at: float = field(default=0.0, init=False)
    _stopping: bool = field(default=False, init=False)
    _degraded: DegradedLog = field(
        factory=lambda: DegradedLog("no imports are taken: the database does not serve"), init=False
    )

    def __attrs_post_init__(self) -> None:
        self._loop = PeriodicLoop("imports", LOOK_EVERY, self.look, self.management.reactor)

    def start(self) -> None:
        """Begin to look."""
        self._pool.start()
        self._loop.start()

    async def stop(self) -> None:
        """What is under way is put down at the end of its chunk, and goes on after the next start, or at another node."""
        self._stopping = True
        await self._loop.stop()
        for run, _ in self._runs.values():
            run.put_down()
        await gatherResults([done for _, done in self._runs.values()])
        if self._pool.started:
            self._pool.stop()

    async def look(self) -> None:
        """Take up what waits, keep what is under way, and tidy up now and then."""
        now = self.management.reactor.seconds()
        try:
            if self._runs and now >= self._hold_at:
                self._hold_at = now + HOLD_EVERY
                await self._hold_on()
            for job in await self.management.ask(import_jobs.open_ones):
                if len(self._runs) < AT_ONCE and not self._stopping and job.id not in self._runs:
                    await self._take_up(job)
            if now >= self._tidy_at:
                self._tidy_at = now + TIDY_EVERY
                await self._tidy_up()
        except StoreError as error:
            self._degraded.failed(str(error))
        else:
            self._degraded.worked()

    async def _hold_on(self) -> None:
        for key, (run, _) in list(self._runs.items()):
            if await self.management.ask(import_jobs.hold, key, self.node) is None:
                run.put_down()

    async def _take_up(self, job: ImportJob) -> None:
        """The file may be at another node."""
        here = await self._in_thread(partial(self.folder.has, job.file))
        if not here and job.node != self.node:
            return
        held = await self.management.ask(import_jobs.hold, job.id, self.node)
        if held is None or self._stopping:
            return
        run = ImportRun(self.management, self.folder, held, self._in_thread)
        done = Deferred.fromCoroutine(self._work(run))
        if not done.called:
            self._runs[job.id] = (run, done)

    async def _work(self, run: ImportRun) -> None:
        job = run.job
        try:
            await self._hold_indexes(IMPORT_CACHE)
            with shortened(READING):
                await run.run()
            await self._clean(job)
        except StoreError as error:
            log.warning("an import waits for the database", id=job.id, reason=str(error))
        except Exception as error:
            log.error("an import could not be worked on", id=job.id, exc_info=error)
        finally:
            self._runs.pop(job.id, None)
            if not self._runs:
                with suppress(StoreError):  # it will connect anew, and hold as much as usual
                    await self._hold_indexes(USUAL_CACHE)

    async def _hold_indexes(self, kibibytes: int) -> None:
        await self.management.database.run(partial(hold_indexes, kibibytes=kibibytes))

    async def _clean(self, job: ImportJob) -> None:
        """The file is of no use any more once the import has ended, or is forgotten."""
        now = await self.management.ask(import_jobs.look_up, job.id)
        if now is None or now.has_ended:
            await self._in_thread(partial(self.folder.remove, job.file))
        else:
            await self.management.ask(import_jobs.release, job.id, self.node)

    async def _tidy_up(self) -> None:
        """Forget what is old, and remove the files that nobody has any more."""
        before = self.management.now() - self.keep
        while await self.management.ask(import_jobs.expire_errors, before, STEP) == STEP:
            pass
        while await self.management.ask(import_jobs.expire, before, STEP) == STEP:
            pass
        written = await self._in_thread(self.folder.names)
        known = await self.management.ask(import_jobs.files)
        old = self.management.now().timestamp() - FORGOTTEN
        for name, at in written.items():
            if known.get(name, at < old):
                await self._in_thread(partial(self.folder.remove, name))

    def _in_thread(self, function: Callable[[], T]) -> Deferred[T]:
        return deferToThreadPool(self.management.reactor, self._pool, function)
