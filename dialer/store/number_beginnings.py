"""The beginnings of the numbers that a campaign calls: found by jumps along an index, whatever the number of contacts."""

from __future__ import annotations

from typing import Final

from dialer.store.connection import Connection

MOST: Final = 1000
"""That are looked at."""

FIRST_OF_EACH: Final = (
    "WITH RECURSIVE n (identity) AS (SELECT min(s.identity) FROM subscriber s WHERE s.campaign_id = ? UNION ALL "
    "SELECT (SELECT min(s.identity) FROM subscriber s WHERE s.campaign_id = ? "
    "AND s.identity > substr(n.identity, 1, 4) || ':') FROM n WHERE n.identity IS NOT NULL) "
    "SELECT identity FROM n WHERE identity IS NOT NULL LIMIT ?"
)
"""The first number of each beginning of four digits: the country code 1 with its area code, or another country code with a
digit or more. The colon comes right behind the digits. Parameters: campaign, twice, how many."""


def first_of_each(connection: Connection, campaign_id: int) -> list[str]:
    """The identities of contacts of a campaign, one for each beginning."""
    return [row[0] for row in connection.execute(FIRST_OF_EACH, (campaign_id, campaign_id, MOST)).fetchall()]
