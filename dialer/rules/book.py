"""The rule book of an installation: the rows that hold for it, and which of them hold for a call."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable
from datetime import datetime
from importlib import resources
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from attrs import define, field

from dialer.model import Campaign, Purpose
from dialer.rules.hours import Hours
from dialer.rules.places import Whereabouts, whereabouts
from dialer.rules.rows import Replacement, RuleRow, Technology, read_rows, technology_of

SHIPPED: Final = "shipped.toml"
_MOST_REMEMBERED: Final = 10_000


class UnknownZone(enum.StrEnum):
    """The fate of a contact whose time zone nobody can tell, in a country with hours."""

    REFUSE = "refuse"
    CAMPAIGN = "campaign"


class LocatedCallee(Protocol):
    """Somebody to be called: the identity of the number, and where the contact is known to be, "" where that is not known."""

    @property
    def identity(self) -> str: ...

    @property
    def time_zone(self) -> str: ...


@define(eq=False)
class Applying:
    """The rows that hold for a call, and where it goes. `told` is for who explains, and holds for the minute before it."""

    where: Whereabouts
    rows: tuple[RuleRow, ...]
    hours: Hours
    told: tuple[datetime, Any] | None = field(default=None, init=False)

    def valid(self, now: datetime) -> tuple[RuleRow, ...]:
        """Those that hold on the day of `now` in one of the zones."""
        days = {now.astimezone(ZoneInfo(zone)).date() for zone in self.where.zones} or {now.date()}
        return tuple(row for row in self.rows if any(row.valid_on(day) for day in days))


@define(eq=False)
class RuleBook:
    """The rows that hold; none where no rules are kept. What holds for a place, a kind of campaign and some zones is found
    once."""

    rows: tuple[RuleRow, ...] = ()
    unknown_zone: UnknownZone = UnknownZone.REFUSE
    _applying: dict[tuple[Whereabouts, Purpose, Technology], Applying] = field(factory=dict, init=False)

    def applying(self, callee: LocatedCallee, campaign: Campaign) -> Applying:
        """The rows that hold for a call of the campaign. Where the zone is not known, there is none, unless the policy takes
        that of the campaign; a country without hours needs none."""
        where = whereabouts(callee.identity, callee.time_zone)
        found = self._for(where, campaign)
        if where.zones or (found.hours.rows and self.unknown_zone is UnknownZone.REFUSE):
            return found
        assumed = whereabouts(callee.identity, campaign.time_zone)
        return self._for(assumed if found.hours.rows else Whereabouts(where.places, (campaign.time_zone,)), campaign)

    def _for(self, where: Whereabouts, campaign: Campaign) -> Applying:
        key = (where, campaign.purpose, technology_of(campaign))
        found = self._applying.get(key)
        if found is None:
            if len(self._applying) >= _MOST_REMEMBERED:
                self._applying.clear()
            rows = tuple(row for row in self.in_places(where.places) if row.meant_for(*key[1:]))
            found = self._applying[key] = Applying(where, rows, Hours(rows, where.zones))
        return found

    def in_places(self, places: Iterable[str]) -> tuple[RuleRow, ...]:
        """All rows that hold in any of the places; in none, those that hold anywhere."""
        some = tuple(places) or ("",)
        return tuple(row for row in self.rows if any(row.covers(place) for place in some))

    @property
    def fingerprint(self) -> str:
        """The same for books that rule the same."""
        text = "\n".join([self.unknown_zone, *(row.model_dump_json() for row in self.rows)])
        return hashlib.sha256(text.encode()).hexdigest()[:16] if self.rows else ""


NO_RULES: Final = RuleBook()


def shipped_rows() -> tuple[RuleRow, ...]:
    """The rows that come with the dialer."""
    text = resources.files("dialer.rules").joinpath(SHIPPED).read_text(encoding="utf-8")
    return read_rows(text, SHIPPED)[0]


def replaced(rows: Iterable[RuleRow], replacements: Iterable[Replacement]) -> tuple[RuleRow, ...]:
    """The rows without those of the places that are replaced."""
    gone = {each.place for each in replacements}
    return tuple(row for row in rows if row.place not in gone)
