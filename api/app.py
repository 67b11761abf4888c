"""Klein: which endpoint serves which address. It routes, and turns what it cannot route into refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from klein import Klein
from twisted.python.failure import Failure
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from api.authentication import Authentication
from api.endpoint import NewfiesEndpoint
from api.errors import NO_RESOURCE, WRONG_METHOD
from api.newfies.bulkcontacts import BulkContacts
from api.newfies.callrequests import CallRequests
from api.newfies.campaigns import Campaigns
from api.newfies.contacts import Contacts
from api.newfies.phonebooks import Phonebooks
from api.prepared import prepare
from api.request import ApiRequest
from api.routes import PREFIX, NewfiesRoute, routes_of
from dialer.management import Management

RESOURCES = (BulkContacts, Campaigns, Contacts, Phonebooks, CallRequests)
"""The resources of the API; each is made of the use cases."""


def all_routes() -> list[NewfiesRoute]:
    """Every route, in the order of the documentation."""
    return [route for resource in RESOURCES for route, _ in routes_of(resource)]


def build_app(management: Management, authentication: Authentication, prefix: str = PREFIX) -> Klein:
    """The routes of the resources behind a prefix, each with and without its trailing slash."""
    app = Klein()
    app.url_map.merge_slashes = False
    for resource in RESOURCES:
        for route, serve in routes_of(resource(management)):
            if route.prefix != prefix:
                continue
            handler = _named(NewfiesEndpoint(route, serve, authentication, management), route.name)
            for path in (route.path, route.path.removesuffix("/")):
                app.route("/" + path, methods=[route.method], strict_slashes=True)(handler)
    app.handle_errors(HTTPException)(_not_routed)
    prepare(app.url_map)
    return app


def _named(endpoint: NewfiesEndpoint, name: str) -> Callable[..., Any]:
    """Klein tells its endpoints apart by the names of functions."""

    def handler(request: ApiRequest, **path: str) -> Any:
        return endpoint(request, **path)

    handler.__name__ = name
    return handler


def _not_routed(request: Any, failure: Failure) -> bytes:
    match failure.value:
        case MethodNotAllowed(valid_methods=methods) if methods:
            allowed = ", ".join(sorted(methods))
            return request.refused(405, WRONG_METHOD.format(methods=allowed), {"Allow": allowed})
    return request.refused(404, NO_RESOURCE, {})
