"""Which requests a web page of somebody else has made: a browser that knows a user's login adds it to every form that any page
sends here. Browsers tell where a request comes from (Fetch Metadata, `Sec-Fetch-Site`; RFC 6454, `Origin`), and a page cannot
make them lie; a client that is no browser sends neither."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from api.errors import CROSS_SITE, HttpError
from api.request import ApiRequest

_OWN: Final = frozenset({b"same-origin", b"none"})
"""Of our own address, or of no page at all: a person typed it."""


def refuse_cross_site(request: ApiRequest) -> None:
    """Raise `HttpError` for a request that a page of another origin has made."""
    headers = request.requestHeaders
    sites = headers.getRawHeaders(b"Sec-Fetch-Site")
    if sites:
        if not all(site.strip().lower() in _OWN for site in sites):
            raise HttpError(403, CROSS_SITE)
        return
    origins = headers.getRawHeaders(b"Origin")
    if origins:
        # A proxy may call this host otherwise than its clients do; a page can set neither of the two.
        names = {name.strip().lower() for each in (b"Host", b"X-Forwarded-Host") for name in headers.getRawHeaders(each, [])}
        if not all(_host(origin) in names for origin in origins):
            raise HttpError(403, CROSS_SITE)


def _host(origin: bytes) -> bytes:
    """Host and port of an origin; of `null` and of rubbish something that no host is called."""
    try:
        return urlsplit(origin.strip().lower()).netloc or b"null"
    except ValueError:
        return b"null"
