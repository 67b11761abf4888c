"""The document for people."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest_twisted

from api.v2.table import all_routes
from tests.unit.api.v2.support import DOCUMENT
from tests.unit.api.world import World


class Links(HTMLParser):
    """Ids, links, and what a page would run or load."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.harmful: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [found["id"] or ""] if "id" in found else []
        self.links += [found["href"] or ""] if "href" in found else []
        if tag in ("script", "iframe", "img", "style", "form", "object") or any(
            name.startswith("on") or name in ("style", "src") for name in found
        ):
            self.harmful.append(tag)


@pytest_twisted.ensureDeferred
async def test_the_page_has_every_route_and_every_schema_and_runs_nothing(api: World) -> None:
    reply = await api.ask("GET", "/api/v2/docs", user=None)
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = Links()
    page.feed(reply.text.decode())
    assert page.harmful == []
    assert {route.name for route in all_routes()} <= set(page.ids)
    assert {f"schema-{name}" for name in DOCUMENT["components"]["schemas"]} <= set(page.ids)
    assert len(set(page.ids)) == len(page.ids)
    inner = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    assert inner <= set(page.ids)
    assert {link for link in page.links if not link.startswith("#")} == {"docs.css", "openapi.json"}


@pytest_twisted.ensureDeferred
async def test_a_browser_may_load_nothing_but_the_style_of_this_host(api: World) -> None:
    for path, kind in (("/api/v2/docs", "text/html"), ("/api/v2/docs.css", "text/css")):
        reply = await api.ask("GET", path, user=None)
        assert (reply.status, reply.headers["content-type"].partition(";")[0]) == (200, kind)
        assert reply.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'; ")
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert (await api.ask("HEAD", path, user=None)).status == 200
        assert (await api.ask("POST", path, user=None)).status == 405
    assert not re.search(r"@import|url\(|https?:", (await api.ask("GET", "/api/v2/docs.css", user=None)).text.decode())
