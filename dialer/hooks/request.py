"""What is posted: one event, or a batch, and the id by which a receiver knows it again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson


def request_id(envelopes: Sequence[dict[str, Any]], *, batched: bool) -> str:
    """The same for each try: the id of the only event, or one that is made of those of all in a batch. It holds no full stop
    (Standard Webhooks, "Webhook metadata")."""
    first = str(envelopes[0]["id"])
    if not batched:
        return first
    digest = hashlib.sha256(",".join(each["id"] for each in envelopes).encode()).hexdigest()
    return f"batch_{first}_{digest[:16]}"


def body_of(envelopes: Sequence[dict[str, Any]], *, batched: bool) -> bytes:
    """The body: the event, or `{"type":"batch","events":[...]}`."""
    return orjson.dumps({"type": "batch", "events": envelopes} if batched else envelopes[0])
