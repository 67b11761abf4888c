"""Records as mod_json_cdr of FreeSWITCH 1.10.12 posted them, and records made after them."""

from __future__ import annotations

from pathlib import Path

import orjson

HERE = Path(__file__).parent
ACCOUNT = "dialer-0123456789abcdef"


def recorded(name: str) -> bytes:
    """The body of a request: `answered.json`, `busy-encoded.form`, ..."""
    return (HERE / name).read_bytes()


def record(uuid: str, name: str = "answered.json", account: str = ACCOUNT, **variables: object) -> bytes:
    """A recorded one, about another call."""
    found = orjson.loads(recorded(name))
    found["variables"] |= {"uuid": uuid, "accountcode": account, **variables}
    return orjson.dumps(found)
