"""Signatures by Standard Webhooks: HMAC-SHA256 of `id.timestamp.body`."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Final

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
"""Of randomness; the specification allows 24 to 64."""


def secret_from(random: bytes) -> str:
    """The text of a secret: 24 to 64 random bytes. Raises `ValueError` for fewer or more."""
    if not 24 <= len(random) <= 64:
        raise ValueError(f"{len(random)} bytes are no secret")
    return PREFIX + base64.b64encode(random).decode()


def signature(secret: str, id_: str, timestamp: int, body: bytes) -> str:
    """`v1,` and base64, of one secret."""
    signed = f"{id_}.{timestamp}.".encode() + body
    digest = hmac.digest(base64.b64decode(secret.removeprefix(PREFIX)), signed, "sha256")
    return "v1," + base64.b64encode(digest).decode()


def signed_headers(secrets: Sequence[str], id_: str, now: datetime, body: bytes) -> dict[str, str]:
    """The headers that a receiver verifies; with two secrets, two signatures. `now` is the moment of this very try."""
    timestamp = int(now.timestamp())
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(secret, id_, timestamp, body) for secret in secrets),
    }
