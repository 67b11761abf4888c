"""The proof that a session comes from the switch that has the call.

Anybody who reaches the outbound port can claim to bring a call whose UUID he has seen. So each originate carries a token as
the channel variable `dialer_proof`, and a session without the right one gets nothing. The token is made from the call's UUID
and the password of the switch's Event Socket, which the dialer and the switch share anyway: it needs no memory, so a restarted
dialer, and another node with the same switch, know it of the calls that they take over.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache
from typing import Final, Protocol

from attrs import field, frozen

VARIABLE: Final = "dialer_proof"
_LENGTH: Final = 32
"""Hexadecimal digits."""


class Proof(Protocol):
    """Judges what a session brings."""

    def holds(self, call_uuid: str, token: str) -> bool:
        """Whether that is the token of the call."""
        ...


@frozen
class SessionProof:
    """Makes and checks tokens, under the password of a switch's Event Socket."""

    password: str = field(repr=False)

    def token(self, call_uuid: str) -> str:
        """The token of a call."""
        return hmac.new(_key(self.password), call_uuid.encode(), hashlib.sha256).hexdigest()[:_LENGTH]

    def holds(self, call_uuid: str, token: str) -> bool:
        """Whether that is its token. Takes the same time for any that is not."""
        return hmac.compare_digest(self.token(call_uuid).encode(), token.encode())


@lru_cache(maxsize=16)
def _key(password: str) -> bytes:
    """Slow to make, tens of milliseconds: a token that lies in a call detail record shall not make guesses at a password
    cheap."""
    return hashlib.scrypt(password.encode(), salt=b"dialer outbound sessions", n=2**14, r=8, p=1, dklen=32)
