"""What happened, as others hear of it: kinds of events, and the facts that each of them tells.

A kind is a dotted name in the past tense. Its facts are versioned: a fact may be added to a version, but none is taken away or
given another meaning.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from attrs import frozen

from dialer.declare import key, noun, setting, stamp
from dialer.errors import BadValue
from dialer.kinds import Kind


class EventKind(enum.StrEnum):
    """The kinds. Those of attempts stand in the order in which they happen to one."""

    ATTEMPT_STARTED = "attempt.started"
    ATTEMPT_RINGING = "attempt.ringing"
    ATTEMPT_ANSWERED = "attempt.answered"
    ATTEMPT_DIGITS = "attempt.digits"
    ATTEMPT_ENDED = "attempt.ended"
    ATTEMPT_CORRECTED = "attempt.corrected"
    CONTACT_OPTED_OUT = "contact.opted_out"
    CONTACT_COMPLETED = "contact.completed"
    CONTACT_FAILED = "contact.failed"
    CONTACT_BLOCKED = "contact.blocked"
    CONTACT_HELD = "contact.held"
    CAMPAIGN_CREATED = "campaign.created"
    CAMPAIGN_STARTED = "campaign.started"
    CAMPAIGN_PAUSED = "campaign.paused"
    CAMPAIGN_ABORTED = "campaign.aborted"
    CAMPAIGN_ENDED = "campaign.ended"
    CAMPAIGN_FINISHED = "campaign.finished"
    CAMPAIGN_IDLE = "campaign.idle"
    IMPORT_FINISHED = "import.finished"
    SWITCH_UP = "switch.up"
    SWITCH_DOWN = "switch.down"
    GATEWAY_UP = "gateway.up"
    GATEWAY_DOWN = "gateway.down"
    HOOK_SWITCHED_OFF = "hook.switched_off"
    WEBHOOK_DISABLED = "webhook.disabled"
    WEBHOOK_TEST = "webhook.test"


@frozen
class Fact:
    """A value that an event tells: its JSON type (several for one that may be null), and what it is."""

    type: str | tuple[str, ...]
    doc: str
    is_time: bool = False

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the value."""
        kind = self.type if isinstance(self.type, str) else list(self.type)
        form = {"format": "date-time"} if self.is_time else {}
        return {"type": kind, "description": self.doc, **form}


