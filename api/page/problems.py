"""Problems, as the page tells them: the table from an error to a status and a text."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from api.errors import HttpError, retry_after
from api.page.rendering import text, text_or
from api.page.routes import PREFIX
from api.v2.problems import Problem
from dialer.errors import (
    AlreadyExists,
    BadValue,
    Busy,
    Forbidden,
    InUse,
    LimitExceeded,
    NotFound,
    NotSetUp,
    Over,
    StoreError,
    WrongState,
)


class PageProblem(Exception):
    """A refusal: its status, the key of its text, and what is filled in there. `fault` is for the log."""

    def __init__(
        self, status: int, key: str, headers: Mapping[str, str] | None = None, fault: str = "", **values: object
    ) -> None:
        super().__init__(key)
        self.status = status
        self.text = text(key, **values)
        self.headers = headers or {}
        self.fault = fault


class NotSignedIn(PageProblem):
    """Nobody is signed in, or not any more: one goes on to the sign-in, and from there to what was wanted."""

    def __init__(self, wanted: str) -> None:
        super().__init__(401, "problem.not-signed-in")
        self.location = f"{PREFIX}sign-in?{urlencode({'next': wanted})}" if wanted != PREFIX else f"{PREFIX}sign-in"


def label_of(field: str) -> str:
    """What a field is called."""
    return text_or(f"field.{field}", field.replace("_id", "").replace("_", " "))


def problem_of(error: BaseException) -> PageProblem:
    """How an error is told. Nothing of what nobody expected is."""
    match error:
        case PageProblem():
            return error
        case HttpError() | Problem():
            return _of_request(error)
        case NotFound(kind="user"):
            return NotSignedIn(PREFIX)
        case NotFound():
            return PageProblem(404, "problem.not-found")
        case Forbidden():
            return PageProblem(403, "problem.forbidden")
        case AlreadyExists():
            return PageProblem(409, "problem.exists", field=label_of(error.field), name=error.name)
        case BadValue():
            return PageProblem(400, "problem.value", field=label_of(error.field), problem=error.problem)
        case LimitExceeded():
            return PageProblem(403, "problem.limit", limit=error.limit, maximum=error.maximum)
        case InUse() | NotSetUp() | Over() | WrongState():
            return PageProblem(409, "problem.in-use", what=str(error))
        case Busy():
            return PageProblem(503, "problem.busy", retry_after(error.seconds))
        case StoreError():
            return PageProblem(503, "problem.busy", retry_after(1), f"the database is away: {error}")
    return PageProblem(500, "problem.internal", fault="".join(traceback.format_exception(error)))


_KEYS: Final = {403: "problem.form", 404: "problem.not-found", 413: "problem.large", 429: "problem.often", 503: "problem.busy"}


def _of_request(error: HttpError | Problem) -> PageProblem:
    """Of what a request is, or its file."""
    if isinstance(error, HttpError):
        return PageProblem(error.status, _KEYS.get(error.status, "problem.request"), error.headers)
    status = error.kind.status
    return PageProblem(status, _KEYS.get(status, "problem.file"), error.headers, error.fault, problem=error.detail)
