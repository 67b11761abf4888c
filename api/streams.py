"""The open streams of a site: how many there may be, in all and of one user, and how they end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from api.errors import HttpError, retry_after
from api.event_stream import EventStream, Wish, frame
from api.open_stream import OpenStream, StreamSlot
from dialer.management import Management
from dialer.management.live import LiveEvents, StreamStart, still
from dialer.model import Account
from dialer.settings import HttpSettings

S = TypeVar("S", bound=OpenStream)

LATER: Final = 30
"""Seconds after which somebody asks again for whom there was no room."""

TOO_MANY: Final = "there are {most} streams of events already ({setting}); end one, or come again later"
ENDING: Final = "the dialer is about to stop; come again in a moment"


@define(eq=False)
class Streams:
    """Those of all users."""

    management: Management
    settings: HttpSettings
    clock: IReactorTime
    _most: int = field(init=False)
    live: LiveEvents = field(init=False)
    _open: dict[OpenStream, None] = field(factory=dict, init=False)
    _of_user: Counter[int] = field(factory=Counter, init=False)
    _count: int = field(default=0, init=False)
    _are_ending: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self.live = LiveEvents(self.management, self.clock, frame)
        self.use(self.settings, self.settings.max_connections)

    def __len__(self) -> int:
        return len(self._open)

    def use(self, settings: HttpSettings, connections: int) -> None:
        """Other limits for the streams to come. Of the connections that there may be, half are for streams at most: the others
        are for who asks and goes."""
        self.settings = settings
        self._most = min(settings.max_streams, max(1, connections // 2))

    def new(self, wish: Wish, beginning: StreamStart) -> EventStream:
        """Live events for a client: a stream that is to be started at once. Raises `HttpError` when there are too many."""

        def make(slot: StreamSlot) -> EventStream:
            return EventStream(
                clock=self.clock,
                who=beginning.who,
                still=lambda who: self.management.ask(still, who),
                slot=slot,
                live=self.live,
                management=self.management,
                wish=wish,
                beginning=beginning,
            )

        return self.open(beginning.who, make)

    def open(self, who: Account, make: Callable[[StreamSlot], S]) -> S:
        """Any stream of a user, which is to be started at once. Raises `HttpError` when there are too many."""
        if self._are_ending:
            raise HttpError(503, ENDING, retry_after(1))
        if self._of_user[who.id] >= self.settings.max_streams_per_user:
            sentence = TOO_MANY.format(most=self.settings.max_streams_per_user, setting="http.max_streams_per_user")
            raise HttpError(429, sentence, retry_after(LATER))
        if len(self._open) >= self._most:
            raise HttpError(503, TOO_MANY.format(most=self._most, setting="http.max_streams"), retry_after(LATER))
        self._count += 1
        return make(StreamSlot(self._count, self._opened, partial(self._ended, who.id)))

    def end(self) -> Deferred[None]:
        """End all of them; fires when nothing is read for them any more."""
        self._are_ending = True
        for stream in list(self._open):
            stream.end()
        return Deferred.fromCoroutine(self.live.stop())

    def _opened(self, stream: OpenStream) -> None:
        self._open[stream] = None
        self._of_user[stream.who.id] += 1

    def _ended(self, user_id: int, stream: OpenStream) -> None:
        self._open.pop(stream, None)
        self._of_user[user_id] -= 1
        if not self._of_user[user_id]:
            del self._of_user[user_id]
