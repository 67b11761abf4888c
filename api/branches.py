"""The branches of the API: the addresses behind a prefix, and their manners. What a browser may do with an answer, and how a
request is refused that no route has seen, is a branch's own affair."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import orjson
from attrs import field, frozen
from twisted.web.resource import IResource

from api.uploads import Upload

HARMLESS: Final = (
    b"Vary: Authorization",
    b"Cache-Control: no-store",
    b"X-Content-Type-Options: nosniff",
    b"Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
    b"Referrer-Policy: no-referrer",
)
"""On every answer. Vary belongs to the contract of 2011; the rest keeps browsers from doing more with an answer than to show
it."""

HEADERS: Final = (b"Content-Type: application/json; charset=utf-8", *HARMLESS)
"""On every answer of 2011."""


def end_of_head(headers: tuple[bytes, ...]) -> bytes:
    """The last lines of a head, as they are sent."""
    return b"\r\n".join([*headers, b"", b""])


def error_body(sentence: str) -> bytes:
    """The body of every refusal of 2011."""
    return orjson.dumps({"error": sentence})


Refuse = Callable[[Any, int, str, Mapping[str, str]], tuple[Mapping[str, str], bytes]]
"""From a request, a status, a sentence and headers to the headers and the body of a refusal."""


def refuse_plainly(request: Any, status: int, sentence: str, headers: Mapping[str, str]) -> tuple[Mapping[str, str], bytes]:
    """A refusal in the form of 2011: one object with `error`."""
    return headers, error_body(sentence)


class Uploads(Protocol):
    """The addresses of a branch whose bodies go to disk."""

    def takes(self, method: bytes, path: bytes) -> bool:
        """Whether this is one."""
        ...

    def begin(self, request: Any) -> Upload:
        """The upload of a request whose head is here, and whose sender is known. Raises why it is refused."""
        ...

    def refusal(self, request: Any, error: Exception) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body of a refusal."""
        ...


@frozen(eq=False)
class Branch:
    """What is served behind `prefix`, which begins and ends with a slash. `tokens` tells that a login may be a token; `usual`
    is what each head ends with. With `largest`, bodies of so many bytes at most are taken from anybody, before it is known who
    sends them; else, of users only."""

    prefix: bytes
    resource: IResource | None = None
    tokens: bool = False
    usual: bytes = end_of_head(HEADERS)
    refuse: Refuse = refuse_plainly
    largest: int = 0
    uploads: Uploads | None = None
    segments: tuple[bytes, ...] = field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "segments", tuple(self.prefix.strip(b"/").split(b"/")))


NO_BRANCH: Final = Branch(b"/")
"""For addresses that are none of ours."""

PAGES: Final = Branch(b"/", usual=end_of_head(HARMLESS))
"""For pages beside the API, each of a type of its own."""

UNROUTED: Final = "none"
"""The route of what asks for no resource."""
