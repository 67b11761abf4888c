"""Live events: each node reads the event table once for all who follow it, as long as somebody does.

The newest events are kept in memory. Who is further behind reads pages of the table, one page at a time for all of a node,
with pauses, so that the transactions of calls hardly wait. Events are told in the order of their ids; nobody is told one
before it is settled that none with a smaller id may still appear (`dialer.store.events.read`).

A row among the readers of events makes every node write the kinds that are followed. It outlives who follows by `LINGER`, so
that a client which comes back, here or at another node, misses nothing that happened meanwhile.
"""

from __future__ import annotations

import secrets
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from itertools import islice
from operator import attrgetter
from typing import Any, Final, Protocol

import structlog
from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater

from dialer.errors import StoreError
from dialer.management import rows
from dialer.management.management import Management, Transaction, reads, verb
from dialer.model import Account
from dialer.model.event import EventKind, EventPlace, Told
from dialer.periodic import DegradedLog, PeriodicLoop
from dialer.store import events
from dialer.store.connection import Connection
from dialer.store.consumers import Consumers

log = structlog.get_logger()

LOOK_EVERY: Final = 0.2
"""Seconds between two looks for events; nothing is looked for when nobody follows."""
BATCH: Final = 200
"""Events that are read at a time."""
ROUNDS: Final = 10
"""Batches that are read at one look."""

MOST_RECENT: Final = 2000
"""Events in memory."""
MOST_BYTES: Final = 4_000_000
"""Of their facts."""

PAGE: Final = 100
"""Events that are read at a time for those who are behind, and handed out at a time to anybody."""
PAUSE: Final = 0.02
"""Seconds between two pages: several times what one takes from the database's thread."""
AGAIN: Final = 1.0
"""Seconds until a database that does not serve is asked again for a page."""

LINGER: Final = timedelta(minutes=5)
ASK_EVERY: Final = 20.0
"""Seconds after which a node says again which kinds are followed."""

SERVED_AT_ONCE: Final = 25
"""Those who are told in one turn of the reactor: about a millisecond."""


# --- use cases --------------------------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class StreamStart:
    """Behind which event `who` begins. With `unknown`, it is not the one that was asked for, which this database has never
    had: everything that is kept follows."""

    who: Account
    position: int
    unknown: bool = False


@reads
def begin(t: Transaction, who: Account, after: tuple[str, int] | None, campaign_id: int | None) -> StreamStart:
    """Where a user begins who has events up to `after`, an installation and a number; with None, at what comes next. Raises
    `NotFound` for a campaign that is not the user's."""
    if campaign_id is not None:
        rows.ours(who, t.entities.Campaign.get(id=campaign_id), "campaign", campaign_id)
    kept = events.kept(t.connection)
    if after is None:
        return StreamStart(who=who, position=kept.newest)
    installation, number = after
    if installation != kept.installation or number > kept.newest:
        return StreamStart(who=who, position=kept.oldest - 1, unknown=True)
    return StreamStart(who=who, position=number)


@verb
def still(t: Transaction, who: Account) -> Account:
    """The account as it is now. Raises `NotFound` when its login is void."""
    return who


# --- what is told -----------------------------------------------------------------------------------------------------------


@define(eq=False)
class LiveEvent:
    """An event, for all who follow: what is sent of it is made once, when the first one takes it."""

    id: int
    told: Told
    encode: Callable[[Told], bytes]
    _frame: bytes | None = field(default=None, init=False)

    @property
    def frame(self) -> bytes:
        """The bytes that are sent, encoded once for all readers."""
        if self._frame is None:
            self._frame = self.encode(self.told)
        return self._frame


@frozen(kw_only=True)
class LivePage:
    """Everything behind one event up to the id `end`. `oldest` is the id of the oldest event that was kept at that moment: who
    is at a place before it has lost some."""

    events: Sequence[LiveEvent]
    end: int
    oldest: int


