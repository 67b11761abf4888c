"""`dialer phonebook`."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.grounds import on_sqlite, rows
from tests.unit.cli.support import Commands
from tests.unit.cli.test_contact_import import add_campaign, import_file


@pytest.fixture
def ann(commands: Commands) -> Commands:
    """A user with a phonebook."""
    commands.good("user", "add", "ann", "--generate-password")
    commands.good("phonebook", "add", "spring", "--user", "ann", "--description", "in bloom", "--region", "de")
    return commands


def test_a_phonebook_is_added_listed_and_shown(ann):
    assert ann.good("phonebook", "add", "autumn", "--user", "ann", "--json").json == {"id": 2}
    first, second = ann.good("phonebook", "list", "--json").json
    assert {**first, "created_at": ""} == {
        "id": 1,
        "user": "ann",
        "name": "spring",
        "description": "in bloom",
        "region": "DE",
        "created_at": "",
        "campaigns": [],
    }
    assert second["name"] == "autumn"
    assert "spring" in ann.good("phonebook", "list").out
    assert "in bloom" in ann.good("phonebook", "show", "1").out


def test_the_campaigns_and_contacts_of_a_phonebook_are_told(commands):
    add_campaign(commands, "ann", "spring")
    import_file(commands, "contact\n15551230001\n15551230002\n")
    shown = commands.good("phonebook", "show", "spring", "--json").json
    assert (shown["campaigns"], shown["contacts"]) == (["spring"], 2)
    assert re.search(r"contacts +2 *\n", commands.good("phonebook", "show", "spring").out)


def test_a_phonebook_is_renamed_and_described(ann):
    ann.good("phonebook", "set", "spring", "--name", "early", "--description", "", "--region", "FR")
    shown = ann.good("phonebook", "show", "early", "--json").json
    assert (shown["name"], shown["description"], shown["region"]) == ("early", "", "FR")


def test_the_region_of_a_phonebook_with_contacts_stays(ann):
    import_file(ann, "contact\n030 123456\n")
    assert "--region: cannot be changed any more: the phonebook has contacts" in ann.refused(
        "phonebook", "set", "spring", "--region", "FR", "--name", "early"
    )
    assert [each["name"] for each in ann.good("phonebook", "list", "--json").json] == ["spring"]
    ann.good("phonebook", "set", "spring", "--region", "DE", "--name", "early")


def test_a_name_is_one_phonebook_of_a_user(ann):
    assert "name: spring exists already" in ann.refused("phonebook", "add", "spring", "--user", "ann")
    ann.good("user", "add", "bob", "--generate-password")
    ann.good("phonebook", "add", "spring", "--user", "bob")
    assert "name one by its id (1, 2)" in ann.refused("phonebook", "show", "spring")
    assert ann.good("phonebook", "show", "2", "--json").json["user"] == "bob"


@on_sqlite
@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("add", "x"), "--user: is needed"),
        (("add", "", "--user", "ann"), "name: expected a text of 1 to 255 characters"),
        (("add", "x", "--user", "ann", "--region", "Bavaria"), "--region: "),
        (("set", "spring"), "name what shall be changed"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_done(ann, words, why):
    assert why in ann.refused("phonebook", *words)
    assert len(ann.good("phonebook", "list", "--json").json) == 1


@on_sqlite
def test_a_user_or_phonebook_that_is_not_there_is_named(ann):
    assert ann.failed("phonebook", "add", "x", "--user", "eve") == "there is no user eve"
    assert ann.failed("phonebook", "show", "x") == "there is no phonebook x"


def test_a_removed_phonebook_is_in_no_list(ann):
    rows(ann.url, "UPDATE phonebook SET archived_at = '2026-01-01 00:00:00.000000', name = 'spring (removed 1)'")
    assert ann.good("phonebook", "list", "--json").json == []


# --- the documentation ----------------------------------------------------------------------------------------------------

MANUAL = Path(__file__).resolve().parents[3] / "docs" / "operations.md"


def commands_of_section(title: str) -> list[list[str]]:
    """The arguments of each command in the code blocks of a section of the manual."""
    (section,) = re.findall(rf"^### {title}\n(.*?)^##", MANUAL.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = "".join(re.findall(r"^```\n(.*?)^```", section, re.MULTILINE | re.DOTALL)).splitlines()
    return [shlex.split(line.removeprefix("dialer "), comments=True) for line in lines]


def test_every_command_of_the_manual_works_as_it_stands(commands, monkeypatch):
    monkeypatch.chdir(commands.folder)
    commands.good("user", "add", "ann", "--generate-password")
    shown = commands_of_section("Phonebooks and contacts")
    assert len(shown) > 12
    for words in shown:
        ran = commands.bare(*words)
        assert ran.status == 0, (words, ran.err)
    assert (commands.folder / "spring.csv").read_text().startswith("contact,first_name,")


def test_a_phonebook_is_removed_with_its_contacts_and_no_campaign_calls_them(commands):
    add_campaign(commands, "ann", "spring")
    import_file(commands, "contact\n15551230001\n15551230002\n")
    assert commands.good("phonebook", "remove", "spring").out == "phonebook spring removed\n"
    assert commands.good("phonebook", "list", "--json").json == []
    assert commands.good("campaign", "show", "spring", "--json").json["contacts"] == 0
    commands.good("phonebook", "add", "spring", "--user", "ann")
