"""The OpenAPI 3.1 document, made of the routes and their schemas. `python -m api.openapi` prints it."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any, Final

import orjson
from pydantic import TypeAdapter

from api.app import all_routes
from api.errors import COMMON
from api.multipart_forms import MULTIPART
from api.routes import Attributes, NewfiesRoute

REFERENCE: Final = "#/components/schemas/{model}"
ERROR: Final = {"$ref": "#/components/schemas/Error"}
FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"
RETRY: Final = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer", "minimum": 1}}}
WRITING_ONLY: Final = (403, 413, 415)
HEADERS: Final[dict[int, dict[str, Any]]] = {
    405: {"Allow": {"schema": {"type": "string"}}},
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    429: RETRY,
    503: RETRY,
}


def document(version: str) -> dict[str, Any]:
    """The whole document."""
    routes = all_routes()
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(re.sub(r"<(\w+)>", r"{\1}", route.address), {})[route.method.lower()] = operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Newfies-Dialer API of 2011",
            "version": version,
            "description": "Every address works with and without its trailing slash. Dates are in UTC. "
            "`?format=json` may stand in every address.",
        },
        "security": [{"basic": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}},
            "schemas": {**_schemas(routes), "Error": _error()},
            "responses": {name: _refusal(status, sentence) for status, (name, sentence) in COMMON.items()},
        },
    }


def operation(route: NewfiesRoute) -> dict[str, Any]:
    """One method of one address."""
    found: dict[str, Any] = {
        "operationId": route.name.lower().replace(".", "_"),
        "tags": [route.path.partition("/")[0]],
        "summary": route.summary,
        "parameters": _parameters(route),
        "responses": _responses(route),
    }
    if route.takes_body:
        schema = {"schema": {"$ref": REFERENCE.format(model=route.schema.__name__)}}
        found["requestBody"] = {"required": True, "content": {FORM: schema, MULTIPART.decode(): schema, JSON: schema}}
    return found


def _parameters(route: NewfiesRoute) -> list[dict[str, Any]]:
    """Those in the address, and those of the query of a GET."""
    properties = _clean(route.schema.model_json_schema())["properties"] if route.kinds else {}
    found = []
    for name, schema in properties.items():
        if name in route.path_names:
            found.append({"name": name, "in": "path", "required": True, "schema": schema})
        elif route.reads:
            found.append({"name": name, "in": "query", "required": False, "schema": schema})
    return found


def _responses(route: NewfiesRoute) -> dict[str, Any]:
    sentences: dict[int, list[str]] = {}
    for refusal in route.refusals:
        sentences.setdefault(refusal.status, []).append(refusal.sentence)
    found: dict[str, Any] = {}
    for status, (name, sentence) in COMMON.items():
        if status in sentences:
            sentences[status].append(sentence)
        elif not route.reads or status not in WRITING_ONLY:
            found[str(status)] = {"$ref": f"#/components/responses/{name}"}
    if route.status == 204:
        found["204"] = {"description": "Done"}
    elif route.answer is not None:
        schema = TypeAdapter(route.answer).json_schema(ref_template=REFERENCE)
        schema.pop("$defs", None)
        found["200"] = {"description": "Done", "content": {JSON: {"schema": _answer_schema(route, schema)}}}
    for status, several in sentences.items():
        found[str(status)] = _refusal(status, "; ".join(several))
    return {status: found[status] for status in sorted(found)}


def _refusal(status: int, sentence: str) -> dict[str, Any]:
    response: dict[str, Any] = {"description": sentence, "content": {JSON: {"schema": ERROR}}}
    if status in HEADERS:
        response["headers"] = HEADERS[status]
    return response


def _answer_schema(route: NewfiesRoute, schema: dict[str, Any]) -> dict[str, Any]:
    """A reference where the answer is a model, which pydantic writes out at the top of a document."""
    name = getattr(route.answer, "__name__", "")
    return {"$ref": REFERENCE.format(model=name)} if schema.get("type") == "object" else schema


def _schemas(routes: Sequence[NewfiesRoute]) -> dict[str, Any]:
    bodies = list(dict.fromkeys(route.schema for route in routes if route.takes_body))
    found: dict[str, Any] = {body.__name__: _body(body, routes) for body in bodies}
    answers = [route.answer for route in routes if route.answer is not None]
    for answer in answers:
        schema = TypeAdapter(answer).json_schema(ref_template=REFERENCE)
        found |= schema.pop("$defs", {})
        if schema.get("type") == "object":
            found[answer.__name__] = schema
    return {name: _clean(found[name]) for name in sorted(found)}


def _body(schema: type[Attributes], routes: Sequence[NewfiesRoute]) -> dict[str, Any]:
    """The attributes of a body. Those of the address may be repeated, and need not."""
    in_path = {name for route in routes if route.schema is schema for name in route.path_names}
    found = schema.model_json_schema(ref_template=REFERENCE)
    required = [name for name in found.get("required", []) if name not in in_path]
    return {**found, "required": required} if required else {k: v for k, v in found.items() if k != "required"}


def _error() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "Every refusal: a sentence for people.",
        "properties": {"error": {"type": "string"}},
        "required": ["error"],
        "additionalProperties": False,
    }


def _clean(schema: Any) -> Any:
    """Without titles that repeat names, and without null as the default of what may be left out."""
    if isinstance(schema, list):
        return [_clean(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _clean(each) for name, each in value.items()} if key == "properties" else _clean(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str)) and not (key == "default" and value is None)
    }


def text() -> bytes:
    """The document as it is committed."""
    return orjson.dumps(document("1"), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


if __name__ == "__main__":
    sys.stdout.buffer.write(text())
