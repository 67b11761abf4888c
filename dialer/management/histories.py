"""The history of a number: in which phonebooks and campaigns of a user it is, and whether it may be called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from attrs import frozen

from dialer.management.contact_list import InCampaign
from dialer.management.contacts import numbering_of
from dialer.management.management import Transaction, verb
from dialer.model import Account, CampaignStatus, DoNotCallEntry, SubscriberStatus
from dialer.model.do_not_call import EVERYBODYS
from dialer.store import contact_list, do_not_call
from dialer.store import histories as sql
from dialer.store.times import from_column_or_none, to_column

MOST: Final = 100
"""Campaigns, and phonebooks, that are told."""


@frozen(kw_only=True)
class InPhonebook:
    """A number in a phonebook."""

    phonebook_id: int
    phonebook: str
    contact_id: int
    number: str
    name: str


@frozen(kw_only=True)
class NumberHistory:
    """What is known of a number: `number` means the same to every reader. `forbidden` is its entry on the do-not-call list of
    everybody."""

    number: str
    identity: str
    emergency: bool
    forbidden: DoNotCallEntry | None
    phonebooks: Sequence[InPhonebook]
    campaigns: Sequence[tuple[InCampaign, CampaignStatus]]


@verb
def read(t: Transaction, who: Account, text: str) -> NumberHistory:
    """Of a number in any spelling: a national one is that of the installation's region, or else of the region of a phonebook
    that has it. Raises `BadValue` for what is none."""
    number, identity = t.numbering.read(text, "number")
    if (known := _known(t, who, number, identity)) != identity:
        number, identity = f"+{known}", known
    asked = (identity, who.is_superuser, who.id, MOST)
    forbidden = t.connection.execute(do_not_call.ON_LIST, (identity, EVERYBODYS, to_column(t.now))).fetchone()
    return NumberHistory(
        number=number,
        identity=identity,
        emergency=t.numbering.is_emergency(number),
        forbidden=None if forbidden is None else do_not_call.READ(forbidden),
        phonebooks=[_in_phonebook(row) for row in t.connection.execute(sql.PHONEBOOKS, asked).fetchall()],
        campaigns=[_in_campaign(row) for row in t.connection.execute(sql.CAMPAIGNS, asked).fetchall()],
    )


def _known(t: Transaction, who: Account, number: str, identity: str) -> str:
    """The first identity of a number that a phonebook of the user has; that of the installation where none has any."""
    ours = (who.id, int(who.is_superuser), 0, 0)
    regions = [numbering_of(t, rules) for (rules,) in t.connection.execute(contact_list.RULES_OF_OURS, ours)]
    for each in dict.fromkeys((identity, *sorted(region.identity(number) for region in regions))):
        if t.connection.execute(sql.PHONEBOOKS, (each, who.is_superuser, who.id, 1)).fetchone() is not None:
            return each
    return identity


def _in_phonebook(row: tuple[Any, ...]) -> InPhonebook:
    phonebook_id, phonebook, contact_id, number, first, last = row
    name = f"{first} {last}".strip()
    return InPhonebook(phonebook_id=phonebook_id, phonebook=phonebook, contact_id=contact_id, number=number, name=name)


def _in_campaign(row: tuple[Any, ...]) -> tuple[InCampaign, CampaignStatus]:
    key, name, campaign_status, status, count, last_attempt_at, ready_at = row
    found = InCampaign(
        campaign_id=key,
        campaign=name,
        status=SubscriberStatus(status),
        count_attempt=count,
        last_attempt_at=from_column_or_none(last_attempt_at),
        ready_at=from_column_or_none(ready_at),
    )
    return found, CampaignStatus(campaign_status)
