"""The calling rules that are in force, by the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from dialer.cli.remote import values
from dialer.client import Client
from dialer.management import calling_rules
from dialer.management.calling_rules import NumberRuling, RuleEntry, RuleFilter, RuleQuestion
from dialer.model import Account, Purpose
from dialer.rules.decide import Obstacle, Permission, Ruling
from dialer.rules.places import Whereabouts
from dialer.rules.rows import RuleRow, Technology

_NOT_OF_A_ROW: Final = ("id", "place_name")


def _entry(given: Mapping[str, Any]) -> RuleEntry:
    """A row has the same words in a file, and here; what is null is not said."""
    said = {name: each for name, each in given.items() if each is not None and name not in _NOT_OF_A_ROW}
    return RuleEntry(id=given["id"], row=RuleRow.model_validate(said))


def _listed(client: Client, who: Account, wanted: RuleFilter) -> list[RuleEntry]:
    """The rows that are wanted."""
    query: Any = {
        "country": wanted.country or None,
        "place": wanted.place or None,
        "at": None if wanted.day is None else f"{wanted.day}T00:00:00Z",
        "purpose": wanted.purpose,
    }
    return [_entry(each) for each in client.rules.list(**query)]


def _of_number(
    client: Client, who: Account, number: str, at: datetime, time_zone: str, purpose: Purpose, technology: Technology
) -> NumberRuling:
    """What holds for a call."""
    kind: Any = {"purpose": str(purpose), "technology": str(technology)}
    found = client.rules.whereabouts(number=number, at=values.rfc3339(at), time_zone=time_zone or None, **kind)
    entries = tuple(map(_entry, found["rules"]))
    rows = {entry.id: entry.row for entry in entries}
    question = RuleQuestion(
        number=found["number"], identity=found["identity"], at=at, time_zone=time_zone, purpose=purpose, technology=technology
    )
    obstacles = tuple(
        Obstacle(text=each["text"], rows=tuple(rows[key] for key in each["rule_ids"]), until=values.moment(each["until"]))
        for each in found["obstacles"]
    )
    until = values.moment(found["until"])
    return NumberRuling(
        question=question,
        where=Whereabouts(
            tuple(each["place"] for each in found["places"]),
            tuple(each["time_zone"] for each in found["clocks"]),
            found["unknown"] or "",
        ),
        rules=entries,
        ruling=Ruling(permission=Permission(found["permission"]), until=until, obstacles=obstacles),
        min_ring=found["min_ring"],
    )


ASKED: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {
    calling_rules.listed: _listed,
    calling_rules.of_number: _of_number,
}
