"""The reader of declarations, on nouns of its own."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from dialer.declare import NOUNS, documentation, entered, key, noun, noun_of, refuse_missing, rule, setting, stamp
from dialer.errors import BadValue
from dialer.kinds import Member, Nullable, Text, Whole
from dialer.model import Campaign, CampaignStatus, UnknownPolicy, VoipApp, VoipAppType
from dialer.stored import complete, load_rules, reader, stored
from dialer.time_kinds import Moment, Week

T = "2026-11-23 10:00:00.000000"


def even(value: int, field: str) -> int:
    if value % 2:
        raise BadValue(field, "is odd")
    return value


@pytest.fixture
def pair():
    @noun("pair", table="campaign")
    @frozen(kw_only=True)
    class Pair:
        id: int = key()
        name: str = setting(shortest=1, longest=5, v1="theName", doc="for people")
        shoes: int = setting(2, ge=0, le=8, check=even, unit="shoes", doc="how many")
        socks: int | None = rule(None, doc="how many")
        policy: UnknownPolicy = rule(UnknownPolicy.RETRY, doc="whatever")
        opens: time = rule(time(9), doc="in the morning")
        made_at: datetime = stamp("when")

    yield Pair
    del NOUNS["pair"]


def test_a_kind_comes_from_the_annotation_and_the_bounds(pair):
    kinds = {field.name: field.kind for field in noun_of(pair).fields}
    assert kinds["name"] == Text(5, 1)
    assert kinds["shoes"] == Whole(0, 8)
    assert isinstance(kinds["socks"], Nullable)
    assert kinds["policy"] == Member(UnknownPolicy)
    assert kinds["made_at"] == Moment()


def test_an_annotation_without_a_kind_is_a_mistake_of_the_program():
    with pytest.raises(TypeError, match="name one"):

        @noun("odd")
        @frozen
        class Odd:
            thing: bytes = setting(b"", doc="of which nobody knows a kind")


def test_what_is_entered_is_validated_by_kind_and_by_check(pair):
    assert entered(pair, {"name": " ann ", "shoes": "4", "opens": "08:30"}) == {
        "name": "ann",
        "shoes": 4,
        "opens": time(8, 30),
    }
    for given_values, text in (
        ({"name": ""}, "name: expected a text of 1 to 5 characters, without control characters"),
        ({"shoes": 9}, "shoes: expected a whole number from 0 to 8"),
        ({"shoes": 3}, "shoes: is odd"),
        ({"made_at": T}, "made_at: is not a setting of a pair"),
        ({"id": 1}, "id: is not a setting of a pair"),
        ({"hats": 1}, "hats: is not a setting of a pair"),
    ):
        with pytest.raises(BadValue) as refused:
            entered(pair, given_values)
        assert str(refused.value) == text


def test_what_a_new_one_needs_is_named(pair):
    refuse_missing(pair, {"name": "ann"})
    with pytest.raises(BadValue, match="name: is missing; expected a text"):
        refuse_missing(pair, {"shoes": 2})


def test_columns_are_stored_as_such_and_rules_in_one_text(pair):
    values = complete(pair, {"name": "ann", "made_at": datetime(2026, 11, 23, 10, tzinfo=UTC)})
    found = stored(pair, values)
    assert found["made_at"] == datetime(2026, 11, 23, 10)  # noqa: DTZ001 - as an entity takes it
    assert (found["name"], found["shoes"]) == ("ann", 2)
    assert load_rules(pair, found["rules"]).values == {"socks": None, "policy": UnknownPolicy.RETRY, "opens": time(9)}


def test_a_changed_rule_leaves_the_others_and_those_of_newer_dialers(pair):
    before = '{"socks":3,"gloves":2}'
    after = stored(pair, {"opens": time(7)}, before)["rules"]
    assert after == '{"socks":3,"gloves":2,"opens":"07:00:00"}'
    assert load_rules(pair, after).values["socks"] == 3


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7"])
def test_a_text_that_is_no_object_is_damaged_as_a_whole(pair, text):
    found = load_rules(pair, text)
    assert found.damaged == ("rules",)
    assert found.values["opens"] == time(9)


@pytest.mark.parametrize(
    ("text", "damaged"),
    [
        ('{"socks": -1}', "socks"),
        ('{"opens": "25:00:00"}', "opens"),
        ('{"opens": 9}', "opens"),
        ('{"policy": "Retry"}', "policy"),
    ],
)
def test_a_damaged_rule_is_named_and_its_default_stands_in(pair, text, damaged):
    found = load_rules(pair, text)
    assert found.damaged == (damaged,)
    assert found.values == {"socks": None, "policy": UnknownPolicy.RETRY, "opens": time(9)}


def test_a_row_is_read_by_the_columns_that_the_reader_names(pair):
    read = reader(pair, "p")
    assert read.columns == "p.id, p.name, p.shoes, p.made_at, p.rules"
    assert read.width == 5
    row = (7, "ann", 4, T, '{"socks":1}')
    assert read(row) == pair(id=7, name="ann", shoes=4, socks=1, made_at=datetime(2026, 11, 23, 10, tzinfo=UTC))
    assert read.damage((*row[:4], '{"socks":[]}')) == ("socks",)


def test_a_joined_noun_is_read_with_it():
    read = reader(Campaign, "c", voip_app="v")
    app = reader(VoipApp, "v")
    assert read.columns.endswith(app.columns)
    own = {"status": 2, "starting_at": T, "expires_at": T, "frequency": 9, "max_retry": 1, "created_at": T, "updated_at": T}
    own["retry"] = '{"busy":{"retries":2,"after":60}}'
    row = [own.get(field.name, 1) for field in noun_of(Campaign).columns if field.name != "next_call_at"]
    row.insert([field.name for field in noun_of(Campaign).columns].index("next_call_at"), None)
    for name, value in (
        ("archived_at", None), ("caller_id_pool_id", None), ("draft", 0), ("single", 0), ("consent", "not-asked")
    ):  # fmt: skip
        row[[field.name for field in noun_of(Campaign).columns].index(name)] = value
    found = read([*row, '{"caller_name":"Ana"}', 5, "hello", "", 4, None, "x", T, T])
    assert (found.status, found.caller_name, found.next_call_at) == (CampaignStatus.PAUSE, "Ana", None)
    assert str(found.retry) == "busy=2/1m"
    assert (found.draft, found.archived_at, found.starting_at) == (False, None, datetime(2026, 11, 23, 10, tzinfo=UTC))
    assert type(found.draft) is bool
    assert (found.voip_app.id, found.voip_app.type) == (5, VoipAppType.SPEAK)


def test_the_documentation_has_a_row_for_each_setting(pair):
    table = documentation(pair)
    assert "| `name` | `theName` | needed | a text of 1 to 5 characters, without control characters | for people |" in table
    assert "| `shoes` |  | `2` | a whole number from 0 to 8 (shoes) | how many |" in table
    assert "made_at" not in table


@given(st.sets(st.integers(0, 6)))
def test_days_are_read_from_what_is_stored(days):
    flags = tuple(day in days for day in range(7))
    assert Week().load(Week().stored(flags)) == flags


@pytest.mark.parametrize(
    ("text", "days"),
    [("mon-fri", (0, 1, 2, 3, 4)), ("sat, SUN", (5, 6)), ("fri-mon", (4, 5, 6, 0)), ("tuesday", (1,)), ("", ())],
)
def test_days_are_read_as_people_write_them(text, days):
    assert Week().parse(text) == tuple(day in days for day in range(7))


@pytest.mark.parametrize("text", ["m", "t-w", "monday-", "someday", [1] * 6, [2] * 7])
def test_what_is_no_day_is_refused(text):
    with pytest.raises(ValueError):
        Week().parse(text)
