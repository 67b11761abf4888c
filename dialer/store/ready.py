"""Whom a campaign calls next: the ready contacts in the campaign's order, a few at a time.

The highest priority comes first. Of each, new contacts and retries are two lanes of one index, in each of which the longest
waiting comes first, and a lane without ready ones is not read; the campaign's order says how the lanes are joined. So whoever
is read is one of the first of a lane, and what it costs does not depend on how many others wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from attrs import define, field

from dialer.campaigns.order import after_turn
from dialer.model import Candidate
from dialer.model.campaign import CallOrder
from dialer.store import statements
from dialer.store.blocked import Blocking, block
from dialer.store.connection import Connection
from dialer.store.mapping import candidate
from dialer.store.may_call import moments
from dialer.store.times import to_column

NEW, RETRY = 0, 1
"""The lanes, as the index has them."""

Row = Sequence[Any]


@define(eq=False)
class Mixer:
    """Joins the lanes of campaigns whose order is a mix: of `share` percent, the turns that retries have left over are kept
    from one reading to the next, by the campaign's id. Whoever is read has not had a turn yet: calls that are begun have."""

    _credit: dict[int, float] = field(factory=dict, init=False)

    def reading(self, campaign_id: int, share: int) -> MixedReading:
        """A reading of a campaign's contacts."""
        return MixedReading(share, self._credit.get(campaign_id, 0.0))

    def begun(self, campaign_id: int, share: int, are_retries: Iterable[bool]) -> None:
        """Calls of a campaign were begun, in this order."""
        credit = self._credit.get(campaign_id, 0.0)
        for is_retry in are_retries:
            credit = after_turn(credit + share / 100, is_retry=is_retry)
        self._credit[campaign_id] = credit


@define(eq=False)
class MixedReading:
    """Joins the lanes of one priority after the other."""

    share: int
    _credit: float

    def join(self, fresh: Sequence[Row], retries: Sequence[Row], most: int) -> list[Row]:
        """At most so many rows, of which `share` percent are retries as long as both lanes have some."""
        new, again = iter(fresh), iter(retries)
        joined: list[Row] = []
        for _ in range(min(most, len(fresh) + len(retries))):
            self._credit += self.share / 100
            lanes = (again, new) if self._credit >= 1 else (new, again)
            lane, found = lanes[0], next(lanes[0], None)
            if found is None:
                lane, found = lanes[1], next(lanes[1])
            self._credit = after_turn(self._credit, is_retry=lane is again)
            joined.append(found)
        return joined


def candidates(
    connection: Connection,
    mixer: Mixer,
    campaign_id: int,
    why: Blocking,
    limit: int,
    skip: int = 0,
    order: CallOrder = CallOrder.RETRIES_FIRST,
    share: int = 50,
) -> list[Candidate]:
    """At most `limit` of them behind the first `skip`, or from the first on where there are not so many. Those that may not
    be called are set aside."""
    moment = to_column(why.at)
    while True:
        wanted = limit + skip
        rows = list(islice(_in_order(connection, mixer, campaign_id, moment, wanted, order, share), wanted))
        rows = rows[skip:] if len(rows) == wanted else rows[:limit]
        forbidden = [row[0] for row in rows if row[-1]]
        if not forbidden:
            return [candidate(row) for row in rows]
        block(connection, forbidden, why)


def _in_order(
    connection: Connection, mixer: Mixer, campaign_id: int, now: str, most: int, order: CallOrder, share: int
) -> Iterator[Row]:
    asked = (campaign_id, campaign_id, campaign_id, now, campaign_id, now)
    mixed = mixer.reading(campaign_id, share)
    for priority, *somebody in connection.execute(statements.LANES, asked).fetchall():

        def lane(which: int, priority: int = priority, somebody: list[int] = somebody) -> list[Row]:
            if not somebody[which]:
                return []
            return connection.execute(statements.READY, (*moments(now), campaign_id, priority, which, now, most)).fetchall()

        match order:
            case CallOrder.RETRIES_FIRST:
                yield from lane(RETRY)
                yield from lane(NEW)
            case CallOrder.FRESH_FIRST:
                yield from lane(NEW)
                yield from lane(RETRY)
            case CallOrder.MIX:
                yield from mixed.join(lane(NEW), lane(RETRY), most)
            case CallOrder.LIST:
                yield from sorted([*lane(NEW), *lane(RETRY)], key=_waiting_longest)


def _waiting_longest(row: Row) -> tuple[str, int]:
    return row[-2], row[0]
