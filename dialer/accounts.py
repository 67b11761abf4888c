"""Passwords: what is stored of them, and whether one is right. Both functions take tens of milliseconds and 64 MiB by design
(RFC 9106, section 4): they belong on a thread."""

from __future__ import annotations

from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER: Final = PasswordHasher()

NOBODY: Final = "$argon2id$v=19$m=65536,t=3,p=4$bm9ib2R5IGxvZ3MgaW4gaGVyZQ$GBMvXxxcuqRWQ9xCGGHMTHz1PPLwN9VUVdFhSRJhnDs"
"""A hash that no password is known for: verifying against it makes an unknown user cost as much time as a wrong password."""


def hash_password(text: str) -> str:
    """The argon2id string to store: salt and parameters are in it."""
    return _HASHER.hash(text)


def verify_password(password_hash: str, text: str) -> bool:
    """Whether `text` is the password that was hashed. An empty or a damaged hash has no password."""
    try:
        return _HASHER.verify(password_hash, text)
    except (VerificationError, InvalidHashError):
        return False
