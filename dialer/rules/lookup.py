"""What a rule book says, for who asks it: its rows one by one, and what holds for a number at a moment.

Of a number, the hours are told, and the limits that there are; what earlier attempts leave of these, a campaign tells of its
own contacts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from attrs import evolve, frozen

from dialer.model import Campaign, Purpose, VoipApp, VoipAppType
from dialer.rules.book import RuleBook
from dialer.rules.decide import Ruling, decide, least_ring
from dialer.rules.places import Whereabouts
from dialer.rules.rows import RuleRow, Technology, check_place


@frozen(kw_only=True)
class RuleEntry:
    """A row of a book. `id` is its place there, from 1 on: it may have another one when the rules change."""

    id: int
    row: RuleRow


@frozen(kw_only=True)
class RuleFilter:
    """Which rows: those of a country with its states (`country`), those that hold in a place, be they its country's
    (`place`), those that are valid on a day, those that are meant for a purpose; all of them unless it is given."""

    country: str = ""
    place: str = ""
    day: date | None = None
    purpose: Purpose | None = None

    def wants(self, row: RuleRow) -> bool:
        """Whether a row is one of these."""
        return (
            (not self.country or row.place.partition("-")[0] == self.country)
            and (not self.place or row.covers(self.place))
            and (self.day is None or row.valid_on(self.day))
            and (self.purpose is None or not row.purposes or self.purpose in row.purposes)
        )


def checked(wanted: RuleFilter) -> RuleFilter:
    """The same with places as rows have them. Raises `BadValue` (`country`, `place`) for what is none."""
    country = check_place(wanted.country, "country").partition("-")[0] if wanted.country else ""
    return evolve(wanted, country=country, place=check_place(wanted.place, "place") if wanted.place else "")


def entries(book: RuleBook, wanted: RuleFilter) -> list[RuleEntry]:
    """The rows that are wanted, in the order of the book. Raises `BadValue` as `checked`."""
    known = checked(wanted)
    return [entry for entry in _numbered(book, book.rows) if known.wants(entry.row)]


def _numbered(book: RuleBook, rows: Iterable[RuleRow]) -> tuple[RuleEntry, ...]:
    """Some rows of the book, in its order."""
    these = {id(row) for row in rows}
    return tuple(RuleEntry(id=number, row=row) for number, row in enumerate(book.rows, start=1) if id(row) in these)


@frozen(kw_only=True)
class RuleQuestion:
    """A call that is asked about: the number as it is written, and its identity; where the contact is known to be; the moment;
    the purpose and the voice of the call."""

    number: str
    identity: str
    at: datetime
    time_zone: str = ""
    purpose: Purpose = Purpose.SALES
    technology: Technology = Technology.LIVE

    @property
    def campaign(self) -> Campaign:
        """One that would make such calls at all hours."""
        kind = VoipAppType.PLAY_AUDIO if self.technology is Technology.PRERECORDED else VoipAppType.DIAL
        return Campaign(
            user_id=0, name="rules", starting_at=self.at, expires_at=self.at + timedelta(days=1), gateway_id=0, voip_app_id=0,
            voip_app=VoipApp(name="rules", type=kind), purpose=self.purpose,
        )  # fmt: skip


@frozen(kw_only=True)
class NumberRuling:
    """What holds for a call: where it goes, the rows that are valid there and meant for it, whether its hours allow it at the
    moment, and for how many seconds it rings at least."""

    question: RuleQuestion
    where: Whereabouts
    rules: tuple[RuleEntry, ...]
    ruling: Ruling
    min_ring: int

    def ids_of(self, rows: Iterable[RuleRow]) -> list[int]:
        """The ids of some of the rows."""
        these = {id(row) for row in rows}
        return [entry.id for entry in self.rules if id(entry.row) in these]


def rule_on(book: RuleBook, question: RuleQuestion) -> NumberRuling:
    """What a book says of a call."""
    campaign, now = question.campaign, question.at
    found = book.applying(question, campaign)
    return NumberRuling(
        question=question,
        where=found.where,
        rules=_numbered(book, found.valid(now)),
        ruling=decide(book, question, campaign, (), now),
        min_ring=least_ring(book, question, campaign, now),
    )


@frozen(kw_only=True)
class _SomeCallee:
    """Somebody with such a number, of whom no more is known."""

    identity: str
    time_zone: str = ""


@frozen(kw_only=True)
class NarrowingRules:
    """The rows that hold for a campaign's contacts beside its own hours: the places in which they may be, the rows, and how
    many of the beginnings of their numbers belong to no place whose clock is known, though its rows have hours."""

    places: tuple[str, ...]
    rules: tuple[RuleEntry, ...]
    unknown: int


def rules_for(book: RuleBook, campaign: Campaign, identities: Iterable[str], now: datetime) -> NarrowingRules:
    """Of contacts with such numbers, by their identities: one for each beginning of a number is enough."""
    found = [book.applying(_SomeCallee(identity=identity), campaign) for identity in identities]
    different = {id(each): each for each in found}.values()
    return NarrowingRules(
        places=tuple(sorted({place for each in different for place in each.where.places})),
        rules=_numbered(book, (row for each in different for row in each.valid(now))),
        unknown=sum(bool(each.hours.rows and not each.where.zones) for each in found),
    )
