"""`Idempotency-Key`: which request is the same as which, and which is under way."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from typing import Final

import orjson
from attrs import define, field

from api.request import ApiRequest
from api.v2.problems import Problem
from dialer.management.idempotency import KeyedRequest

KEY_SCHEMA: Final = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
"""JSON Schema of a key."""
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


def keyed_request(request: ApiRequest, user_id: int, body: bytes, secrets: Collection[str] = ()) -> KeyedRequest | None:
    """The request, where its client gave it a key; `body` is what tells it from others at its address with its query, where
    members that are `secrets` leave no trace, not even a hash. Raises `Problem` for one that is none."""
    key = request.header(b"Idempotency-Key")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise Problem("bad-request", "Idempotency-Key: expected one, of 1 to 255 visible ASCII characters")
    body = _without(secrets, body) if secrets else body
    text = b"\n".join((request.method, request.uri, body))
    return KeyedRequest(user_id=user_id, key=key, fingerprint=hashlib.sha256(text).hexdigest())


def _without(secrets: Collection[str], body: bytes) -> bytes:
    """A body that cannot be read is refused later."""
    try:
        found = orjson.loads(body)
    except ValueError:
        return b""
    if not isinstance(found, dict):
        return b""
    return orjson.dumps({name: value for name, value in found.items() if name not in secrets})


@define(eq=False)
class UnderWay:
    """The keys of the requests that this process is at work on. Another node at work on the same one makes it wait in the
    database."""

    _keys: set[tuple[int, str]] = field(factory=set, init=False)

    def begin(self, request: KeyedRequest) -> None:
        """Raises `Problem` when it is under way already."""
        key = (request.user_id, request.key)
        if key in self._keys:
            raise Problem("in-progress", "the request of this Idempotency-Key is under way", headers={"Retry-After": "1"})
        self._keys.add(key)

    def end(self, request: KeyedRequest) -> None:
        """It has its answer."""
        self._keys.discard((request.user_id, request.key))
