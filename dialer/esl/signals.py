"""Events of the switch to signals of the flow, and its list of channels. Only this module knows which headers tell what
(`recordings/10-json-*`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import orjson

from dialer.errors import ProtocolError, UnreadableEvent
from dialer.esl.commands import LATE_CAUSE
from dialer.esl.events import EslEvent
from dialer.model import Hangup, LiveChannel, OwnCause, Signal, SignalKind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_TIME = ("", "0")
_RINGING = ("Caller-Channel-Progress-Time", "Caller-Channel-Progress-Media-Time")
_MOST_DIGITS = 16
"""Of a number of microseconds: the year 2286."""
_LONGEST = 2**31 - 1
"""Milliseconds of a call, 24 days: more is damage, and no column of a database takes it."""
_HIGHEST_CODE = 999


def signal(event: EslEvent) -> Signal | None:
    """The signal of an event about a call, or None when it says nothing. Raises `UnreadableEvent` for one of a call that
    does not tell which call it is about, or when it was.

    A BACKGROUND_JOB belongs to the call whose id is its Job-UUID, because the dialer gives a job the id of its call.
    """
    read = _READERS.get(event.name)
    return read(event) if read is not None else None


def event_time(event: EslEvent) -> datetime:
    """The switch's own time of the event. It moves in steps of 20 ms and may lie before the command that caused it."""
    micros = _number(event, "Event-Date-Timestamp")
    if not micros:
        raise UnreadableEvent(f"{event.name} does not tell when it was (Event-Date-Timestamp)")
    return _EPOCH + timedelta(microseconds=micros)


def _plain(kind: SignalKind) -> Callable[[EslEvent], Signal | None]:
    def read(event: EslEvent) -> Signal | None:
        return Signal(kind=kind, call_uuid=_call_uuid(event, "Unique-ID"), at=event_time(event))

    return read


def _hung_up(event: EslEvent) -> Signal | None:
    call_uuid = _call_uuid(event, "Unique-ID")
    cause = event.value("Hangup-Cause") or event.value("variable_hangup_cause") or OwnCause.UNKNOWN
    hangup = Hangup(
        cause=cause,
        q850=_optional_number(event, "variable_hangup_cause_q850"),
        # Set by an answer from the far end only: after our CANCEL there is a variable_sip_invite_failure_status of 487.
        sip_status=_optional_number(event, "variable_sip_term_status"),
        sip_disposition=event.value("variable_sip_hangup_disposition"),
        rang=any(_has_time(event, name) for name in _RINGING),
        answered=_has_time(event, "Caller-Channel-Answered-Time"),
        ring_ms=min(_ring_ms(event), _LONGEST),
        talk_ms=min(_number(event, "variable_billmsec"), _LONGEST),
        duration_ms=min(_number(event, "variable_mduration"), _LONGEST),
        rang_at=_moment(event, *_RINGING),
        answered_at=_moment(event, "Caller-Channel-Answered-Time"),
    )
    # The event itself comes when the channel has done with its hangup, 20 ms later or more.
    at = _moment(event, "Caller-Channel-Hangup-Time") or event_time(event)
    return Signal(kind=SignalKind.HUNG_UP, call_uuid=call_uuid, at=at, cause=cause, hangup=hangup)


def _moment(event: EslEvent, *names: str) -> datetime | None:
    """The earliest of some moments of the channel; None when it has none of them."""
    told = [micros for micros in (_number(event, name) for name in names) if micros]
    return _EPOCH + timedelta(microseconds=min(told)) if told else None


def _ring_ms(event: EslEvent) -> int:
    """From the first ringing or early media to the answer or the end; 0 when it never rang.

    Not `variable_progressmsec`, which is the time before the ringing, nor `variable_answermsec`, which includes it.
    """
    rang = [_number(event, name) for name in _RINGING if _has_time(event, name)]
    if not rang:
        return 0
    ended = _number(event, "Caller-Channel-Answered-Time") or _number(event, "Caller-Channel-Hangup-Time")
    return max(0, ended - min(rang)) // 1000


def _job_ended(event: EslEvent) -> Signal | None:
    if not _is_originate(event):
        return None
    call_uuid = _call_uuid(event, "Job-UUID")
    result = event.body.strip()
    if result.startswith("+OK"):
        return Signal(kind=SignalKind.JOB_SUCCEEDED, call_uuid=call_uuid, at=event_time(event))
    return Signal(kind=SignalKind.JOB_FAILED, call_uuid=call_uuid, at=event_time(event), cause=_job_cause(result))


def _is_originate(event: EslEvent) -> bool:
    command = event.value("Job-Command")
    return command == "originate" or (command == "expand" and event.value("Job-Command-Arg").startswith("originate "))


def _job_cause(result: str) -> str:
    """`-ERR NO_ANSWER` names a cause; `-USAGE: ...`, `-ERR originate Command not found!` and the like do not."""
    cause = result.removeprefix("-ERR ") if result.startswith("-ERR ") else ""
    if cause == LATE_CAUSE:
        return OwnCause.LATE
    known = bool(cause) and cause == cause.upper() and all(c.isalnum() or c == "_" for c in cause)
    return cause if known else OwnCause.REFUSED


def _number(event: EslEvent, header: str) -> int:
    value = event.value(header)
    return int(value) if value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS else 0


def _call_uuid(event: EslEvent, header: str) -> str:
    call_uuid = event.value(header)
    if not call_uuid:
        raise UnreadableEvent(f"{event.name} does not tell which call it is about ({header})")
    return call_uuid


def _optional_number(event: EslEvent, header: str) -> int | None:
    value = _number(event, header)
    return value if 0 < value <= _HIGHEST_CODE else None


def _has_time(event: EslEvent, header: str) -> bool:
    return event.value(header) not in _NO_TIME


_READERS: Mapping[str, Callable[[EslEvent], Signal | None]] = {
    "CHANNEL_PROGRESS": _plain(SignalKind.RANG),
    "CHANNEL_PROGRESS_MEDIA": _plain(SignalKind.EARLY_MEDIA_STARTED),
    "CHANNEL_ANSWER": _plain(SignalKind.ANSWERED),
    "CHANNEL_HANGUP_COMPLETE": _hung_up,
    "BACKGROUND_JOB": _job_ended,
}


# --- the answer to `show channels as json` -----------------------------------------------------------------------------

_ANSWERED = frozenset({"ACTIVE", "HELD", "UNHELD"})


def live_channels(listing: str) -> list[LiveChannel]:
    """Read the listing (`recordings/36-show-channels`); there are no `rows` when there is no channel.

    Raises `ProtocolError` when it is not such a listing.
    """
    try:
        rows = orjson.loads(listing).get("rows", [])
        return [_channel(row) for row in rows]
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, OverflowError, ValueError) as error:
        raise ProtocolError(f"not a list of channels: {listing[:80]!r}") from error


def _channel(row: dict[str, str]) -> LiveChannel:
    epoch = row.get("created_epoch", "")
    return LiveChannel(
        call_uuid=row["uuid"],
        account_code=row.get("accountcode", ""),
        answered=row.get("callstate", "") in _ANSWERED,
        outbound=row.get("direction") == "outbound",
        bonded_to=row.get("call_uuid", ""),
        created_at=datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else None,
    )
