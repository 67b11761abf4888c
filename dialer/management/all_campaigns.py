"""All campaigns of a user together, from what triggers keep: a look at the day that costs little."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from dialer.errors import BadValue
from dialer.management import rows
from dialer.management.management import Transaction, reads
from dialer.model import Account, CampaignStatus, Disposition, SubscriberStatus
from dialer.model.statistics import ANSWERED, OverallStatistics, Sums
from dialer.store import statistics as sql
from dialer.store.times import to_column

USUAL: Final = timedelta(hours=24)
LONGEST: Final = timedelta(days=31)


@reads
def of_all(t: Transaction, who: Account, since: datetime | None = None, until: datetime | None = None) -> OverallStatistics:
    """Those of the user, everybody's for a superuser; attempts that were begun from the hour `since` until before `until`,
    both whole hours: the last `USUAL` where they are not given. Raises `BadValue` for a longer time than `LONGEST`."""
    rows.asking(t, who)
    hour = t.now.replace(minute=0, second=0, microsecond=0)
    end = until or hour + timedelta(hours=1)
    begin = since or end - USUAL
    if not begin < end:
        raise BadValue("to", "expected an hour after `from`")
    if end - begin > LONGEST:
        raise BadValue("from", f"expected an hour at most {LONGEST.days} days before `to`")
    ours = (who.id, int(who.is_superuser))

    def ask(statement: str, *more: object) -> list[tuple[Any, ...]]:
        return list(t.connection.execute(statement, (*ours, *more)).fetchall())

    by_disposition = {}
    for word, attempts, counted, talk_ms in ask(sql.OF_ALL, to_column(begin), to_column(end)):
        disposition = Disposition(word)
        if attempts:
            answered = int(attempts) if disposition in ANSWERED else 0
            by_disposition[disposition] = Sums(
                attempts=int(attempts), counted=int(counted), answered=answered, talk_ms=int(talk_ms)
            )
    return OverallStatistics(
        since=begin,
        until=end,
        campaigns={CampaignStatus(status): int(count) for status, count in ask(sql.CAMPAIGNS_OF_ALL)},
        contacts={SubscriberStatus(status): int(count) for status, count in ask(sql.CONTACTS_OF_ALL)},
        live_calls=int(ask(sql.LIVE_OF_ALL)[0][0]),
        totals=Sums(
            attempts=sum(each.attempts for each in by_disposition.values()),
            counted=sum(each.counted for each in by_disposition.values()),
            answered=sum(each.answered for each in by_disposition.values()),
            talk_ms=sum(each.talk_ms for each in by_disposition.values()),
        ),
        by_disposition=dict(sorted(by_disposition.items(), key=lambda each: (-each[1].attempts, each[0]))),
    )
