"""Campaigns with what they refer to, as lists show them: three statements for a page, however long it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from dialer.model import CampaignDetails, CampaignStatus, Phonebook
from dialer.store.connection import Connection
from dialer.store.mapping import campaign_of, read_campaign, read_gateway
from dialer.store.noun_lists import belonging, entries
from dialer.stored import reader

_read_phonebook: Final = reader(Phonebook, "p")
_LISTED: Final = (
    f"SELECT {read_campaign.columns} FROM campaign c JOIN voip_app v ON v.id = c.voip_app_id WHERE c.archived_at IS NULL"  # noqa: S608
)
_GATEWAYS: Final = f"SELECT {read_gateway.columns}, g.id FROM gateway g WHERE g.id IN ({{}})"  # noqa: S608
_PHONEBOOKS: Final = (
    f"SELECT {_read_phonebook.columns}, b.campaign_id FROM campaign_phonebook b JOIN phonebook p ON p.id = b.phonebook_id "  # noqa: S608
    "WHERE b.campaign_id IN ({}) ORDER BY p.id"
)


def campaigns(
    connection: Connection, statuses: Collection[CampaignStatus], wanted: Mapping[str, Any], end: str, values: Sequence[Any]
) -> list[CampaignDetails]:
    """Those in one of the statuses that are not archived; `wanted`, `end` and `values` are as of `entries`, for a table that
    is called `c`."""
    if not statuses:
        return []
    wanted = {"c.status": tuple(sorted(map(int, statuses))), **wanted}
    found = [campaign_of(row) for row in entries(connection, _LISTED, wanted, end, values)]
    ways = belonging(connection, _GATEWAYS, sorted({campaign.gateway_id for campaign in found}))
    gateways = {key: read_gateway(row) for key, (row,) in ways.items()}
    books = belonging(connection, _PHONEBOOKS, [campaign.id for campaign in found])
    return [
        CampaignDetails(
            campaign=campaign,
            gateway=gateways[campaign.gateway_id],
            phonebooks=tuple(map(_read_phonebook, books.get(campaign.id, ()))),
        )
        for campaign in found
    ]
