"""Contacts that are looked for: by a number in any spelling, or by the client's own word for them."""

from __future__ import annotations

from typing import Any

import orjson

from dialer.errors import BadValue
from dialer.management import rows
from dialer.management.contacts import numbering_of
from dialer.management.listing import Slice, in_sql
from dialer.management.management import Transaction, reads
from dialer.model import Account, Contact
from dialer.numbers import parse_number
from dialer.store import contact_list as sql


@reads
def found(
    t: Transaction,
    who: Account,
    part: Slice,
    number: str | None = None,
    reference: str | None = None,
    phonebook_id: int | None = None,
) -> list[Contact]:
    """Contacts of the user's phonebooks, everybody's for a superuser, or of one of these, that have that number or that
    reference; other spellings of a number are among them. Raises `NotFound` for a phonebook that is not the user's, and
    `BadValue`."""
    if phonebook_id is not None:
        rows.ours(who, t.entities.Phonebook.get(id=phonebook_id), "phonebook", phonebook_id)
    ours = (who.id, int(who.is_superuser), phonebook_id or 0, int(phonebook_id is not None))
    order, more = in_sql(part, "k")
    if number is not None:
        listed = orjson.dumps(_identities(t, number, ours)).decode()
        statement, values = sql.OF_IDENTITIES.of(t.connection), (listed, *ours)
    elif reference is not None:
        statement, values = sql.OF_REFERENCE, (reference, *ours)
    else:
        raise BadValue("number", "is missing; expected a number in any spelling, or a reference")
    found = t.connection.execute(f"{statement}{order}", (*values, *more)).fetchall()
    wanted = [sql.READ_CONTACT(row) for row in found]
    return [each for each in wanted if reference is None or each.reference == reference]


def _identities(t: Transaction, text: str, ours: tuple[Any, ...]) -> list[str]:
    """Those that the number has in the phonebooks, which may be of several regions."""
    number = parse_number(text, "number")
    regions = [numbering_of(t, rules) for (rules,) in t.connection.execute(sql.RULES_OF_OURS, ours)]
    return sorted({each.identity(number) for each in (*regions, t.numbering)})
