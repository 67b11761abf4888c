"""The connections of a site: how many there may be, in all and from one address, and whose have to give way.

Anybody can open a connection and say nothing. Where there are as many as there may be, a new one takes the place of the one
that was there the longest without a login, so that idle strangers keep nobody out; a connection that has logged in, or whose
request is being answered, keeps its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from api.channel import ApiChannel
from dialer.open_files import files_for
from dialer.periodic import RepeatedLog
from dialer.settings import HttpSettings

LOCAL: Final = "local"
"""The address of everybody who comes over a Unix socket: mostly a proxy, for which no limit of one address holds."""


def host_of(address: Any) -> str:
    """The host of an address of Twisted's."""
    return str(getattr(address, "host", LOCAL))


@define(eq=False)
class Connections:
    """The open ones, oldest first. `share` is that of the open files of the process."""

    settings: HttpSettings
    clock: IReactorTime
    share: float
    _open: dict[ApiChannel, str] = field(factory=dict, init=False)
    _strangers: dict[ApiChannel, None] = field(factory=dict, init=False)
    _by_address: dict[str, dict[ApiChannel, None]] = field(factory=dict, init=False)
    _most: int = field(init=False)
    _why: str = field(init=False)
    _full: RepeatedLog = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._full = RepeatedLog("too many connections over HTTP", self.clock)
        self.use(self.settings)

    def __iter__(self) -> Iterator[ApiChannel]:
        return iter(list(self._open))

    def __len__(self) -> int:
        return len(self._open)

    @property
    def most(self) -> int:
        """How many there may be."""
        return self._most

    def use(self, settings: HttpSettings) -> None:
        """Other limits, for the connections to come."""
        self.settings = settings
        self._most, self._why = settings.max_connections, "http.max_connections"
        files = files_for(self.share)
        if files is not None and files < self._most:
            self._most, self._why = files, "the limit of open files (RLIMIT_NOFILE), most of which are kept for calls"

    def admit(self, address: Any) -> bool:
        """Whether another connection may be made from there; an older one may have to go for it."""
        host = host_of(address)
        of_host = self._by_address.get(host, {})
        if host != LOCAL and len(of_host) >= self.settings.max_connections_per_address:
            return self._make_room(
                of_host, host, self.settings.max_connections_per_address, "http.max_connections_per_address"
            )
        return len(self._open) < self._most or self._make_room(self._strangers, host, self._most, self._why)

    def opened(self, channel: ApiChannel, address: Any) -> None:
        """A connection was made."""
        host = host_of(address)
        self._open[channel] = host
        self._strangers[channel] = None
        self._by_address.setdefault(host, {})[channel] = None

    def logged_in(self, channel: ApiChannel) -> None:
        """A request of that connection has proved to come from a user."""
        self._strangers.pop(channel, None)

    def closed(self, channel: ApiChannel) -> None:
        """A connection is over, or about to be."""
        host = self._open.pop(channel, None)
        if host is None:
            return
        self._strangers.pop(channel, None)
        of_host = self._by_address[host]
        del of_host[channel]
        if not of_host:
            del self._by_address[host]

    def _make_room(self, among: Iterable[ApiChannel], host: str, most: int, why: str) -> bool:
        oldest = next((each for each in among if each in self._strangers and not each.answering), None)
        self._full.happened(why, peer=host, limit=most, see=why, refused=oldest is None)
        if oldest is None:
            return False
        self.closed(oldest)
        oldest.abort()
        return True
