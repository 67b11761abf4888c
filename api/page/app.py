"""Which endpoint serves which address of the page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from attrs import define, field
from klein import Klein
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from werkzeug.exceptions import MethodNotAllowed

from api.authentication import Authentication
from api.branches import Branch, end_of_head
from api.klein_app import Entry, klein_app
from api.page.endpoint import HTML, PageEndpoint
from api.page.live import Watches
from api.page.problems import PageProblem
from api.page.rendering import Renderer
from api.page.routes import PREFIX
from api.page.sign_in import SignIn
from api.page.static_files import static_branch
from api.page.uploads import PageUploads
from api.page.views import all_routes
from api.page.views.overview import OverviewPainter
from api.request import ApiRequest
from api.streams import Streams
from api.v2.downloads import Downloads
from dialer.errors import Busy
from dialer.management import Management
from dialer.management.overview import Overviews
from dialer.management.page_sessions import SessionLimits

LARGEST_FORM: Final = 65_536
"""Bytes. Nothing that is typed is longer."""

POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_USUAL: Final = end_of_head(
    (
        b"Vary: Cookie",
        b"Cache-Control: no-store",
        b"X-Content-Type-Options: nosniff",
        b"Content-Security-Policy: " + POLICY.encode(),
        b"Cross-Origin-Opener-Policy: same-origin",
        b"Cross-Origin-Resource-Policy: same-origin",
        # Not no-referrer: with that, browsers tell no origin of a form, by which others' forms are told from ours.
        b"Referrer-Policy: same-origin",
        b"X-Robots-Tag: noindex",
    )
)


@define(eq=False)
class PageSite:
    """What all visits share."""

    management: Management
    authentication: Authentication
    streams: Streams
    clock: IReactorTime
    renderer: Renderer = field(factory=Renderer.new, init=False)
    overviews: Overviews = field(init=False)
    watches: Watches = field(init=False)
    downloads: Downloads = field(factory=Downloads, init=False)
    painters: Mapping[bool, OverviewPainter] = field(init=False)
    """Of the overview, by whether there are buttons."""
    _prepared: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self.overviews = Overviews(self.management)
        self.watches = Watches(self.streams.live, self.clock)
        self.painters = {may_dial: OverviewPainter(self.renderer, may_dial) for may_dial in (False, True)}

    def prepare(self) -> None:
        """Somebody is at the door: what pages are made of is made ready while the password is typed."""
        if not self._prepared:
            self._prepared = True
            # Too much to do for other threads, or the end of the process: then pages do it, one by one.
            self.management.in_thread(self.renderer.compile).addErrback(lambda failure: failure.trap(Busy))

    @property
    def limits(self) -> SessionLimits:
        """Of a session, as they are set now."""
        settings = self.authentication.settings
        return SessionLimits(idle=timedelta(seconds=settings.page_idle), lifetime=timedelta(seconds=settings.page_lifetime))


def build_page(
    management: Management, authentication: Authentication, streams: Streams, clock: IReactorTime
) -> tuple[Branch, ...]:
    """The branches of the page, ready to serve; the first one that fits an address has it."""
    site = PageSite(management, authentication, streams, clock)

    def refuse(request: ApiRequest, status: int, sentence: str, headers: Mapping[str, str]) -> tuple[Mapping[str, str], bytes]:
        key = {404: "problem.not-found", 413: "problem.large"}.get(status, "problem.request")
        values = {"signed_in": None, "problem": PageProblem(status, key).text, "status": status, "told": ""}
        return {**headers, "Content-Type": HTML}, site.renderer.html("problem.html", values).encode()

    resource, uploads = _build_app(site).resource(), PageUploads(site, all_routes())
    own = Branch(
        PREFIX.encode(),
        resource,
        usual=_USUAL,
        refuse=refuse,
        largest=LARGEST_FORM,
        uploads=uploads,
        identify=uploads.identify,
    )
    return static_branch(), own


def _build_app(site: PageSite) -> Klein:
    door = SignIn(site)
    entries: list[Entry] = [
        ("GET", "sign-in", "show", door.show),
        ("POST", "sign-in", "sign_in", door.sign_in),
        ("GET", "link/<secret>", "use_link", door.use_link),
        *((route.method, route.path, f"{route.method} {route.path}", PageEndpoint(route, site)) for route in all_routes()),
    ]
    return klein_app(entries, _not_routed)


def _not_routed(request: Any, failure: Failure) -> bytes:
    status = 405 if isinstance(failure.value, MethodNotAllowed) else 404
    return bytes(request.refused(status, "", {}))


def to_page(request: ApiRequest) -> None:
    """The address `/`: a browser is led to the page."""
    request.route = "GET /"
    if "text/html" in (request.header(b"Accept") or "") or request.path != b"/":
        request.reply(303, b"", {"Location": PREFIX, "Content-Type": HTML})
    else:
        request.write(request.refused(404, "There is no such resource", {}))
        request.finish()
