"""Calls of the API v2 without their transport: what is sent, what an answer means, and when the same is sent again."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

import orjson
from attrs import Factory, frozen

from dialer import __version__
from dialer.errors import DialerError

PREFIX: Final = "/api/v2/"
JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"

MOST_TRIES: Final = 5
FIRST_PAUSE: Final = 0.5
"""Seconds before the second try; doubled each time, where the server names no other time."""
LONGEST_PAUSE: Final = 30.0

_AGAIN: Final = frozenset({429, 502, 503, 504})
"""Statuses of servers and proxies that could not take a request at that moment."""


class Unreachable(DialerError):
    """No answer came: the server cannot be reached, or the connection was lost."""

    code = "unreachable"


class ApiRefused(DialerError):
    """The server answered that it has not done it. `kind` is the word of the problem (docs/api-v2.md), `errors` point at what
    was wrong, each with a `detail`."""

    code = "refused"

    def __init__(self, status: int, kind: str, detail: str, errors: Sequence[Mapping[str, str]] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.errors = errors


@frozen(kw_only=True)
class ApiCall:
    """A request. `path` is behind the prefix, as the OpenAPI document has it: `ids` are its names in braces. `content` is a
    file in place of a `body`, of the type `content_type`; `tag` the ETag of what is changed."""

    method: str
    path: str
    ids: Mapping[str, object] = Factory(dict)
    query: Mapping[str, object] = Factory(dict)
    body: Mapping[str, Any] | None = None
    content: bytes | None = None
    content_type: str = JSON
    tag: str | None = None

    @property
    def target(self) -> str:
        """The address with its query."""
        path = PREFIX + self.path.format(**{name: quote(str(value), safe="") for name, value in self.ids.items()})
        given = {name: _text(value) for name, value in self.query.items() if value is not None}
        return f"{path}?{urlencode(given)}" if given else path

    @property
    def payload(self) -> bytes | None:
        """The bytes of the body."""
        if self.content is not None:
            return self.content
        return None if self.body is None else orjson.dumps(dict(self.body))

    def headers(self, authorization: str, key: str) -> dict[str, str]:
        """Those of the request. `key` is the same for each try of it."""
        found = {"Authorization": authorization, "User-Agent": f"freeswitch-dialer/{__version__}", "Accept": "*/*"}
        if self.payload is not None:
            found["Content-Type"] = MERGE_PATCH if self.method == "PATCH" else self.content_type
        if self.method == "POST":
            found["Idempotency-Key"] = key
        if self.tag is not None:
            found["If-Match"] = self.tag
        return found


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def bearer(token: str) -> str:
    """The header of a token."""
    return f"Bearer {token}"


def basic(username: str, password: str) -> str:
    """The header of a name and a password."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


@frozen(kw_only=True)
class ApiAnswer:
    """What came back; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def result(call: ApiCall, answer: ApiAnswer, tries: int = 1) -> Any:
    """What the answer to a call means: the object of its JSON, the bytes of a file, None for nothing. Something that is to be
    removed and is not there was removed by an earlier one of several `tries`. Raises `ApiRefused`."""
    content_type = answer.headers.get("content-type", "").partition(";")[0].strip()
    if answer.status < 300:
        if not answer.content and content_type in ("", JSON):
            return None
        return orjson.loads(answer.content) if content_type == JSON else answer.content
    if answer.status == 404 and tries > 1 and call.method == "DELETE":
        return None
    raise _refused(answer, content_type)


def _refused(answer: ApiAnswer, content_type: str) -> ApiRefused:
    found: Any = None
    if content_type.endswith("json"):
        try:
            found = orjson.loads(answer.content)
        except ValueError:
            found = None
    if not isinstance(found, dict):
        return ApiRefused(answer.status, "unknown", f"the answer was {answer.status}")
    kind = str(found.get("type", "")).rpartition("#")[2] or "unknown"
    return ApiRefused(answer.status, kind, str(found.get("detail", "")), found.get("errors", ()))


def pause(tries: int, answer: ApiAnswer | None, jitter: float) -> float | None:
    """Seconds before the same is sent again after so many `tries`, of which the last one had this answer, or none; None when
    it is not. `jitter` is from 0 to 1."""
    if tries >= MOST_TRIES:
        return None
    if answer is not None and answer.status not in _AGAIN and not _under_way(answer):
        return None
    usual = min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE) * (0.5 + jitter / 2)
    told = "" if answer is None else answer.headers.get("retry-after", "")
    return min(max(float(told), usual), LONGEST_PAUSE) if told.isdecimal() else usual


def _under_way(answer: ApiAnswer) -> bool:
    return answer.status == 409 and b"#in-progress" in answer.content
