"""The calling rules that are in force: all of them, those that hold for a number, and those that narrow a campaign's hours.

They are the installation's, and no secret: whoever may log in reads them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from attrs import evolve, frozen

from dialer.management import campaigns
from dialer.management.management import Transaction, reads
from dialer.model import Account, Campaign, Purpose
from dialer.numbers import parse_number
from dialer.rules import lookup
from dialer.rules.lookup import NarrowingRules, NumberRuling, RuleEntry, RuleFilter, RuleQuestion
from dialer.rules.rows import Technology
from dialer.store.number_beginnings import first_of_each

__all__ = [
    "ALL",
    "CampaignHours",
    "NarrowingRules",
    "NumberRuling",
    "RuleEntry",
    "RuleFilter",
    "RuleQuestion",
    "listed",
    "of_campaign",
    "of_number",
]  # fmt: skip

ALL: Final = RuleFilter()


@reads
def listed(
    t: Transaction, who: Account, wanted: RuleFilter = ALL, after: int = 0, limit: int | None = None
) -> list[RuleEntry]:
    """The rows that are wanted, in their order, those behind the id `after`. Raises `BadValue`."""
    return [entry for entry in lookup.entries(t.rules, wanted) if entry.id > after][:limit]


@reads
def of_number(
    t: Transaction,
    who: Account,
    number: str,
    at: datetime | None = None,
    time_zone: str = "",
    purpose: Purpose = Purpose.SALES,
    technology: Technology = Technology.LIVE,
) -> NumberRuling:
    """What holds for a call to a number in any spelling, at a moment, now unless it is given. Raises `BadValue` (number)."""
    known = parse_number(number, "number")
    question = RuleQuestion(
        number=known,
        identity=t.numbering.identity(known),
        at=at or t.now,
        time_zone=time_zone,
        purpose=purpose,
        technology=technology,
    )
    return lookup.rule_on(t.rules, question)


@frozen(kw_only=True)
class CampaignHours:
    """A campaign, and the rows that hold for its contacts; none where its `override` says why they do not."""

    campaign: Campaign
    narrowing: NarrowingRules


@reads
def of_campaign(t: Transaction, who: Account, campaign_id: int) -> CampaignHours:
    """Those that hold for the contacts of a campaign now. Raises `NotFound`."""
    campaign = campaigns.read(t, who, campaign_id).campaign
    identities = first_of_each(t.connection, campaign_id) if t.rules.rows else []
    found = lookup.rules_for(t.rules, campaign, identities, t.now)
    return CampaignHours(campaign=campaign, narrowing=evolve(found, rules=()) if campaign.override else found)
