"""Authentication, and whether a user may ask now: HTTP Basic (RFC 7617), and tokens (RFC 6750) where a branch takes them;
with a short memory, and throttles.

A password costs tens of milliseconds to verify, so a right one is remembered for a few seconds: not itself, but a hash of the
header under a key that lives and dies with this process. Requests that bring the same header at the same time share one
verification. Failed logins are counted for each user and for each address. So that nobody can lock a user out by failing in
its name, a password that was right within the last hour may always be tried. The same holds for tokens, which are throttled by
their ids. To look one up is cheap: it takes no lane.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from collections import OrderedDict
from typing import Any, Final

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from api.errors import CHALLENGE, TOO_MANY_FAILURES, TOO_MANY_REQUESTS, UNAUTHORIZED, HttpError, retry_after
from dialer.limiter import Limiter
from dialer.management import Management
from dialer.management.tokens import note_use
from dialer.management.workers import Lane
from dialer.model import Account
from dialer.periodic import RepeatedLog
from dialer.settings import HttpSettings
from dialer.tokens import TokenText, parse_token

LONG_MEMORY: Final = 3600.0
"""Seconds for which a password that was right may be tried again despite others' failures."""
MOST_LOGINS: Final = 10_000

NOTED_EVERY: Final = 60.0
"""Seconds between two notes of when a token was used."""

LONGEST_NAME: Final = 150
"""Characters of a user's name."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
"""No user's name holds one (RFC 7617, section 2), and some databases take no NUL."""


Keys = tuple[tuple[str, bool], str]
"""By which failures are counted: a name and whether it is a token's, and an address."""


@frozen
class Allowance:
    """The requests that a user may make in a minute, how many are left now, and in how many seconds all of them are."""

    limit: int
    left: int
    full_after: float


@frozen
class _Login:
    account: Account
    verified_at: float


