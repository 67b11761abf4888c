"""Contacts of a file that a phonebook has already: they take what the file has. What a row leaves empty, or has as it is by
default, stays as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from attrs import NOTHING, evolve

from dialer.declare import noun_of
from dialer.kinds import Variables
from dialer.management.contacts import contact_row
from dialer.management.management import Transaction, call_soon
from dialer.model import Contact
from dialer.store import contacts as sql
from dialer.store import held
from dialer.store.contact_list import OF_PHONEBOOK, READ_CONTACT
from dialer.store.times import to_column

PLAIN: Final = tuple(name for name in sql.CHANGED_COLUMNS if name not in ("additional_vars", "updated_at"))
"""Of a contact, beside its variables, each of which is taken over by itself."""
RULED_BY: Final = ("time_zone", "consent_basis", "consent_given_at", "consent_expires_at")
"""By which it may be called, or not."""
_PLACES: Final = tuple(sql.CONTACT_COLUMNS.index(name) for name in sql.CHANGED_COLUMNS)
_DEFAULTS: Final[Mapping[str, Any]] = {
    name: None if (default := noun_of(Contact).field(name).default) is NOTHING else default for name in PLAIN
}


MOST_VARIABLES: Final = Variables().most
"""Of a contact. Where a row would bring more, those stay that it had."""


def take_over(t: Transaction, phonebook_id: int, given: Sequence[Contact], *, write: bool) -> int:
    """How many contacts of a phonebook differ from these, which have the same identities; with `write`, they are changed."""
    by_identity = {contact.identity: contact for contact in given}
    listed = orjson.dumps(list(by_identity)).decode()
    found = map(READ_CONTACT, t.connection.execute(OF_PHONEBOOK.of(t.connection), (phonebook_id, listed)).fetchall())
    changes = [(known, new) for known in found if (new := _united(known, by_identity[known.identity])) != known]
    if write and changes:
        _write(t, changes)
    return len(changes)


def _united(known: Contact, given: Contact) -> Contact:
    """A contact with what another one has to say."""
    plain = {name: value for name in PLAIN if (value := getattr(given, name)) != _DEFAULTS[name]}
    variables = {**known.additional_vars, **given.additional_vars}
    if len(variables) > MOST_VARIABLES:
        variables = dict(known.additional_vars)
    return evolve(known, **plain, additional_vars=variables)


def _write(t: Transaction, changes: Sequence[tuple[Contact, Contact]]) -> None:
    moment = to_column(t.now)
    rows = [(contact_row(new, moment), new.id) for _, new in changes]
    t.connection.executemany(sql.CHANGE_CONTACT, [(*(row[place] for place in _PLACES), key) for row, key in rows])
    priorities = [(new.priority, new.id, new.priority) for known, new in changes if known.priority != new.priority]
    t.connection.executemany(sql.SET_PRIORITY, priorities)
    ruled = [new.id for known, new in changes if any(getattr(known, name) != getattr(new, name) for name in RULED_BY)]
    for key in ruled:
        held.release_contact(t.connection, key)
    if ruled:
        t.then(call_soon)
