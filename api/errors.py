"""Refusals: the table from an error to a status and a sentence. Nothing else in the API knows statuses.

A route lists its own refusals beside its schema, from `Refusal`; those that every route shares stand here.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Mapping, Sequence
from typing import Final

from attrs import Factory, frozen

from dialer.errors import AlreadyExists, BadValue, Busy, DialerError, LimitExceeded, NotFound, Over, StoreError


class HttpError(Exception):
    """A refusal that HTTP itself asks for: how the request is made, not what it asks."""

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.headers = headers or {}


@frozen
class Refusal:
    """A documented refusal: the error, its kind ("" for any), and the answer. `{name}` and `{maximum}` stand for what the
    error names."""

    error: type[DialerError]
    kind: str
    status: int
    sentence: str

    def covers(self, error: DialerError) -> bool:
        """Whether it is the answer to `error`."""
        return isinstance(error, self.error) and self.kind in ("", _kind(error))

    def text(self, error: DialerError) -> str:
        """The sentence for `error`."""
        return self.sentence.format(name=getattr(error, "name", ""), maximum=getattr(error, "maximum", ""))


@frozen
class RefusalAnswer:
    """A refusal, ready to be sent. `fault` is for the log, and not for the client: what is wrong here, "" for nothing."""

    status: int
    sentence: str
    headers: Mapping[str, str] = Factory(dict)
    fault: str = ""


UNAUTHORIZED: Final = "Authorization Required"
CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="Newfies Application"'}
CROSS_SITE: Final = "The request comes from a page of another site"
ONLY_VIEWS: Final = "This user may look, and change nothing"
TOO_MANY_FAILURES: Final = "Too many failed logins; try again later"
TOO_MANY_REQUESTS: Final = "Too many requests; {maximum} a minute are allowed"
TOO_LARGE: Final = "The body is too large; at most {maximum} bytes are accepted"
NO_RESOURCE: Final = "There is no such resource"
WRONG_METHOD: Final = "The method is not allowed here; this resource takes {methods}"
UNSUPPORTED: Final = "The body must be application/x-www-form-urlencoded, multipart/form-data or application/json, in UTF-8"
UNAVAILABLE: Final = "The service cannot answer at the moment; try again later"
INTERNAL: Final = "Internal error"

COMMON: Final[Mapping[int, tuple[str, str]]] = {
    400: (
        "BadRequest",
        "An attribute is missing, unknown, repeated or not acceptable, which the sentence names; or the body does not parse",
    ),
    401: ("Unauthorized", UNAUTHORIZED),
    403: ("CrossSite", f"{CROSS_SITE}. Or: {ONLY_VIEWS}"),
    405: ("WrongMethod", WRONG_METHOD.format(methods="those of the Allow header")),
    413: ("TooLarge", TOO_LARGE.format(maximum="so many")),
    415: ("UnsupportedType", UNSUPPORTED),
    429: ("TooManyFailures", TOO_MANY_FAILURES),
    503: ("TooManyRequests", f"{TOO_MANY_REQUESTS.format(maximum='so many')}. Or: {UNAVAILABLE}"),
}
"""Refusals that every route may answer, for the documentation."""


def answer(error: BaseException, refusals: Sequence[Refusal], names: Mapping[str, str] | None = None) -> RefusalAnswer:
    """The answer to an error of a route with these refusals, in which attributes are called by the client's `names`. What
    nobody expected is its `fault`, and not told."""
    match error:
        case HttpError():
            return RefusalAnswer(error.status, error.sentence, error.headers)
        case DialerError():
            return _answer_to_ours(error, refusals, names or {})
    return RefusalAnswer(500, INTERNAL, fault=_traceback(error))


def _answer_to_ours(error: DialerError, refusals: Sequence[Refusal], names: Mapping[str, str]) -> RefusalAnswer:
    for refusal in refusals:
        if refusal.covers(error):
            return RefusalAnswer(refusal.status, refusal.text(error))
    match error:
        case NotFound(kind="user"):
            return unauthorized()
        case BadValue():
            return RefusalAnswer(400, f"{names.get(error.field, error.field)}: {error.problem}")
        case Busy():
            return RefusalAnswer(503, UNAVAILABLE, retry_after(error.seconds))
        case StoreError():
            return RefusalAnswer(503, UNAVAILABLE, retry_after(1), f"the database is away: {error}")
    return RefusalAnswer(500, INTERNAL, fault=f"a refusal that no route documents: {_traceback(error)}")


def unauthorized() -> RefusalAnswer:
    """The answer to a client that does not prove to be a user."""
    return RefusalAnswer(401, UNAUTHORIZED, CHALLENGE)


def retry_after(seconds: float) -> dict[str, str]:
    """The header that tells when to come again: whole seconds, one at least (RFC 9110, section 10.2.3)."""
    return {"Retry-After": str(max(1, math.ceil(seconds)))}


def _traceback(error: BaseException) -> str:
    """As text, so that no log shows the values of variables, among which passwords could be."""
    return "".join(traceback.format_exception(error))


def _kind(error: DialerError) -> str:
    match error:
        case NotFound() | AlreadyExists() | Over():
            return error.kind
        case LimitExceeded():
            return error.limit
    return ""
