"""The OpenAPI 3.1 document, made of the routes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson

from api.open_stream import CONTENT_TYPE as EVENT_STREAM
from api.v2 import problems
from api.v2.attributes import Answer, Attribute
from api.v2.file_bodies import MULTIPART
from api.v2.keys import KEY_SCHEMA
from api.v2.problems import KINDS
from api.v2.reading import JSON, LAST_EVENT_ID, TAKEN
from api.v2.routes import PREFIX, Route, Taken
from dialer.envelope import EventId

REFERENCE: Final = "#/components/schemas/{name}"

_TEXT: Final = {"schema": {"type": "string"}}
_SECONDS: Final = {"schema": {"type": "integer", "minimum": 1}, "description": "seconds"}
_ALWAYS: Final = {"X-Request-Id": {**_TEXT, "description": "by which the log calls the request"}}
_HEADERS: Final[dict[int, dict[str, Any]]] = {
    401: {"WWW-Authenticate": _TEXT},
    405: {"Allow": _TEXT},
    416: {"Content-Range": _TEXT},
    429: {"Retry-After": _SECONDS},
    503: {"Retry-After": _SECONDS},
}
_OF_ALL: Final = ("not-found", "method-not-allowed", "not-acceptable", "bad-request", "internal")
_OF_USERS: Final = ("unauthorized", "forbidden", "too-many-requests", "unavailable")
_OF_BODIES: Final = ("bad-value", "too-large", "unsupported-type")


def document(version: str, routes: Sequence[Route]) -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(address(route), {})[route.method.lower()] = operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Dialer API v2",
            "version": version,
            "description": "Campaigns of an outbound dialer. Times are RFC 3339 with their offset; a user sees what belongs "
            "to it, and a superuser everything.",
        },
        "security": [{"token": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "dlr_live_<id>_<secret>"},
                "basic": {"type": "http", "scheme": "basic"},
            },
            "schemas": dict(sorted({**_schemas(routes), "Problem": problems.SCHEMA}.items())),
        },
    }


def address(route: Route) -> str:
    """The address of a route as a template of the document: `<id>` is `{id}`."""
    return PREFIX + re.sub(r"<(\w+)>", r"{\1}", route.path)


def operation(route: Route) -> dict[str, Any]:
    """One method of one address."""
    found: dict[str, Any] = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.summary,
        "parameters": [*_parameters(route), *_conditions(route)],
        "responses": _responses(route),
    }
    if route.scope is None:
        found["security"] = []
    else:
        found["description"] = f"Needs the scope `{route.scope}`."
    if route.raw:
        file = {"schema": {"type": "string", "format": "binary"}}
        found["requestBody"] = {"required": True, "content": dict.fromkeys(route.raw, file)}
    if route.body is not None:
        schema = {"schema": {"$ref": REFERENCE.format(name=route.body.name)}}
        needed = route.method == "POST" and any(each.required for each in route.body.attributes)
        found["requestBody"] = {"required": needed, "content": dict.fromkeys(TAKEN[route.method], schema)}
    if route.takes is not None:
        found["requestBody"] = _file(route, route.takes)
    return found


def _file(route: Route, taken: Taken) -> dict[str, Any]:
    """A body that is a file, alone or in a form, whose fields may be the parameters."""
    fields = {each.name: each.described for each in route.query_parameters}
    form = {
        "type": "object",
        "properties": {"file": {"type": "string", "description": taken.doc, "format": "binary"}, **fields},
        "required": ["file"],
    }
    alone = {"schema": {"type": "string", "description": taken.doc, "format": "binary"}}
    return {"required": True, "content": {**dict.fromkeys(taken.types, alone), MULTIPART: {"schema": form}}}


def _parameters(route: Route) -> Iterator[dict[str, Any]]:
    for place, attributes in (("path", route.path_parameters), ("query", route.query_parameters)):
        for each in attributes:
            yield {"name": each.name, "in": place, "required": place == "path", **_parameter(each)}


def _parameter(attribute: Attribute) -> dict[str, Any]:
    schema = {name: each for name, each in attribute.described.items() if name != "description"}
    return {"description": attribute.doc, "schema": schema}


def _conditions(route: Route) -> Iterator[dict[str, Any]]:
    """Headers that make a request conditional, or one that may come again."""
    if route.method == "POST":
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "the same request with the same key has its effect once, and gets the same answer, for 24 hours",
            "schema": KEY_SCHEMA,
        }
    if route.streams:
        told = "the id of the last event that the client has got, behind which it goes on"
        yield {"name": LAST_EVENT_ID, "in": "header", "description": told, "schema": EventId().schema()}
    names: tuple[str, ...] = ()
    if route.conditional:
        names = ("If-None-Match", "If-Match")
    elif route.current is not None:
        names = ("If-Match",)
    elif route.ranges:
        names = ("If-None-Match",)
        yield {"name": "Range", "in": "header", "description": "the part that is wanted", "schema": {"type": "string"}}
        yield {"name": "If-Range", "in": "header", "description": "its tag; else all is sent", "schema": {"type": "string"}}
    for name in names:
        yield {"name": name, "in": "header", "description": "tags (RFC 9110)", "schema": {"type": "string"}}


def _responses(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = {str(route.status): _done(route)}
    if route.ranges:
        part = found["200"]["headers"] | {"Content-Range": _TEXT}
        found["206"] = {**found["200"], "description": "The part that was asked for.", "headers": part}
    if route.conditional or route.ranges:
        found["304"] = {"description": "It is as If-None-Match has it.", "headers": {**_ALWAYS, "ETag": _TEXT}}
    kinds: dict[int, list[str]] = {}
    for name in refusals(route):
        kinds.setdefault(KINDS[name].status, []).append(KINDS[name].title)
    for status, titles in sorted(kinds.items()):
        found[str(status)] = {
            "description": "; ".join(titles),
            "headers": {**_ALWAYS, **_HEADERS.get(status, {})},
            "content": {problems.CONTENT_TYPE: {"schema": {"$ref": REFERENCE.format(name="Problem")}}},
        }
    return found


def refusals(route: Route) -> list[str]:
    """The kinds of problems that a route may answer with."""
    found = [*_OF_ALL, *route.refusals]
    if route.scope is not None:
        found += _OF_USERS
    if route.body is not None or route.raw or route.takes is not None:
        found += _OF_BODIES
    if route.ranges:
        found.append("range-not-satisfiable")
    if route.query_parameters:
        found.append("bad-value")
    if route.path_parameters:
        found.append("bad-value")
    if route.page is not None:
        found.append("bad-cursor")
    if not route.reads:
        found += ["cross-site", "too-large", "precondition-failed"]
    if route.streams:
        found.append("cross-site")
    if route.conditional:
        found.append("precondition-failed")
    if route.method == "POST":
        found += ["in-progress", "key-reused"]
    return list(dict.fromkeys(found))


def _done(route: Route) -> dict[str, Any]:
    headers: dict[str, Any] = {**_ALWAYS}
    if route.streams:
        content = {EVENT_STREAM: {"schema": {"type": "string", "description": "docs/events.md says what comes"}}}
        return {"description": "Events, until either side closes the connection.", "headers": headers, "content": content}
    if route.conditional or (route.current is not None and route.answer is not None):
        headers["ETag"] = _TEXT
    if route.location:
        headers["Location"] = _TEXT
    if route.method == "POST":
        headers["Idempotent-Replayed"] = {**_TEXT, "description": "`true` when this is the answer of an earlier request"}
    found: dict[str, Any] = {"description": "Done.", "headers": headers}
    if route.answer is not None:
        found["content"] = {JSON: {"schema": {"$ref": REFERENCE.format(name=route.answer.name)}}}
    if route.ranges:
        headers |= {"Accept-Ranges": _TEXT, "ETag": _TEXT}
    if route.files:
        headers["Content-Disposition"] = _TEXT
        found["content"] = {kind: {"schema": {"type": "string"}} for kind in route.files}
    return found


def _schemas(routes: Sequence[Route]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for route in routes:
        for answer in _answers(route):
            found[answer.name] = answer.schema
        if route.body is not None:
            found[route.body.name] = route.body.schema
    return found


def _answers(route: Route) -> Iterator[Answer]:
    if route.answer is not None:
        yield route.answer
        if route.answer.item is not None:
            yield route.answer.item


def text(routes: Sequence[Route]) -> bytes:
    """The document as it is committed."""
    return orjson.dumps(document("2", routes), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
