from __future__ import annotations

import sqlite3

import pytest

from dialer.errors import BadValue, Duplicate, StoreError
from dialer.store.faults import explain, refused_value
from dialer.store.values import dial_string, parameters


def test_parameters_are_read_as_they_are_entered():
    text = " a=1, b = x=y,absolute_codec_string=PCMA,PCMU"
    assert parameters(text) == (("a", "1"), ("b", "x=y"), ("absolute_codec_string", "PCMA,PCMU"))
    assert parameters("") == ()


@pytest.mark.parametrize("text", ["a", "=1", " =1", "a=${b}"])
def test_a_parameter_that_could_not_be_entered_is_refused(text):
    with pytest.raises(BadValue, match="addparameter"):
        parameters(text)


def test_a_configured_dial_string_wins():
    assert dial_string("user/{number}", "SIP", "h") == "user/{number}"


def constraint_of(*statements: str) -> BadValue | None:
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(sqlite3.IntegrityError) as refused:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return refused_value(refused.value)


def test_a_refused_row_is_led_back_to_its_field():
    table = "CREATE TABLE campaign (user_id, name NOT NULL, x CONSTRAINT campaign_x CHECK (x > 0), UNIQUE (user_id, name))"
    row = "INSERT INTO campaign VALUES (1, 'a', 1)"
    duplicate = constraint_of(table, row, row)
    assert isinstance(duplicate, Duplicate)
    assert duplicate.field == "name"
    assert constraint_of(table, "INSERT INTO campaign VALUES (1, 'a', 0)").field == "x"
    assert constraint_of(table, "INSERT INTO campaign VALUES (1, NULL, 1)").field == "name"
    link = "CREATE TABLE link (campaign_id REFERENCES parent (id))"
    assert constraint_of("CREATE TABLE parent (id PRIMARY KEY)", link, "INSERT INTO link VALUES (1)").field == "reference"


def test_other_errors_are_no_ones_value():
    assert refused_value(ValueError("x")) is None


def test_an_unknown_error_is_told_as_it_is():
    error = explain(sqlite3.OperationalError("something new"), "/x.db")
    assert isinstance(error, StoreError)
    assert str(error) == "the database /x.db cannot serve: something new"
