"""A token: what a program logs in with in place of a user's name and password."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any, Final

from attrs import field, frozen

from dialer.declare import key, noun, reference, setting, stamp
from dialer.kinds import Kind


class Scope(enum.StrEnum):
    """What a login is good for, within what its user may do."""

    READ = "read"
    DIAL = "dial"
    ADMIN = "admin"


EVERY_SCOPE: Final = frozenset(Scope)
"""Those of a password."""


@frozen
class Scopes(Kind):
    """Some scopes, at least one."""

    takes = "one or more of read, dial and admin"

    def parse(self, value: Any) -> tuple[Scope, ...]:
        """In the order of their declaration, from a list of words, or a text with commas between them."""
        words = value.split(",") if isinstance(value, str) else value
        if not isinstance(words, list | tuple):
            raise ValueError
        chosen = {Scope(word.strip() if isinstance(word, str) else word) for word in words}
        if not chosen:
            raise ValueError
        return tuple(scope for scope in Scope if scope in chosen)

    def stored(self, value: tuple[Scope, ...]) -> str:
        """With commas between them."""
        return ",".join(value)

    def schema(self) -> dict[str, Any]:
        """A list of words."""
        return {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string", "enum": list(Scope)}}


@noun("token", table="api_token")
@frozen(kw_only=True)
class Token:
    """A token of a user. `public_id` is part of its text, and tells which one a log or a list means; of the rest, a hash is
    kept."""

    id: int = key()
    user_id: int = reference("user", reverse="tokens", doc="the user that it stands for")
    public_id: str = setting(longest=12, shortest=12, read_only=True, doc="the part of its text that is no secret")
    secret_hash: str = setting(longest=64, shortest=64, secret=True, read_only=True, doc="SHA-256 of the rest")
    name: str = setting(shortest=1, doc="for people: who has it, and what for")
    scopes: tuple[Scope, ...] = setting(
        (Scope.READ,), kind=Scopes(), doc="what it is good for: read, dial (change and start), admin (superusers only)"
    )
    expires_at: datetime | None = setting(None, doc="from when on it is good for nothing; none: never")
    last_used_at: datetime | None = setting(None, read_only=True, doc="when it was last used, to the minute")
    created_at: datetime = stamp("when it was made")


@frozen(kw_only=True)
class MadeToken:
    """A token, and its text, which is told once and never again."""

    token: Token
    text: str = field(repr=False)
