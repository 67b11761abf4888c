"""Problems: the one table from an error to an answer, as RFC 9457 wants them (`application/problem+json`)."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from attrs import Factory, frozen

from api.errors import HttpError, retry_after
from dialer.errors import (
    BadValue,
    Busy,
    DialerError,
    Duplicate,
    Forbidden,
    InUse,
    LimitExceeded,
    NotFound,
    NotSetUp,
    Over,
    StoreError,
    WrongState,
)
from dialer.management.idempotency import KeyReused

CONTENT_TYPE: Final = "application/problem+json"
CHALLENGE: Final = 'Bearer realm="dialer", Basic realm="dialer", charset="UTF-8"'


@frozen
class ProblemKind:
    """A kind of problem."""

    status: int
    title: str
    doc: str


KINDS: Final[Mapping[str, ProblemKind]] = {
    "bad-request": ProblemKind(
        400, "The request cannot be read", "its address, a header or its body is not what HTTP and JSON want"
    ),
    "bad-value": ProblemKind(400, "A value is not acceptable", "`errors` names each, and what was expected"),
    "bad-cursor": ProblemKind(
        400, "The cursor is not one of this list", "take `next_cursor` as it came, with the same filters"
    ),
    "unauthorized": ProblemKind(401, "Who asks is not known", "no login, a wrong one, or one that was revoked or has expired"),
    "forbidden": ProblemKind(403, "Who asks may not do this", "the login lacks the scope, or the user is no superuser"),
    "cross-site": ProblemKind(403, "A page of another site asks", "a browser may change things from this address only"),
    "limit-exceeded": ProblemKind(403, "A limit of the user is exceeded", "an administrator can raise it"),
    "not-found": ProblemKind(404, "There is no such thing", "or it belongs to somebody else, which is not told apart"),
    "method-not-allowed": ProblemKind(405, "The method is not taken here", "the header Allow has those that are"),
    "not-acceptable": ProblemKind(406, "No answer of the wanted type can be given", "answers are application/json"),
    "already-exists": ProblemKind(409, "It exists already", "what must be unique is taken"),
    "in-use": ProblemKind(409, "It is in use", "what refers to it has to go first"),
    "over": ProblemKind(409, "It is over", "what is done for good cannot be changed any more"),
    "in-progress": ProblemKind(409, "The same request is under way", "ask again a moment later"),
    "wrong-state": ProblemKind(
        409, "It is not in the state for that", "read it again; the detail names the states that it takes"
    ),
    "not-set-up": ProblemKind(
        409, "The installation is not set up for that", "an administrator can do it; the detail names the setting"
    ),
    "precondition-failed": ProblemKind(
        412, "It was changed meanwhile", "read it again; its ETag is another one than that of If-Match"
    ),
    "too-large": ProblemKind(413, "The body is too large", "an administrator can raise `http.max_body`"),
    "unsupported-type": ProblemKind(415, "The body is of another type", "JSON in UTF-8 is taken, where it is not a file"),
    "range-not-satisfiable": ProblemKind(416, "The file has no such part", "the header Content-Range tells how long it is"),
    "key-reused": ProblemKind(422, "The Idempotency-Key belongs to another request", "a key stands for one request"),
    "too-many-requests": ProblemKind(
        429, "Too many requests, or failed logins", "the header Retry-After tells when to ask again"
    ),
    "internal": ProblemKind(500, "Something went wrong here", "the log has it under `request_id`"),
    "unavailable": ProblemKind(503, "It cannot be done at the moment", "the header Retry-After tells when to ask again"),
}
"""By their names, which do not change."""

_OF_HTTP: Final = {
    400: "bad-request",
    401: "unauthorized",
    403: "cross-site",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-type",
    416: "range-not-satisfiable",
    429: "too-many-requests",
    503: "unavailable",
}

TYPE: Final = "/api/v2/problems#{name}"


@frozen(kw_only=True)
class Flaw:
    """Something that is wrong with a request: at a place of its body (a JSON pointer), or in a parameter of its address."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None

    @classmethod
    def at(cls, name: str, detail: str) -> Flaw:
        """At an attribute of the body."""
        return cls(detail=detail, pointer="#/" + name.replace("~", "~0").replace("/", "~1"))

    @classmethod
    def inside(cls, names: Sequence[str], detail: str) -> Flaw:
        """Inside of an attribute of the body: `names` lead there."""
        places = (name.replace("~", "~0").replace("/", "~1") for name in names)
        return cls(detail=detail, pointer="#/" + "/".join(places))

    @classmethod
    def of_parameter(cls, name: str, detail: str) -> Flaw:
        """In a parameter of the address."""
        return cls(detail=detail, parameter=name)

    @property
    def shown(self) -> dict[str, str]:
        """The place and the detail, for JSON."""
        place = {"parameter": self.parameter} if self.pointer is None else {"pointer": self.pointer}
        return {name: text for name, text in {**place, "detail": self.detail}.items() if text is not None}


