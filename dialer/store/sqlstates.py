"""Errors of PostgreSQL and its driver: whether the connection is lost, whether trying again helps, and whose fault it was.

The codes are those of the PostgreSQL manual, appendix A. The driver is not imported here: who keeps to SQLite does without it,
and its 6 MB.
"""

from __future__ import annotations

import re
from typing import Any, Final

from dialer.errors import BadValue, Duplicate

AGAIN: Final = frozenset({"40P01", "40001", "55P03"})
"""Deadlock, serialization failure, lock not available in time: the transaction was rolled back; the next may well succeed."""

_ADVICE: Final = {
    "08": "does not answer; the dialer goes on trying to reach it",
    "53": "has no room left (disk, memory or connections); give it some, see its log",
    "57": "is shutting down, starting up or was told to end this session; the dialer goes on trying to reach it",
    "58": "has an error of its disk or its system; see its log",
    "28": "refuses this user; check the user, the password and pg_hba.conf",
    "3D": "does not exist; create it with createdb",
    "42": "does not let this user do that, or has another schema than expected",
    "25": "cannot be written; name the primary server, not a standby",
    "40": "could not complete the transaction beside others, several times in a row",
    "23": "refused a row that would not be consistent",
}
_LOST_CLASS: Final = "08"
_ENDED_SESSION: Final = frozenset({"57P01", "57P02", "57P03", "57P05", "25P03", "25P04"})
"""Shutdown by an admin, crash, cannot connect now, idle session, idle or too long in a transaction."""

_LOST_WITHOUT_CODE: Final = frozenset({"OperationalError", "InterfaceError", "DatabaseError"})
"""psycopg2's classes for what did not come from the server: the connection broke, or could not be had."""

_KEY: Final = "_key"
_COLUMNS: Final = re.compile(r"Key \((.*?)\)=")
"""In the detail of the message, when the server speaks English."""


def is_error(error: BaseException) -> bool:
    """Whether the driver raised it."""
    return hasattr(error, "pgcode")


def is_lost(error: BaseException) -> bool:
    """Whether the connection is of no more use."""
    code = _code(error)
    if code is None:
        return is_error(error) and type(error).__name__ in _LOST_WITHOUT_CODE
    return code.startswith(_LOST_CLASS) or code in _ENDED_SESSION


def is_passing(error: BaseException) -> bool:
    """Whether the same transaction may well succeed when it is run again."""
    return _code(error) in AGAIN


def advice(error: BaseException) -> str:
    """The advice for an admin, to follow the name of the database."""
    code = _code(error)
    text = " ".join(str(error).split())
    if code is None:
        # libpq's own failures have no code, but the server's words are in them.
        if "authentication failed" in text or "no pg_hba.conf entry" in text or "no password supplied" in text:
            code = "28"
        elif "does not exist" in text and "database" in text:
            code = "3D"
        else:
            code = _LOST_CLASS
    known = _ADVICE.get(code[:2])
    return f"{known} ({text})" if known else f"cannot serve: {text}"


def refused_value(error: BaseException) -> BadValue | None:
    """The field that a constraint protects, when it was one. Constraints are named `<table>_<field>`, with `_key` behind it
    when the field must be unique."""
    code = _code(error)
    diagnosis: Any = getattr(error, "diag", None)
    if code is None or diagnosis is None:
        return None
    constraint = diagnosis.constraint_name or ""
    table = f"{diagnosis.table_name}_"
    match code:
        case "23505":
            return Duplicate(_unique_field(constraint.removeprefix(table), diagnosis.message_detail or ""), "exists already")
        case "23514":
            return BadValue(constraint.removeprefix(table), "is out of range")
        case "23502":
            return BadValue(diagnosis.column_name or "value", "is missing")
        case "23503":
            return BadValue("reference", "names something that does not exist")
        case "22003" | "22001":
            return BadValue(diagnosis.column_name or "value", "is out of range")
        case "22P05":
            return BadValue("text", "may not contain a NUL character")
        case "22P02":
            return BadValue(diagnosis.column_name or "value", "is not of the kind that is expected")
        case _:
            return None


def _unique_field(name: str, detail: str) -> str:
    """By the name of the constraint, whatever the server's language; an index has another, as a primary key has."""
    if name.endswith(_KEY):
        return name.removesuffix(_KEY)
    found = _COLUMNS.match(detail)
    return found[1].split(", ")[-1].strip('"') if found else name


def _code(error: BaseException) -> str | None:
    code: str | None = getattr(error, "pgcode", None)
    return code
