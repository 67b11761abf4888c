"""The answer to a request that may come again."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from dialer.declare import key, noun, reference, setting, stamp


@noun("kept answer", table="idempotency_key")
@frozen(kw_only=True)
class KeptAnswer:
    """What a request of a user was answered that named a key (Idempotency-Key): the same request gets it again."""

    id: int = key()
    user_id: int = reference("user", reverse="kept_answers", doc="who asked")
    key: str = setting(shortest=1, doc="which the client made up, unique among its user's")
    fingerprint: str = setting(longest=64, shortest=64, doc="of the request: method, address and body")
    status: int | None = setting(None, doc="of the answer, once there is one")
    body: str | None = setting(None, longest=1_000_000, doc="of the answer, as it was sent but for secrets")
    created_at: datetime = stamp("when it came")
