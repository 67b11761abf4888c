"""Live figures: what somebody watches is made once for all pages on which the same user watches it, once a second at most, and
only while somebody does.

A page gets all of it first, then the parts that have changed. One whose connection is slow misses what lies between, and gets
all of it again: nothing is kept for it.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Hashable, Mapping
from functools import partial
from typing import Final

from attrs import define, field, frozen
from twisted.internet.interfaces import IReactorTime

from api.open_stream import OpenStream
from dialer.errors import NotFound, StoreError
from dialer.management.live import LiveEvents, LivePage
from dialer.model.event import RARE, EventKind
from dialer.periodic import PeriodicLoop

EVERY: Final = 1.0
"""Seconds between two looks."""

CSRF_PLACE: Final = secrets.token_hex(16)
"""Stands in what is made for all pages where each has its own token."""

LISTED: Final = RARE | {EventKind.CONTACT_OPTED_OUT, EventKind.CONTACT_BLOCKED, EventKind.CONTACT_HELD}
"""What the overview shows. The rare kinds are always written, the others while somebody looks."""


@frozen(kw_only=True)
class Picture:
    """What is watched, at one moment. `parts` are pieces of HTML by the ids of their elements, in order; `whole` is the
    content of the element `target` that holds them. As long as `shape` stays, a part takes the place of the one before."""

    target: str
    shape: Hashable
    parts: Mapping[str, str]
    whole: str


def message(html: str) -> bytes:
    """HTML as an event."""
    lines = "".join(f"data: {line}\n" for line in html.splitlines() if line.strip())
    return f"{lines}\n".encode()


def partial_of(target: str, html: str, swap: str) -> str:
    """HTML that a script of the page puts in its place."""
    return f'<hx-partial hx-target="#{target}" hx-swap="{swap}">{html}</hx-partial>'


@define(eq=False)
class PictureWatch:
    """What all get who watch the same. `draw` makes the picture. Follows the events, so that every node writes them."""

    draw: Callable[[], Awaitable[Picture]]
    live: LiveEvents
    clock: IReactorTime
    begun: Callable[[PictureWatch], None]
    over: Callable[[], None]
    kinds: frozenset[EventKind]
    """Of the events that it shows: each node writes them meanwhile."""
    position: int = field(default=0, init=False)
    version: int = field(default=0, init=False)
    _picture: Picture | None = field(default=None, init=False)
    _change: bytes = field(default=b"", init=False)
    _whole: bytes | None = field(default=None, init=False)
    _pages: dict[PictureStream, None] = field(factory=dict, init=False)
    _loop: PeriodicLoop = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._loop = PeriodicLoop("figures of the page", EVERY, self.look, self.clock)

    def pump(self) -> None:
        """`Follower`: it looks at the table by itself."""

    def take(self, page: LivePage) -> None:
        """`Follower`: it never asks for a page."""

    def join(self, page: PictureStream) -> None:
        """One more watches."""
        self._pages[page] = None
        if len(self._pages) == 1:
            self.begun(self)
            self.live.join(self)
            self._loop.start()

    def leave(self, page: PictureStream) -> None:
        """One watches no more."""
        self._pages.pop(page, None)
        if not self._pages:
            self.live.leave(self)
            self._loop.stop()
            self.over()

    async def look(self) -> None:
        """Make it anew, and tell those who watch."""
        try:
            picture = await self.draw()
        except StoreError:
            return  # the pages keep what they have, and the log tells of the database
        except NotFound:
            for page in list(self._pages):
                page.void()
            return
        self._use(picture)
        for page in list(self._pages):
            page.pump()

    def _use(self, picture: Picture) -> None:
        before, self._picture = self._picture, picture
        if before is None or before.shape != picture.shape:
            self.version += 1
            self._whole, self._change = None, b""
            return
        changed = [key for key, html in picture.parts.items() if before.parts[key] != html]
        if changed:
            self.version += 1
            self._whole = None
            self._change = message("".join(partial_of(key, picture.parts[key], "outerMorph") for key in changed))

    def since(self, version: int) -> bytes:
        """What a page that has that version lacks."""
        if self._picture is None or version == self.version:
            return b""
        if version == self.version - 1 and self._change:
            return self._change
        if self._whole is None:
            self._whole = message(partial_of(self._picture.target, self._picture.whole, "innerMorph"))
        return self._whole


@define(eq=False, kw_only=True)
class PictureStream(OpenStream):
    """The stream of one page, whose forms carry the token `csrf`."""

    watch: PictureWatch
    csrf: str = field(repr=False)
    _has: int = field(default=0, init=False)

    def begin(self) -> None:
        """`OpenStream`."""
        self.watch.join(self)
        self.pump()

    def pump(self) -> None:
        """Send what it lacks, as far as its connection takes it."""
        if self.takes and (data := self.watch.since(self._has)):
            self._has = self.watch.version
            self.write(data.replace(CSRF_PLACE.encode(), self.csrf.encode()))

    def leave(self) -> None:
        """`OpenStream`."""
        self.watch.leave(self)


@define(eq=False)
class Watches:
    """Those that are under way, by whom and what."""

    live: LiveEvents
    clock: IReactorTime
    _open: dict[Hashable, PictureWatch] = field(factory=dict, init=False)

    def of(self, key: Hashable, draw: Callable[[], Awaitable[Picture]], kinds: frozenset[EventKind]) -> PictureWatch:
        """The watch of that key; a new one where there is none, of which nothing is kept unless a page joins it."""
        found = self._open.get(key)
        if found is None:
            found = PictureWatch(draw, self.live, self.clock, partial(self._begun, key), partial(self._over, key), kinds)
        return found

    def _begun(self, key: Hashable, watch: PictureWatch) -> None:
        self._open[key] = watch

    def _over(self, key: Hashable) -> None:
        self._open.pop(key, None)
