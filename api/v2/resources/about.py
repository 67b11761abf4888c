"""What the API says of itself: its OpenAPI document, and the kinds of problems. Nobody has to log in for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from twisted.internet.defer import Deferred, succeed

from api.v2 import openapi
from api.v2.attributes import Answer, answer
from api.v2.problems import KINDS, TYPE
from api.v2.routes import Asked, Route
from dialer import __version__

DOCUMENT: Final = Answer(name="OpenApi", schema={"type": "object", "description": "An OpenAPI document."}, encode=dict)
PROBLEMS: Final = answer(
    "ProblemKinds",
    "The kinds of problems, by the `type` that a problem has.",
    {
        "problems": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "status": {"type": "integer"},
                    "title": {"type": "string"},
                    "description": {"type": "string"},
                },
                "required": ["status", "title", "description"],
            },
        }
    },
    dict,
)


def _problems(asked: Asked) -> Deferred[Mapping[str, Any]]:
    """The kinds of problems that a request can meet with."""
    kinds = {
        TYPE.format(name=name): {"status": kind.status, "title": kind.title, "description": kind.doc}
        for name, kind in KINDS.items()
    }
    return succeed({"problems": kinds})


def routes(table: Callable[[], Sequence[Route]]) -> tuple[Route, ...]:
    """The routes of this resource; `table` has all there are, these among them."""

    @lru_cache(maxsize=1)
    def made() -> Mapping[str, Any]:
        return openapi.document(__version__, table())

    def _document(asked: Asked) -> Deferred[Mapping[str, Any]]:
        """This document."""
        return succeed(made())

    return (
        Route(method="GET", path="openapi.json", scope=None, serve=_document, answer=DOCUMENT),
        Route(method="GET", path="problems", scope=None, serve=_problems, answer=PROBLEMS),
    )
