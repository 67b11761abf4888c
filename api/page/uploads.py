"""Files that are sent to the page: forms with one file, which goes to disk while it comes. Who sends it is known by the cookie
before any of it is taken; its token is looked at when all of it is here, as that of every form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from attrs import define, field
from twisted.internet.defer import Deferred
from werkzeug.http import parse_options_header

from api.errors import HttpError, retry_after
from api.origins import refuse_cross_site
from api.page.cookies import SESSION, secret_in
from api.page.endpoint import HTML, frame_of
from api.page.problems import NotSignedIn, PageProblem, problem_of
from api.page.routes import PREFIX, PageRoute
from api.request import ApiRequest
from api.uploads import Upload
from api.v2.file_bodies import AGAIN, MOST_UPLOADS, MULTIPART, FormBody, new_on_disk
from dialer.errors import Forbidden
from dialer.management.page_sessions import digest_of, find
from dialer.model import Account

LONGEST_BOUNDARY: Final = 70
"""Characters (RFC 2046, section 5.1.1)."""


@define(eq=False)
class PageUploads:
    """`api.branches.Uploads`, of the routes of the page that take a file."""

    site: Any
    routes: Sequence[PageRoute]
    _by_path: Mapping[bytes, PageRoute] = field(init=False)
    _by_user: Counter[int] = field(factory=Counter, init=False)

    def __attrs_post_init__(self) -> None:
        self._by_path = {(PREFIX + each.path).encode(): each for each in self.routes if each.takes_file}

    def takes(self, method: bytes, path: bytes) -> bool:
        """Whether it is the address of one."""
        return method == b"POST" and path in self._by_path

    def identify(self, request: ApiRequest) -> Deferred[Account]:
        """Whose session it is. Fails with `NotSignedIn`, `StoreError`."""
        return Deferred.fromCoroutine(self._identify(request))

    async def _identify(self, request: ApiRequest) -> Account:
        secret = secret_in(request, SESSION)
        signed_in = await self.site.management.ask(find, digest_of(secret), self.site.limits) if secret else None
        if signed_in is None:
            raise NotSignedIn(PREFIX)
        who: Account = signed_in.who
        return who

    def begin(self, request: ApiRequest) -> Upload:
        """Raises `PageProblem`, `HttpError`, `Forbidden`, `Busy`, and a problem of the API for a disk that takes nothing."""
        route, who = self._by_path[request.path], request.account
        if who is None:
            raise NotSignedIn(PREFIX)
        refuse_cross_site(request)
        if not route.allows(who):
            raise Forbidden(route.action)
        kind, options = parse_options_header((request.content_type() or b"").decode("latin-1"))
        boundary = options.get("boundary", "").encode("latin-1", "replace")
        if kind != MULTIPART or not 1 <= len(boundary) <= LONGEST_BOUNDARY:
            raise HttpError(415, "a form with a file")
        if self._by_user[who.id] >= MOST_UPLOADS:
            raise PageProblem(429, "problem.often", retry_after(AGAIN))
        body = FormBody(new_on_disk(self.site.management), "", boundary=boundary)
        self._by_user[who.id] += 1
        return Upload(body, self.site.management.in_thread, request.channel, partial(self._closed, who.id))

    def refusal(self, request: ApiRequest, error: Exception) -> tuple[int, Mapping[str, str], bytes]:
        """As every problem is told."""
        problem = problem_of(error)
        request.channel.site.note_fault(problem.fault, request_id=request.id)
        if isinstance(problem, NotSignedIn):
            return 303, {"Location": problem.location, "Content-Type": HTML}, b""
        values = {**frame_of(None), "problem": problem.text, "status": problem.status}
        body = self.site.renderer.html("problem.html", values).encode()
        return problem.status, {"Content-Type": HTML, **problem.headers}, body

    def _closed(self, user_id: int) -> None:
        self._by_user[user_id] -= 1
        if not self._by_user[user_id]:
            del self._by_user[user_id]
