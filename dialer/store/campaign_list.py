"""Campaigns with what they refer to, as lists show them: three statements for a page, however long it is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from dialer.model import CampaignDetails, CampaignStatus, Phonebook
from dialer.store.connection import Connection
from dialer.store.mapping import read_campaign, read_gateway
from dialer.stored import reader

_READ_PHONEBOOK: Final = reader(Phonebook, "p")
_LISTED: Final = (
    f"SELECT {read_campaign.columns} FROM campaign c JOIN voip_app v ON v.id = c.voip_app_id "  # noqa: S608
    "WHERE c.archived_at IS NULL AND c.status IN ({statuses}){more}"
)
_GATEWAYS: Final = f"SELECT {read_gateway.columns} FROM gateway g WHERE g.id IN ({{}})"  # noqa: S608
_PHONEBOOKS: Final = (
    f"SELECT {_READ_PHONEBOOK.columns}, b.campaign_id FROM campaign_phonebook b JOIN phonebook p ON p.id = b.phonebook_id "  # noqa: S608
    "WHERE b.campaign_id IN ({}) ORDER BY p.id"
)


def campaigns(
    connection: Connection, statuses: Collection[CampaignStatus], wanted: dict[str, Any], end: str, values: Sequence[Any]
) -> list[CampaignDetails]:
    """Those in one of the statuses that are not archived, with the `wanted` values in columns of the program's own choice.
    `end` is the rest of the statement, with its `values`: an order, and how many."""
    if not statuses:
        return []
    numbers = sorted(map(int, statuses))
    more = "".join(f" AND c.{column} = ?" for column in wanted)
    statement = _LISTED.format(statuses=_marks(numbers), more=more) + end
    found = [read_campaign(row) for row in connection.execute(statement, (*numbers, *wanted.values(), *values)).fetchall()]
    if not found:
        return []
    ways = sorted({campaign.gateway_id for campaign in found})
    gateways = {way.id: way for way in map(read_gateway, connection.execute(_GATEWAYS.format(_marks(ways)), ways).fetchall())}
    keys = [campaign.id for campaign in found]
    books: dict[int, list[Phonebook]] = {}
    for row in connection.execute(_PHONEBOOKS.format(_marks(keys)), keys).fetchall():
        books.setdefault(row[-1], []).append(_READ_PHONEBOOK(row))
    return [
        CampaignDetails(campaign=campaign, gateway=gateways[campaign.gateway_id], phonebooks=tuple(books.get(campaign.id, ())))
        for campaign in found
    ]


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))
