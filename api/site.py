"""The site: what is listened with."""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import Resource
from twisted.web.server import Site

from api.settings import HttpSettings
from dialer.interfaces import ApiBackend


class ApiSite(Site):
    """A factory to listen with."""

    def drain(self) -> Deferred[None]:
        """Close what is idle, answer what is in flight and close after it. Fires once every connection is closed; to be
        called when nothing listens any more. Whoever cannot wait for ever cancels it, which closes the rest at once."""
        return succeed(None)


def build_site(backend: ApiBackend, settings: HttpSettings, clock: IReactorTime) -> ApiSite:
    """The API as a factory: nothing is started, nothing listens. `clock` is the reactor."""
    return ApiSite(Resource(), reactor=clock)
