"""The way of every visit: who is it, is the form ours, may it, one call, render. Errors become pages at the end, and nowhere
else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import define, field
from twisted.internet.defer import Deferred

from api.bodies import FORM, content_type_of, parse_form
from api.errors import HttpError
from api.klein_app import served
from api.open_stream import CONTENT_TYPE as EVENT_STREAM
from api.open_stream import OpenStream
from api.origins import refuse_cross_site
from api.page.cookies import SESSION, csrf_of, forget_cookie, is_own_form, secret_in
from api.page.problems import NotSignedIn, PageProblem, problem_of
from api.page.rendering import Renderer
from api.page.routes import PREFIX, Download, Moved, PageFile, PageReply, PageRoute, Visit
from api.page.texts import TEXTS
from api.request import ApiRequest
from api.streamed_answers import close
from api.v2.file_bodies import no_room
from api.v2.ranges import cut
from dialer.errors import Forbidden
from dialer.management.page_sessions import digest_of, find
from dialer.model import Account
from dialer.model.role import Role
from dialer.safe_files import UnsafeFile

HTML: Final = "text/html; charset=utf-8"
CSRF: Final = "csrf"


@define(eq=False)
class PageEndpoint:
    """A route, ready to serve: Klein calls it with the request and the parts of the address. `site` is what visits share."""

    route: PageRoute
    site: Any
    _label: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._label = f"{self.route.method} {PREFIX}{self.route.path}"

    def __call__(self, request: ApiRequest, **path: str) -> Deferred[bytes | None]:
        return served(request, self._label, self._sent(request, path))

    async def _sent(self, request: ApiRequest, path: Mapping[str, str]) -> bytes | None:
        visit: Visit | None = None
        try:
            visit = await self._visit(request, path)
            found = await self.route.serve(visit)
            if isinstance(found, Moved):
                return moved(self.site.renderer, request, found)
            if isinstance(found, PageReply):
                return shown(self.site.renderer, request, found, visit)
            if isinstance(found, Download):
                await self._send_file(request, found, visit.who)
                return None
            if isinstance(found, PageFile):
                return await self._send(request, visit, found)
        except Exception as error:
            return refused(self.site.renderer, request, problem_of(error), visit)
        stream: OpenStream = found
        request.headed(200, {"Content-Type": EVENT_STREAM, "X-Accel-Buffering": "no"}, b"")
        await request.write_stream(stream)
        return None

    async def _send_file(self, request: ApiRequest, found: Download, who: Account) -> None:
        """Raises a problem of the API before anything is sent."""
        try:
            self.site.downloads.begin(who.id)
        except BaseException:
            await close(found.pieces)
            raise
        told = {"Content-Type": found.content_type, "Content-Disposition": f'attachment; filename="{found.name}"'}
        request.headed(200, told, b"")
        try:
            await request.write_pieces(found.pieces)
        except Exception as error:  # the browser was cut off, and cannot be told
            note_fault(request, problem_of(error))
        finally:
            self.site.downloads.end(who.id)

    async def _send(self, request: ApiRequest, visit: Visit, found: PageFile) -> bytes | None:
        """Send a file, as fast as it is read."""
        downloads = self.site.downloads
        try:
            downloads.begin(visit.who.id)
        except HttpError:
            found.file.stream.close()
            raise
        try:
            part = cut(request, found.file)
            way = "attachment" if found.kept else "inline"
            told = {**part.headers, "Content-Type": found.content_type}
            told["Content-Disposition"] = f'{way}; filename="{found.file.name}"'
            body = request.headed(part.status, told, b"")
            if part.answer is None:
                return body
            await request.write_long(part.answer)
            return None
        finally:
            downloads.end(visit.who.id)

    async def _visit(self, request: ApiRequest, path: Mapping[str, str]) -> Visit:
        if self.route.method == "POST" or self.route.streams:
            refuse_cross_site(request)
        secret = secret_in(request, SESSION)
        digest = digest_of(secret)
        signed_in = await self.site.management.ask(find, digest, self.site.limits) if secret else None
        if signed_in is None:
            raise NotSignedIn(_wanted(request))
        body = await received(request) if self.route.takes_file else None
        form = dict(body.fields) if body is not None else form_of(request) if self.route.method == "POST" else {}
        if self.route.method == "POST" and not is_own_form(secret, form.pop(CSRF, "")):
            raise PageProblem(403, "problem.form")
        self.site.authentication.admit(signed_in.who, 429)
        if request.channel is not None:
            request.channel.site.logged_in(request.channel)
        query = query_of(request)
        _refuse_what_no_database_takes(path, query)
        visit = Visit(
            management=self.site.management,
            signed_in=signed_in,
            csrf=csrf_of(secret),
            address=request.client_host(),
            site=self.site,
            path=path,
            query=query,
            form=form,
            action=self.route.action,
            is_partial=is_partial(request),
            file=body,
        )
        if not self.route.allows(signed_in.who):
            raise Forbidden(self.route.action)
        return visit


async def received(request: ApiRequest) -> Any:
    """The `FormBody` of a request, which is on disk, whole. Fails with `PageProblem`, or a problem of the API."""
    if request.upload is None:
        raise PageProblem(400, "problem.request")
    try:
        await request.upload.received()
    except (OSError, UnsafeFile) as error:
        raise no_room(error) from error
    return request.upload.file


def is_partial(request: ApiRequest) -> bool:
    """Whether a script of the page asks, for a part of it."""
    return request.requestHeaders.hasHeader(b"HX-Request")


def query_of(request: ApiRequest) -> dict[str, str]:
    """The query as texts. Raises `HttpError`, `BadValue`."""
    query = request.query()
    return parse_form(query, "query") if query else {}


def form_of(request: ApiRequest) -> dict[str, str]:
    """A form as texts; a name that comes several times has its values with commas between. Raises `HttpError`, `BadValue`."""
    kind, _ = content_type_of(request.content_type() or b"")
    if kind != FORM:
        raise HttpError(415, "a form")
    found: dict[str, str] = {}
    for pair in request.body().split(b"&"):
        for name, value in (parse_form(pair, "form") if pair else {}).items():
            found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _refuse_what_no_database_takes(path: Mapping[str, str], query: Mapping[str, str]) -> None:
    if any("\0" in text for text in path.values()):
        raise PageProblem(404, "problem.not-found")
    if any("\0" in text for text in query.values()):
        raise PageProblem(400, "problem.request")


def _wanted(request: ApiRequest) -> str:
    """Where somebody goes who has signed in: what was asked for, when that shows something."""
    return request.uri.decode("latin-1") if request.method in (b"GET", b"HEAD") and not is_partial(request) else PREFIX


def frame_of(visit: Visit | None) -> dict[str, Any]:
    """What the frame around every page shows."""
    if visit is None:
        return {
            "signed_in": None,
            "csrf": "",
            "may": lambda _: False,
            "is_admin": False,
            "told": "",
            "problem": "",
            "here": "",
        }
    who = visit.who
    done = f"done.{visit.query.get('done', '')}"
    return {
        "signed_in": visit.signed_in,
        "csrf": visit.csrf,
        "may": lambda scope: scope in who.scopes,
        "is_admin": who.is_superuser and visit.signed_in.role is Role.ADMIN,
        "told": TEXTS.get(done, ""),
        "problem": "",
        "here": visit.action,
    }


def shown(renderer: Renderer, request: ApiRequest, found: PageReply, visit: Visit | None) -> bytes:
    """Set the head of a page, and return its body."""
    body = renderer.html(found.template, {**frame_of(visit), **found.values}).encode()
    return request.headed(found.status, {"Content-Type": HTML}, body)


def moved(renderer: Renderer, request: ApiRequest, found: Moved) -> bytes:
    """Lead on; a script of the page, which has the form, is told what was done."""
    if found.cookies:
        request.responseHeaders.setRawHeaders("Set-Cookie", list(found.cookies))
    if is_partial(request):
        told = TEXTS.get(f"done.{found.told}", "")
        body = renderer.html("notice.html", {"told": told, "problem": ""}).encode()
        return request.headed(200, {"Content-Type": HTML}, body)
    return request.headed(303, {"Location": found.location, "Content-Type": HTML}, b"")


def note_fault(request: ApiRequest, problem: PageProblem) -> None:
    """For the log, where it is a fault of the dialer's."""
    if request.site is not None:
        site: Any = request.site  # a request whose client has gone has no channel any more
        site.note_fault(problem.fault, request_id=request.id)


def refused(renderer: Renderer, request: ApiRequest, problem: PageProblem, visit: Visit | None) -> bytes:
    """Set the head of the page that tells of a problem, and return its body."""
    note_fault(request, problem)
    if isinstance(problem, NotSignedIn) and not is_partial(request):
        if secret_in(request, SESSION):
            request.responseHeaders.setRawHeaders("Set-Cookie", [forget_cookie(request, SESSION)])
        return request.headed(303, {"Location": problem.location, "Content-Type": HTML}, b"")
    values = {**frame_of(visit), "problem": problem.text, "status": problem.status, "told": ""}
    template = "notice.html" if is_partial(request) else "problem.html"
    headers = {"Content-Type": HTML, **problem.headers}
    return request.headed(problem.status, headers, renderer.html(template, values).encode())
