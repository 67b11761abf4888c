"""Scrapes: formats, how often the work is done, and a database that does not answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from attrs import define, field
from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from dialer.errors import StoreError
from dialer.interfaces import Scraped
from dialer.management.idleness import Idleness
from dialer.model import IdleCode
from dialer.monitoring import declarations as told
from dialer.monitoring.scrape import FRESH, FRESH_IDLENESS, PATIENCE, Format, Scraper, format_for

PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", Format.TEXT),
        ("*/*", Format.TEXT),
        ("text/html,application/xhtml+xml", Format.TEXT),
        ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", Format.TEXT),
        (PROMETHEUS, Format.OPENMETRICS),
        ("Application/OpenMetrics-Text", Format.OPENMETRICS),
        ("application/openmetrics-text;q=0.3, text/plain;q=0.9", Format.TEXT),
        ("application/openmetrics-text;q=0", Format.TEXT),
        ("application/openmetrics-text;q=x", Format.TEXT),
        ("application/openmetrics-text;q=nan", Format.TEXT),
        ("application/openmetrics-text; version=abc\x00; escaping=\xff", Format.OPENMETRICS),
        (";;;,,,q=,=", Format.TEXT),
    ],
)
def test_the_format_is_what_the_accept_header_prefers(accept: str, wanted: Format) -> None:
    assert format_for(accept) is wanted


class AtOnce(ThreadPool):
    """Runs on the calling thread."""

    def callInThreadWithCallback(self, onResult, func, *args, **kw):  # noqa: N803
        try:
            result = func(*args, **kw)
        except Exception:
            onResult(False, Failure())
        else:
            onResult(True, result)


class Reactor(Clock):
    def getThreadPool(self) -> ThreadPool:
        return AtOnce()

    def callFromThread(self, function, *args, **kw):
        function(*args, **kw)


@define(eq=False)
class Here:
    reactor: Reactor = field(factory=Reactor)
    read: int = 0
    asked: int = 0
    answer: Deferred[Idleness] | None = None
    error: Exception | None = None
    scraper: Scraper = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.scraper = Scraper(self.reactor, self.figures, self.idleness)

    def figures(self, idle: Idleness | None) -> Iterator:
        self.read += 1
        yield told.CORRECTIONS, [(("rescued",), self.read)]
        if idle is not None:
            yield told.CAMPAIGNS_CALLING, [((), idle.calling)]

    async def idleness(self) -> Idleness:
        self.asked += 1
        if self.error:
            raise self.error
        return await (self.answer or succeed(Idleness(7, {IdleCode.PAUSED: 1})))

    def scrape(self, accept: str = "") -> list[Scraped]:
        found: list = []
        Deferred.fromCoroutine(self.scraper.scrape(accept)).addBoth(found.append)
        return found


def values(scraped: Scraped) -> dict[str, float]:
    families = text_string_to_metric_families(scraped.body.decode())
    return {sample.name: sample.value for family in families for sample in family.samples}


def test_a_scrape_has_the_figures_of_the_moment_and_those_of_the_process() -> None:
    [scraped] = Here().scrape()
    assert scraped.content_type == "text/plain; version=0.0.4; charset=utf-8"
    found = values(scraped)
    assert (found["dialer_corrections_total"], found["dialer_campaigns_calling"]) == (1, 7)
    assert found["process_open_fds"] > 0


def test_metrics_of_the_library_s_own_registry_are_not_shown() -> None:
    [scraped] = Here().scrape()
    assert b"python_gc" not in scraped.body


def test_in_openmetrics_the_text_has_an_end() -> None:
    [scraped] = Here().scrape(PROMETHEUS)
    assert scraped.content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert scraped.body.endswith(b"# EOF\n")


def test_however_often_somebody_asks_the_work_is_done_once_a_second() -> None:
    here = Here()
    first, second = here.scrape(), here.scrape()
    assert first == second
    assert here.read == 1
    here.reactor.advance(FRESH)
    assert values(here.scrape()[0])["dialer_corrections_total"] == 2
    assert here.asked == 1
    here.reactor.advance(FRESH_IDLENESS)
    here.scrape()
    assert (here.read, here.asked) == (3, 2)


def test_those_who_ask_at_the_same_time_share_the_work() -> None:
    here = Here(answer=Deferred())
    waiting = [here.scrape() for _ in range(50)]
    assert waiting == [[]] * 50
    here.answer.callback(Idleness(3, {}))
    assert len({id(found[0].body) for found in waiting}) == 1
    assert (here.read, here.asked) == (1, 1)


def test_a_database_that_does_not_answer_costs_the_figures_of_the_campaigns_only() -> None:
    here = Here(answer=Deferred())
    waiting = here.scrape()
    here.reactor.advance(PATIENCE - 0.1)
    assert waiting == []
    here.reactor.advance(0.1)
    assert "dialer_corrections_total" in values(waiting[0])
    assert "dialer_campaigns_calling" not in values(waiting[0])
    here.reactor.advance(FRESH)
    again = here.scrape()
    here.answer.callback(Idleness(3, {}))
    assert values(again[0])["dialer_campaigns_calling"] == 3
    assert here.asked == 1


def test_a_database_that_is_away_costs_the_same_and_is_asked_again() -> None:
    here = Here(error=StoreError("away"))
    assert "dialer_campaigns_calling" not in values(here.scrape()[0])
    here.error = None
    here.reactor.advance(FRESH)
    assert values(here.scrape()[0])["dialer_campaigns_calling"] == 7


def test_a_mistake_in_the_figures_is_told_to_all_who_wait_and_not_kept() -> None:
    here = Here(error=ZeroDivisionError("x"))
    [failure] = here.scrape()
    assert failure.check(ZeroDivisionError)
    here.error = None
    assert values(here.scrape()[0])["dialer_campaigns_calling"] == 7
