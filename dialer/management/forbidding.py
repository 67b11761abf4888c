"""Numbers of files onto the do-not-call list."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from twisted.internet.defer import Deferred

from dialer.files.contacts import Allowed
from dialer.management import numbers
from dialer.management.imports import Added, Tally
from dialer.management.management import Management, Transaction, verb
from dialer.model import Contact

LONGEST_REASON = 255


@frozen
class OntoDoNotCallList:
    """The numbers of a file are not called any more. The reason is in a column of that name, or else in the description; it is
    cut at its longest."""

    async def allowed(self, management: Management) -> Allowed:
        """The rules of the installation."""
        return Allowed(rules=management.numbering)

    def add(self, management: Management, contacts: Sequence[Contact], planned: int | None) -> Deferred[Added]:
        """Put them on the list, or count them when `planned` tells of a dry run."""
        return management.ask(forbid_contacts, contacts, planned is not None)

    async def finished(self, management: Management, tally: Tally) -> None:
        """No event tells of it."""


@verb
def forbid_contacts(t: Transaction, contacts: Sequence[Contact], dry_run: bool = False) -> Added:
    """No campaign calls these any more; with `dry_run`, tell how many of them it may call now. Those that are on the list stay
    as they are."""
    if dry_run:
        taken = numbers.unknown(t, [contact.identity for contact in contacts])
    else:
        taken = numbers.forbid_all(t, [(contact.number, contact.identity, _reason(contact)) for contact in contacts])
    return Added(taken=taken, known=len(contacts) - taken)


def _reason(contact: Contact) -> str:
    named = {name.casefold(): value for name, value in contact.additional_vars.items()}
    return str(named.get("reason") or contact.description)[:LONGEST_REASON]
