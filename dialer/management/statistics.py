"""The statistics of a campaign: read page by page from what triggers keep, so that they cost the same however many contacts it
has, and others come between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from attrs import define, field, frozen

from dialer.campaigns.forecast import RECENT, Course, forecast
from dialer.management import reports, rows
from dialer.management.management import Management, Transaction, reads
from dialer.model import Account, Campaign, Disposition, Progress, SubscriberStatus
from dialer.model.statistics import ANSWERED, CampaignStatistics, Sums
from dialer.store import statistics as sql
from dialer.store.statistics import FIRST, Bucket, Key
from dialer.store.times import from_column, from_column_or_none, to_column

PAGE: Final = 500
"""Buckets that are read at once: a few milliseconds on the database thread."""

MOST_HOURS: Final = 31 * 24
"""Hours with calls that are told one by one, the newest ones."""

_TO_THE_HOUR: Final = 13
"""Characters of a moment's column; what follows them is written in several ways."""
_NO_HOUR: Final = "9999-99"
"""Behind every hour."""

T = TypeVar("T")


@frozen(kw_only=True)
class CampaignStanding:
    """A campaign as it is, with the first page of its buckets."""

    campaign: Campaign
    progress: Progress
    live_calls: int
    recent_calls: int
    recent_since: datetime | None
    last_ready_at: datetime | None
    now: datetime
    page: list[Bucket]


@reads
def standing(t: Transaction, who: Account, campaign_id: int) -> CampaignStanding:
    """One of the user's campaigns. Raises `NotFound`."""
    details, progress = reports.read(t, who, campaign_id)

    def one(statement: str, *values: object) -> Any:
        return t.connection.execute(statement, (campaign_id, *values)).fetchone()

    recent_calls, recent_since = one(sql.RECENT, campaign_id, sql.NEWEST, to_column(t.now - RECENT))
    return CampaignStanding(
        campaign=details.campaign,
        progress=progress,
        live_calls=one(sql.LIVE)[0],
        recent_calls=recent_calls,
        recent_since=from_column_or_none(recent_since),
        last_ready_at=from_column_or_none(one(sql.LAST_READY)[0]),
        now=t.now,
        page=sql.buckets(t.connection, campaign_id, FIRST, PAGE),
    )


@reads
def page(t: Transaction, who: Account, campaign_id: int, after: Key) -> list[Bucket]:
    """The next buckets. Raises `NotFound`."""
    rows.ours(who, t.entities.Campaign.get(id=campaign_id), "campaign", campaign_id)
    return sql.buckets(t.connection, campaign_id, after, PAGE)


async def of_campaign(
    management: Management, who: Account, campaign_id: int, since: datetime | None = None, until: datetime | None = None
) -> CampaignStatistics:
    """The statistics of one of the user's campaigns, of attempts begun from `since` until before `until`, both whole hours. A
    campaign with many hours is read in several steps, while calls go on. Fails with `NotFound`, `StoreError`."""
    found = await management.ask_in_turn(standing, who, campaign_id)
    tally = _Tally(
        since="" if since is None else to_column(since)[:_TO_THE_HOUR],
        until=_NO_HOUR if until is None else to_column(until)[:_TO_THE_HOUR],
    )
    tally.add(found.page)
    last = found.page
    while len(last) == PAGE:
        last = await management.ask_in_turn(page, who, campaign_id, sql.key_of(last[-1]))
        tally.add(last)
    contacts = found.progress.subscribers
    course = Course(
        ended=tally.ended,
        recent_calls=found.recent_calls,
        recent_since=found.recent_since,
        last_ready_at=found.last_ready_at,
    )
    return CampaignStatistics(
        campaign_id=campaign_id,
        since=since,
        until=until,
        contacts=contacts,
        live_calls=found.live_calls,
        **tally.told(),
        attempts_per_contact=_per_contact(sum(contacts.values()), tally.counted_by_number),
        forecast=forecast(found.campaign, found.progress, course, found.now),
    )


_Cells = list[int]
"""Attempts, those that count, those answered, milliseconds of talk."""


