"""Live events as server-sent events. Of each client, there is a place in the table of events, beside what any `OpenStream`
has. It comes back with the id of the last event that it got, and goes on behind that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import orjson
from attrs import define, field, frozen

from api.open_stream import OpenStream
from dialer.envelope import line, outward_id
from dialer.management import Management
from dialer.management.live import LiveEvent, LiveEvents, LivePage, StreamStart
from dialer.model import Account
from dialer.model.event import EventKind, Told

PIECE: Final = 65_536
"""Bytes that are written at once, and about as many wait in the transport before nothing more is written."""

SILENT: Final = 1000
"""A client is told how far it is when so many ids have passed that it was not told of."""

LOST: Final = "stream.lost"
"""The type of the event that tells a client that others are missing."""


def frame(told: Told) -> bytes:
    """An event as it is sent. JSON has no line breaks."""
    id_ = outward_id(told.installation, told.event.id)
    return f"id: {id_}\nevent: {told.event.kind}\ndata: {line(told)}\n\n".encode()


@frozen(kw_only=True)
class Wish:
    """What a client wants to hear."""

    kinds: frozenset[EventKind]
    campaign_id: int | None = None

    def has(self, told: Told, who: Account) -> bool:
        """Whether the user hears of an event."""
        if self.campaign_id is not None and told.event.campaign_id != self.campaign_id:
            return False
        return told.event.kind in self.kinds and told.may_be_seen_by(who.id, superuser=who.is_superuser)


@define(eq=False, kw_only=True)
class EventStream(OpenStream):
    """The stream of one client."""

    live: LiveEvents
    management: Management
    wish: Wish
    beginning: StreamStart
    position: int = field(init=False)
    _told: int = field(init=False)
    """The id that the client knows as the last one."""

    def __attrs_post_init__(self) -> None:
        self.position = self._told = self.beginning.position

    @property
    def kinds(self) -> frozenset[EventKind]:
        """`Follower`."""
        return self.wish.kinds

    def begin(self) -> None:
        """`OpenStream`."""
        if self.beginning.unknown:
            self._tell_lost(self.position)
        self.live.join(self)
        self.pump()

    def leave(self) -> None:
        """`OpenStream`."""
        self.live.leave(self)

    # --- dialer.management.live.Follower ----------------------------------------------------------------------------------

    def pump(self) -> None:
        """Send what is there, as far as the client takes it."""
        while self.takes:
            found = self.live.behind(self.position)
            if found is None:
                self.live.fetch(self)
                return
            if not found:
                return
            self._send(found)

    def take(self, page: LivePage) -> None:
        """Send a page of the table."""
        if not self.takes:
            return
        if self.position < page.oldest - 1:
            self._tell_lost(page.oldest - 1)
        if self._send(page.events):
            self.position = max(self.position, page.end)
        self.pump()

    def _send(self, found: Sequence[LiveEvent]) -> bool:
        """Send of these what is wanted; whether all were looked at."""
        piece: list[bytes] = []
        size = 0
        for event in found:
            if event.id <= self.position:
                continue
            if size >= PIECE:
                self.write(b"".join(piece))
                piece, size = [], 0
                if not self.takes:
                    return False
            self.position = event.id
            if self.wish.has(event.told, self.who):
                self._told = event.id
                piece.append(event.frame)
                size += len(event.frame)
        if piece:
            self.write(b"".join(piece))
        return True

    def _tell_lost(self, position: int) -> None:
        """Events up to that id are not kept any more, or the client's own id is none of this database."""
        self.position = self._told = position
        installation = self.management.database.installation_id
        id_, oldest = outward_id(installation, position), outward_id(installation, position + 1)
        data = orjson.dumps({"type": LOST, "oldest": oldest}).decode()
        self.write(f"id: {id_}\nevent: {LOST}\ndata: {data}\n\n".encode())

    def beat(self) -> None:
        """`OpenStream`: who was not told for long learns how far it is."""
        if self.position - self._told >= SILENT:
            self._told = self.position
            id_ = outward_id(self.management.database.installation_id, self.position)
            self.write(f"id: {id_}\n\n".encode())
