"""A port with one login of its own, which the configuration has: who knows it, and how often others may guess."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from typing import Final

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from api.errors import TOO_MANY_FAILURES, UNAUTHORIZED, HttpError, retry_after
from dialer.limiter import Limiter

TRUSTED: Final = 3600.0
"""Seconds for which an address is heard whose credentials were right, despite wrong ones from there."""


@define(eq=False)
class PortGuard:
    """Tells who has the credentials (user name and password), as often as an address may be wrong. An address from which they
    were right within `TRUSTED` is always heard: nobody keeps it out by guessing beside it."""

    credentials: tuple[str, str]
    realm: str
    clock: IReactorTime
    failures: Limiter
    failed: int = field(default=0, init=False)
    """How often credentials were wrong."""
    _header: bytes = field(init=False, repr=False)
    _right_at: dict[str, float] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._header = b"Basic " + base64.b64encode(":".join(self.credentials).encode())

    @property
    def challenge(self) -> Mapping[str, str]:
        """The header that asks for the credentials (RFC 7617, section 2)."""
        return {"WWW-Authenticate": f'Basic realm="{self.realm}"'}

    def check(self, header: bytes, address: str) -> None:
        """Raises `HttpError` for wrong credentials, and for too many of them."""
        now = self.clock.seconds()
        right = hmac.compare_digest(header, self._header)
        if now - self._right_at.get(address, -TRUSTED) >= TRUSTED and (wait := self.failures.wait(address, now)):
            raise HttpError(429, TOO_MANY_FAILURES, retry_after(wait))
        if not right:
            self.failures.charge(address, now)
            self.failed += bool(header)
            raise HttpError(401, UNAUTHORIZED, self.challenge)
        self._right_at[address] = now
