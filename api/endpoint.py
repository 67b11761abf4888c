"""The way of every request: identify, parse, one call, encode. Errors become answers at the end, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import orjson
from attrs import define, field
from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from api.authentication import Authentication
from api.bodies import parse_body, parse_form
from api.errors import ONLY_VIEWS, HttpError, answer
from api.long_answers import LONG, LongAnswer, in_file
from api.origins import refuse_cross_site
from api.request import ApiRequest
from api.routes import Attributes, NewfiesRoute
from dialer.errors import BadValue, NotFound
from dialer.management import Management
from dialer.model import Account, Scope

LARGE_BODY: Final = 32_768
"""Bytes from which on a body is parsed off the reactor thread: a tenth of a millisecond to some for less."""

FORMAT: Final = "format"
JSON: Final = "json"
"""Clients of the old server may name the format of the answer in any address: `?format=json`."""

LONG_LIST: Final = 500
"""Elements from which on an answer is encoded off the reactor thread: a millisecond or two for less."""


@define(eq=False)
class NewfiesEndpoint:
    """A route, ready to serve: Klein calls it with the request and the parts of the address."""

    route: NewfiesRoute
    serve: Callable[[Account, Any], Deferred[Any]]
    authentication: Authentication
    management: Management
    _label: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._label = f"{self.route.method} {self.route.address}"

    def __call__(self, request: ApiRequest, **path: str) -> Deferred[bytes | None]:
        """Fires with the body of the answer, whose head is set; with None when it was sent already. Never fails.

        A client that goes away cancels what Klein was given, but not what it asked for: a change that was written has its
        effects, whether anybody still listens or not.
        """
        request.route = self._label
        body: Deferred[bytes | None] = Deferred()
        try:
            done = self._begin(request, path)
        except Exception:
            done = fail(Failure())
        done.addCallback(self._encoded, request)
        done.addErrback(self._refused, request)
        done.addCallback(self._sent, request)
        done.addCallback(body.callback)
        return body

    def _begin(self, request: ApiRequest, path: dict[str, str]) -> Deferred[Any]:
        if not self.route.reads:
            refuse_cross_site(request)
        if request.not_identified is not None:
            return fail(request.not_identified)
        header = request.authorization()
        known = request.account or self.authentication.recall(header)
        if known is not None:
            return self._identified(known, request, path).addErrback(self._changed, header, request, path)
        return self.authentication.identify(header, request.client_host()).addCallback(self._identified, request, path)

    def _changed(self, failure: Failure, header: bytes | None, request: ApiRequest, path: dict[str, str]) -> Deferred[Any]:
        """The remembered user was changed since, which nothing was done for: perhaps the password is right again."""
        if not (isinstance(failure.value, NotFound) and failure.value.kind == "user"):
            failure.raiseException()
        self.authentication.forget(header)
        identified = self.authentication.identify(header, request.client_host())
        return identified.addCallback(self._served, request, path)

    def _identified(self, who: Account, request: ApiRequest, path: dict[str, str]) -> Deferred[Any]:
        self.authentication.admit(who)
        if request.channel is not None:
            request.channel.site.logged_in(request.channel)
        return self._served(who, request, path)

    def _served(self, who: Account, request: ApiRequest, path: dict[str, str]) -> Deferred[Any]:
        if not self.route.reads and Scope.DIAL not in who.scopes:
            raise HttpError(403, ONLY_VIEWS)
        query, content_type, content = request.query(), request.content_type(), request.body()
        parse = partial(_parse, self.route, path, query, content_type, content)
        if len(content) < LARGE_BODY:
            return self.serve(who, parse())
        return self.management.in_thread(parse).addCallback(partial(self.serve, who))

    def _encoded(self, result: Any, request: ApiRequest) -> bytes | LongAnswer | Deferred[bytes]:
        if self.route.answer is None:
            return request.headed(self.route.status, {}, b"")
        if isinstance(result, LongAnswer):
            return result
        encode = partial(_encode, self.route.encode, result)
        if isinstance(result, list) and len(result) >= LONG_LIST:
            return self.management.in_thread(encode)
        return encode()

    def _sent(self, result: bytes | LongAnswer, request: ApiRequest) -> bytes | Deferred[None]:
        """A short answer is left to Klein; a long one does not wait in memory until the client has read it."""
        if isinstance(result, LongAnswer):
            return request.write_long(result)
        return result if len(result) < LONG else request.write_long(in_file(result))

    def _refused(self, failure: Any, request: ApiRequest) -> bytes:
        refusal = answer(failure.value, self.route.refusals, self.route.names)
        site: Any = request.site  # a request whose client has gone has no channel any more
        site.note_fault(refusal.fault)
        return request.refused(refusal.status, refusal.sentence, refusal.headers)


def _parse(route: NewfiesRoute, path: dict[str, str], query: bytes, content_type: bytes | None, content: bytes) -> Attributes:
    in_query = parse_form(query, "query", route.kinds) if query else {}
    if in_query.pop(FORMAT, JSON) != JSON:
        raise BadValue(FORMAT, f"expected {JSON}, the one format of all answers")
    if route.reads:
        return route.parse(path, in_query)
    if in_query:
        raise BadValue(next(iter(in_query)), "belongs into the body, not into the address")
    return route.parse(path, parse_body(content_type, content, route.kinds))


def _encode(encode: Callable[[Any], Any], result: Any) -> bytes:
    return orjson.dumps(encode(result))
