"""From rows to values: the columns that a value of the flow needs, and the value that they make."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from dialer.kinds import LARGEST_INTEGER
from dialer.model import Attempt, AttemptState, Campaign, Candidate, Contact, Gateway, NodeRecord, Plan, User
from dialer.model.caller_id import ShownCaller
from dialer.store.times import from_column, from_column_or_none
from dialer.stored import load_rules, reader

read_gateway = reader(Gateway, "g")
read_campaign = reader(Campaign, "c", voip_app="v")
read_contact = reader(Contact, "k")
read_node = reader(NodeRecord, "n")

campaign_of = lru_cache(maxsize=2048)(read_campaign)
contact_of = lru_cache(maxsize=2048)(read_contact)
"""From their columns alone, for lists: who watches one reads the same rows again and again."""

CANDIDATE_COLUMNS = "s.id, s.contact_id, s.campaign_id, s.number, s.identity, s.count_attempt, s.free_retries, s.tally"
CANDIDATE_WIDTH = 8

ATTEMPT_COLUMNS = (
    "a.id, a.call_uuid, a.dial_string, a.due_at, a.number_of_attempt, a.planned_at, a.deadline, a.state, a.core_uuid, "
    "a.rang_at, a.answered_at, a.second_gateway_id, a.sent_at, a.switch, a.caller_id, a.caller_name, a.pooled_caller_id, "
    "a.caller_day"
)
ATTEMPT_WIDTH = 18

Row = Sequence[Any]


def in_range(number: int | None) -> int | None:
    """A number of the switch's as a column takes it: an attempt must be able to end, whatever the switch says of it."""
    return None if number is None else min(max(number, 0), LARGEST_INTEGER)


def as_text(words: str) -> str:
    """A text of the switch's as every kind of database takes it, for the same reason: PostgreSQL's have no NUL."""
    return words.replace("\0", "\ufffd") if "\0" in words else words


@lru_cache(maxsize=8192)
def started(row: tuple[Any, ...]) -> tuple[Campaign, str]:
    """From a statement of started campaigns: one of them, and the caller ids of its user. A campaign is read ten times a
    second, and changes with its calls."""
    return read_campaign(row), load_rules(User, row[-1]).values["caller_ids"]


def candidate(row: Row) -> Candidate:
    """From CANDIDATE_COLUMNS."""
    return Candidate(
        subscriber_id=row[0],
        contact_id=row[1],
        campaign_id=row[2],
        number=row[3],
        identity=row[4],
        count_attempt=row[5],
        free_retries=row[6],
        tally=row[7],
    )


def attempt(row: Row) -> Attempt:
    """From ATTEMPT_COLUMNS, CANDIDATE_COLUMNS, and those of the readers of a campaign and of a gateway, in this order."""
    rest = row[ATTEMPT_WIDTH:]
    who, rest = rest[:CANDIDATE_WIDTH], rest[CANDIDATE_WIDTH:]
    campaign = read_campaign(rest)
    caller = ShownCaller(number=row[14], name=row[15], id=row[16], day=row[17])
    as_the_campaign_says = caller == ShownCaller(number=campaign.caller_id, name=campaign.caller_name)
    return Attempt(
        id=row[0],
        plan=Plan(
            call_uuid=row[1],
            candidate=candidate(who),
            campaign=campaign,
            gateway=read_gateway(rest[read_campaign.width :]),
            dial_string=row[2],
            due_at=from_column(row[3]),
            switch=row[13],
            caller=None if as_the_campaign_says else caller,
        ),
        number_of_attempt=row[4],
        planned_at=from_column(row[5]),
        deadline=from_column(row[6]),
        state=AttemptState(row[7]),
        core_uuid=row[8],
        rang_at=from_column_or_none(row[9]),
        answered_at=from_column_or_none(row[10]),
        second_gateway_id=row[11],
        sent_at=from_column_or_none(row[12]),
    )
