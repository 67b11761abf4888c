"""From what came to the values that a route takes. What does not parse is refused, as a whole, with all that is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, Final

from attrs import Factory, evolve, frozen

from api.bodies import content_type_of, parse_form, parse_json, shown
from api.open_stream import CONTENT_TYPE as EVENT_STREAM
from api.request import ApiRequest
from api.v2 import pages
from api.v2.attributes import parse_parameters
from api.v2.problems import Flaw, Problem
from api.v2.routes import Route
from dialer.envelope import EventId

JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"
TAKEN: Final = {"POST": (JSON,), "PATCH": (MERGE_PATCH, JSON)}
"""The types of bodies, by method."""

LAST_EVENT_ID: Final = "Last-Event-ID"


@frozen(kw_only=True)
class Given:
    """What a request says. `of` is what its cursors belong to."""

    path: Mapping[str, Any]
    query: Mapping[str, Any] = Factory(dict)
    body: Mapping[str, Any] = Factory(dict)
    limit: int = 0
    after: Any = None
    of: bytes = b""


def check_accepted(route: Route, request: ApiRequest) -> None:
    """Raise `Problem` when the client takes no type of the answer (RFC 9110, section 12.5.1)."""
    accepted = request.header(b"Accept") or ""
    given = (EVENT_STREAM,) if route.streams else route.files or (JSON,)
    names = {name for kind in given for name in (kind, f"{kind.partition('/')[0]}/*")} | {"*/*"}
    if accepted.strip() and not any(_takes(names, item) for item in accepted.split(",")):
        raise Problem("not-acceptable", f"answers are {' or '.join(given)}, which the header Accept leaves out")


def _takes(names: Set[str], item: str) -> bool:
    kind, *parameters = (part.strip().lower() for part in item.split(";"))
    weights = [part[2:] for part in parameters if part.startswith("q=")]
    return kind in names and not any(weight.strip("0.") == "" for weight in weights)


def last_event_id(request: ApiRequest) -> Any:
    """The header, by which a client that comes back tells how far it is; None where it does not. Raises `Problem`."""
    text = request.header(LAST_EVENT_ID.encode())
    if not text:
        return None
    try:
        return EventId().parse(text)
    except ValueError:
        raise Problem("bad-request", f"{LAST_EVENT_ID}: expected {EventId.takes}") from None


def parse(route: Route, path: Mapping[str, str], query: bytes, content_type: bytes | None, content: bytes) -> Given:
    """The values for a route. It is pure. Raises `Problem`, `HttpError`, `BadValue`."""
    in_path = _path(route, path)
    in_query = parse_parameters(route.query_parameters, parse_form(query, "query") if query else {})
    body = _body(route, content_type, content)
    if route.page is None:
        return Given(path=in_path, query=in_query, body=body)
    limit, cursor = in_query.pop("limit"), in_query.pop("cursor", None)
    of = pages.identity(route.path, {**in_path, **in_query})
    after = None if cursor is None else _behind(route.page, pages.place(cursor, of, route.page.by), in_query)
    return Given(path=in_path, query=in_query, limit=limit, after=after, of=of)


def with_fields(route: Route, given: Given, query: bytes, fields: Mapping[str, str]) -> Given:
    """The same with parameters that were fields of a form. Raises `Problem`."""
    if not fields:
        return given
    in_query = parse_form(query, "query") if query else {}
    twice = sorted(set(in_query) & set(fields))
    if twice:
        raise Problem.of_flaws([Flaw.of_parameter(shown(twice[0]), "is given in the address and in the form")])
    return evolve(given, query=parse_parameters(route.query_parameters, {**in_query, **fields}))


def _behind(page: pages.Page, place: pages.Place, query: Mapping[str, Any]) -> Any:
    if isinstance(place, str) and "\0" in place:  # no text of a database has one
        raise pages.bad_cursor()
    try:
        return page.after(place, query)
    except (ValueError, TypeError, OverflowError):
        raise pages.bad_cursor() from None


def _path(route: Route, given: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for attribute in route.path_parameters:
        try:
            found[attribute.name] = attribute.kind.parse(given[attribute.name])
        except (ValueError, TypeError):
            raise Problem("not-found", f"{attribute.name}: expected {attribute.kind.takes}") from None
    return found


def _body(route: Route, content_type: bytes | None, content: bytes) -> dict[str, Any]:
    if route.takes is not None:
        return {}
    if route.raw:
        kind, _ = content_type_of(content_type or b"")
        if kind.decode("latin-1") not in route.raw:
            raise Problem("unsupported-type", f"the body must be {' or '.join(route.raw)}")
        return {"content": content}
    if route.body is None:
        if content:
            raise Problem("bad-request", "no body is taken here")
        return {}
    if not content and content_type is None:
        return route.body.parse({})
    kind, charset = content_type_of(content_type or b"")
    if kind.decode("latin-1") not in TAKEN[route.method] or charset not in (b"", b"utf-8", b"utf8"):
        raise Problem("unsupported-type", f"the body must be {' or '.join(TAKEN[route.method])}, in UTF-8")
    return route.body.parse(parse_json(content))
