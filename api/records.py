"""Where FreeSWITCH posts its call detail records: one address, one user, on an endpoint of its own.

mod_json_cdr takes any status of 200 to 299 as the end of the matter, and keeps on disk what got another answer.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Awaitable, Callable
from typing import Any, Final

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from twisted.web.resource import Resource

from api.errors import NO_RESOURCE, UNAUTHORIZED, WRONG_METHOD, answer
from api.request import ApiRequest
from api.site import ApiSite
from dialer.errors import BadValue
from dialer.settings import HttpSettings

PATHS: Final = (b"/cdr/", b"/cdr")
CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="call detail records"'}
MOST_CONNECTIONS: Final = 100
UNREADABLE: Final = "This is not a call detail record of mod_json_cdr: {problem}"

TakeRecord = Callable[[bytes], Awaitable[None]]


@frozen
class _Receiver:
    take: TakeRecord
    header: bytes


class RecordRequest(ApiRequest):
    """A record on its way in; limits are those of every request."""

    def process(self) -> None:
        """Refuse what is not a record from who may post one, or hand it over and answer when that is done."""
        receiver: _Receiver = self.channel.site.receiver
        self.responseHeaders.setRawHeaders(b"Date", [self.channel.site.date()])
        if self.path not in PATHS:
            self._answer(404, NO_RESOURCE)
        elif not hmac.compare_digest(self.authorization() or b"", receiver.header):
            self._refuse(401, UNAUTHORIZED, CHALLENGE)
        elif self.method != b"POST":
            self._refuse(405, WRONG_METHOD.format(methods="POST"), {"Allow": "POST"})
        else:
            taken = Deferred.fromCoroutine(self._take(receiver.take))
            taken.addCallbacks(self._taken, self._not_taken)

    async def _take(self, take: TakeRecord) -> None:
        await take(self.body())

    def _taken(self, _: object) -> None:
        if not self._disconnected:
            self.write(b"{}")
            self.finish()

    def _not_taken(self, failure: Failure) -> None:
        if self._disconnected:
            return
        error: Any = failure.value
        if isinstance(error, BadValue):
            self._answer(400, UNREADABLE.format(problem=error.problem))
            return
        refusal = answer(error, ())
        self.channel.site.note_fault(refusal.fault)
        self._refuse(refusal.status, refusal.sentence, refusal.headers)

    def _refuse(self, status: int, sentence: str, headers: Any) -> None:
        self.write(self.refused(status, sentence, headers))
        self.finish()


class RecordSite(ApiSite):
    """A factory to listen with, whose requests are records."""

    def __init__(self, receiver: _Receiver, settings: HttpSettings, clock: IReactorTime) -> None:
        super().__init__(Resource(), None, settings, clock)  # type: ignore[arg-type]
        self.requestFactory = RecordRequest
        self.receiver = receiver


def build_record_site(take: TakeRecord, credentials: tuple[str, str], max_body: int, clock: IReactorTime) -> RecordSite:
    """The site: nothing is started, nothing listens. `credentials` are user name and password."""
    token = base64.b64encode(":".join(credentials).encode())
    settings = HttpSettings(max_body=max_body, max_connections=MOST_CONNECTIONS)
    return RecordSite(_Receiver(take, b"Basic " + token), settings, clock)