@frozen(kw_only=True)
class EventType:
    """A kind, declared. `sequence` is its place among the events of an attempt, 0 when it is none of an attempt's. With
    `superusers`, it is about the installation, and none of its users hears of it but they."""

    doc: str
    facts: Mapping[str, Fact]
    version: int = 1
    sequence: int = 0
    superusers: bool = False

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the facts."""
        properties = {name: fact.schema() for name, fact in self.facts.items()}
        return {"type": "object", "properties": properties, "required": list(self.facts), "description": self.doc}


_ID, _TEXT, _COUNT, _FLAG = "integer", "string", "integer", "boolean"
_OR_NULL: Final = ("integer", "null")
_MOMENT: Final = ("string", "null")

_CALL: Final = {
    "number": Fact(_TEXT, "the number, as it was entered"),
    "number_of_attempt": Fact(_COUNT, "which attempt of the contact it is, from 1"),
    "gateway_id": Fact(_ID, "the gateway through which it goes"),
    "caller_id": Fact(_TEXT, "the number that the callee sees; empty where the dialer names none"),
}

_END: Final = {
    "campaign_id": Fact(_ID, "the campaign"),
    "subscriber_id": Fact(_ID, "the contact in the campaign"),
    "contact_id": Fact(_ID, "the contact"),
    "attempt_id": Fact(_ID, "the attempt's number in the database"),
    "call_uuid": Fact(_TEXT, "the UUID of the call's channel"),
    **_CALL,
    "disposition": Fact(_TEXT, "why it ended, in business words"),
    "cause": Fact(_TEXT, "FreeSWITCH's hangup cause, or the dialer's own"),
    "counts": Fact(_FLAG, "whether it counts as an attempt of the contact"),
    "reason": Fact(_TEXT, "why the contact is called again, or not"),
    "q850": Fact(_OR_NULL, "the cause as a number of Q.850"),
    "sip_status": Fact(_OR_NULL, "the SIP status that ended it"),
    "planned_at": Fact(_TEXT, "when it was begun", is_time=True),
    "rang_at": Fact(_MOMENT, "when it rang", is_time=True),
    "answered_at": Fact(_MOMENT, "when it was answered", is_time=True),
    "ended_at": Fact(_TEXT, "when it ended", is_time=True),
    "ring_ms": Fact(_OR_NULL, "milliseconds that it rang"),
    "talk_ms": Fact(_OR_NULL, "milliseconds from the answer to the end"),
    "duration_ms": Fact(_OR_NULL, "milliseconds in all"),
    "machine": Fact(_FLAG, "whether a machine answered"),
    "session": Fact("object", "the voice application's report"),
}

_CONTACT: Final = {
    "number": Fact(_TEXT, "the number, as it was entered"),
    "subscriber_id": Fact(_ID, "the contact in the campaign"),
    "attempts": Fact(_COUNT, "how many attempts count"),
    "disposition": Fact(_TEXT, "why the last one ended, in business words"),
}

_CAMPAIGN: Final = {"name": Fact(_TEXT, "its name")}
_SWITCH: Final = {
    "switch": Fact(_TEXT, "host and port of its event socket"),
    "node": Fact(_TEXT, "the dialling process that tells it"),
    "reason": Fact(_TEXT, "why it is away; empty when it is there"),
}

_GATEWAY: Final = {
    "gateway_id": Fact(_ID, "the gateway"),
    "gateway": Fact(_TEXT, "its name"),
    "node": Fact(_TEXT, "the dialling process that tells it"),
}

_LIVE: Final = (
    "It is written a moment later: where the dialer is killed before that, the times of `attempt.ended` alone tell of it."
)

EVENT_TYPES: Final[Mapping[EventKind, EventType]] = MappingProxyType(
    {
        EventKind.ATTEMPT_STARTED: EventType(
            doc="A call is about to be made: its attempt is stored, and nothing was sent yet.", facts=_CALL, sequence=1
        ),
        EventKind.ATTEMPT_RINGING: EventType(doc="The callee's telephone rings. " + _LIVE, facts=_CALL, sequence=2),
        EventKind.ATTEMPT_ANSWERED: EventType(doc="The call was answered. " + _LIVE, facts=_CALL, sequence=3),
        EventKind.ATTEMPT_DIGITS: EventType(
            doc="The callee pressed keys: told as it happens, those together that come at once, the first two hundred of a "
            "session. A call may have several; their ids tell the order.",
            facts={**_CALL, "digits": Fact(_TEXT, "the keys since the event before, in order")},
            sequence=4,
        ),
        EventKind.ATTEMPT_ENDED: EventType(doc="The attempt has ended.", facts=_END, sequence=5),
        EventKind.ATTEMPT_CORRECTED: EventType(
            doc="An end that nobody could explain is explained by a call detail record.", facts=_END, sequence=6
        ),
        EventKind.CONTACT_OPTED_OUT: EventType(
            doc="The callee asked not to be called: the number is on the do-not-call list.", facts=_CONTACT, sequence=7
        ),
        EventKind.CONTACT_COMPLETED: EventType(
            doc="The contact was reached, and the campaign is done with it.", facts=_CONTACT, sequence=8
        ),
        EventKind.CONTACT_FAILED: EventType(
            doc="The contact was not reached, and the campaign calls it no more.", facts=_CONTACT, sequence=8
        ),
        EventKind.CONTACT_BLOCKED: EventType(
            doc="The contact's turn came, and it is not called because it must not be: the campaign calls it no more, unless "
            "it was for the calling rules or the gateways, and these, its time zone or the campaign change.",
            facts={
                "number": _CONTACT["number"],
                "subscriber_id": _CONTACT["subscriber_id"],
                "reason": Fact(
                    _TEXT,
                    "do-not-call (a list without an end), blacklist, whitelist (it is not on it), consent (it has not got the "
                    "one that the campaign asks for), calling-rules, dialled-form (what its gateway makes of the number is on "
                    "a list), no-gateway (none carries the number), or never-dialled (such as an emergency number)",
                ),
                "text": Fact(_TEXT, "the same for people"),
            },
        ),
        EventKind.CONTACT_HELD: EventType(
            doc="The contact's turn came, and the calling rules, do-not-call lists that let it go later, or a consent that "
            "begins later keep it waiting. Told once, until it is called, or until the rules, the lists, the contact or the "
            "campaign change.",
            facts={
                "number": _CONTACT["number"],
                "subscriber_id": _CONTACT["subscriber_id"],
                "until": Fact(_TEXT, "when its turn comes again", is_time=True),
                "reason": Fact(
                    _TEXT, "calling-rules, do-not-call, consent, dialled-form, or no-gateway (its carrier cannot now)"
                ),
                "text": Fact(_TEXT, "why it waits, for people"),
            },
        ),
        EventKind.CAMPAIGN_CREATED: EventType(doc="A campaign was created.", facts=_CAMPAIGN),
        EventKind.CAMPAIGN_STARTED: EventType(doc="A campaign was started.", facts=_CAMPAIGN),
        EventKind.CAMPAIGN_PAUSED: EventType(
            doc="A campaign was paused, by somebody or by the dialer itself.",
            facts={
                **_CAMPAIGN,
                "reason": Fact(_TEXT, "why the dialer has, such as `gateway carrier refused ...`; empty when somebody has"),
            },
        ),
        EventKind.CAMPAIGN_ABORTED: EventType(doc="A campaign was aborted: its live calls are hung up.", facts=_CAMPAIGN),
        EventKind.CAMPAIGN_ENDED: EventType(doc="A campaign was ended by its user.", facts=_CAMPAIGN),
        EventKind.CAMPAIGN_FINISHED: EventType(
            doc="Nobody is left to call in a campaign that is started. It stays so; with more contacts, it may finish again.",
            facts={
                **_CAMPAIGN,
                "completed": Fact(_COUNT, "contacts that were reached"),
                "failed": Fact(_COUNT, "contacts that were not"),
                "blocked": Fact(_COUNT, "contacts that must not be called"),
                "aborted": Fact(_COUNT, "contacts that a user took out"),
            },
        ),
        EventKind.CAMPAIGN_IDLE: EventType(
            doc="A campaign that is started does not call, and not because it makes as many calls as it may. Told when the "
            "reason has held for some seconds and is another one than before, once a minute at most.",
            facts={
                **_CAMPAIGN,
                "reason": Fact(_TEXT, "its code, as the API explains it: outside-hours, retries-later, no-switch, ..."),
                "text": Fact(_TEXT, "the same for people"),
                "until": Fact(_MOMENT, "when that may change, where it is known", is_time=True),
            },
        ),
        EventKind.IMPORT_FINISHED: EventType(
            doc="A file of contacts was imported.",
            facts={
                "phonebook_id": Fact(_ID, "into which phonebook"),
                "phonebook": Fact(_TEXT, "its name"),
                "rows": Fact(_COUNT, "rows of the file"),
                "taken": Fact(_COUNT, "contacts that are new"),
                "already_there": Fact(_COUNT, "rows whose contacts were there"),
                "duplicates": Fact(_COUNT, "rows that repeat another one"),
                "refused": Fact(_COUNT, "rows that are no contact"),
            },
        ),
        EventKind.SWITCH_UP: EventType(doc="A FreeSWITCH is connected.", facts=_SWITCH, superusers=True),
        EventKind.HOOK_SWITCHED_OFF: EventType(
            doc="A Python hook failed too often, or did not return, and is called no more.",
            facts={
                "app": Fact(_TEXT, "the app, as the configuration names it"),
                "node": Fact(_TEXT, "the dialling process that tells it"),
                "reason": Fact(_TEXT, "why"),
            },
            superusers=True,
        ),
        EventKind.SWITCH_DOWN: EventType(doc="The connection to a FreeSWITCH is lost.", facts=_SWITCH, superusers=True),
        EventKind.GATEWAY_UP: EventType(doc="A gateway that was down serves again.", facts=_GATEWAY, superusers=True),
        EventKind.GATEWAY_DOWN: EventType(
            doc="A gateway failed several calls in a row, or its switch tells that it is down, and it is left alone for a "
            "while. Told once, until it serves again.",
            facts={
                **_GATEWAY,
                "reason": Fact(_TEXT, "what the last call through it failed with, or what the switch tells"),
                "until": Fact(_TEXT, "when it is tried again", is_time=True),
            },
            superusers=True,
        ),
        EventKind.WEBHOOK_DISABLED: EventType(
            doc="A webhook is told no more, because it asked for that or nothing arrived for a day.",
            facts={
                "webhook_id": Fact(_ID, "the webhook"),
                "url": Fact(_TEXT, "where its events were posted to"),
                "reason": Fact(_TEXT, "why"),
            },
        ),
        EventKind.WEBHOOK_TEST: EventType(
            doc="Somebody tries a webhook; sent to that one only.", facts={"webhook_id": Fact(_ID, "the webhook")}
        ),
    }
)


def documentation() -> str:
    """The kinds with their facts, in Markdown."""
    parts = []
    for kind, declared in EVENT_TYPES.items():
        place = f" Sequence {declared.sequence}." if declared.sequence else ""
        whose = " Superusers only." if declared.superusers else ""
        facts = [f"| `{name}` | {_type_words(fact)} | {fact.doc} |" for name, fact in declared.facts.items()]
        parts += [f"### `{kind}`\n\n{declared.doc}{place}{whose}\n\n| fact | type | |\n|---|---|---|", *facts, ""]
    return "\n".join(parts).strip("\n")


def _type_words(fact: Fact) -> str:
    words = (fact.type,) if isinstance(fact.type, str) else fact.type
    return " or ".join("time" if fact.is_time and word == "string" else word for word in words)


@noun("event")
@frozen(kw_only=True)
class Event:
    """One thing that happened. The ids are those of the rows that it is about, which may be gone; `reference` is the
    client's own word for the contact. `id` grows with each; `data` is a JSON object as text."""

    id: int = key()
    kind: str = setting(shortest=1, doc="of event")
    version: int = setting(1, ge=1, doc="of its facts")
    at: datetime = setting(doc="when it happened")
    sequence: int = setting(0, ge=0, doc="its place among the events of its attempt")
    user_id: int | None = setting(None, doc="whose campaign it is about")
    campaign_id: int | None = setting(None, doc="the campaign")
    contact_id: int | None = setting(None, doc="the contact")
    attempt_id: int | None = setting(None, doc="the attempt's number in the database")
    call_uuid: str = setting("", doc="the UUID of the call's channel, by which others know the attempt")
    data: str = setting(kind=None, longest=1_000_000, doc="the facts, a JSON object")


