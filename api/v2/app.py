"""Which endpoint serves which address of this branch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from klein import Klein

from api.authentication import Authentication
from api.branches import HARMLESS, Branch, end_of_head
from api.klein_app import klein_app
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
    under_way, downloads = UnderWay(), Downloads()
    return klein_app(
        (route.method, route.path, route.name, Endpoint(route, authentication, management, under_way, streams, downloads))
        for route in all_routes()
    )


def _refuse(request: ApiRequest, status: int, sentence: str, headers: Mapping[str, str]) -> tuple[Mapping[str, str], bytes]:
    found = refusal(of_http(status, sentence, headers), request)
    return found.headers, found.body
