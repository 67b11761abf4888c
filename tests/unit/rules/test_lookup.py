"""What a rule book says to who looks something up in it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dialer.errors import BadValue
from dialer.rules.book import RuleBook, shipped_rows
from dialer.rules.lookup import RuleFilter, RuleQuestion, entries, rule_on, rules_for

BOOK = RuleBook(shipped_rows())
NOON = datetime(2027, 3, 1, 17, tzinfo=UTC)


def question(identity: str) -> RuleQuestion:
    return RuleQuestion(number=f"+{identity}", identity=identity, at=NOON)


def test_rows_keep_their_ids_whatever_the_filter() -> None:
    everything = {entry.id: entry.row for entry in entries(BOOK, RuleFilter())}
    assert list(everything) == list(range(1, len(BOOK.rows) + 1))
    assert all(everything[entry.id] is entry.row for entry in entries(BOOK, RuleFilter(place="us-fl")))


@pytest.mark.parametrize("wanted", [RuleFilter(country="Atlantis"), RuleFilter(place="US-"), RuleFilter(place="us_fl")])
def test_a_place_that_is_none_is_refused(wanted: RuleFilter) -> None:
    with pytest.raises(BadValue, match="is not a place"):
        entries(BOOK, wanted)


def test_the_rows_of_a_ruling_are_those_that_its_obstacles_name() -> None:
    early = rule_on(BOOK, RuleQuestion(number="+18505550100", identity="18505550100", at=datetime(2027, 3, 1, 3, tzinfo=UTC)))
    assert not early.ruling.is_open
    names = {entry.id: entry.row.name for entry in early.rules}
    assert {names[key] for each in early.ruling.obstacles for key in early.ids_of(each.rows)} == {
        "Florida",
        "United States, federal",
    }


def test_contacts_of_two_places_have_the_rows_of_both_each_once() -> None:
    found = rules_for(BOOK, question("18505550100").campaign, ["18505550100", "13055550100", "33142685300"], NOON)
    names = [entry.row.name for entry in found.rules]
    assert len(names) == len(set(names))
    assert {"US-FL", "FR"} <= set(found.places)
    assert "Florida" in names
    assert found.unknown == 0
