"""From what a use case gives to what is sent: bodies, tags, and what is kept for a request that comes again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from attrs import Factory, frozen

from api.event_stream import EventStream
from api.long_answers import LongAnswer
from api.open_stream import CONTENT_TYPE as EVENT_STREAM
from api.request import ApiRequest
from api.streamed_answers import Pieces
from api.v2 import pages, problems
from api.v2.attributes import Answer
from api.v2.conditions import CHANGED, matches, tag_of
from api.v2.problems import Problem
from api.v2.ranges import RangedFile, cut
from api.v2.reading import JSON, Given
from api.v2.routes import PREFIX, File, Route
from dialer.management.idempotency import Answered

REPLAYED: Final = "Idempotent-Replayed"


@frozen(kw_only=True)
class Reply:
    """An answer, ready to be sent; with a `stream`, it has a head only, behind which that begins."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = Factory(dict)
    stream: EventStream | None = None
    pieces: Pieces | None = None
    """Of a body that is made while it is sent; `long` is one that is read meanwhile. `sent` is called then."""
    long: LongAnswer | None = None
    sent: Callable[[], None] = lambda: None


def body_of(answer: Answer, value: Any) -> bytes:
    """The JSON of an answer."""
    return orjson.dumps(answer.encode(value))


def reply(route: Route, request: ApiRequest, given: Given, value: Any) -> Reply:
    """The answer of a route."""
    if isinstance(value, RangedFile):
        part = cut(request, value.file)
        told = {"Content-Disposition": f'inline; filename="{value.file.name}"', **part.headers}
        content_type = value.content_type if part.answer is not None else ""
        return Reply(status=part.status, headers={**told, **_headers(request, content_type)}, long=part.answer)
    if isinstance(value, File):
        told = {"Content-Disposition": f'attachment; filename="{value.name}"', **_headers(request, value.content_type)}
        return Reply(status=route.status, headers=told, pieces=value.pieces)
    if route.answer is None:
        return Reply(status=route.status, headers=_headers(request))
    if route.page is not None:
        value = _page(route.page, given, value)
    body = body_of(route.answer, value)
    if route.reads:
        return _conditional(request, body)
    headers = {"ETag": tag_of(body)} if route.current is not None else _location(route, body)
    return Reply(status=route.status, body=body, headers={**_headers(request, JSON), **headers})


def stream_reply(request: ApiRequest, stream: EventStream) -> Reply:
    """An answer that goes on. Proxies that hold answers back until they are whole are told not to (nginx)."""
    headers = {**_headers(request, EVENT_STREAM), "X-Accel-Buffering": "no"}
    return Reply(status=200, headers=headers, stream=stream)


def _page(page: pages.Page, given: Given, entries: Any) -> dict[str, Any]:
    if isinstance(entries, pages.Portion):
        data, place = entries.entries, entries.place
        more = place is not None
    else:
        data, more = pages.cut(entries, given.limit)
        place = data[-1] if more else None
    following = pages.cursor(page.place_of(place, given.query), given.of) if more else None
    return {"data": data, "has_more": more, "next_cursor": following}


def _conditional(request: ApiRequest, body: bytes) -> Reply:
    """The answer of a GET, or that the client has it already (RFC 9110, section 13.2.2)."""
    tag = tag_of(body)
    known, expected = request.header(b"If-None-Match"), request.header(b"If-Match")
    if expected is not None and not matches(expected, tag, weakly=False):
        raise Problem("precondition-failed", CHANGED)
    if known is not None and matches(known, tag, weakly=True):
        return Reply(status=304, headers={**_headers(request), "ETag": tag})
    return Reply(status=200, body=body, headers={**_headers(request, JSON), "ETag": tag})


def _location(route: Route, body: bytes) -> dict[str, str]:
    return {"Location": PREFIX + route.location.format(**orjson.loads(body))} if route.location else {}


def _headers(request: ApiRequest, content_type: str = "") -> dict[str, str]:
    told = {"Content-Type": content_type} if content_type else {}
    return {**told, "X-Request-Id": request.id}


def refusal(problem: Problem, request: ApiRequest) -> Reply:
    """The answer that tells of a problem."""
    return Reply(
        status=problem.kind.status,
        body=problems.body_of(problem, request.path.decode("latin-1"), request.id),
        headers={**problem.headers, **_headers(request, problems.CONTENT_TYPE)},
    )


# --- requests that may come again -----------------------------------------------------------------------------------------


def made_once(route: Route, value: Any) -> Answered:
    """The answer of a route that has a key, and what is kept of it. It is pure."""
    if route.answer is None:
        return Answered(status=route.status, body="", kept="")
    shown = route.answer.encode(value)
    body = orjson.dumps(shown).decode()
    kept = body if route.kept is None else orjson.dumps(route.kept(shown)).decode()
    return Answered(status=route.status, body=body, kept=kept)


def kept_reply(route: Route, request: ApiRequest, found: Answered) -> Reply:
    """The answer of a request that has a key: its own, or that of the same one before."""
    body = found.body.encode()
    replayed = {REPLAYED: "true"} if found.replayed else {}
    headers = {**_headers(request, JSON if body else ""), **(_location(route, body) if body else {}), **replayed}
    return Reply(status=found.status, body=body, headers=headers)
