"""The text of a token, `dlr_live_<id>_<secret>`, and what is stored of it.

The secret has 256 bits of randomness: nobody finds it by trying, so that one round of SHA-256 keeps it, in microseconds,
where a password needs argon2.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from typing import Final

from attrs import field, frozen

PREFIX: Final = "dlr_live_"
"""By which programs that look for lost secrets know one."""
SECRET_BYTES: Final = 32
ID_LENGTH: Final = 12

_TEXT: Final = re.compile(rf"{PREFIX}([0-9a-z]{{{ID_LENGTH}}})_([A-Za-z0-9_-]{{43}})")
_LETTERS: Final = string.ascii_lowercase + string.digits

NO_HASH: Final = "0" * 64
"""A hash that no secret is known for."""


@frozen
class TokenText:
    """The two parts of a token's text."""

    public_id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """The whole token, which its owner sends."""
        return f"{PREFIX}{self.public_id}_{self.secret}"

    @property
    def secret_hash(self) -> str:
        """The hash of the secret: all of it that is stored."""
        return hashlib.sha256(self.secret.encode()).hexdigest()

    def fits(self, secret_hash: str) -> bool:
        """Whether it is the one of which that hash is stored; takes as long for any other."""
        return hmac.compare_digest(self.secret_hash, secret_hash)


def new_token() -> TokenText:
    """One that nobody can guess."""
    return TokenText("".join(secrets.choice(_LETTERS) for _ in range(ID_LENGTH)), secrets.token_urlsafe(SECRET_BYTES))


def parse_token(text: str) -> TokenText | None:
    """The token of that text; None for any other text."""
    found = _TEXT.fullmatch(text)
    return None if found is None else TokenText(*found.groups())
