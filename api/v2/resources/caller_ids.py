"""`caller-id-pools` and `caller-ids`: the numbers that calls show as their caller's, and what came of it."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred

from api.v2.attributes import ID, Attribute, Body, Encoder, answer, enterable
from api.v2.nouns import IN_USE, NounRoutes
from api.v2.pages import Page
from api.v2.routes import Asked, Route
from api.v2.shapes import Schema, shown_moment
from dialer.declare import noun_of
from dialer.kinds import Nullable, Whole
from dialer.list_kinds import Ids
from dialer.management import caller_ids
from dialer.model import CallerId, CallerIdPool, Scope
from dialer.model.caller_id import CallerIdCounts, CallerIdDetails
from dialer.time_kinds import Moment

_POOL_SHOWN: Final = Encoder(CallerIdPool, ("archived_at", "turn"))
POOL: Final = answer(
    "CallerIdPool",
    "Numbers from which campaigns take the one that callees see.",
    _POOL_SHOWN.properties,
    _POOL_SHOWN.encoder(),
)

_NUMBER: Final[Schema] = {"type": "integer"}
_RATE: Final[Schema] = {"type": ["number", "null"]}
_COUNTS: Final[dict[str, Schema]] = {
    "calls": {
        **_NUMBER,
        "description": "that count for the daily cap: all that were begun, without those that were not dialled",
    },
    "ended": {**_NUMBER, "description": "of these, the ones that are over"},
    "answered": {**_NUMBER, "description": "by a person or a machine"},
    "answer_rate": {**_RATE, "description": "answered / ended, from 0 to 1; null when none is over"},
    "short": {**_NUMBER, "description": "answered, and over within six seconds"},
    "short_rate": {**_RATE, "description": "short / answered, from 0 to 1; null when none was answered"},
    "talk_ms": {**_NUMBER, "description": "from the answer to the end, of all of them together"},
    "refused": {
        "type": "object",
        "description": "how many ended with each SIP status by which a network or a callee refuses a caller",
        "additionalProperties": _NUMBER,
    },
}


def _counted(counts: CallerIdCounts) -> dict[str, Any]:
    return {
        "calls": counts.used,
        "ended": counts.ended - counts.unsent,
        "answered": counts.answered,
        "answer_rate": counts.answer_rate,
        "short": counts.short,
        "short_rate": counts.short_rate,
        "talk_ms": counts.talk_ms,
        "refused": {str(code): count for code, count in counts.refused.items()},
    }


_SHOWN: Final = Encoder(CallerId)
_encode = _SHOWN.encoder()


def _details(found: CallerIdDetails) -> dict[str, Any]:
    return {**_encode(found.caller_id), "gateways": list(found.gateways)}


CALLER_ID: Final = answer(
    "CallerId",
    "A number of a pool.",
    {
        **_SHOWN.properties,
        "gateways": {"type": "array", "items": _NUMBER, "description": "the gateways that may show it; empty: every one"},
    },
    _details,
)


def _use_shown(found: list[CallerIdDetails]) -> dict[str, Any]:
    return {
        "numbers": [
            {
                "caller_id_id": each.caller_id.id,
                "number": each.caller_id.number,
                "allowed_today": each.allowed,
                "unusable": each.unusable or None,
                "usable_at": None if each.until is None else shown_moment(each.until),
                **_counted(each.today),
            }
            for each in found
        ]
    }


USE: Final = answer(
    "CallerIdPoolUse",
    "How the numbers of a pool are used today, by the zone of the pool.",
    {
        "numbers": {
            "type": "array",
            "items": answer(
                "CallerIdUse",
                "The calls of today that showed a number.",
                {
                    "caller_id_id": _NUMBER,
                    "number": {"type": "string"},
                    "allowed_today": {"type": ["integer", "null"], "description": "calls that may show it; null: any number"},
                    "unusable": {"type": ["string", "null"], "description": "why no call shows it now; null when it can be"},
                    "usable_at": {
                        "anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}],
                        "description": "when it can be used again, where that is known",
                    },
                    **_COUNTS,
                },
                dict,
            ).schema,
        }
    },
    _use_shown,
)


def _days_shown(found: list[caller_ids.CallerIdDay]) -> dict[str, Any]:
    return {"days": [{"day": each.day.isoformat(), **_counted(each.counts)} for each in found]}


DAYS: Final = answer(
    "CallerIdDays",
    "What came of the calls that showed a number, by the day of its pool's zone, the newest first.",
    {
        "days": {
            "type": "array",
            "items": answer("CallerIdDay", "A day.", {"day": {"type": "string", "format": "date"}, **_COUNTS}, dict).schema,
        }
    },
    _days_shown,
)

_NEW_POOL: Final = enterable(CallerIdPool)
NEW_POOL: Final = Body(name="NewCallerIdPool", attributes=_NEW_POOL)
CHANGED_POOL: Final = Body(name="ChangedCallerIdPool", attributes=_NEW_POOL, merges=True)
_GATEWAYS: Final = Attribute(
    name="gateways",
    kind=Ids(),
    doc="the ids of the gateways that may show it; empty: every one",
    default=(),
    refers_to="gateway",
)
_NEW: Final = (*enterable(CallerId), _GATEWAYS)
NEW: Final = Body(name="NewCallerId", attributes=_NEW)
CHANGED: Final = Body(
    name="ChangedCallerId", attributes=(*enterable(CallerId, without=("pool_id", "number")), _GATEWAYS), merges=True
)
REST: Final = Body(
    name="CallerIdRest",
    attributes=(
        Attribute(name="until", kind=Nullable(Moment()), doc="no call shows it before; null ends its rest", required=True),
    ),
)


def _list_pools(asked: Asked) -> Deferred[Any]:
    """Your pools of caller ids, the oldest first."""
    return asked.ask(caller_ids.pools, asked.who, asked.after or 0, asked.limit, asked.query.get("name"))


def _read_pool(asked: Asked) -> Deferred[Any]:
    """One pool of caller ids."""
    return asked.ask(caller_ids.read_pool, asked.who, asked.path["pool_id"])


def _create_pool(asked: Asked) -> Deferred[Any]:
    """Make a pool of caller ids."""
    return asked.ask(caller_ids.create_pool, asked.who, asked.body)


def _change_pool(asked: Asked) -> Deferred[Any]:
    """Change a pool of caller ids: a merge patch, which holds for the next call."""
    return asked.ask(caller_ids.change_pool, asked.who, asked.path["pool_id"], asked.body)


def _remove_pool(asked: Asked) -> Deferred[Any]:
    """Remove a pool of caller ids that has no numbers, and that no campaign uses."""
    return asked.ask(caller_ids.remove_pool, asked.who, asked.path["pool_id"])


def _use(asked: Asked) -> Deferred[Any]:
    """How the numbers of a pool are used today: answer rate, short calls, refusals, and which cannot be used and why."""
    return asked.ask(caller_ids.listed, asked.who, 0, None, asked.path["pool_id"])


def _list(asked: Asked) -> Deferred[Any]:
    """The numbers of your pools, the oldest first."""
    return asked.ask(caller_ids.listed, asked.who, asked.after or 0, asked.limit, asked.query.get("pool_id"))


def _read(asked: Asked) -> Deferred[Any]:
    """One number."""
    return asked.ask(caller_ids.read, asked.who, asked.path["caller_id"])


def _create(asked: Asked) -> Deferred[Any]:
    """Add a number to a pool."""
    return asked.ask(caller_ids.create, asked.who, _listing(asked.body))


def _change(asked: Asked) -> Deferred[Any]:
    """Change a number: a merge patch, which holds for the next call."""
    return asked.ask(caller_ids.change, asked.who, asked.path["caller_id"], _listing(asked.body))


def _listing(body: Any) -> dict[str, Any]:
    return {**body, "gateways": list(body["gateways"])} if "gateways" in body else dict(body)


def _remove(asked: Asked) -> Deferred[Any]:
    """Remove a number: no call shows it any more; its attempts stay."""
    return asked.ask(caller_ids.remove, asked.who, asked.path["caller_id"])


def _rest(asked: Asked) -> Deferred[Any]:
    """Let a number rest: no call shows it for a while."""
    return asked.ask(caller_ids.rest, asked.who, asked.path["caller_id"], asked.body["until"])


def _days(asked: Asked) -> Deferred[Any]:
    """What came of the calls that showed a number: answer rate, short calls and refusals by day."""
    return asked.ask(caller_ids.days, asked.who, asked.path["caller_id"], asked.query["days"])


POOLS: Final = NounRoutes(
    path="caller-id-pools",
    key="pool_id",
    answer=POOL,
    new=NEW_POOL,
    changed=CHANGED_POOL,
    page=Page(place=lambda pool: pool.id),
    filters=(Attribute(name="name", kind=noun_of(CallerIdPool).field("name").kind, doc="only the one of this name"),),
    locked=caller_ids.locked_pool,
    writers=Scope.DIAL,
    refused_end=IN_USE,
)
CALLER_IDS: Final = NounRoutes(
    path="caller-ids",
    key="caller_id",
    answer=CALLER_ID,
    new=NEW,
    changed=CHANGED,
    page=Page(place=lambda details: details.caller_id.id),
    filters=(Attribute(name="pool_id", kind=ID, doc="only those of this pool", refers_to="caller id pool"),),
    locked=caller_ids.locked,
    writers=Scope.DIAL,
    refused_new=("limit-exceeded",),
)

ROUTES: Final = (
    *POOLS.routes(listed=_list_pools, create=_create_pool, read=_read_pool, change=_change_pool, remove=_remove_pool),
    Route(method="GET", path=f"{POOLS.one}/use", scope=Scope.READ, serve=_use, answer=USE),
    *CALLER_IDS.routes(listed=_list, create=_create, read=_read, change=_change, remove=_remove),
    Route(method="POST", path=f"{CALLER_IDS.one}/rest", scope=Scope.DIAL, serve=_rest, body=REST, answer=CALLER_ID),
    Route(
        method="GET",
        path=f"{CALLER_IDS.one}/days",
        scope=Scope.READ,
        serve=_days,
        answer=DAYS,
        parameters=(
            Attribute(
                name="days", kind=Whole(1, caller_ids.MOST_DAYS), doc="how many days with calls, the newest", default=30
            ),
        ),
    ),
)
