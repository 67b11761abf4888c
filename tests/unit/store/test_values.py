from __future__ import annotations

import sqlite3
from types import SimpleNamespace

import pytest

from dialer.errors import BadValue, Duplicate, StoreError
from dialer.model import Gateway
from dialer.store.faults import explain, refused_value
from tests.grounds import new_database, rows, script
from tests.seeding import SEED, T


def gateway(**fields):
    return Gateway(name="g", **fields)


def test_parameters_are_read_as_they_are_entered():
    text = " a=1, b = x=y,absolute_codec_string=PCMA,PCMU"
    pairs = (("a", "1"), ("b", "x=y"), ("absolute_codec_string", "PCMA,PCMU"))
    assert gateway(addparameter=text).parameters == pairs
    assert gateway().parameters == ()


@pytest.mark.parametrize("text", ["a", "=1", " =1", "a=${b}"])
def test_a_parameter_that_could_not_be_entered_is_refused(text):
    with pytest.raises(BadValue, match="addparameter"):
        gateway(addparameter=text).parameters  # noqa: B018


def test_a_configured_dial_string_wins():
    assert gateway(dial_string="user/{number}", hostname="h").address == "user/{number}"


@pytest.mark.parametrize(
    ("statement", "refused"),
    [
        (f"INSERT INTO phonebook VALUES (9, 1, 'p', '', '{T}', '{{}}', NULL)", Duplicate("name", "exists already")),
        ("INSERT INTO campaign_phonebook VALUES (1, 1), (1, 1)", Duplicate("phonebook_id", "exists already")),
        ("UPDATE campaign SET frequency = 0", BadValue("frequency", "is out of range")),
        ("UPDATE gateway SET maximum_call = -1", BadValue("maximum_call", "is out of range")),
        ("UPDATE campaign SET name = NULL", BadValue("name", "is missing")),
        ("UPDATE campaign SET gateway_id = 77", BadValue("reference", "names something that does not exist")),
    ],
)
def test_a_refused_row_is_led_back_to_its_field(database_kind, tmp_path, statement, refused):
    url = new_database(tmp_path)
    script(url, SEED)
    with pytest.raises(Exception) as raised:
        rows(url, statement)
    found = refused_value(raised.value)
    assert (type(found), str(found)) == (type(refused), str(refused))


@pytest.mark.parametrize(
    ("table", "constraint", "detail", "field"),
    [
        ("campaign", "campaign_name_key", "Schlüssel »(user_id, name)=(1, spring)« existiert bereits.", "name"),
        ("campaign_phonebook", "campaign_phonebook_phonebook_id_key", "", "phonebook_id"),
        ("attempt", "attempt_open_number", "Key (number)=(1) already exists.", "number"),
        ("attempt", "attempt_open_number", "", "open_number"),
    ],
)
def test_the_language_of_a_server_does_not_matter(table, constraint, detail, field):
    error = Exception("in any words")
    error.pgcode = "23505"
    error.diag = SimpleNamespace(table_name=table, constraint_name=constraint, message_detail=detail)
    assert refused_value(error).field == field


def test_other_errors_are_no_ones_value():
    assert refused_value(ValueError("x")) is None


def test_an_unknown_error_is_told_as_it_is():
    error = explain(sqlite3.OperationalError("something new"), "/x.db")
    assert isinstance(error, StoreError)
    assert str(error) == "the database /x.db cannot serve: something new"
