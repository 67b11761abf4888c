"""A scrape: the figures of a moment in the format that Prometheus asks for.

The figures are read on the reactor thread, in about a millisecond; they become text on another one. However often somebody
asks, the work is done once a second at most for each of the two formats.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final

from attrs import define, field, frozen
from prometheus_client import CollectorRegistry, ProcessCollector, openmetrics
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector
from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.threads import deferToThreadPool

from dialer.errors import StoreError
from dialer.interfaces import Scraped
from dialer.management.idleness import Idleness
from dialer.monitoring.declarations import Metric, Sample
from dialer.shared_result import SharedResult

FRESH: Final = 1.0
"""Seconds for which a text is given again."""

FRESH_IDLENESS: Final = 5.0
"""Seconds for which the idleness of the campaigns, which the database has to be asked for, is told again."""

PATIENCE: Final = 2.0
"""Seconds for which the database is waited for: metrics are wanted most when it does not answer."""

OPENMETRICS: Final = "application/openmetrics-text"
TEXT: Final = "text/plain"


class Format(enum.Enum):
    """The formats of a scrape, each by its content type."""

    TEXT = CONTENT_TYPE_PLAIN_0_0_4
    OPENMETRICS = f"{OPENMETRICS}; version=1.0.0; charset=utf-8"


def format_for(accept: str) -> Format:
    """The format that an Accept header prefers (RFC 9110, section 12.5.1). One that is not understood gets text."""
    wanted = {OPENMETRICS: 0.0, TEXT: 0.0}
    for part in accept.split(","):
        kind, *parameters = (word.strip().lower() for word in part.split(";"))
        if kind in wanted:
            wanted[kind] = max(wanted[kind], _quality(parameters))
    return Format.OPENMETRICS if wanted[OPENMETRICS] > 0 and wanted[OPENMETRICS] >= wanted[TEXT] else Format.TEXT


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0


@frozen(eq=False)
class _Snapshot(Collector):
    families: Sequence[Family]

    def collect(self) -> Iterator[Family]:
        return iter(self.families)


@define(eq=False)
class Scraper:
    """Makes scrapes. `figures` reads the metrics of the moment, with the idleness of the campaigns where that is known, which
    `idleness` asks for. What was made is given again for so many seconds (`fresh`, `fresh_idleness`)."""

    reactor: Any
    figures: Callable[[Idleness | None], Iterable[tuple[Metric, list[Sample]]]]
    idleness: Callable[[], Awaitable[Idleness]]
    fresh: float = FRESH
    fresh_idleness: float = FRESH_IDLENESS
    _process: ProcessCollector = field(factory=lambda: ProcessCollector(registry=None), init=False)
    _idleness: SharedResult[Idleness] = field(init=False)
    _texts: dict[Format, SharedResult[bytes]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._idleness = SharedResult(self.idleness, self.fresh_idleness, self.reactor)
        self._texts = {each: SharedResult(partial(self._text, each), self.fresh, self.reactor) for each in Format}

    async def scrape(self, accept: str) -> Scraped:
        """All metrics, as an Accept header wants them."""
        wanted = format_for(accept)
        return Scraped(content_type=wanted.value, body=await self._texts[wanted].get())

    async def _text(self, wanted: Format) -> bytes:
        known = await self._known_idleness()
        families = [metric.family(samples) for metric, samples in self.figures(known)]
        registry = CollectorRegistry()
        registry.register(_Snapshot(families))
        registry.register(self._process)
        encode = openmetrics.exposition.generate_latest if wanted is Format.OPENMETRICS else generate_latest
        text: bytes = await deferToThreadPool(self.reactor, self.reactor.getThreadPool(), encode, registry)
        return text

    async def _known_idleness(self) -> Idleness | None:
        asked: Deferred[Idleness] = self._idleness.get()
        try:
            return await asked.addTimeout(PATIENCE, self.reactor)
        except (StoreError, TimeoutError):
            return None
