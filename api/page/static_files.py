"""The files of the page: styles, scripts, and the libraries that are shipped with it. An address holds the hash of what it
gives, so that a browser keeps it for good."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

from attrs import frozen

from api.branches import Branch, end_of_head, refuse_plainly
from api.errors import NO_RESOURCE
from api.request import ApiRequest

PREFIX: Final = "/ui/static/"

_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}
_USUAL: Final = end_of_head(
    (
        b"X-Content-Type-Options: nosniff",
        b"Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
        b"Cross-Origin-Resource-Policy: same-origin",
        b"Referrer-Policy: same-origin",
    )
)
FOR_GOOD: Final = "public, max-age=31536000, immutable"


@frozen(eq=False)
class StaticFile:
    """A file, read once."""

    content: bytes
    content_type: str

    @property
    def tag(self) -> str:
        """By which one version is told from another."""
        return hashlib.sha256(self.content).hexdigest()[:12]


@cache
def files() -> Mapping[str, StaticFile]:
    """All of them, by their names."""
    found: dict[str, StaticFile] = {}
    root = resources.files("api.page") / "static"
    for folder, names in (("", root), ("vendor/", root / "vendor")):
        for entry in names.iterdir():
            ending = entry.name.rpartition(".")[2]
            if entry.is_file() and ending in _TYPES:
                found[folder + entry.name] = StaticFile(entry.read_bytes(), _TYPES[ending])
    return found


@cache
def address_of(name: str) -> str:
    """Where a file is. Raises `KeyError` for one that is not there."""
    return f"{PREFIX}{name}?{files()[name].tag}"


class StaticResource:
    """Serves them: what a `Branch` takes for its resource."""

    isLeaf = True  # noqa: N815 - Twisted's name

    def render(self, request: ApiRequest) -> bytes:
        """Twisted: the answer."""
        request.route = f"GET {PREFIX}"
        name = request.path.decode("latin-1").removeprefix(PREFIX)
        found = files().get(name)
        if found is None:
            return request.refused(404, NO_RESOURCE, {})
        if request.method not in (b"GET", b"HEAD"):
            return request.refused(405, NO_RESOURCE, {"Allow": "GET, HEAD"})
        headers = {"Content-Type": found.content_type, "ETag": f'"{found.tag}"'}
        kept = request.query().decode("latin-1") == found.tag
        headers["Cache-Control"] = FOR_GOOD if kept else "no-cache"
        if request.header(b"If-None-Match") == f'"{found.tag}"':
            return request.headed(304, headers, b"")
        return request.headed(200, headers, found.content)


def static_branch() -> Branch:
    """Ready to serve."""
    resource: object = StaticResource()
    return Branch(PREFIX.encode(), resource, usual=_USUAL, refuse=refuse_plainly, largest=1)  # type: ignore[arg-type]