@noun("event consumer")
@frozen(kw_only=True)
class EventConsumer:
    """A reader of events. `position` is the id of the last event that it is done with. Events of the kinds that some reader
    asks for are written, and no others."""

    id: int = key()
    name: str = setting(shortest=1, doc="its name, unique")
    kinds: str = setting("", doc="the kinds that it asks for, with spaces between; attempt.* for all of attempts")
    position: int = setting(0, ge=0, doc="the last event that it is done with")
    holder: str = setting("", doc="the node that serves it")
    held_until: datetime | None = setting(None, doc="others leave it alone until then")
    expires_at: datetime | None = setting(None, doc="nobody asks any more from then on")
    created_at: datetime = stamp("since when")


@frozen
class Told:
    """An event as a consumer gets it, with the client's own word for the contact, and the installation that it happened in:
    ids of events begin anew in another database."""

    event: Event
    reference: str = ""
    installation: str = ""

    @property
    def kind(self) -> EventKind:
        """Of event."""
        return EventKind(self.event.kind)

    def may_be_seen_by(self, user_id: int, *, superuser: bool) -> bool:
        """Whether it is one of the user's own; a superuser sees all."""
        return superuser or (self.event.user_id == user_id and not EVENT_TYPES[self.kind].superusers)


@frozen
class EventPlace:
    """How far a reader is. `gap` is the id behind which one is missing, with the transaction before which every one that may
    still bring it had begun."""

    position: int
    gap: tuple[int, int] | None = None