@define(eq=False)
class Authentication:
    """Identifies requests. `clock` gives the seconds."""

    management: Management
    settings: HttpSettings
    clock: IReactorTime
    failed: int = field(default=0, init=False)
    """How often a user name or a password was wrong."""
    _key: bytes = field(factory=lambda: secrets.token_bytes(32), init=False, repr=False)
    _logins: OrderedDict[bytes, _Login] = field(factory=OrderedDict, init=False)
    _under_way: dict[bytes, list[Deferred[Account]]] = field(factory=dict, init=False)
    _noted: OrderedDict[int, float] = field(factory=OrderedDict, init=False)
    _unnoted: RepeatedLog = field(init=False)
    _requests: Limiter = field(init=False)
    _failures: tuple[Limiter, Limiter] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._unnoted = RepeatedLog("it was not written down when a token was used", self.clock)
        self.use(self.settings)

    def use(self, settings: HttpSettings) -> None:
        """Other limits from now on; what was counted is forgotten."""
        self.settings = settings
        self._requests = Limiter.per_minute(settings.requests_per_minute)
        self._failures = (
            Limiter.per_minute(settings.failed_logins_per_user),
            Limiter.per_minute(settings.failed_logins_per_address),
        )

    # --- how often --------------------------------------------------------------------------------------------------------

    def admit(self, who: Account, status: int = 503) -> None:
        """Count a request of a user. Raises `HttpError` with that status when it is one too many."""
        wait = self._requests.take(who.id, self.clock.seconds())
        if wait:
            raise HttpError(status, TOO_MANY_REQUESTS.format(maximum=self.settings.requests_per_minute), retry_after(wait))

    def allowance(self, who: Account) -> Allowance | None:
        """What is left of the requests of a user; None where there is no limit."""
        limit, now = self.settings.requests_per_minute, self.clock.seconds()
        if not limit:
            return None
        return Allowance(limit, self._requests.available(who.id, now), self._requests.full_after(who.id, now))

    def note_use(self, who: Account) -> None:
        """A login was used: that of a token is written down, once a minute at most, while nobody waits for it."""
        key, now = who.token_id, self.clock.seconds()
        if key is None or now - self._noted.get(key, -NOTED_EVERY) < NOTED_EVERY:
            return
        self._noted.pop(key, None)
        self._noted[key] = now
        if len(self._noted) > MOST_LOGINS:
            self._noted.popitem(last=False)
        self.management.ask(note_use, key).addErrback(self._not_noted)

    def _not_noted(self, failure: Failure) -> None:
        self._unnoted.happened(reason=failure.getErrorMessage())

    # --- who --------------------------------------------------------------------------------------------------------------

    def recall(self, header: bytes | None, *, tokens: bool = False) -> Account | None:
        """Whom an `Authorization` header names, when that was verified a moment ago; `tokens` tells that it may be one."""
        if header is None:
            return None
        login = self._logins.get(self._digest(header))
        if login is None or self.clock.seconds() - login.verified_at >= self.settings.login_memory:
            return None
        return login.account if tokens or login.account.token_id is None else None

    def forget(self, header: bytes | None) -> None:
        """The account of this header is another one by now: the header is verified anew."""
        if header is not None:
            self._logins.pop(self._digest(header), None)

    def identify(self, header: bytes | None, address: str, *, tokens: bool = False) -> Deferred[Account]:
        """Verify an `Authorization` header that came from `address`; `tokens` tells that it may be one. Fails with
        `HttpError`, or as the use case does."""
        token = _token(header or b"") if tokens else None
        username, password = (token.public_id, "") if token is not None else _credentials(header or b"")
        digest = self._digest(header or b"")
        waiter: Deferred[Account] = Deferred()
        if digest in self._under_way:
            self._under_way[digest].append(waiter)
            return waiter
        keys: Keys = ((username, token is not None), address)
        known = self._known(digest)
        if not known:
            self._refuse_guessing(keys)
        self._under_way[digest] = [waiter]
        lane = self._lane(known, address)
        self._charge(keys)
        if token is None:
            done = self.management.authenticate(username, password, lane)
        else:
            done = Deferred.fromCoroutine(self.management.authenticate_token(token))
        done.addCallback(self._verified, digest, keys)
        done.addErrback(self._not_verified, keys)
        done.addBoth(self._tell, digest)
        return waiter

    def _known(self, digest: bytes) -> bool:
        login = self._logins.get(digest)
        return login is not None and self.clock.seconds() - login.verified_at < LONG_MEMORY

    def _refuse_guessing(self, keys: Keys) -> None:
        now = self.clock.seconds()
        wait = max(failures.wait(key, now) for failures, key in zip(self._failures, keys, strict=True))
        if wait:
            raise HttpError(429, TOO_MANY_FAILURES, retry_after(wait))

    def _lane(self, known: bool, address: str) -> Lane:
        """Guesses of strangers wait behind everybody's logins that are likely to be right."""
        if known:
            return Lane.KNOWN
        return Lane.NEW if self._failures[1].unused(address, self.clock.seconds()) else Lane.FAILED

    def _charge(self, keys: Keys) -> None:
        """A login counts as failed until it has succeeded: many at the same time shall not pass for one."""
        for failures, key in zip(self._failures, keys, strict=True):
            failures.charge(key, self.clock.seconds())

    def _give_back(self, keys: Keys) -> None:
        for failures, key in zip(self._failures, keys, strict=True):
            failures.give_back(key)

    def _verified(self, account: Account | None, digest: bytes, keys: Keys) -> Account:
        if account is None:
            self.failed += 1
            self._logins.pop(digest, None)
            raise HttpError(401, UNAUTHORIZED, CHALLENGE)
        self._give_back(keys)
        self._logins.pop(digest, None)
        self._logins[digest] = _Login(account, self.clock.seconds())
        if len(self._logins) > MOST_LOGINS:
            self._logins.popitem(last=False)
        return account

    def _not_verified(self, failure: Failure, keys: Keys) -> Failure:
        """A database that is away says nothing about the password."""
        if not failure.check(HttpError):
            self._give_back(keys)
        return failure

    def _tell(self, result: Any, digest: bytes) -> None:
        for waiter in self._under_way.pop(digest):
            waiter.callback(result)

    def _digest(self, header: bytes) -> bytes:
        return hashlib.blake2b(header, key=self._key, digest_size=32).digest()


def _token(header: bytes) -> TokenText | None:
    """The token of `Bearer <token>`; None for another scheme. Raises `HttpError` for what is no token."""
    scheme, _, text = header.partition(b" ")
    if scheme.lower() != b"bearer":
        return None
    found = parse_token(text.strip().decode("latin-1"))
    if found is None:
        raise HttpError(401, UNAUTHORIZED, CHALLENGE)
    return found


def _credentials(header: bytes) -> tuple[str, str]:
    """User name and password of `Basic <base64 of name:password>`, in UTF-8. Raises `HttpError`."""
    scheme, _, encoded = header.partition(b" ")
    try:
        if scheme.lower() != b"basic":
            raise ValueError
        username, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (ValueError, binascii.Error):
        raise HttpError(401, UNAUTHORIZED, CHALLENGE) from None
    if not colon or not 1 <= len(username) <= LONGEST_NAME or _CONTROL.search(username):
        raise HttpError(401, UNAUTHORIZED, CHALLENGE)
    return username, password
