"""Klein: which endpoint serves which address of this branch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from klein import Klein
from twisted.python.failure import Failure
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from api.authentication import Authentication
from api.branches import HARMLESS, Branch, end_of_head
from api.errors import NO_RESOURCE, WRONG_METHOD
from api.prepared import prepare
from api.request import ApiRequest
from api.streams import Streams
from api.v2.downloads import Downloads
from api.v2.endpoint import Endpoint
from api.v2.file_bodies import FileRoutes
from api.v2.keys import UnderWay
from api.v2.problems import of_http
from api.v2.replies import refusal
from api.v2.routes import PREFIX
from api.v2.table import all_routes
from dialer.management import Management

_USUAL: Final = end_of_head((*HARMLESS, b"Cross-Origin-Resource-Policy: same-origin"))


def build_branch(management: Management, authentication: Authentication, streams: Streams) -> Branch:
    """The branch, ready to serve."""
    app = build_app(management, authentication, streams)
    uploads = FileRoutes(management, all_routes())
    return Branch(PREFIX.encode(), app.resource(), tokens=True, usual=_USUAL, refuse=_refuse, uploads=uploads)


def build_app(management: Management, authentication: Authentication, streams: Streams) -> Klein:
    """The routes, behind the prefix."""
    app = Klein()
    app.url_map.merge_slashes = False
    under_way, downloads = UnderWay(), Downloads()
    for route in all_routes():
        endpoint = Endpoint(route, authentication, management, under_way, streams, downloads)
        app.route("/" + route.path, methods=[route.method], strict_slashes=True)(_named(endpoint, route.name))
    app.handle_errors(HTTPException)(_not_routed)
    prepare(app.url_map)
    return app


def _named(endpoint: Endpoint, name: str) -> Callable[..., Any]:
    """Klein tells its endpoints apart by the names of functions."""

    def handler(request: ApiRequest, **path: str) -> Any:
        return endpoint(request, **path)

    handler.__name__ = name
    return handler


def _refuse(request: ApiRequest, status: int, sentence: str, headers: Mapping[str, str]) -> tuple[Mapping[str, str], bytes]:
    found = refusal(of_http(status, sentence, headers), request)
    return found.headers, found.body


def _not_routed(request: Any, failure: Failure) -> bytes:
    match failure.value:
        case MethodNotAllowed(valid_methods=methods) if methods:
            allowed = ", ".join(sorted(methods))
            return request.refused(405, WRONG_METHOD.format(methods=allowed), {"Allow": allowed})
    return request.refused(404, NO_RESOURCE, {})