class Problem(Exception):
    """A request that is not done. `name` is one of `KINDS`."""

    def __init__(
        self, name: str, detail: str, errors: Sequence[Flaw] = (), headers: Mapping[str, str] | None = None, fault: str = ""
    ) -> None:
        super().__init__(detail)
        self.name = name
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}
        self.fault = fault

    @classmethod
    def of_flaws(cls, flaws: Sequence[Flaw]) -> Problem:
        """Values that are not acceptable."""
        names = [(flaw.parameter or (flaw.pointer or "").removeprefix("#/"), flaw.detail) for flaw in flaws]
        return cls("bad-value", "; ".join(f"{name}: {detail}" for name, detail in names), flaws)

    @property
    def kind(self) -> ProblemKind:
        """Which kind it is."""
        return KINDS[self.name]


@frozen(kw_only=True)
class Places:
    """The names of the attributes and parameters of a route, and the attributes that name other nouns, by these."""

    attributes: frozenset[str] = frozenset()
    parameters: frozenset[str] = frozenset()
    references: Mapping[str, str] = Factory(dict)

    def flaw(self, name: str, detail: str) -> list[Flaw]:
        """Where that is; nowhere, when no client can have named it."""
        if name in self.attributes:
            return [Flaw.at(name, detail)]
        return [Flaw.of_parameter(name, detail)] if name in self.parameters else []


def problem_of(error: BaseException, places: Places) -> Problem:
    """The problem that an error is for the client of a route with these places."""
    match error:
        case Problem():
            return error
        case HttpError():
            return of_http(error.status, error.sentence, error.headers)
        case DialerError():
            return _of_ours(error, places)
    return Problem("internal", "internal error", fault=_traceback(error))


def of_http(status: int, sentence: str, headers: Mapping[str, str]) -> Problem:
    """The same for a refusal that the branches share."""
    if status == 401:
        headers = {"WWW-Authenticate": CHALLENGE}
    return Problem(_OF_HTTP[status], sentence, headers=headers)


def _of_ours(error: DialerError, places: Places) -> Problem:
    match error:
        case NotFound(kind="user"):
            return of_http(401, str(error), {})
        case NotFound() if error.kind in places.references:
            return Problem.of_flaws([Flaw.at(places.references[error.kind], str(error))])
        case NotFound():
            return Problem("not-found", str(error))
        case Duplicate():
            return Problem("already-exists", str(error), places.flaw(error.field, error.problem))
        case BadValue():
            return Problem("bad-value", str(error), places.flaw(error.field, error.problem))
    return _of_circumstances(error)


def _of_circumstances(error: DialerError) -> Problem:
    match error:
        case Forbidden():
            return Problem("forbidden", str(error))
        case LimitExceeded():
            return Problem("limit-exceeded", str(error))
        case InUse():
            return Problem("in-use", str(error))
        case Over():
            return Problem("over", str(error))
        case KeyReused():
            return Problem("key-reused", str(error))
        case WrongState():
            return Problem("wrong-state", str(error))
        case NotSetUp():
            return Problem("not-set-up", str(error))
        case Busy():
            return Problem("unavailable", str(error), headers=retry_after(error.seconds))
        case StoreError():
            detail = "the database cannot serve at the moment; try again later"
            return Problem("unavailable", detail, headers=retry_after(1), fault=f"the database is away: {error}")
    return Problem("internal", "internal error", fault=_traceback(error))


def _traceback(error: BaseException) -> str:
    """As text, so that no log shows the values of variables, among which secrets could be."""
    return "".join(traceback.format_exception(error))


def body_of(problem: Problem, instance: str, request_id: str) -> bytes:
    """The problem as JSON, of RFC 9457."""
    kind = problem.kind
    found: dict[str, Any] = {
        "type": TYPE.format(name=problem.name),
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        "instance": instance,
        "errors": [flaw.shown for flaw in problem.errors],
        "request_id": request_id,
    }
    return orjson.dumps(found)


def documentation() -> str:
    """A table of all kinds, for people: Markdown."""
    lines = ["| `type` | status | | |", "|---|---|---|---|"]
    lines += [f"| `{TYPE.format(name=name)}` | {kind.status} | {kind.title} | {kind.doc} |" for name, kind in KINDS.items()]
    return "\n".join(lines)


SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "A request that was not done (RFC 9457).",
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "enum": [TYPE.format(name=name) for name in KINDS]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "to an attribute of the body"},
                    "parameter": {"type": "string", "description": "of the address"},
                    "detail": {"type": "string"},
                },
                "required": ["detail"],
                "additionalProperties": False,
            },
        },
        "request_id": {"type": "string", "description": "that of the header X-Request-Id, and of the log"},
    },
    "required": ["type", "title", "status", "detail", "instance", "errors", "request_id"],
    "additionalProperties": False,
}
