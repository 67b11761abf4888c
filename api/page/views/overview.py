"""The overview: everything that goes on, on one screen, live."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping
from contextlib import suppress
from typing import Any, Final

from attrs import define, field

from api.page.live import CSRF_PLACE, LISTED, Picture, PictureStream
from api.page.rendering import Renderer
from api.page.routes import PageReply, Visit, shows
from dialer.errors import StoreError
from dialer.management.overview import CampaignView, Overview
from dialer.management.page_sessions import still
from dialer.model import Scope, SubscriberStatus
from dialer.model.event import EventKind

PARTS: Final = "overview_parts.html"

BAR: Final = (
    SubscriberStatus.COMPLETE,
    SubscriberStatus.IN_PROCESS,
    SubscriberStatus.FAIL,
    SubscriberStatus.NOT_AUTHORISED,
    SubscriberStatus.ABORT,
    SubscriberStatus.PAUSE,
    SubscriberStatus.START,
)
"""The states of contacts in the order of the bar."""
WIDTH: Final = 1000

MOST_ROWS: Final = 2000
"""That are remembered; the oldest go."""


def bar_of(counts: Mapping[SubscriberStatus, int]) -> list[tuple[SubscriberStatus, int, int, int]]:
    """The pieces of a bar: a state, its contacts, where its piece begins, and how wide it is, of `WIDTH` in all."""
    total, before, found = sum(counts.values()), 0, []
    for status in BAR:
        count = counts.get(status, 0)
        if count:
            begin, end = round(before * WIDTH / total), round((before + count) * WIDTH / total)
            found.append((status, count, begin, max(end - begin, 4)))
        before += count
    return found


@define(eq=False)
class OverviewPainter:
    """Makes pictures of overviews, for all who may do the same. A row is made anew when what it shows has changed."""

    renderer: Renderer
    may_dial: bool
    _rows: dict[int, tuple[object, str]] = field(factory=dict, init=False)

    def paint(self, found: Overview) -> Picture:
        """The picture at that moment."""
        rows = {f"campaign-{view.campaign.id}": self._row(view) for view in found.campaigns}
        while len(self._rows) > MOST_ROWS:
            self._rows.pop(next(iter(self._rows)))
        parts = {
            "summary": self._part("summary", found, found.campaigns),
            **rows,
            "gateways": self._part("gateways", found.gateways),
            "nodes": self._part("nodes", found.nodes),
            "events": self._part("events", found.events, {view.campaign.id: view.campaign.name for view in found.campaigns}),
        }
        whole = self.renderer.html("overview_live.html", {"parts": parts, "rows": rows, "hidden": found.hidden})
        return Picture(target="overview", shape=tuple(rows), parts=parts, whole=whole)

    def _part(self, name: str, *values: Any) -> str:
        return str(self.renderer.macro(PARTS, name)(*values))

    def _row(self, view: CampaignView) -> str:
        campaign = view.campaign
        shows_ = (
            campaign.name, campaign.status, campaign.frequency, tuple(sorted(view.progress.subscribers.items())), view.live,
            view.ringing, view.per_second, view.totals, view.reason, view.forecast.ends_at and view.forecast.ends_at.replace(
                second=0, microsecond=0), view.forecast.reason,
        )  # fmt: skip
        known = self._rows.get(campaign.id)
        if known is not None and known[0] == shows_:
            return known[1]
        made = str(self.renderer.macro(PARTS, "campaign")(view, bar_of(view.progress.subscribers), self.may_dial, CSRF_PLACE))
        self._rows.pop(campaign.id, None)
        self._rows[campaign.id] = (shows_, made)
        return made


def _painter(visit: Visit) -> OverviewPainter:
    painter: OverviewPainter = visit.site.painters[Scope.DIAL in visit.who.scopes]
    return painter


async def expect(visit: Visit, kinds: frozenset[EventKind]) -> None:
    """Who has no script to follow what happens finds it at the next look."""
    with suppress(StoreError):  # the page tells of the database
        await visit.site.streams.live.expect(kinds)


async def _show(visit: Visit) -> PageReply:
    await expect(visit, LISTED)
    picture = _painter(visit).paint(await visit.site.overviews.read(visit.who))
    return PageReply(template="overview.html", values={"live": picture.whole.replace(CSRF_PLACE, visit.csrf)})


async def _follow(visit: Visit) -> PictureStream:
    site, who = visit.site, visit.who
    painter = _painter(visit)

    async def draw() -> Picture:
        return painter.paint(await site.overviews.read(who))

    return picture_stream(visit, ("overview", who), draw)


def picture_stream(
    visit: Visit, key: Hashable, draw: Callable[[], Awaitable[Picture]], kinds: frozenset[EventKind] = LISTED
) -> PictureStream:
    """The stream of a page; what is drawn for one is for all with that key."""
    site, who = visit.site, visit.who
    watch = site.watches.of(key, draw, kinds)
    stream: PictureStream = site.streams.open(
        who,
        lambda slot: PictureStream(
            clock=site.clock,
            who=who,
            still=lambda _: visit.management.ask(still, visit.signed_in.digest, site.limits),
            slot=slot,
            watch=watch,
            csrf=visit.csrf,
        ),
    )
    return stream


ROUTES: Final = (shows("", _show), shows("live/overview", _follow, streams=True))
