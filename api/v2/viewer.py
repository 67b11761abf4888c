"""The OpenAPI document for people: one page that is made of it once, without a script, with nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from html import escape
from importlib import resources
from typing import Any, Final

from api.branches import Branch, end_of_head
from api.errors import WRONG_METHOD
from api.request import ApiRequest
from api.v2.openapi import document
from api.v2.table import all_routes
from dialer import __version__

Page = Callable[[ApiRequest], Any]

PAGE: Final = b"/api/v2/docs"
STYLE: Final = b"/api/v2/docs.css"

_POLICY: Final = (
    b"default-src 'none'",
    b"style-src 'self'",
    b"base-uri 'none'",
    b"form-action 'none'",
    b"frame-ancestors 'none'",
)
_BRANCH: Final = Branch(
    b"/",
    usual=end_of_head(
        (
            b"Content-Security-Policy: " + b"; ".join(_POLICY),
            b"Cache-Control: no-cache",
            b"X-Content-Type-Options: nosniff",
            b"Referrer-Policy: no-referrer",
            b"Cross-Origin-Resource-Policy: same-origin",
        )
    ),
)
_METHODS: Final = ("get", "post", "patch", "delete")


def pages() -> Mapping[bytes, Page]:
    """The page and its style, each by its address. Nobody has to log in: it tells nothing of the installation."""
    return {PAGE: _served(_page, "text/html; charset=utf-8"), STYLE: _served(_style, "text/css; charset=utf-8")}


def _served(made: Callable[[], bytes], content_type: str) -> Page:
    def serve(request: ApiRequest) -> None:
        request.branch = _BRANCH
        request.route = f"GET {request.path.decode('latin-1')}"
        if request.method not in (b"GET", b"HEAD"):
            sentence = WRONG_METHOD.format(methods="GET, HEAD")
            request.reply(405, sentence.encode(), {"Content-Type": "text/plain; charset=utf-8", "Allow": "GET, HEAD"})
            return
        request.reply(200, made(), {"Content-Type": content_type})

    return serve


@lru_cache(maxsize=1)
def _style() -> bytes:
    return resources.files("api.v2").joinpath("viewer.css").read_bytes()


@lru_cache(maxsize=1)
def _page() -> bytes:
    return "".join(_html(document(__version__, all_routes()))).encode()


# --- what is on it ----------------------------------------------------------------------------------------------------------


def _html(found: Mapping[str, Any]) -> Iterator[str]:
    title = escape(found["info"]["title"])
    yield f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="docs.css"></head>'
    yield f"<body><h1>{title} {escape(found['info']['version'])}</h1><p>{escape(found['info']['description'])} "
    yield "Logins are tokens (<code>Authorization: Bearer</code>), or names with passwords. "
    yield '<a href="openapi.json">openapi.json</a> is the document for programs.</p>'
    tags = _by_tag(found["paths"])
    yield '<nav aria-label="resources"><ul>'
    yield "".join(f'<li><a href="#of-{escape(tag)}">{escape(_words(tag))}</a></li>' for tag in tags)
    yield '<li><a href="#schemas">schemas</a></li></ul></nav><main>'
    for tag, operations in tags.items():
        yield f'<section id="of-{escape(tag)}"><h2>{escape(_words(tag))}</h2>'
        for method, path, operation in operations:
            yield from _operation(method, path, operation)
        yield "</section>"
    yield '<section id="schemas"><h2>schemas</h2>'
    for name, schema in found["components"]["schemas"].items():
        yield f'<details id="schema-{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        yield f"<p>{escape(schema.get('description', ''))}</p>{_members(schema)}</details>"
    yield "</section></main></body></html>"


def _by_tag(paths: Mapping[str, Any]) -> dict[str, list[tuple[str, str, Any]]]:
    found: dict[str, list[tuple[str, str, Any]]] = {}
    for path, methods in paths.items():
        for method in filter(methods.__contains__, _METHODS):
            (tag,) = methods[method]["tags"]
            found.setdefault(tag, []).append((method, path, methods[method]))
    return found


def _words(name: str) -> str:
    return name.replace("_", " ")


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f'<details id="{escape(operation["operationId"])}"><summary><span class="method">{method.upper()}</span> '
    yield f"<code>{escape(path)}</code> {escape(operation['summary'])}</summary>"
    yield f"<p>{escape(operation.get('description', 'Nobody has to log in.'))}</p>"
    if operation["parameters"]:
        rows = [
            (each["name"], f"{each['in']}, {_kind(each['schema'])}", each.get("description", ""), each.get("required", False))
            for each in operation["parameters"]
        ]
        yield _table("parameters", rows)
    if "requestBody" in operation:
        yield f"<p>Body: {_contents(operation['requestBody']['content'])}</p>"
    yield '<div class="wide"><table><thead><tr><th scope="col">answer</th><th scope="col"></th></tr></thead><tbody>'
    for status, answer in operation["responses"].items():
        content = _contents(answer.get("content", {}))
        yield f'<tr><th scope="row">{escape(status)}</th><td>{escape(answer["description"])} {content}</td></tr>'
    yield "</tbody></table></div></details>"


def _contents(contents: Mapping[str, Any]) -> str:
    return "; ".join(f"<code>{escape(kind)}</code>: {_kind(content['schema'])}" for kind, content in contents.items())


def _members(schema: Mapping[str, Any]) -> str:
    if schema.get("type") != "object" or "properties" not in schema:
        return f"<p>{_kind(schema)}</p>"
    required = schema.get("required", ())
    rows = [(name, _kind(each), each.get("description", ""), name in required) for name, each in schema["properties"].items()]
    return _table("members", rows)


def _table(what: str, rows: list[tuple[str, str, str, bool]]) -> str:
    lines = "".join(
        f'<tr><th scope="row"><code>{escape(name)}</code>{"" if needed else " (optional)"}</th><td>{kind}</td>'
        f"<td>{escape(doc)}</td></tr>"
        for name, kind, doc, needed in rows
    )
    head = f'<tr><th scope="col">{what}</th><th scope="col">kind</th><th scope="col">meaning</th></tr>'
    return f'<div class="wide"><table><thead>{head}</thead><tbody>{lines}</tbody></table></div>'


def _kind(schema: Mapping[str, Any]) -> str:
    """What a value is, in HTML."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#schema-{name}">{name}</a>'
    if "enum" in schema:
        return "one of " + ", ".join(f"<code>{escape(str(each))}</code>" for each in schema["enum"])
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return " or ".join(map(_kind, schema[word]))
    kinds = schema.get("type", "anything")
    if kinds == "array":
        return f"list of: {_kind(schema.get('items', {}))}"
    told = kinds if isinstance(kinds, str) else " or ".join(kinds)
    bounds = [
        f"{label} {schema[name]}"
        for name, label in (("minimum", "from"), ("maximum", "to"), ("minLength", "from"), ("maxLength", "to"), ("format", ""))
        if name in schema
    ]
    return escape(" ".join([told, *bounds]).strip())
