"""Requests and answers made of the declarations: the names of 2011, how a value looks in JSON, and the schemas of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Annotated, Any, Final

from attrs import NOTHING
from pydantic import BaseModel, ConfigDict, Field, create_model

from dialer import declare
from dialer.declare import noun_of
from dialer.kinds import Flag, Kind, Member, Nullable, Variables, Whole, variables_text
from dialer.model import Gateway, GatewayUse, Phonebook, SubscriberStatus, VoipApp
from dialer.time_kinds import ClockTime, Epoch, Moment

Date = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$", description="in UTC")]
"""YYYY-MM-DD HH:MM:SS."""


STATES: Final = {
    SubscriberStatus.START: "pending",
    SubscriberStatus.PAUSE: "paused",
    SubscriberStatus.ABORT: "aborted",
    SubscriberStatus.FAIL: "failed",
    SubscriberStatus.COMPLETE: "completed",
    SubscriberStatus.IN_PROCESS: "in_process",
    SubscriberStatus.NOT_AUTHORISED: "not_authorised",
}
"""The states of a contact in a campaign, in words."""


class NewfiesAnswer(BaseModel):
    """The schema of an answer. It is for the documentation and the tests; encoders make plain dicts."""

    model_config = ConfigDict(extra="forbid", strict=True)


def date(moment: datetime) -> str:
    """An aware moment in UTC as the API shows it, without its fraction."""
    return moment.isoformat(" ", "seconds")[:19]


def named(cls: type) -> dict[str, str]:
    """The names of 2011 by ours, for the fields that have one."""
    return {field.name: field.v1 for field in noun_of(cls).fields if field.v1}


def taken(kind: Kind) -> Kind:
    """How a request of 2011 gives such a value: moments are seconds."""
    return Epoch() if isinstance(kind, Moment) else kind


def requested(cls: type, without: Iterable[str] = ()) -> dict[str, Any]:
    """The fields of a request's schema, by their names of 2011: everything that can be entered, and nothing that must be."""
    fields = [field for field in noun_of(cls).enterable if field.v1 and field.name not in without]
    return {field.v1: (Annotated[Any, taken(field.kind)], None) for field in fields}


def default_of(field: declare.Field) -> Any:
    """The default of a field as a request would give it; None when there is none to tell."""
    return None if field.default in (None, NOTHING) else _shower(field.kind)(field.default)


# --- answers --------------------------------------------------------------------------------------------------------------


def _answered(kind: Kind) -> tuple[Any, Callable[[Any], Any]]:
    """The type of a value in an answer, and what shows it."""
    match kind:
        case Nullable():
            inner, show = _answered(kind.kind)
            return inner | None, lambda value: None if value is None else show(value)
        case Moment():
            return Date, date
        case Flag():
            return int, int
        case Whole():
            return int, _as_it_is
        case Member():
            return kind.column, kind.stored
        case ClockTime():
            return str, kind.stored
        case Variables():
            return str, lambda variables: variables_text(variables) if variables else ""
    return str, _as_it_is


def _shower(kind: Kind) -> Callable[[Any], Any]:
    return _answered(kind)[1]


def _as_it_is(value: Any) -> Any:
    return value


def _shown_fields(cls: type, without: Iterable[str] = ()) -> list[declare.Field]:
    return [field for field in noun_of(cls).fields if field.v1 and not field.is_hidden and field.name not in without]


def schema(cls: type, without: Iterable[str] = ()) -> dict[str, Any]:
    """The fields of an answer's schema."""
    return {field.v1: (_answered(field.kind)[0], ...) for field in _shown_fields(cls, without)}


def encoder(cls: type, without: Iterable[str] = ()) -> Callable[[Any], dict[str, Any]]:
    """Makes the answer of a value, made once: its fields that have a name of 2011, in the order of their declaration."""
    plan = [(field.v1, attrgetter(field.name), field.shown or _shower(field.kind)) for field in _shown_fields(cls, without)]
    return lambda value: {name: show(get(value)) for name, get, show in plan}


def model(name: str, doc: str, fields: Mapping[str, Any], base: type[BaseModel] = NewfiesAnswer) -> Any:
    """A schema of that name, for the document."""
    made: Any = create_model(name, __base__=base, __doc__=doc, **fields)
    return made


_USE: Final = {"count_call": "calls", "count_in_use": "open", "secondused": "talked"}
_DATES: Final = ("created_at", "updated_at")

_gateway_fields = schema(Gateway, _DATES)
GatewayAnswer = model(
    "GatewayAnswer",
    "A gateway. `count_call` are the calls through it since ever, `count_in_use` those that are open, second legs "
    "included, `secondused` the seconds that they talked; null for the moment that counting them takes after a start.",
    {
        **_gateway_fields,
        **dict.fromkeys(_USE, (int | None, ...)),
        "created_date": (Date, ...),
        "updated_date": (Date, ...),
    },
)
VoipAppAnswer = model("VoipAppAnswer", "A voice application: 1 dial, 2 play audio, 3 conference, 4 speak.", schema(VoipApp))
PhonebookAnswer = model("PhonebookAnswer", "A phonebook.", schema(Phonebook))

_encode_gateway = encoder(Gateway, _DATES)
phonebook = encoder(Phonebook)
"""Makes a `PhonebookAnswer`."""


def gateway(value: Gateway, use: GatewayUse | None) -> dict[str, Any]:
    """A gateway in an answer: `GatewayAnswer`."""
    found = _gateway(value)
    return found if use is None else {**found, **{name: getattr(use, ours) for name, ours in _USE.items()}}


@lru_cache(maxsize=1024)
def _gateway(value: Gateway) -> dict[str, Any]:
    dates = {"created_date": date(value.created_at), "updated_date": date(value.updated_at)}
    return {**_encode_gateway(value), **dict.fromkeys(_USE), **dates}


voip_app = lru_cache(maxsize=1024)(encoder(VoipApp))
"""Makes a `VoipAppAnswer`."""
