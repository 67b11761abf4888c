"""Contacts by the thousand as one value, a JSON list, that one statement adds to a phonebook.

Python makes the list at once, on any thread, and the database reads it without Python. With a parameter for each value of each
contact, the database thread would have to hand over every single one, while no other thread of the process runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

import orjson
from attrs import frozen

from dialer.declare import noun_of
from dialer.model import Contact
from dialer.store.connection import Variants
from dialer.store.times import to_column

_ALWAYS: Final = ("number", "identity", "additional_vars")
_SOMETIMES: Final = (
    "first_name", "last_name", "email", "description", "reference", "priority", "time_zone",
    "consent_basis", "consent_given_at", "consent_expires_at", "consent_proof",
)  # fmt: skip
"""In few lists all of them say something: the others are not handed over."""
_USUAL: Final[Mapping[str, Any]] = {name: noun_of(Contact).field(name).default for name in _SOMETIMES}
_ON_SERVER: Final = {"priority": "::bigint", "consent_given_at": "::timestamp", "consent_expires_at": "::timestamp"}
"""The types of columns that are no text."""


@frozen(kw_only=True)
class EncodedContacts:
    """Contacts as `statement` takes them: which columns they have, and a JSON list of their values."""

    columns: tuple[str, ...]
    encoded: str


def encoded(contacts: Sequence[Contact]) -> EncodedContacts:
    """Some contacts, at least one."""
    some = (name for name, usual in _USUAL.items() if set(map(attrgetter(name), contacts)) != {usual})
    columns = (*_ALWAYS, *some)
    rows = list(map(attrgetter(*columns), contacts))
    return EncodedContacts(columns=columns, encoded=orjson.dumps(rows, _encode, orjson.OPT_PASSTHROUGH_DATETIME).decode())


def _encode(value: object) -> Any:
    if isinstance(value, datetime):
        return to_column(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"no column of a contact holds {value!r}")


@lru_cache(maxsize=64)
def statement(columns: tuple[str, ...]) -> Variants:
    """Adds those that the phonebook does not have, in their order. Parameters: phonebook, now, now, the list of values."""
    usual = [name for name in _SOMETIMES if name not in columns]
    names = ", ".join(("phonebook_id", "created_at", "updated_at", *usual, *columns))
    constants = ", ".join(("?, ?, ?", *(_literal(_USUAL[name]) for name in usual)))
    insert = f"INSERT INTO contact ({names}) SELECT {constants}, %s WHERE true%s ON CONFLICT DO NOTHING"
    on_sqlite = ", ".join(f"json_extract(e.value, '$[{place}]')" for place in range(len(columns)))
    on_server = ", ".join(f"(e.value->>{place}){_ON_SERVER.get(name, '')}" for place, name in enumerate(columns))
    return Variants(
        sqlite=insert % (f"{on_sqlite} FROM json_each(?) e", ""),  # which gives them in their order
        postgresql=insert
        % (f"{on_server} FROM json_array_elements(?::json) WITH ORDINALITY AS e (value, place)", " ORDER BY e.place"),
    )


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    return f"'{value}'" if isinstance(value, str) else str(value)
