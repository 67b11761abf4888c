"""The pages for machines that watch a dialer: `/metrics`, `/health/live`, `/health/ready`.

They are beside the APIs, not of them: on a port of their own, where metrics may want one login, and on the API's port, where
metrics are for superusers. Health needs no login: it tells nothing of the installation, and is answered from memory.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final

import orjson
from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from api.authentication import Authentication
from api.branches import error_body
from api.errors import NO_RESOURCE, WRONG_METHOD, HttpError, answer, retry_after
from api.guard import PortGuard
from api.request import ApiRequest
from api.site import ApiSite, Page
from dialer.errors import NotFound
from dialer.interfaces import Monitoring
from dialer.limiter import Limiter
from dialer.management import Management, users
from dialer.model.readiness import Unready
from dialer.open_files import MONITORING_SHARE
from dialer.settings import HttpSettings

METRICS: Final = b"/metrics"
LIVE: Final = b"/health/live"
READY: Final = b"/health/ready"

MOST_A_MINUTE: Final = 600
"""Looks at the health from one address: ten a second, more than any balancer takes."""

MOST_CONNECTIONS: Final = 100
TOO_OFTEN: Final = "Too many looks at the health; {maximum} a minute are answered"
FOR_SUPERUSERS: Final = "Metrics are for superusers"

Serve = Callable[[ApiRequest], Coroutine[Any, Any, None]]
Admit = Callable[[ApiRequest], Coroutine[Any, Any, None]]
"""Lets a request for the metrics pass. Raises `HttpError`, and what a use case raises."""


def pages(monitoring: Monitoring, clock: IReactorTime, admit: Admit | None) -> Mapping[bytes, Page]:
    """The pages of a port by their addresses; that of the metrics only where there is an `admit`. Each answers the request,
    and never fails."""
    looks = Limiter.per_minute(MOST_A_MINUTE)

    async def live(request: ApiRequest) -> None:
        _look(request, looks, clock)
        request.reply(200, orjson.dumps({"status": "alive"}), {})

    async def ready(request: ApiRequest) -> None:
        _look(request, looks, clock)
        reasons = monitoring.unready()
        request.reply(503 if reasons else 200, orjson.dumps(_readiness(reasons, *monitoring.switches())), {})

    served: dict[bytes, Serve] = {LIVE: live, READY: ready}
    if admit is not None:
        served[METRICS] = _metrics(monitoring, admit)
    return {path: _Page(f"GET {path.decode()}", serve) for path, serve in served.items()}


def _metrics(monitoring: Monitoring, admit: Admit) -> Serve:
    async def metrics(request: ApiRequest) -> None:
        await admit(request)
        accept = request.requestHeaders.getRawHeaders(b"Accept") or []
        scraped = await monitoring.scrape(",".join(each.decode("latin-1") for each in accept))
        request.reply(200, scraped.body, {"Content-Type": scraped.content_type})

    return metrics


@frozen(eq=False)
class _Page:
    """One of them: the method is looked at, and errors become answers."""

    route: str
    serve: Serve

    def __call__(self, request: ApiRequest) -> Deferred[None]:
        request.route = self.route
        return Deferred.fromCoroutine(self._served(request)).addErrback(self._refused, request)

    async def _served(self, request: ApiRequest) -> None:
        if request.method not in (b"GET", b"HEAD"):
            raise HttpError(405, WRONG_METHOD.format(methods="GET, HEAD"), {"Allow": "GET, HEAD"})
        await self.serve(request)

    def _refused(self, failure: Failure, request: ApiRequest) -> None:
        error: Any = failure.value
        refusal = answer(error, ())
        site: Any = request.site
        site.note_fault(refusal.fault)
        request.reply(refusal.status, error_body(refusal.sentence), refusal.headers)


def _look(request: ApiRequest, looks: Limiter, clock: IReactorTime) -> None:
    wait = looks.take(request.client_host(), clock.seconds())
    if wait:
        raise HttpError(429, TOO_OFTEN.format(maximum=MOST_A_MINUTE), retry_after(wait))


def _readiness(reasons: Sequence[Unready], connected: int, switches: int) -> Mapping[str, object]:
    """One switch that is away is no reason to be taken for dead: of several, it is told how many are there."""
    fleet = {"switches": {"connected": connected, "configured": switches}} if switches > 1 else {}
    if not reasons:
        return {"status": "ready", **fleet}
    return {"status": "not ready", "reasons": [{"code": str(each), "text": each.text} for each in reasons], **fleet}


# --- on the API's port ------------------------------------------------------------------------------------------------------


@frozen(eq=False)
class SuperusersOnly:
    """An `Admit` that takes the logins of the API; as there, one that was changed since is asked for again."""

    authentication: Authentication
    management: Management

    async def __call__(self, request: ApiRequest) -> None:
        header = request.authorization()
        if request.not_identified is not None:
            request.not_identified.raiseException()
        who = request.account or self.authentication.recall(header)
        if who is None:
            who = await self.authentication.identify(header, request.client_host())
        self.authentication.admit(who)
        try:
            current = await self.management.ask(users.current, who)
        except NotFound:
            self.authentication.forget(header)
            current = await self.authentication.identify(header, request.client_host())
        if not current.is_superuser:
            raise HttpError(403, FOR_SUPERUSERS)
        if request.channel is not None:
            request.channel.site.logged_in(request.channel)


def watch_api(site: ApiSite, management: Management, monitoring: Monitoring, clock: IReactorTime, metrics: bool) -> None:
    """Serve health on the API's port, and metrics if they are wanted there."""
    admit = SuperusersOnly(site.authentication, management) if metrics else None
    site.pages = pages(monitoring, clock, admit)


# --- on a port of their own -------------------------------------------------------------------------------------------------


class MonitoringRequest(ApiRequest):
    """A request to the port of its own: no body of it is kept, and it knows no users."""

    def known(self) -> bool:
        """Nobody is asked for."""
        return False

    def process(self) -> None:
        """Serve a page, or refuse."""
        self.site = self.channel.site
        page = self.channel.site.pages.get(self.path)
        if page is None:
            self._answer(404, NO_RESOURCE)
        else:
            page(self)


class MonitoringSite(ApiSite):
    """A factory to listen with, on a port of its own."""

    def __init__(self, guard: PortGuard | None, settings: HttpSettings, clock: IReactorTime) -> None:
        super().__init__((), None, settings, clock, MONITORING_SHARE)  # type: ignore[arg-type]
        self.requestFactory = MonitoringRequest
        self.guard = guard

    @property
    def failed_logins(self) -> int:
        """How often credentials were wrong."""
        return 0 if self.guard is None else self.guard.failed


def build_monitoring_site(monitoring: Monitoring, credentials: tuple[str, str] | None, clock: IReactorTime) -> MonitoringSite:
    """The site: nothing is started, nothing listens. `credentials` are user name and password, None for no login."""
    settings = HttpSettings(max_body=1024, max_connections=MOST_CONNECTIONS)
    failures = Limiter.per_minute(settings.failed_logins_per_address)
    guard = None if credentials is None else PortGuard(credentials, "metrics", clock, failures)

    async def admit(request: ApiRequest) -> None:
        if guard is not None:
            guard.check(request.authorization() or b"", request.client_host())
            request.channel.site.logged_in(request.channel)

    site = MonitoringSite(guard, settings, clock)
    site.pages = pages(monitoring, clock, admit)
    return site
