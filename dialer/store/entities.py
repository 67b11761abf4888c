"""The entities: Pony's view of the tables that the upgrades made, generated from the declarations of the nouns. Nothing here
creates a table; `check_tables` compares.

A Pony database binds once, so entities come from a factory: several databases can live in one process. Entities serve what
happens now and then; the flow's statements are raw SQL (see `dialer.store.statements`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from attrs import frozen
from pony.orm import Optional, PrimaryKey, Required, Set
from pony.orm.core import Index

import dialer.model  # noqa: F401 - declares the nouns
from dialer.declare import NOUNS, RULES, Field, Noun


@frozen
class Entities:
    """The entity classes of one Pony database, each under the name of its noun's class: `entities.Campaign`."""

    db: Any
    _classes: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        try:
            return self._classes[name]
        except KeyError:
            raise AttributeError(name) from None


def make_entities(db: Any) -> Entities:
    """Define the entities on an unbound `pony.orm.Database`."""
    return Entities(db, {noun.entity: _entity(db, noun) for noun in NOUNS.values()})


def _entity(db: Any, noun: Noun) -> Any:
    members: dict[str, Any] = {"_table_": noun.table, "__module__": __name__}
    for field in noun.columns:
        members[field.attribute] = _attribute(field, alone=sum(each.is_key for each in noun.columns) == 1)
    if noun.has_rules:
        members[RULES] = Required(str, autostrip=False, sql_default="'{}'")
    for name, linked in noun.links.items():
        members[name] = Set(NOUNS[linked].entity, table=_pairs(noun.name, linked), column=f"{_word(linked)}_id")
    for other in NOUNS.values():
        for field in other.columns:
            if field.refers_to == noun.name:
                members[field.reverse] = Set(other.entity, reverse=field.attribute)
    keys = [members[field.attribute] for field in noun.columns if field.is_key]
    if len(keys) > 1:
        members["_indexes_"] = [Index(*keys, is_pk=True)]
    return type(db.Entity)(noun.entity, (db.Entity,), members)


def _pairs(one: str, other: str) -> str:
    """The table that links two nouns: `campaign_phonebook`."""
    return "_".join(sorted(map(_word, (one, other))))


def _word(noun_name: str) -> str:
    return noun_name.replace(" ", "_")


def _attribute(field: Field, *, alone: bool) -> Any:
    """`alone` tells that the noun has one key, which may be this field."""
    kind, nullable = field.kind.column, field.kind.nullable
    if field.is_key and alone:
        return PrimaryKey(int, size=64, auto=True) if kind is int else PrimaryKey(kind)
    if field.refers_to:
        make = Optional if nullable else Required
        return make(NOUNS[field.refers_to].entity, column=field.name, reverse=field.reverse)
    if kind is str:
        return (Required if field.is_key else Optional)(str, autostrip=False, **({"nullable": True} if nullable else {}))
    options = {"size": 64} if kind is int else {}
    return (Optional if nullable or kind is datetime else Required)(kind, **options)