class Follower(Protocol):
    """Somebody who is told. `position` is the id up to which it was."""

    position: int

    @property
    def kinds(self) -> frozenset[EventKind]:
        """Which ones it asks for; always the same."""
        ...

    def pump(self) -> None:
        """There may be more: take it."""
        ...

    def take(self, page: LivePage) -> None:
        """A page that was asked for, in which its position lies."""
        ...


@define(eq=False)
class LiveEvents:
    """Tells those who follow. `encode` makes of an event what is sent. Reactor thread only."""

    management: Management
    clock: IReactorTime
    encode: Callable[[Told], bytes]
    _name: str = field(init=False)
    _readers: Consumers = field(init=False)
    _loop: PeriodicLoop = field(init=False)
    _is_started: bool = field(default=False, init=False)
    _followers: dict[Follower, None] = field(factory=dict, init=False)
    _recent: list[LiveEvent] = field(factory=list, init=False)
    _bytes: int = field(default=0, init=False)
    _floor: int = field(default=0, init=False)
    """The id behind which everything is in `_recent`."""
    _place: EventPlace | None = field(default=None, init=False)
    _served: dict[Follower, None] = field(factory=dict, init=False)
    _turn: IDelayedCall | None = field(default=None, init=False)
    _behind: dict[Follower, None] = field(factory=dict, init=False)
    _pages: Deferred[None] | None = field(default=None, init=False)
    _kinds: Counter[EventKind] = field(factory=Counter, init=False)
    _followed_at: dict[EventKind, float] = field(factory=dict, init=False)
    _asked: frozenset[EventKind] = field(factory=frozenset, init=False)
    _ask_at: float = field(default=0.0, init=False)
    _degraded: DegradedLog = field(
        factory=lambda: DegradedLog("no live events are told: the database does not serve"), init=False
    )

    def __attrs_post_init__(self) -> None:
        database: Any = self.management.database
        # Of this process: the row of the one before outlives it, with the kinds of those who will come back.
        self._name = f"stream {database.node.name} {secrets.token_hex(4)}"
        self._readers = Consumers(database, database.node.name)
        self._loop = PeriodicLoop("live events", LOOK_EVERY, self.look, self.clock)

    # --- who follows ------------------------------------------------------------------------------------------------------

    def join(self, follower: Follower) -> None:
        """From now on, it is told by `pump` that there may be more."""
        self._followers[follower] = None
        self._kinds.update(follower.kinds)
        if not self._is_started:
            self._is_started = True
            self._loop.start()
        elif not follower.kinds <= self._asked:
            self._loop.call_soon()

    def leave(self, follower: Follower) -> None:
        """No more."""
        if follower in self._followers:
            del self._followers[follower]
            self._kinds.subtract(follower.kinds)
        self._behind.pop(follower, None)

    async def expect(self, kinds: frozenset[EventKind]) -> None:
        """Somebody looks at what there is of these kinds, and may look again without following: they are written for
        `LINGER`. Fails with `StoreError`."""
        self._followed_at |= dict.fromkeys(kinds, self.clock.seconds())
        await self._ask()

    async def stop(self) -> None:
        """Nobody follows any more, and nobody will."""
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        await self._loop.stop()
        if self._pages is not None:
            await self._pages

    # --- what there is ----------------------------------------------------------------------------------------------------

    def behind(self, position: int) -> Sequence[LiveEvent] | None:
        """The next events behind that place, at most `PAGE` of them; None when they are not in memory: then `fetch`."""
        if self._place is None or position >= self._place.position:
            return ()
        if position < self._floor:
            return None
        first = bisect_right(self._recent, position, key=attrgetter("id"))
        return self._recent[first : first + PAGE]

    def fetch(self, follower: Follower) -> None:
        """Read the next events for it, which it gets by `take`."""
        self._behind[follower] = None
        if self._pages is None:
            pages = Deferred.fromCoroutine(self._read_pages())
            if not pages.called:
                self._pages = pages

    async def look(self) -> None:
        """Read what there is."""
        if not self._followers:
            self._forget()
            return
        try:
            await self._ask()
            if self._place is None:
                await self._begin()
            for _ in range(ROUNDS):
                if not await self._read():
                    break
        except StoreError as error:
            self._degraded.failed(str(error))
        else:
            self._degraded.worked()

    async def _ask(self) -> None:
        """Say which kinds are followed, or were until a short time ago, when that is new or was said some time ago."""
        seconds = self.clock.seconds()
        self._followed_at |= {kind: seconds for kind, count in self._kinds.items() if count > 0}
        wanted = frozenset(kind for kind, at in self._followed_at.items() if seconds - at < LINGER.total_seconds())
        if wanted == self._asked and seconds < self._ask_at:
            return
        await self._readers.enter(self._name, wanted, self.management.now(), LINGER)
        self._asked, self._ask_at = wanted, seconds + ASK_EVERY

    async def _begin(self) -> None:
        """With the newest ones that fit into memory, since those who come back after a restart are not far behind."""
        kept = await self.management.database.run(events.kept)
        self._floor = max(0, kept.newest - MOST_RECENT)
        self._place = EventPlace(self._floor)

    async def _read(self) -> bool:
        """Read the next ones; whether there may be more."""
        place = self._place
        if place is None:
            return False
        self._place, found = await self._readers.read(place, BATCH)
        if found and not self._recent:
            self._floor = found[0].event.id - 1  # what is missing before it is gone, or never was
        self._recent += [LiveEvent(told.event.id, told, self.encode) for told in found]
        self._bytes += sum(len(told.event.data) for told in found)
        self._trim()
        if found:
            self._tell()
        return len(found) == BATCH

    def _trim(self) -> None:
        """Forget the oldest ones that are too many, or too long."""
        count = max(0, len(self._recent) - MOST_RECENT)
        left = self._bytes - sum(len(each.told.event.data) for each in self._recent[:count])
        while left > MOST_BYTES:
            left -= len(self._recent[count].told.event.data)
            count += 1
        if count:
            self._floor, self._bytes = self._recent[count - 1].id, left
            del self._recent[:count]

    def _forget(self) -> None:
        self._recent, self._bytes, self._place = [], 0, None

    # --- telling ----------------------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        """Everybody, some in each turn of the reactor."""
        self._served |= self._followers
        if self._turn is None:
            self._serve_some()

    def _serve_some(self) -> None:
        self._turn = None
        for follower in list(islice(self._served, SERVED_AT_ONCE)):
            del self._served[follower]
            if follower in self._followers:
                follower.pump()
        if self._served:
            self._turn = self.clock.callLater(0, self._serve_some)

    async def _read_pages(self) -> None:
        """A page at a time, as long as somebody is behind; it is for all who are in the same part of the table."""
        while self._behind:
            pause = AGAIN
            try:
                await self._serve_page(next(iter(self._behind)).position)
                pause = PAUSE
            except StoreError as error:
                self._degraded.failed(str(error))
            except Exception:  # of one of them: the others are told
                log.exception("a page of live events was not told")
            await deferLater(self.clock, pause)
        self._pages = None

    async def _serve_page(self, start: int) -> None:
        page = await self._read_page(start)
        for follower in [each for each in self._behind if start <= each.position <= page.end]:
            del self._behind[follower]
            follower.take(page)

    async def _read_page(self, start: int) -> LivePage:
        upto = start if self._place is None else self._place.position
        oldest, found = await self.management.database.run(partial(_page, after=start, last=upto))
        end = found[-1].event.id if len(found) == PAGE else max(start, upto)
        return LivePage(events=[LiveEvent(each.event.id, each, self.encode) for each in found], end=end, oldest=oldest)


def _page(connection: Connection, after: int, last: int) -> tuple[int, list[Told]]:
    """The id of the oldest event that is kept, and events between two ids, in order."""
    (oldest,) = connection.execute(events.OLDEST).fetchone()
    return last + 1 if oldest is None else int(oldest), events.between(connection, after, last, PAGE)
