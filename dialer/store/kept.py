"""Ends of calls that are kept with their attempts: a call detail record came to a process that does not have the attempt.

Whoever has it hears of the end by an event, as a rule, and has more to say about the call. When nobody can tell how the call
ended, what is kept here does (`dialer.store.finish`).
"""

from __future__ import annotations

import orjson
from attrs import asdict

from dialer.model import Hangup, Signal, SignalKind
from dialer.store.times import from_column, to_column


def written(hung_up: Signal) -> str:
    """The end of a call as text. Raises `ValueError` for a signal that is none."""
    if hung_up.hangup is None:
        raise ValueError(f"{hung_up.kind} is not the end of a call")
    return orjson.dumps({"at": to_column(hung_up.at), "hangup": asdict(hung_up.hangup)}).decode()


def read(call_uuid: str, text: str) -> Signal:
    """What was written."""
    found = orjson.loads(text)
    hangup = Hangup(**found["hangup"])
    at = from_column(found["at"])
    return Signal(kind=SignalKind.HUNG_UP, call_uuid=call_uuid, at=at, cause=hangup.cause, hangup=hangup)
