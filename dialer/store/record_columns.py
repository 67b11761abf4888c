"""The facts of a call record, declared once: their names, where they come from, and what they mean. The files of `dialer cdr
export` and those over HTTP have these columns, and the API's attempts these attributes."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson
from attrs import frozen

from dialer.model import AttemptState, Disposition


class Form(enum.Enum):
    """How a fact looks in JSON; in CSV, a moment is the same text, a flag True or False, and what is null is empty."""

    NUMBER = "number"
    TEXT = "text"
    MOMENT = "moment"
    """RFC 3339, in UTC, to the millisecond."""
    FLAG = "flag"
    OBJECT = "object"


Notes = Mapping[str, Any]
"""The voice application's report."""


@frozen(kw_only=True)
class RecordColumn:
    """A column. `sql` is the expression that it is read from; or else `derived` makes it of what the switch said of the
    hangup and the report. One that `always` is there is never null; `words` are all that it can be."""

    name: str
    doc: str
    sql: str = ""
    derived: Callable[[str | None, Notes], Any] | None = None
    form: Form = Form.TEXT
    always: bool = False
    words: tuple[str, ...] = ()


def _hung_up_by(disposition: str | None, _: Notes) -> str | None:
    """mod_sofia's words begin with what it did: it received the message that ended the call, or sent it."""
    return {"recv": "callee", "send": "caller"}.get((disposition or "").partition("_")[0])


def _note(name: str) -> Callable[[str | None, Notes], Any]:
    return lambda _, notes: notes.get(name)


def _second_leg_ms(_: str | None, notes: Notes) -> int | None:
    try:
        return round(float(notes["transfer_seconds"]) * 1000)
    except (KeyError, ValueError, OverflowError):  # an application of somebody's own may write what it likes
        return None


FACTS: Final = (
    RecordColumn(name="id", sql="a.id", form=Form.NUMBER, always=True, doc="grows with each attempt"),
    RecordColumn(
        name="attempt_id",
        sql="a.call_uuid",
        always=True,
        doc="the UUID of the call's channel, by which FreeSWITCH and events know it",
    ),
    RecordColumn(name="campaign_id", sql="a.campaign_id", form=Form.NUMBER, always=True, doc="the campaign"),
    RecordColumn(name="campaign", sql="c.name", always=True, doc="its name"),
    RecordColumn(name="contact_id", sql="s.contact_id", form=Form.NUMBER, always=True, doc="the contact"),
    RecordColumn(name="reference", sql="k.reference", always=True, doc="your own word for the contact"),
    RecordColumn(name="number", sql="a.number", always=True, doc="that was called, as it was entered"),
    RecordColumn(
        name="number_of_attempt", sql="a.number_of_attempt", form=Form.NUMBER, always=True, doc="1 for the first that counts"
    ),
    RecordColumn(name="caller_id", sql="a.caller_id", always=True, doc="the number that was shown as the caller's"),
    RecordColumn(name="caller_name", sql="a.caller_name", always=True, doc="the name that was shown as the caller's"),
    RecordColumn(name="gateway_id", sql="a.gateway_id", form=Form.NUMBER, always=True, doc="the gateway that it went through"),
    RecordColumn(name="gateway", sql="g.name", always=True, doc="its name"),
    RecordColumn(
        name="state", sql="a.state", always=True, words=tuple(str(state) for state in AttemptState), doc="where the attempt is"
    ),
    RecordColumn(name="planned_at", sql="a.planned_at", form=Form.MOMENT, always=True, doc="when it was begun"),
    RecordColumn(
        name="sent_at",
        sql="a.sent_at",
        form=Form.MOMENT,
        doc="when the switch took the request for it; null where the call was over before that was heard",
    ),
    RecordColumn(name="rang_at", sql="a.rang_at", form=Form.MOMENT, doc="the first ringing, or sound before the answer"),
    RecordColumn(name="answered_at", sql="a.answered_at", form=Form.MOMENT, doc="when it was answered"),
    RecordColumn(name="ended_at", sql="a.ended_at", form=Form.MOMENT, doc="when it ended"),
    RecordColumn(name="ring_ms", sql="a.ring_ms", form=Form.NUMBER, doc="from the first ringing to the answer, or to the end"),
    RecordColumn(name="talk_ms", sql="a.talk_ms", form=Form.NUMBER, doc="from the answer to the end, which is what is billed"),
    RecordColumn(name="duration_ms", sql="a.duration_ms", form=Form.NUMBER, doc="from the originate to the end"),
    RecordColumn(
        name="disposition",
        sql="a.disposition",
        words=tuple(str(each) for each in Disposition),
        doc="why it ended, in business words",
    ),
    RecordColumn(name="cause", sql="a.cause", doc="FreeSWITCH's word for the end, or the dialer's own"),
    RecordColumn(name="q850", sql="a.q850", form=Form.NUMBER, doc="the cause by ITU-T Q.850"),
    RecordColumn(name="sip_status", sql="a.sip_status", form=Form.NUMBER, doc="the final SIP status of the far end"),
    RecordColumn(name="ended_by", sql="a.sip_disposition", doc="FreeSWITCH's word for who ended it, such as recv_bye"),
    RecordColumn(
        name="hung_up_by",
        derived=_hung_up_by,
        words=("callee", "caller"),
        doc="the side that ended it, where FreeSWITCH says so; the caller is the dialer or the switch",
    ),
    RecordColumn(name="counts", sql="a.counts_as_attempt", form=Form.FLAG, doc="whether it is one of the contact's attempts"),
    RecordColumn(name="reason", sql="a.reason", doc="what was decided of the contact, and why"),
    RecordColumn(name="machine", sql="a.machine", form=Form.FLAG, doc="whether a machine answered"),
    RecordColumn(name="digits", derived=_note("digits"), doc="the keys that the callee pressed, in order"),
    RecordColumn(name="recording", derived=_note("recording"), doc="the file of the recording, on FreeSWITCH's machine"),
    RecordColumn(name="second_leg", derived=_note("transfer"), doc="of a transfer: whether it was answered, or failed"),
    RecordColumn(name="second_leg_to", derived=_note("transfer_to"), doc="whom it was to reach"),
    RecordColumn(name="second_leg_cause", derived=_note("transfer_cause"), doc="FreeSWITCH's word for its end"),
    RecordColumn(name="second_leg_ms", derived=_second_leg_ms, form=Form.NUMBER, doc="for how long both were connected"),
    RecordColumn(name="session", sql="a.session", form=Form.OBJECT, always=True, doc="the voice application's report, whole"),
)

