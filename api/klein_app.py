"""Klein, as all branches use it: it routes what it is given, and turns what it cannot route into refusals; and what it waits
for, which is the same for every endpoint."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from klein import Klein
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from api.errors import NO_RESOURCE, WRONG_METHOD
from api.prepared import prepare
from api.request import ApiRequest
from api.uploads import Upload

Entry = tuple[str, str, str, Callable[..., Any]]
"""The method and the address of a route, a name that no other one has, and what serves it."""


def not_routed(request: Any, failure: Failure) -> bytes:
    """The refusal of what has no route, for programs."""
    match failure.value:
        case MethodNotAllowed(valid_methods=methods) if methods:
            allowed = ", ".join(sorted(methods))
            return bytes(request.refused(405, WRONG_METHOD.format(methods=allowed), {"Allow": allowed}))
    return bytes(request.refused(404, NO_RESOURCE, {}))


def klein_app(entries: Iterable[Entry], refuse: Callable[..., bytes] = not_routed) -> Klein:
    """These routes. An address that stands for several is to have the same name, as it has the same endpoint."""
    app = Klein()
    app.url_map.merge_slashes = False
    for method, address, name, endpoint in entries:
        app.route("/" + address, methods=[method], strict_slashes=True)(_named(endpoint, name))
    app.handle_errors(HTTPException)(refuse)
    prepare(app.url_map)
    return app


def _named(endpoint: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Klein tells its endpoints apart by the names of functions."""

    def handler(request: ApiRequest, **path: str) -> Any:
        return endpoint(request, **path)

    handler.__name__ = name
    return handler


def served(request: ApiRequest, label: str, sent: Coroutine[Any, Any, bytes | None]) -> Deferred[bytes | None]:
    """What Klein waits for: fires with the body of the answer, whose head is set; with None when it was sent already. `sent`
    never fails.

    A client that goes away cancels what Klein was given, but not what it asked for: a change that was written has its effects,
    whether anybody still listens or not."""
    request.route = label
    body: Deferred[bytes | None] = Deferred()
    done = Deferred.fromCoroutine(sent)
    if request.upload is not None:
        done.addBoth(_close, request.upload)
    done.addCallback(body.callback)
    return body


def _close(result: bytes | None, upload: Upload) -> bytes | None:
    upload.close()
    return result
