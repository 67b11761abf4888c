"""Numbers of files onto a do-not-call list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from attrs import field, frozen
from twisted.internet.defer import Deferred

from dialer.declare import noun_of
from dialer.files.contacts import Allowed, Reason, RowFault
from dialer.management import do_not_call
from dialer.management.imports import Added, Tally
from dialer.management.management import Management, Transaction, verb
from dialer.model import Account, Contact, DoNotCallEntry
from dialer.model.do_not_call import EVERYBODYS
from dialer.model.user import ADMINISTRATOR
from dialer.store.do_not_call import NewNumbers

LONGEST = 255
"""Characters of a reason, and of a source."""
_EXPIRY = noun_of(DoNotCallEntry).field("expires_at").kind


@frozen(kw_only=True)
class OntoDoNotCallList:
    """The numbers of a file are put on a list. Reason, source and expiry are in columns of these names; where a row has none,
    the reason is in the description, and the others are those given here. What is too long is cut."""

    who: Account = ADMINISTRATOR
    list_id: int = EVERYBODYS
    source: str = ""
    expires_at: datetime | None = field(default=None)

    async def allowed(self, management: Management) -> Allowed:
        """The rules of the installation."""
        return Allowed(rules=management.numbering)

    def add(self, management: Management, contacts: Sequence[Contact], planned: int | None) -> Deferred[Added]:
        """Put them on the list, or count them when `planned` tells of a dry run."""
        return management.ask(forbid_contacts, self, contacts, planned is not None)

    async def finished(self, management: Management, tally: Tally) -> None:
        """No event tells of it."""


@verb
def forbid_contacts(t: Transaction, onto: OntoDoNotCallList, contacts: Sequence[Contact], dry_run: bool = False) -> Added:
    """Put them on the list; with `dry_run`, tell how many of them are not there. A row whose expiry is no moment, or has
    passed, is refused."""
    refused: dict[int, RowFault] = {}
    found: dict[Common, dict[str, str]] = {}
    for index, contact in enumerate(contacts):
        common = common_of(contact, onto, t.now)
        if isinstance(common, RowFault):
            refused[index] = common
        else:
            found.setdefault(common, {})[contact.identity] = contact.number
    count = sum(map(len, found.values()))
    if dry_run:
        identities = [identity for numbers in found.values() for identity in numbers]
        taken = do_not_call.unknown(t, onto.who, onto.list_id, identities)
    else:
        some = [NewNumbers(numbers=numbers, **common._asdict()) for common, numbers in found.items()]
        taken = do_not_call.add_numbers(t, onto.who, onto.list_id, some).changed
    return Added(taken=taken, known=count - taken, refused=refused)


class Common(NamedTuple):
    """What rows may have in common."""

    reason: str
    source: str
    expires_at: datetime | None


def common_of(contact: Contact, onto: OntoDoNotCallList, now: datetime) -> Common | RowFault:
    """That of a row; a fault for one whose expiry is no moment, or has passed at `now`."""
    named: Mapping[str, str] = {name.casefold(): value for name, value in contact.additional_vars.items()}
    told = named.get("expires_at") or named.get("expires") or ""
    try:
        expires_at = _EXPIRY.parse(told)
    except (ValueError, TypeError):
        return RowFault(Reason.VALUE, f"expires_at: expected {_EXPIRY.takes}")
    until = expires_at if told else onto.expires_at
    if until is not None and until <= now:
        return RowFault(Reason.VALUE, "expires_at: has passed")
    return Common(
        reason=(named.get("reason") or contact.description)[:LONGEST],
        source=(named.get("source") or onto.source)[:LONGEST],
        expires_at=until,
    )
