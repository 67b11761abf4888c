"""The way of every request: identify, parse, one call, encode. Errors become problems at the end, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import orjson
from attrs import define, evolve, field
from twisted.internet.defer import Deferred

from api.authentication import Authentication
from api.endpoint import LARGE_BODY
from api.klein_app import served
from api.origins import refuse_cross_site
from api.request import ApiRequest
from api.streams import Streams
from api.v2.conditions import unless_changed
from api.v2.downloads import Downloads
from api.v2.file_bodies import no_room
from api.v2.keys import UnderWay, keyed_request
from api.v2.problems import Problem, problem_of
from api.v2.reading import Given, check_accepted, last_event_id, parse, with_fields
from api.v2.replies import Reply, body_of, kept_reply, made_once, refusal, reply, stream_reply
from api.v2.routes import PREFIX, Asked, Route
from dialer.errors import Forbidden, NotFound
from dialer.management import Management
from dialer.management.idempotency import KeyedRequest, once
from dialer.model import Account
from dialer.safe_files import UnsafeFile

ANYBODY: Final = Account(id=0, username="", scopes=frozenset())
"""Who asks where nobody has to log in."""


@define(eq=False)
class Endpoint:
    """A route, ready to serve: Klein calls it with the request and the parts of the address."""

    route: Route
    authentication: Authentication
    management: Management
    under_way: UnderWay
    streams: Streams
    downloads: Downloads
    _label: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._label = f"{self.route.method} {PREFIX}{self.route.path}"

    def __call__(self, request: ApiRequest, **path: str) -> Deferred[bytes | None]:
        return served(request, self._label, self._sent(request, path))

    async def _sent(self, request: ApiRequest, path: Mapping[str, str]) -> bytes | None:
        try:
            found = await self._reply(request, path)
        except Exception as error:
            found = self._refused(error, request)
        body = request.headed(found.status, found.headers, found.body)
        if found.stream is not None:
            await request.write_stream(found.stream)
            return None
        if found.long is not None:
            await request.write_long(found.long)
            found.sent()
            return None
        if found.pieces is None:
            return body
        try:
            await request.write_pieces(found.pieces)
        except Exception as error:  # the client was cut off, and cannot be told
            self._note(problem_of(error, self.route.places), request)
        finally:
            found.sent()
        return None

    def _refused(self, error: Exception, request: ApiRequest) -> Reply:
        problem = problem_of(error, self.route.places)
        self._note(problem, request)
        return refusal(problem, request)

    def _note(self, problem: Problem, request: ApiRequest) -> None:
        site: Any = request.site  # a request whose client has gone has no channel any more
        site.note_fault(problem.fault, request_id=request.id)

    # --- who --------------------------------------------------------------------------------------------------------------

    async def _reply(self, request: ApiRequest, path: Mapping[str, str]) -> Reply:
        check_accepted(self.route, request)
        if self.route.scope is None:
            return await self._serve(request, path, ANYBODY)
        if not self.route.reads or self.route.streams:  # a stream that nobody can read takes a place all the same
            refuse_cross_site(request)
        if request.not_identified is not None:
            request.not_identified.raiseException()
        header = request.authorization()
        remembered = request.account or self.authentication.recall(header, tokens=True)
        who = remembered or await self._identify(request)
        self._admit(request, who)
        try:
            return await self._serve(request, path, who)
        except NotFound as error:
            # The remembered user was changed since, which nothing was done for: perhaps the login is right again.
            if remembered is None or error.kind != "user":
                raise
        self.authentication.forget(header)
        return await self._serve(request, path, await self._identify(request))

    def _identify(self, request: ApiRequest) -> Deferred[Account]:
        return self.authentication.identify(request.authorization(), request.client_host(), tokens=True)

    def _admit(self, request: ApiRequest, who: Account) -> None:
        """Count the request, and tell how many are left. Raises `HttpError`."""
        try:
            self.authentication.admit(who, 429)
        finally:
            allowance = self.authentication.allowance(who)
            if allowance is not None:
                left = f'"requests";r={allowance.left};t={round(allowance.full_after)}'
                request.responseHeaders.setRawHeaders("RateLimit", [left])
                request.responseHeaders.setRawHeaders("RateLimit-Policy", [f'"requests";q={allowance.limit};w=60'])
        if request.channel is not None:
            request.channel.site.logged_in(request.channel)
        self.authentication.note_use(who)

    # --- what -------------------------------------------------------------------------------------------------------------

    async def _serve(self, request: ApiRequest, path: Mapping[str, str], who: Account) -> Reply:
        if self.route.scope is not None and self.route.scope not in who.scopes:
            raise Forbidden(f"the login lacks the scope {self.route.scope}")
        given = await self._given(request, path)
        if self.route.takes is not None:
            return await self._taken(request, given, who)
        keyed = keyed_request(request, who.id, request.body(), self.route.secrets) if self.route.method == "POST" else None
        if self.route.streams:
            wish, beginning = await self.route.serve(self._asked(request, given, who))
            return stream_reply(request, self.streams.new(wish, beginning))
        if self.route.files:
            return await self._file(request, given, who)
        return await self._answered(request, given, keyed, self._asked(request, given, who, keyed))

    async def _answered(self, request: ApiRequest, given: Given, keyed: KeyedRequest | None, asked: Asked) -> Reply:
        if keyed is None:
            return reply(self.route, request, given, await self.route.serve(asked))
        self.under_way.begin(keyed)
        try:
            return kept_reply(self.route, request, await self.route.serve(asked))
        finally:
            self.under_way.end(keyed)

    async def _taken(self, request: ApiRequest, given: Given, who: Account) -> Reply:
        """A file came. Whoever serves the route keeps it, or it goes."""
        upload = request.upload
        if upload is None:
            raise Problem("bad-request", "the body is empty; expected a file")
        try:
            await upload.received()
        except (OSError, UnsafeFile) as error:
            raise no_room(error) from error
        body: Any = upload.file
        given = with_fields(self.route, given, request.query(), body.fields)
        said = orjson.dumps([body.disk.digest, body.fields], option=orjson.OPT_SORT_KEYS)
        keyed = keyed_request(request, who.id, said)
        asked = evolve(self._asked(request, given, who, keyed), file=body)
        return await self._answered(request, given, keyed, asked)

    async def _file(self, request: ApiRequest, given: Given, who: Account) -> Reply:
        self.downloads.begin(who.id)
        try:
            found = reply(self.route, request, given, await self.route.serve(self._asked(request, given, who)))
        except BaseException:
            self.downloads.end(who.id)
            raise
        if found.pieces is None and found.long is None:
            self.downloads.end(who.id)
            return found
        return evolve(found, sent=partial(self.downloads.end, who.id))

    async def _given(self, request: ApiRequest, path: Mapping[str, str]) -> Given:
        content = request.body()
        read = partial(parse, self.route, path, request.query(), request.content_type(), content)
        return read() if len(content) < LARGE_BODY else await self.management.in_thread(read)

    def _asked(self, request: ApiRequest, given: Given, who: Account, keyed: KeyedRequest | None = None) -> Asked:
        last = last_event_id(request) if self.route.streams else None
        asked = Asked(
            management=self.management,
            who=who,
            path=given.path,
            query=given.query,
            body=given.body,
            after=given.after if last is None else last,
            limit=given.limit + 1,
            key=keyed,
            within=None if keyed is None else once(keyed, partial(made_once, self.route)),
        )
        expected = request.header(b"If-Match")
        return asked if expected is None or self.route.reads else self._if_unchanged(asked, expected)

    def _if_unchanged(self, asked: Asked, expected: str) -> Asked:
        current = self.route.current
        if current is None:
            raise Problem("precondition-failed", "nothing stands at this address that If-Match could name")
        around = unless_changed(expected, current.use_case, current.args(asked), partial(body_of, current.answer))
        return asked.only_within(around)
