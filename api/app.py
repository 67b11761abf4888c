"""Which endpoint serves which address."""

from __future__ import annotations

from collections.abc import Iterator

from klein import Klein

from api.authentication import Authentication
from api.endpoint import NewfiesEndpoint
from api.klein_app import Entry, klein_app
from api.newfies.bulkcontacts import BulkContacts
from api.newfies.callrequests import CallRequests
from api.newfies.campaigns import Campaigns
from api.newfies.contacts import Contacts
from api.newfies.phonebooks import Phonebooks
from api.routes import PREFIX, NewfiesRoute, routes_of
from dialer.management import Management

RESOURCES = (BulkContacts, Campaigns, Contacts, Phonebooks, CallRequests)
"""The resources of the API; each is made of the use cases."""


def all_routes() -> list[NewfiesRoute]:
    """Every route, in the order of the documentation."""
    return [route for resource in RESOURCES for route, _ in routes_of(resource)]


def build_app(management: Management, authentication: Authentication, prefix: str = PREFIX) -> Klein:
    """The routes of the resources behind a prefix, each with and without its trailing slash."""
    return klein_app(_entries(management, authentication, prefix))


def _entries(management: Management, authentication: Authentication, prefix: str) -> Iterator[Entry]:
    for resource in RESOURCES:
        for route, serve in routes_of(resource(management)):
            if route.prefix != prefix:
                continue
            endpoint = NewfiesEndpoint(route, serve, authentication, management)
            for path in (route.path, route.path.removesuffix("/")):
                yield route.method, path, route.name, endpoint
