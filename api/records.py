"""Where FreeSWITCH posts its call detail records: one address, one user, on an endpoint of its own.

mod_json_cdr takes any status of 200 to 299 as the end of the matter, and keeps on disk what got another answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from api.errors import NO_RESOURCE, WRONG_METHOD, HttpError, answer
from api.guard import PortGuard
from api.request import ApiRequest
from api.site import ApiSite
from dialer.errors import BadValue
from dialer.limiter import Limiter
from dialer.model import Account
from dialer.open_files import RECORDS_SHARE
from dialer.settings import HttpSettings

PATHS: Final = (b"/cdr/", b"/cdr")
MOST_CONNECTIONS: Final = 100
UNREADABLE: Final = "This is not a call detail record of mod_json_cdr: {problem}"

TakeRecord = Callable[[bytes], Awaitable[None]]


class RecordRequest(ApiRequest):
    """A record on its way in; limits are those of every request."""

    _checked = False

    def known(self) -> bool | Deferred[Account]:
        """Whether it comes from FreeSWITCH. Raises `HttpError` when it does not."""
        self._checked = True
        self.channel.site.guard.check(self.authorization() or b"", self.client_host())
        self.channel.site.logged_in(self.channel)
        return True

    def process(self) -> None:
        """Refuse what is not a record from who may post one, or hand it over and answer when that is done."""
        self.responseHeaders.setRawHeaders(b"Date", [self.channel.site.date()])
        if self.path not in PATHS:
            self._answer(404, NO_RESOURCE)
        elif refusal := self._stranger():
            self._refuse(refusal.status, refusal.sentence, refusal.headers)
        elif self.method != b"POST":
            self._refuse(405, WRONG_METHOD.format(methods="POST"), {"Allow": "POST"})
        else:
            taken = Deferred.fromCoroutine(self._take(self.channel.site.take))
            taken.addCallbacks(self._taken, self._not_taken)

    def _stranger(self) -> HttpError | None:
        """Why its sender is not heard; None for FreeSWITCH."""
        try:
            if not self._checked:  # it has no body
                self.known()
            elif self.not_identified is not None:
                self.not_identified.raiseException()
        except HttpError as refusal:
            return refusal
        return None

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

    def __init__(self, take: TakeRecord, guard: PortGuard, settings: HttpSettings, clock: IReactorTime) -> None:
        super().__init__((), None, settings, clock, RECORDS_SHARE)  # type: ignore[arg-type]
        self.requestFactory = RecordRequest
        self.take = take
        self.guard = guard

    @property
    def failed_logins(self) -> int:
        """How often credentials were wrong."""
        return self.guard.failed


def build_record_site(take: TakeRecord, credentials: tuple[str, str], max_body: int, clock: IReactorTime) -> RecordSite:
    """The site: nothing is started, nothing listens. `credentials` are user name and password."""
    settings = HttpSettings(max_body=max_body, max_connections=MOST_CONNECTIONS)
    guard = PortGuard(credentials, "call detail records", clock, Limiter.per_minute(settings.failed_logins_per_address))
    return RecordSite(take, guard, settings, clock)