@define
class _Tally:
    """Adds buckets up: those of the window by all that tells them apart, and all of them by their number."""

    since: str
    until: str
    by_cause: dict[tuple[str, str], _Cells] = field(factory=dict)
    by_hour: dict[str, _Cells] = field(factory=dict)
    by_gateway: dict[int, _Cells] = field(factory=dict)
    by_number: dict[int, _Cells] = field(factory=dict)
    gateways: dict[int, str] = field(factory=dict)
    ended: int = 0
    counted_by_number: dict[int, int] = field(factory=dict)

    def add(self, buckets: Iterable[Bucket]) -> None:
        """Count them, too."""
        for hour, gateway_id, number, disposition, cause, _, attempts, counted, talk_ms, gateway in buckets:
            self.ended += attempts
            self.counted_by_number[number] = self.counted_by_number.get(number, 0) + counted
            if not attempts or not self.since <= hour[:_TO_THE_HOUR] < self.until:
                continue
            if gateway is not None:
                self.gateways[gateway_id] = gateway
            answered = attempts if disposition in ANSWERED else 0
            for cells in (
                self.by_cause.setdefault((disposition, cause), [0, 0, 0, 0]),
                self.by_hour.setdefault(hour, [0, 0, 0, 0]),
                self.by_gateway.setdefault(gateway_id, [0, 0, 0, 0]),
                self.by_number.setdefault(number, [0, 0, 0, 0]),
            ):
                cells[0] += attempts
                cells[1] += counted
                cells[2] += answered
                cells[3] += talk_ms

    def told(self) -> dict[str, Any]:
        """The sums by the names of the fields of `CampaignStatistics`."""
        by_cause = {(Disposition(disposition), cause): cells for (disposition, cause), cells in self.by_cause.items()}
        by_disposition: dict[Disposition, _Cells] = {}
        totals = [0, 0, 0, 0]
        for (disposition, _), cells in by_cause.items():
            for to in (totals, by_disposition.setdefault(disposition, [0, 0, 0, 0])):
                to[:] = map(sum, zip(to, cells, strict=True))
        hours = sorted(self.by_hour)[-MOST_HOURS:]
        return {
            "totals": _sums(totals),
            "by_disposition": _ordered(by_disposition, often=True),
            "by_cause": _ordered(by_cause, often=True),
            "by_hour": {from_column(hour): _sums(self.by_hour[hour]) for hour in hours},
            "by_gateway": _ordered(self.by_gateway),
            "by_number": _ordered(self.by_number),
            "gateways": self.gateways,
        }


def _sums(cells: _Cells) -> Sums:
    attempts, counted, answered, talk_ms = cells
    return Sums(attempts=attempts, counted=counted, answered=answered, talk_ms=talk_ms)


def _ordered(found: Mapping[T, _Cells], *, often: bool = False) -> dict[T, Sums]:
    """In the order of their keys, or the most frequent first."""
    keys: list[Any] = sorted(found, key=(lambda key: (-found[key][0], key)) if often else None)
    return {key: _sums(found[key]) for key in keys}


def _per_contact(contacts: int, counted: Mapping[int, int]) -> dict[int, int]:
    """Contacts by their attempts: the n-th one that counts was made to all who have n or more."""
    at_least = [contacts, *(counted.get(number, 0) for number in range(1, max(counted, default=0) + 2))]
    return {number: max(at_least[number] - at_least[number + 1], 0) for number in range(len(at_least) - 1)}


# --- for programs -----------------------------------------------------------------------------------------------------------


def as_object(found: CampaignStatistics, words: Mapping[SubscriberStatus, str]) -> dict[str, Any]:
    """The statistics for JSON, with these words for the states of contacts; moments as in RFC 3339, in UTC."""
    forecast_ = found.forecast
    return {
        "campaign_id": found.campaign_id,
        "from": told_moment(found.since),
        "to": told_moment(found.until),
        "contacts": {word: found.contacts.get(status, 0) for status, word in words.items()},
        "live_calls": found.live_calls,
        "totals": told_sums(found.totals),
        "by_disposition": [{"disposition": str(key), **told_sums(sums)} for key, sums in found.by_disposition.items()],
        "by_cause": [
            {"disposition": str(disposition), "cause": cause, **told_sums(sums)}
            for (disposition, cause), sums in found.by_cause.items()
        ],
        "by_hour": [{"hour": told_moment(key), **told_sums(sums)} for key, sums in found.by_hour.items()],
        "by_gateway": [
            {"gateway_id": key, "gateway": found.gateways.get(key), **told_sums(sums)}
            for key, sums in found.by_gateway.items()
        ],
        "by_number": [{"number_of_attempt": key, **told_sums(sums)} for key, sums in found.by_number.items()],
        "attempts_per_contact": [
            {"attempts": number, "contacts": contacts} for number, contacts in found.attempts_per_contact.items()
        ],
        "forecast": {
            "contacts_left": forecast_.contacts_left,
            "calls_left": forecast_.calls_left,
            "calls_per_minute": round(forecast_.calls_per_minute, 1),
            "ends_at": told_moment(forecast_.ends_at),
            "reason": None if forecast_.reason is None else str(forecast_.reason),
        },
    }


def told_sums(sums: Sums) -> dict[str, Any]:
    """Sums for JSON: counts, the rate of answers from 0 to 1, and seconds."""
    rate = sums.answer_rate
    return {
        "attempts": sums.attempts,
        "counted": sums.counted,
        "answered": sums.answered,
        "answer_rate": None if rate is None else round(rate, 4),
        "talk_ms": sums.talk_ms,
        "mean_talk_ms": sums.mean_talk_ms,
    }


def told_moment(moment: datetime | None) -> str | None:
    """To the second, in UTC."""
    return None if moment is None else f"{moment.astimezone(UTC).isoformat(timespec='seconds')[:19]}Z"
