"""Call records: the attempts of the past and of this moment."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

from attrs import evolve

from dialer.errors import BadValue, NotFound
from dialer.management.management import Management, Transaction, verb
from dialer.management.record_files import FORMATS
from dialer.model import Account
from dialer.store import call_records as sql
from dialer.store.call_records import FACTS, NAMES, Form, Record, RecordColumn, RecordFilter, RecordPlace, Step, as_object
from dialer.store.contacts import OUR_CAMPAIGN

__all__ = [
    "FACTS",
    "NAMES",
    "Form",
    "RecordColumn",
    "RecordFilter",
    "RecordPlace",
    "Step",
    "as_object",
    "entered",
    "exported",
    "of_campaign",
    "page",
    "read",
    "steps",
]  # fmt: skip

PAGE: Final = 1000
"""Records that are read at once: some milliseconds on the database thread, for which others wait."""

MOST_STEPS: Final = 25
"""For one page: 50,000 attempts are looked at. One that is not full by then says how far it came."""


@verb
def step(t: Transaction, who: Account, wanted: RecordFilter, after: RecordPlace | None, limit: int) -> Step:
    """The next records behind a place, of the user's own campaigns, or all for a superuser. Raises `BadValue` for a campaign
    that there is not."""
    own = None if who.is_superuser else who.id
    if wanted.campaign_id is not None and not sql.has_campaign(t.connection, wanted.campaign_id, own):
        raise BadValue("campaign_id", f"there is no campaign {wanted.campaign_id}; expected the id of one of yours")
    return sql.step(t.connection, evolve(wanted, user_id=own), after, limit)


@verb
def entered(t: Transaction, number: str | None, given: Mapping[str, Any]) -> RecordFilter:
    """The filter of what was asked for; the `number` in any spelling. Raises `BadValue` for one that is none."""
    identity = None if number is None else t.numbering.read(number, "number")[1]
    return RecordFilter(identity=identity, **given)


async def steps(
    management: Management, who: Account, wanted: RecordFilter, after: RecordPlace | None = None, limit: int = PAGE
) -> AsyncGenerator[Step]:
    """All of them, step by step, each when the user has its turn on the database; the next is read while one is used. Fails
    as `step` does, or with `StoreError`."""
    coming = management.ask_in_turn(step, who, wanted, after, limit)
    while True:
        found = await coming
        if found.place is None:
            yield found
            return
        coming = management.ask_in_turn(step, who, wanted, found.place, limit)
        try:
            yield found
        except GeneratorExit:
            coming.addErrback(lambda _: None)
            raise


async def exported(
    management: Management, who: Account, number: str | None, given: Mapping[str, Any], form: str
) -> AsyncGenerator[tuple[int, bytes]]:
    """The same as the content of a file of that form, piece by piece, each with how many records it has; the `number` in any
    spelling. Fails also with `BadValue` for one that is none."""
    wanted = await management.ask(entered, number, given)
    format_ = FORMATS[form]
    yield 0, format_.head
    async for found in steps(management, who, wanted):
        yield len(found.records), format_.encode(found.records)


async def page(management: Management, who: Account, wanted: RecordFilter, after: RecordPlace | None, limit: int) -> Step:
    """So many records, in as many steps as that takes, but `MOST_STEPS`. Fails as `steps` does."""
    records: list[Record] = []
    for _ in range(MOST_STEPS):
        found = await management.ask_in_turn(step, who, wanted, after, limit - len(records))
        records += found.records
        after = found.place
        if after is None or len(records) == limit:
            break
    return Step(records, after)


@verb
def of_campaign(t: Transaction, who: Account, campaign_id: int, after: RecordPlace | None, limit: int) -> Step:
    """The next records of a campaign. Raises `NotFound`."""
    row = t.connection.execute(OUR_CAMPAIGN, (campaign_id, who.is_superuser, who.id)).fetchone()
    if row is None:
        raise NotFound("user", who.username)
    if not row[0]:
        raise NotFound("campaign", campaign_id)
    return sql.step(t.connection, RecordFilter(campaign_id=campaign_id), after, limit)


@verb
def read(t: Transaction, who: Account, call_uuid: str) -> Record:
    """One of them. Raises `NotFound`."""
    found = sql.one(t.connection, call_uuid, None if who.is_superuser else who.id)
    if found is None:
        raise NotFound("attempt", call_uuid)
    return found
