"""The site: what is listened with, what it knows of its connections, and how it ends without cutting anybody short."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.web.http import Request, datetimeToString
from twisted.web.resource import Resource
from twisted.web.server import Site

from api.app import build_app
from api.authentication import Authentication
from api.branches import NO_BRANCH, Branch
from api.channel import ApiChannel
from api.connections import Connections
from api.page.app import build_page, to_page
from api.request import ApiRequest
from api.routes import CDR_PREFIX, PREFIX
from api.streams import Streams
from api.v2 import viewer
from api.v2.app import build_branch
from dialer.management import Management
from dialer.open_files import API_SHARE
from dialer.periodic import RepeatedLog
from dialer.settings import HttpSettings

Page = Callable[[ApiRequest], Any]
"""Serves a request, whose answer it sends."""


class ApiSite(Site):
    """A factory to listen with. It writes no log of requests, but counts them: `answered`, by route and by the first digit of
    the status. `pages` are served beside the API, each by its address."""

    protocol = ApiChannel  # type: ignore[assignment]

    def __init__(
        self,
        branches: Sequence[Branch],
        authentication: Authentication,
        settings: HttpSettings,
        clock: IReactorTime,
        share: float = API_SHARE,
        streams: Streams | None = None,
    ) -> None:
        super().__init__(
            Resource(),
            requestFactory=ApiRequest,
            parsePOSTFormSubmission=False,
            timeout=settings.idle_timeout,
            reactor=clock,
        )
        self.settings = settings
        self._branches = tuple(branches)
        self.draining = False
        self._streams = streams
        self.authentication = authentication
        self.pages: dict[bytes, Page] = {}
        self.answered: dict[tuple[str, int], int] = {}
        self._channels = Connections(settings, clock, share)
        self._limit_streams()
        self._second = -1
        self._date = b""
        self._drained: list[Deferred[None]] = []
        self._faults = RepeatedLog("requests failed", clock, error=True)

    def use(self, settings: HttpSettings) -> None:
        """Other limits, from the next connection, request or login on."""
        self.settings = settings
        self.timeOut = settings.idle_timeout
        self._channels.use(settings)
        self._limit_streams()
        self.authentication.use(settings)

    def _limit_streams(self) -> None:
        if self._streams is not None:
            self._streams.use(self.settings, self._channels.most)

    @property
    def streams(self) -> int:
        """How many answers go on until somebody ends them."""
        return 0 if self._streams is None else len(self._streams)

    @property
    def in_flight(self) -> int:
        """How many requests are on their way in or being answered."""
        return sum(not channel.idle for channel in self._channels)

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._channels)

    @property
    def failed_logins(self) -> int:
        """How often credentials were wrong."""
        return self.authentication.failed

    # --- connections ------------------------------------------------------------------------------------------------------

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """A connection, unless there are too many: then it, or an older one of a stranger, is closed at once."""
        if not self._channels.admit(addr):
            return None
        return super().buildProtocol(addr)

    def opened(self, channel: ApiChannel) -> None:
        """A connection was made."""
        transport: Any = channel.transport
        self._channels.opened(channel, transport.getPeer())

    def closed(self, channel: ApiChannel) -> None:
        """A connection is over."""
        self._channels.closed(channel)
        self._tell_if_drained()

    def logged_in(self, channel: ApiChannel) -> None:
        """A user has proved to be behind a connection."""
        self._channels.logged_in(channel)

    def drain(self) -> Deferred[None]:
        """Close what is idle, answer what is in flight and close after it. Fires once every connection is closed; to be
        called when nothing listens any more. A caller that cannot wait for ever cancels it, which cuts the rest off."""
        self.draining = True
        waiter: Deferred[None] = Deferred(self._cut_off)
        self._drained.append(waiter)
        for channel in self._channels:
            if channel.idle:
                channel.loseConnection()
            else:
                channel.close_after_answer()
                channel.end_stream()
        if self._streams is not None:
            self._streams.end()
        self._tell_if_drained()
        return waiter

    def _cut_off(self, waiter: Deferred[None]) -> None:
        for channel in self._channels:
            channel.forceAbortClient()
        self._drained.remove(waiter)
        waiter.callback(None)

    def _tell_if_drained(self) -> None:
        if len(self._channels):
            return
        waiting, self._drained = self._drained, []
        for waiter in waiting:
            waiter.callback(None)

    def note_fault(self, fault: str, **more: str) -> None:
        """Something here kept a request from being answered as it should be; "" for nothing. Anybody can ask again and again:
        each fault is told by a line a minute at most."""
        if fault:
            self._faults.happened(fault, reason=fault, **more)

    def branch_of(self, path: bytes) -> Branch:
        """Where an address belongs."""
        return next((branch for branch in self._branches if path.startswith(branch.prefix)), NO_BRANCH)

    def note_answer(self, route: str, status: int) -> None:
        """An answer is on its way."""
        key = (route, status // 100)
        self.answered[key] = self.answered.get(key, 0) + 1

    # --- requests ---------------------------------------------------------------------------------------------------------

    def date(self) -> bytes:
        """The moment, as the header tells it; made once in a second."""
        second = int(self.reactor.seconds())
        if second != self._second:
            self._second, self._date = second, datetimeToString()
        return self._date

    def log(self, request: Request) -> None:
        """Nothing is written for each request: that is a proxy's business."""


def build_site(management: Management, settings: HttpSettings, clock: IReactorTime) -> ApiSite:
    """The API as a factory: nothing is started, nothing listens. `clock` is the reactor."""
    authentication = Authentication(management, settings, clock)
    streams = Streams(management, settings, clock)
    page = build_page(management, authentication, streams, clock) if settings.page else ()
    branches = (
        *(Branch(each.encode(), build_app(management, authentication, each).resource()) for each in (PREFIX, CDR_PREFIX)),
        build_branch(management, authentication, streams),
        *page,
    )
    site = ApiSite(branches, authentication, settings, clock, streams=streams)
    site.pages |= viewer.pages()
    if page:
        site.pages |= {b"/": to_page, b"/ui": to_page}
    return site