NAMES: Final = tuple(fact.name for fact in FACTS)

Record = list[Any]
"""By `NAMES`; the session is the text of its JSON."""

_STORED: Final = tuple(fact for fact in FACTS if fact.derived is None)
SELECTED: Final = ", ".join(fact.sql for fact in _STORED)
"""What `record` takes a row of."""

_PLACES: Final = {fact.name: place for place, fact in enumerate(_STORED)}
_DERIVED: Final = tuple((place, fact.derived) for place, fact in enumerate(FACTS) if fact.derived is not None)
_MOMENTS: Final = tuple(place for place, fact in enumerate(_STORED) if fact.form is Form.MOMENT)
_FLAGS: Final = tuple(place for place, fact in enumerate(_STORED) if fact.form is Form.FLAG)
_ENDED_BY, _SESSION = _PLACES["ended_by"], _PLACES["session"]
_LAST: Final = NAMES.index("session")


def record(row: Sequence[Any]) -> Record:
    """From a row of `SELECTED`."""
    found = list(row)
    for place in _MOMENTS:
        if found[place] is not None:
            found[place] = _rfc3339(found[place])
    for place in _FLAGS:
        if found[place] is not None:
            found[place] = bool(found[place])
    session = found[_SESSION] or "{}"
    found[_SESSION] = session
    ended_by, notes = found[_ENDED_BY], {} if session == "{}" else orjson.loads(session)
    for place, derive in _DERIVED:
        found.insert(place, derive(ended_by, notes))
    return found


def _rfc3339(column: str) -> str:
    """In UTC, to the millisecond. A server leaves zeros at the end out."""
    text = column if "." in column else f"{column}."
    return f"{text[:10]}T{text[11:23]:0<12}Z"


def as_object(found: Record) -> dict[str, Any]:
    """The record by its names; the session's JSON stays as it is, for `orjson.dumps`."""
    shown = dict(zip(NAMES, found, strict=True))
    shown["session"] = orjson.Fragment(found[_LAST])
    return shown


_WORDS: Final = {
    Form.NUMBER: "integer",
    Form.TEXT: "text",
    Form.MOMENT: "moment",
    Form.FLAG: "true or false",
    Form.OBJECT: "object",
}


def documentation() -> str:
    """A table of all facts, for people: Markdown."""
    lines = ["| column | | |", "|---|---|---|"]
    for fact in FACTS:
        form = " or ".join(f"`{word}`" for word in fact.words) if 0 < len(fact.words) < 3 else _WORDS[fact.form]
        lines.append(f"| `{fact.name}` | {form}{'' if fact.always else ', or null'} | {fact.doc} |")
    return "\n".join(lines)
