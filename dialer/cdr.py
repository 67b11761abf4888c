"""Call detail records of FreeSWITCH's mod_json_cdr: from the bytes that it posts or spools to what the flow understands.

Which bytes come is the module's setting `encode`: JSON as it is, or `cdr=` and the JSON percent-encoded or in base64; a record
that it could not post lies on disk without the `cdr=`, still encoded. With `encode` and `encode-values` both on, a quotation
mark in a value makes a record that nobody can read (`switch_url_encode` leaves alone what looks encoded).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import orjson
from attrs import frozen

from dialer.errors import BadValue
from dialer.model import Attempt, Hangup, OwnCause, Signal, SignalKind

LARGEST: Final = 4 * 1024 * 1024
"""Bytes of a record that is read from disk. Most have 5 to 15 kB."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIELD = "record"


@frozen(kw_only=True)
class DetailRecord:
    """The content of a record on the call `call_uuid`: `hung_up` is the signal that the end of the call would have been."""

    call_uuid: str
    account_code: str
    hung_up: Signal


@frozen(kw_only=True)
class Recorded:
    """An attempt as the database has it. `unexplained` tells that it has ended and nobody could tell how; `machine` that a
    machine had answered."""

    attempt: Attempt
    owner: str
    ended: bool
    unexplained: bool
    machine: bool = False


def read_record(content: bytes) -> DetailRecord:
    """Read the content of a request or of a file. Raises `BadValue` for what is not a record of a call that has ended."""
    try:
        record = orjson.loads(_decoded(content))
    except (ValueError, binascii.Error):
        raise BadValue(_FIELD, "is not JSON that mod_json_cdr has written (set its encode-values to false)") from None
    variables = record.get("variables") if isinstance(record, dict) else None
    if not isinstance(variables, dict):
        raise BadValue(_FIELD, "is not one of mod_json_cdr's: it has no variables")
    call_uuid = _text(variables, "uuid")
    ended = _number(variables, "end_uepoch")
    if not call_uuid or not ended:
        raise BadValue(_FIELD, "does not tell which call it is about, or when that ended (uuid, end_uepoch)")
    hangup = _hangup(variables, ended)
    signal = Signal(kind=SignalKind.HUNG_UP, call_uuid=call_uuid, at=_moment(ended), cause=hangup.cause, hangup=hangup)
    return DetailRecord(call_uuid=call_uuid, account_code=_text(variables, "accountcode"), hung_up=signal)


def _hangup(variables: Mapping[str, Any], ended: int) -> Hangup:
    answered = _number(variables, "answer_uepoch")
    rang = [at for at in (_number(variables, "progress_uepoch"), _number(variables, "progress_media_uepoch")) if at]
    return Hangup(
        cause=_text(variables, "hangup_cause") or OwnCause.UNKNOWN,
        q850=_number(variables, "hangup_cause_q850") or None,
        sip_status=_number(variables, "sip_term_status") or None,
        sip_disposition=_text(variables, "sip_hangup_disposition"),
        rang=bool(rang),
        answered=bool(answered),
        ring_ms=max(0, (answered or ended) - min(rang)) // 1000 if rang else 0,
        talk_ms=_number(variables, "billmsec"),
        duration_ms=_number(variables, "mduration"),
        rang_at=_moment(min(rang)) if rang else None,
        answered_at=_moment(answered) if answered else None,
    )


def _moment(micros: int) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        raise BadValue(_FIELD, "tells of a time that there is not") from None


def _decoded(content: bytes) -> bytes:
    text = content.strip().removeprefix(b"cdr=")
    if text[:3].upper() == b"%7B":
        text = unquote_to_bytes(text)
    elif not text.startswith(b"{"):
        text = base64.b64decode(text, validate=True)
    # FreeSWITCH passes on whatever bytes a caller's name had.
    return text.decode("utf-8", "replace").encode()


def _text(variables: Mapping[str, Any], name: str) -> str:
    value = variables.get(name)
    return value if isinstance(value, str) else ""


def _number(variables: Mapping[str, Any], name: str) -> int:
    text = _text(variables, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0
