"""The door of the page: the form of the sign-in, and links that sign in once. Passwords are verified, and those who guess are
slowed down, as at the APIs."""

from __future__ import annotations

import base64
import re
from typing import Any, Final

from attrs import define
from twisted.internet.defer import Deferred

from api.errors import HttpError
from api.origins import refuse_cross_site
from api.page.cookies import SESSION, VISITOR, csrf_of, forget_cookie, is_own_form, secret_in, set_cookie
from api.page.endpoint import CSRF, form_of, moved, query_of, refused, shown
from api.page.problems import PageProblem, problem_of
from api.page.rendering import text
from api.page.routes import PREFIX, Moved, PageReply
from api.request import ApiRequest
from dialer.errors import NotFound
from dialer.management.page_sessions import begin, digest_of, new_secret, use_link

_LOCAL: Final = re.compile(r"/ui/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*")
"""An address of the page, to which one may be led."""


def local_address(text: str, otherwise: str = PREFIX) -> str:
    """An address of the page itself; anything else is not followed."""
    return text if _LOCAL.fullmatch(text) and len(text) <= 1000 else otherwise


@define(eq=False)
class SignIn:
    """Serves who is not signed in."""

    site: Any

    def show(self, request: ApiRequest) -> Deferred[bytes]:
        """The form."""
        request.route = f"GET {PREFIX}sign-in"
        return Deferred.fromCoroutine(self._guarded(request, self._show(request)))

    def sign_in(self, request: ApiRequest) -> Deferred[bytes]:
        """The form, filled in."""
        request.route = f"POST {PREFIX}sign-in"
        return Deferred.fromCoroutine(self._guarded(request, self._sign_in(request)))

    def use_link(self, request: ApiRequest, secret: str) -> Deferred[bytes]:
        """A link that signs in once."""
        request.route = f"GET {PREFIX}link"
        return Deferred.fromCoroutine(self._guarded(request, self._use_link(request, secret)))

    async def _guarded(self, request: ApiRequest, serve: Any) -> bytes:
        try:
            return bytes(await serve)
        except Exception as error:
            return refused(self.site.renderer, request, problem_of(error), None)

    async def _show(self, request: ApiRequest, problem: str = "", status: int = 200, username: str = "") -> bytes:
        """`problem` is the key of a text."""
        self.site.prepare()
        secret = secret_in(request, VISITOR)
        if not secret:
            secret = new_secret()
            request.responseHeaders.setRawHeaders("Set-Cookie", [set_cookie(request, VISITOR, secret)])
        query = query_of(request)
        wanted = local_address(query.get("next", PREFIX))
        values = {"csrf": csrf_of(secret), "next": wanted, "problem": text(problem) if problem else "", "username": username}
        return shown(self.site.renderer, request, PageReply(template="sign_in.html", values=values, status=status), None)

    async def _sign_in(self, request: ApiRequest) -> bytes:
        refuse_cross_site(request)
        form = form_of(request)
        if not is_own_form(secret_in(request, VISITOR), form.get(CSRF, "")):
            raise PageProblem(403, "problem.form")
        username, password = form.get("username", ""), form.get("password", "")
        header = b"Basic " + base64.b64encode(f"{username}:{password}".encode())
        try:
            who = await self.site.authentication.identify(header, request.client_host())
        except HttpError as error:
            if error.status == 429:
                raise PageProblem(429, "problem.guessing", error.headers) from None
            return await self._show(request, "sign-in.wrong", 401, username[:150])
        secret = new_secret()
        try:
            await self.site.management.ask(begin, who.id, who.proof, digest_of(secret), self.site.limits)
        except NotFound:  # changed a moment ago, while its password was remembered
            self.site.authentication.forget(header)
            return await self._show(request, "sign-in.wrong", 401, username[:150])
        return self._signed_in(request, secret, local_address(form.get("next", "")))

    async def _use_link(self, request: ApiRequest, link: str) -> bytes:
        refuse_cross_site(request)
        self.site.prepare()
        secret = new_secret()
        who = await self.site.management.ask(use_link, link, digest_of(secret), self.site.limits)
        if who is None:
            return await self._show(request, "sign-in.used-link", 410)
        return self._signed_in(request, secret, PREFIX)

    def _signed_in(self, request: ApiRequest, secret: str, to: str) -> bytes:
        cookies = (
            set_cookie(request, SESSION, secret, self.site.authentication.settings.page_lifetime),
            forget_cookie(request, VISITOR),
        )
        return moved(self.site.renderer, request, Moved(to=to, cookies=cookies))
