"""`bridge`: how a second leg is asked for, and what the end of the application tells of it.

Seen on FreeSWITCH 1.10.12: the first leg's CHANNEL_EXECUTE_COMPLETE of `bridge` has `variable_originate_disposition` (SUCCESS,
or the cause of the failure), after a success `variable_bridge_hangup_cause`, and `Caller-Channel-Bridged-Time`, which is 0
unless the legs were connected; a `Hangup-Cause` of its own only when the first leg has hung up.
"""

from __future__ import annotations

import re

from dialer.errors import BadValue
from dialer.esl import quoting
from dialer.esl.commands import given_variables
from dialer.esl.events import EslEvent
from dialer.model.flow import Transfer, Transferred

MAX_TIMEOUT = 600
"""Seconds of ringing."""

_TONE = re.compile(r"[0-9A-Za-z%(),.;:=<>+*#-]{0,200}")
_SUCCESS = "SUCCESS"


def settings(ringback: str) -> str:
    """The argument of `multiset` with which a call outlives a second leg that fails or ends. The call is answered, so that
    `transfer_ringback` is what its callee hears meanwhile. Raises `BadValue`."""
    if not _TONE.fullmatch(ringback):
        raise BadValue("ringback", f"{ringback[:80]!r} is not a tone such as %(1000,4000,425)")
    tones = f"~ringback={ringback}~transfer_ringback={ringback}" if ringback else ""
    return f"^^~continue_on_fail=true~hangup_after_bridge=false{tones}"


def argument(transfer: Transfer) -> str:
    """The argument of `bridge`. Raises `BadValue` naming what cannot be sent exactly."""
    address = complete(quoting.dial_string("dial_string", transfer.dial_string))
    if not 0 < transfer.timeout <= MAX_TIMEOUT:
        raise BadValue("timeout", f"{transfer.timeout} is not a number of seconds from 1 to {MAX_TIMEOUT}")
    own = [("originate_timeout", str(transfer.timeout)), ("ignore_early_media", "true")]
    if transfer.caller_id_number:
        number = quoting.caller_number("caller_id_number", transfer.caller_id_number)
        own.append(("origination_caller_id_number", number))
    return f"{{{quoting.bracketed(own + given_variables(transfer.variables))}}}{address}"


def complete(address: str) -> str:
    """A `loopback` address with its context and dialplan. In `originate` they are `default` and `XML` when they are left out
    or empty; in `bridge`, those of the leg that dials: the dialer's own context, or the inline dialplan, for which the number
    would be the name of an application (seen on FreeSWITCH 1.10.12). The names of endpoints have no case."""
    endpoint, *path = address.split("/")
    if endpoint.lower() != "loopback":
        return address
    number, context, dialplan, *more = path + [""] * (3 - len(path))
    return "/".join((endpoint, number, context or "default", dialplan or "XML", *more))


def outcome(ended: EslEvent) -> Transferred:
    """The outcome that the end of `bridge` tells."""
    disposition = ended.value("variable_originate_disposition")
    bridged_at = _micros(ended.value("Caller-Channel-Bridged-Time"))
    answered = disposition == _SUCCESS or bridged_at > 0
    cause = ended.value("variable_bridge_hangup_cause") if answered else disposition
    lasted = _micros(ended.value("Event-Date-Timestamp")) - bridged_at if bridged_at else 0
    return Transferred(
        cause=cause or ("NORMAL_CLEARING" if answered else "DESTINATION_OUT_OF_ORDER"),
        answered=answered,
        talk_ms=max(lasted, 0) // 1000,
        by_contact=bool(ended.value("Hangup-Cause")),
    )


def _micros(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
