"""`dialer rules`, and the rules that a configuration means."""

from __future__ import annotations

import json

import pytest

from dialer.cli.main import main
from dialer.errors import BadValue
from dialer.rule_files import rule_book
from dialer.rules.book import UnknownZone, shipped_rows
from dialer.settings import RulesSettings

OWN = """
[[replace]]
place = "US-FL"
reason = "counsel has read the statute"

[[row]]
place = "*"
name = "House"
attempts = [{ most = 2, seconds = 86400 }]
source = "the board"
read_on = 2026-11-27
confidence = "high"
"""


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DIALER_CONFIG", raising=False)
    monkeypatch.setattr("dialer.cli.frame.INSTALLED", tmp_path / "none.toml")


@pytest.fixture
def configured(tmp_path):
    """A configuration with rows of its own."""
    (tmp_path / "own.toml").write_text(OWN)
    file = tmp_path / "dialer.toml"
    file.write_text(
        '[database]\nurl = "sqlite:///dialer.db"\n[numbers]\nregion = "US"\n[rules]\nfile = "own.toml"\n[simulator]\n'
    )
    return file


def ran(capsys, *words):
    status = main(["rules", *map(str, words)])
    return status, capsys.readouterr()


def test_without_a_configuration_the_shipped_rows_are_listed(capsys):
    status, told = ran(capsys, "list")
    assert status == 0
    assert told.out.startswith("no configuration: the rules that are shipped\n")
    assert "US-FL" in told.out
    assert json.loads(ran(capsys, "list", "fr", "--json")[1].out)[0]["weekday"] == "10:00-13:00 14:00-20:00"


def test_a_place_is_shown_with_the_rows_of_its_country_and_their_sources(capsys):
    shown = json.loads(ran(capsys, "show", "US-FL", "--json")[1].out)
    assert [row["name"] for row in shown] == [
        "United States, federal", "United States, federal: ring", "United States, federal: debts", "Florida",
    ]  # fmt: skip
    assert all(row["source"] and row["read_on"] for row in shown)
    assert "no rule holds in JM" in ran(capsys, "show", "JM")[1].out.replace("Jamaica", "JM")
    status, told = ran(capsys, "list", "Texas")
    assert (status, told.err[:34]) == (2, "dialer: PLACE: 'TEXAS' is not a pl")
    status, told = ran(capsys, "show", "Texas")
    assert (status, told.err) == (2, "dialer: PLACE: 'TEXAS' is not a region; expected two letters such as DE\n")


@pytest.mark.parametrize(
    ("words", "status", "expected"),
    [
        (("+17375551234", "--at", "2027-03-01T18:00:00Z"), 0, "open"),
        (
            ("+17375551234", "--at", "2027-03-01T14:30:00Z"),
            1,
            "closed until 2027-03-01 15:00:00 UTC: outside the hours of Texas",
        ),
        (("+17375551234", "--at", "2027-03-01T14:30:00Z", "--purpose", "debt"), 0, "open"),
        (("+17375551234", "--at", "2027-03-01T14:30:00Z", "--time-zone", "America/New_York"), 0, "open"),
        (("+18005550100", "--at", "2027-03-01T18:00:00Z"), 1, "never: its time zone is not known"),
        (("+14025550100", "--at", "2027-02-28T18:30:00Z", "--prerecorded"), 1, "outside the hours of Nebraska: prerecorded"),
    ],
)
def test_a_number_is_told_why(capsys, words, status, expected):
    found, told = ran(capsys, "why", *words)
    assert found == status
    assert told.out.splitlines()[-1].startswith(expected) or expected in told.out.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("2125551234", "--at", "noon"), "--at: expected a date and a time"),
        (("2125551234", "--time-zone", "Nowhere"), "--time-zone: expected the name of a time zone"),
        (("abc",), "NUMBER: 'abc' is not a number"),
    ],
)
def test_what_is_wrong_is_named(capsys, words, problem):
    status, told = ran(capsys, "why", *words)
    assert status == 2
    assert told.err.startswith(f"dialer: {problem}")


def test_rows_of_ones_own_hold_beside_the_shipped_ones_and_replace_those_that_they_name(capsys, configured):
    _, told = ran(capsys, "list", "-c", configured)
    first = told.out.splitlines()[0]
    assert first.endswith('rules.apply is "shipped", with own.toml; those of US-FL are replaced: counsel has read the statute')
    names = {row["name"] for row in json.loads(ran(capsys, "list", "--json", "-c", configured)[1].out)}
    assert "House" in names
    assert "Florida" not in names
    assert "Texas" in names
    told = json.loads(ran(capsys, "why", "2125551234", "--json", "-c", configured)[1].out)
    assert (told["identity"], told["places"]) == ("12125551234", ["US-NY"])
    assert "House" in told["rows"]


def test_the_book_of_the_settings(tmp_path):
    (tmp_path / "own.toml").write_text(OWN)
    assert rule_book(RulesSettings(), tmp_path).rows == shipped_rows()
    assert rule_book(RulesSettings(apply="none"), tmp_path).rows == ()
    alone = rule_book(RulesSettings(apply="file", file="own.toml", unknown_zone="campaign"), tmp_path)
    assert [row.name for row in alone.rows] == ["House"]
    assert alone.unknown_zone is UnknownZone.CAMPAIGN


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"apply": "none", "file": "own.toml"}, "rules.file: names a file, and rules.apply is"),
        ({"apply": "file"}, 'rules.apply: is "file", and rules.file names none'),
        ({"file": "gone.toml"}, "gone.toml: cannot be read"),
    ],
)
def test_settings_that_would_do_nothing_are_refused(tmp_path, settings, problem):
    with pytest.raises(BadValue, match=problem):
        rule_book(RulesSettings(**settings), tmp_path)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "own.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadValue, match="is not TOML: it is not UTF-8"):
        rule_book(RulesSettings(file="own.toml"), tmp_path)