RARE: Final = frozenset(kind for kind in EventKind if not kind.startswith(("attempt.", "contact.")))
"""Kinds that do not come with each call."""

PATTERNS: Final = ("*", *dict.fromkeys(f"{kind.partition('.')[0]}.*" for kind in EventKind))
"""Each stands for several kinds."""


def kinds_of(text: str) -> frozenset[EventKind]:
    """The kinds that a list of names and patterns means: `attempt.*`, `*`, `campaign.started`; with spaces or commas between.
    Raises `BadValue`."""
    found: set[EventKind] = set()
    for word in text.replace(",", " ").split():
        matching = [kind for kind in EventKind if word in ("*", kind) or (word.endswith(".*") and kind.startswith(word[:-1]))]
        if not matching:
            raise BadValue("kinds", f"there are no events {word[:60]!r}; there are {', '.join(EventKind)}")
        found.update(matching)
    return frozenset(found)


@frozen
class EventKinds(Kind):
    """Some kinds of events, at least one, as `kinds_of` reads them."""

    takes = f"kinds of events or patterns of them, with commas between: attempt.*, or some of {', '.join(EventKind)}"

    def parse(self, value: Any) -> frozenset[EventKind]:
        """From their names and patterns."""
        found = kinds_of(value)
        if not found:
            raise ValueError
        return found

    def schema(self) -> dict[str, Any]:
        """A text."""
        return {"type": "string", "minLength": 1, "examples": ["attempt.ended,contact.*"]}


def words_of(kinds: Collection[EventKind]) -> str:
    """The text that `kinds_of` reads."""
    return " ".join(kind for kind in EventKind if kind in kinds)
