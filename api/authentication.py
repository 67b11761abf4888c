"""Authentication, and whether a user may ask now: HTTP Basic (RFC 7617), with a short memory, and throttles.

A password costs tens of milliseconds to verify, so a right one is remembered for a few seconds: not itself, but a hash of the
header under a key that lives and dies with this process. Requests that bring the same header at the same time share one
verification. Failed logins are counted for each user and for each address. So that nobody can lock a user out by failing in
its name, a password that was right within the last hour may always be tried.
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
from dialer.management.workers import Lane
from dialer.model import Account
from dialer.settings import HttpSettings

LONG_MEMORY: Final = 3600.0
"""Seconds for which a password that was right may be tried again despite others' failures."""
MOST_LOGINS: Final = 10_000

LONGEST_NAME: Final = 150
"""Characters of a user's name."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
"""No user's name holds one (RFC 7617, section 2), and some databases take no NUL."""


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
    _requests: Limiter = field(init=False)
    _failures: tuple[Limiter, Limiter] = field(init=False)

    def __attrs_post_init__(self) -> None:
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

    def admit(self, who: Account) -> None:
        """Count a request of a user. Raises `HttpError` when it is one too many."""
        wait = self._requests.take(who.id, self.clock.seconds())
        if wait:
            raise HttpError(503, TOO_MANY_REQUESTS.format(maximum=self.settings.requests_per_minute), retry_after(wait))

    # --- who --------------------------------------------------------------------------------------------------------------

    def recall(self, header: bytes | None) -> Account | None:
        """Whom an `Authorization` header names, when that was verified a moment ago."""
        if header is None:
            return None
        login = self._logins.get(self._digest(header))
        if login is None or self.clock.seconds() - login.verified_at >= self.settings.login_memory:
            return None
        return login.account

    def forget(self, header: bytes | None) -> None:
        """The account of this header is another one by now: the header is verified anew."""
        if header is not None:
            self._logins.pop(self._digest(header), None)

    def identify(self, header: bytes | None, address: str) -> Deferred[Account]:
        """Verify an `Authorization` header that came from `address`. Fails with `HttpError`, or as the use case does."""
        username, password = _credentials(header or b"")
        digest = self._digest(header or b"")
        waiter: Deferred[Account] = Deferred()
        if digest in self._under_way:
            self._under_way[digest].append(waiter)
            return waiter
        keys = (username, address)
        known = self._known(digest)
        if not known:
            self._refuse_guessing(keys)
        self._under_way[digest] = [waiter]
        lane = self._lane(known, address)
        self._charge(keys)
        done = self.management.authenticate(username, password, lane)
        done.addCallback(self._verified, digest, keys)
        done.addErrback(self._not_verified, keys)
        done.addBoth(self._tell, digest)
        return waiter

    def _known(self, digest: bytes) -> bool:
        login = self._logins.get(digest)
        return login is not None and self.clock.seconds() - login.verified_at < LONG_MEMORY

    def _refuse_guessing(self, keys: tuple[str, str]) -> None:
        now = self.clock.seconds()
        wait = max(failures.wait(key, now) for failures, key in zip(self._failures, keys, strict=True))
        if wait:
            raise HttpError(429, TOO_MANY_FAILURES, retry_after(wait))

    def _lane(self, known: bool, address: str) -> Lane:
        """Guesses of strangers wait behind everybody's logins that are likely to be right."""
        if known:
            return Lane.KNOWN
        return Lane.NEW if self._failures[1].unused(address, self.clock.seconds()) else Lane.FAILED

    def _charge(self, keys: tuple[str, str]) -> None:
        """A login counts as failed until it has succeeded: many at the same time shall not pass for one."""
        for failures, key in zip(self._failures, keys, strict=True):
            failures.charge(key, self.clock.seconds())

    def _give_back(self, keys: tuple[str, str]) -> None:
        for failures, key in zip(self._failures, keys, strict=True):
            failures.give_back(key)

    def _verified(self, account: Account | None, digest: bytes, keys: tuple[str, str]) -> Account:
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

    def _not_verified(self, failure: Failure, keys: tuple[str, str]) -> Failure:
        """A database that is away says nothing about the password."""
        if not failure.check(HttpError):
            self._give_back(keys)
        return failure

    def _tell(self, result: Any, digest: bytes) -> None:
        for waiter in self._under_way.pop(digest):
            waiter.callback(result)

    def _digest(self, header: bytes) -> bytes:
        return hashlib.blake2b(header, key=self._key, digest_size=32).digest()


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
