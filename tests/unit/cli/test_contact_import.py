"""`dialer contact import`."""

from __future__ import annotations

import io
import json
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialer.management import imports
from tests.grounds import on_sqlite, rows
from tests.unit.cli.support import Commands, Ran


@pytest.fixture
def phonebook(unfurnished: Commands) -> Commands:
    """A user with a paused campaign, which has a phonebook of its name."""
    return unfurnished.furnish(add_spring)


def add_spring(commands: Commands) -> None:
    add_campaign(commands, "ann", "spring")


def add_campaign(commands: Commands, user: str, name: str) -> None:
    commands.good("user", "add", user, "--generate-password")
    if not json.loads(commands.good("gateway", "list", "--json").out):
        commands.good("gateway", "add", "carrier", "--dial-string", "loopback/{number}")
        commands.good("voipapp", "add", "hello", "--type", "play-audio", "--data", "hello.wav")
    settings = ("--gateway", "carrier", "--voip-app", "hello", "--status", "pause")
    commands.good("campaign", "add", name, "--user", user, *settings)


def import_file(commands: Commands, data: bytes | str, *more: object, phonebook: str = "spring") -> Ran:
    file = commands.folder / "list.csv"
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return commands.run("contact", "import", file, "--phonebook", phonebook, *more)


def numbers(commands: Commands, table: str = "contact") -> list[str]:
    return [number for (number,) in rows(commands.url, f"SELECT number FROM {table} ORDER BY id")]


def errors(commands: Commands) -> list[str]:
    return (commands.folder / "list.csv.errors.csv").read_text().splitlines()


def test_the_contacts_of_a_file_stand_in_the_phonebook_and_in_its_campaign(phonebook):
    ran = import_file(phonebook, "Phone;First Name;City\r\n+15551230001;Ana;Lima\r\n15551230002;;\r\n")
    assert (ran.status, ran.err) == (0, "")
    assert "2 rows: 2 taken, 0 already there, 0 twice in the file, 0 refused" in ran.out
    assert rows(phonebook.url, "SELECT number, first_name, additional_vars FROM contact ORDER BY id") == [
        ("+15551230001", "Ana", '{"City":"Lima"}'),
        ("15551230002", "", "{}"),
    ]
    assert numbers(phonebook, "subscriber") == ["+15551230001", "15551230002"]
    assert not (phonebook.folder / "list.csv.errors.csv").exists()


def test_the_same_file_again_finds_everything_there(phonebook):
    import_file(phonebook, "contact\n15551230001\n15551230002\n")
    ran = import_file(phonebook, "contact\n15551230001\n15551230002\n15551230003\n")
    assert ran.status == 0
    assert "1 taken, 2 already there" in ran.out
    assert len(numbers(phonebook)) == 3


def test_rows_that_are_not_taken_are_named_and_can_be_corrected(phonebook):
    ran = import_file(phonebook, "contact,first_name\n15551230001,Ana\n+15551230001,Eva\nnone,Bo\n112,Cy\n")
    assert ran.status == 1
    assert "4 rows: 1 taken, 0 already there, 1 twice in the file, 2 refused" in ran.out
    named = [line.rpartition("list.csv:")[2] for line in ran.err.splitlines()]
    assert named[0] == "3: +15551230001 is 15551230001 of line 2"
    assert named[1].startswith("4: contact: 'none' is not a number")
    assert named[2].startswith("5: contact: 112 is an emergency number")
    header, twice, bad, _ = errors(phonebook)
    assert (header, twice.partition(',"')[0]) == ('contact,first_name,"error"', "+15551230001,Eva")
    corrected = "\n".join([header, twice, bad.replace("none", "15551230009")])
    ran = import_file(phonebook, corrected)
    assert (ran.status, numbers(phonebook)) == (0, ["15551230001", "15551230009"])


def test_errors_that_may_have_been_corrected_are_kept(phonebook):
    import_file(phonebook, "contact\nnone\n")
    (phonebook.folder / "list.csv.errors.csv").write_text("corrected")
    import_file(phonebook, "contact\nnone\n")
    assert (phonebook.folder / "list.csv.errors.csv~").read_text() == "corrected"


def test_errors_go_where_they_are_wanted(phonebook):
    elsewhere = phonebook.folder / "elsewhere"
    ran = import_file(phonebook, "contact\nnone\n", "--errors", elsewhere, "--json")
    assert ran.json["errors"] == str(elsewhere)
    assert elsewhere.read_text().startswith('contact,"error"\nnone,"line 2: contact')
    file = phonebook.folder / "list.csv"
    assert "is the file itself" in phonebook.refused("contact", "import", file, "--phonebook", "spring", "--errors", file)
    ran = import_file(phonebook, "contact\nnone\n", "--errors", phonebook.folder / "no folder" / "x")
    assert (ran.status, "cannot be written" in ran.err) == (2, True)


def test_a_program_is_told_in_json(phonebook):
    found = import_file(phonebook, "contact\n15551230001\n15551230001\nx\n112\ny\n", "--json").json
    assert found.pop("seconds") >= 0
    assert found.pop("file").endswith("list.csv")
    assert found.pop("errors").endswith("list.csv.errors.csv")
    assert found == {
        "phonebook": {"id": 1, "name": "spring"},
        "encoding": "ascii",
        "delimiter": ",",
        "dry_run": False,
        "rows": 5,
        "taken": 1,
        "already_there": 0,
        "duplicates": 1,
        "refused": 3,
        "reasons": {"no number": 2, "emergency number": 1},
    }


def test_a_dry_run_says_the_same_and_writes_nothing(phonebook):
    import_file(phonebook, "contact\n15551230001\n")
    data = "contact\n15551230001\n15551230002\n1555-123-0002\nx\n"
    dry = import_file(phonebook, data, "--dry-run", "--json")
    assert numbers(phonebook) == ["15551230001"]
    assert not (phonebook.folder / "list.csv.errors.csv").exists()
    wet = import_file(phonebook, data, "--json")
    names = ("rows", "taken", "already_there", "duplicates", "refused", "reasons")
    assert {name: dry.json[name] for name in names} == {name: wet.json[name] for name in names}
    assert (dry.status, wet.status) == (1, 1)


def test_standard_input_is_a_file_all_of_whose_faults_are_named(phonebook, monkeypatch):
    data = b"contact\n15551230001\n" + b"x\n" * 30
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    ran = phonebook.run("contact", "import", "-", "--phonebook", "spring")
    assert (ran.status, numbers(phonebook)) == (1, ["15551230001"])
    assert len(ran.err.splitlines()) == 30


def test_columns_are_mapped(phonebook):
    ran = import_file(phonebook, "A,B\nAna,15551230001\n", "--map", "contact=B", "--map", "first_name=A")
    assert ran.status == 0
    assert rows(phonebook.url, "SELECT number, first_name, additional_vars FROM contact") == [("15551230001", "Ana", "{}")]
    assert import_file(phonebook, "15551230002,x\n", "--no-header").status == 0
    assert numbers(phonebook)[-1] == "15551230002"


@on_sqlite
@pytest.mark.parametrize(
    ("data", "more", "why"),
    [
        ("name,town\n", (), "one of them `contact`"),
        ("15551230001\n", (), "--no-header"),
        ("contact\n", ("--map", "contact"), "--map: expected NAME=COLUMN"),
        ("contact\n", ("--map", "contact=1", "--map", "number=2"), "--map: contact is named twice"),
        ("contact\n", ("--map", "contact=x"), "--map: there is no column 'x'"),
        ("contact\n", ("--encoding", "klingon"), "encoding: 'klingon'"),
        ("contact\n", ("--user", "nobody"), "--user: there is no user nobody"),
    ],
)
def test_what_is_wrong_with_a_file_or_a_command_is_told_and_nothing_is_done(phonebook, data, more, why):
    ran = import_file(phonebook, data, *more)
    assert ran.status == 2
    assert why in Commands.one_line(ran)


@on_sqlite
def test_a_phonebook_or_file_that_is_not_there_is_named(phonebook):
    assert import_file(phonebook, "contact\n", phonebook="autumn").err == "dialer: --phonebook: there is no phonebook autumn\n"
    assert "missing.csv: cannot be read" in phonebook.refused("contact", "import", "missing.csv", "--phonebook", "spring")
    assert "cannot be read" in phonebook.refused("contact", "import", phonebook.folder, "--phonebook", "spring")


@on_sqlite
def test_a_name_that_several_users_have_needs_the_user(phonebook):
    add_campaign(phonebook, "bob", "spring")
    assert "several users have a phonebook spring: name one with --user, or by its id (1, 2)" in import_file(
        phonebook, "a"
    ).err or ("several users" in import_file(phonebook, "contact\n1555123\n").err)
    assert import_file(phonebook, "contact\n15551230001\n", "--user", "bob").status == 0
    assert rows(phonebook.url, "SELECT phonebook_id FROM contact") == [(2,)]
    assert import_file(phonebook, "contact\n15551230001\n", phonebook="1").status == 0
    assert rows(phonebook.url, "SELECT count(*) FROM contact") == [(2,)]


SPELLINGS = ("+15551230001", "15551230001", "0015551230001", "+1 (555) 123-0001")


@pytest.mark.parametrize("first", SPELLINGS)
def test_a_number_is_one_in_whatever_spelling_in_the_file_and_in_the_phonebook(phonebook, first):
    ran = import_file(phonebook, "contact\n" + "".join(f"{each}\n" for each in (first, *SPELLINGS)), "--json")
    assert (ran.status, ran.json["taken"], ran.json["duplicates"]) == (0, 1, 4)
    ran = import_file(phonebook, "contact\n" + "".join(f"{each}\n" for each in SPELLINGS[::-1]), "--json")
    assert (ran.status, ran.json["already_there"], ran.json["duplicates"]) == (0, 1, 3)
    assert len(numbers(phonebook)) == len(numbers(phonebook, "subscriber")) == 1


def test_the_numbers_of_a_file_are_those_of_the_phonebook_s_region(phonebook):
    rows(phonebook.url, """UPDATE phonebook SET rules = '{"region":"DE"}'""")
    ran = import_file(phonebook, "contact\n030 123456\n+49 30 123456\n110\n0112\n")
    assert "2 emergency number" in ran.out
    assert "+4930123456 is 030123456 of line 2" in ran.err
    assert rows(phonebook.url, "SELECT number, identity FROM contact") == [("030123456", "4930123456")]


@on_sqlite
@pytest.mark.parametrize(
    "cell",
    ["5551230001 / 5551230002", "14/06/2011", "4.47E+11", "15551230001.5", "1234567890", "1555123000115551230002", "n/a", "0"],
)
def test_what_is_no_single_number_is_refused_by_its_line(phonebook, cell):
    ran = import_file(phonebook, f'contact\n15551230001\n"{cell}"\n', "--json")
    assert (ran.status, ran.json["taken"], ran.json["reasons"]) == (1, 1, {"no number": 1})
    assert "list.csv:3: contact: " in ran.err


# --- what the user may ----------------------------------------------------------------------------------------------------


def test_numbers_that_the_user_may_not_call_are_refused_with_the_reason(phonebook):
    phonebook.good("user", "set", "ann", "--blacklist", "49900", "--whitelist", "49,1555")
    ran = import_file(phonebook, "contact\n15551230001\n+49900123456\n4419461234\n+4930123456\n", "--json")
    assert ran.status == 1
    assert ran.json["reasons"] == {"blacklist": 1, "whitelist": 1}
    assert numbers(phonebook) == ["15551230001", "+4930123456"]
    assert "list.csv:3: +49900123456 is on the blacklist of this user" in ran.err
    assert "list.csv:4: 4419461234 is not on the whitelist of this user" in ran.err


@pytest.mark.parametrize("dry", [True, False])
def test_no_more_are_taken_than_the_user_may_have(phonebook, monkeypatch, dry):
    monkeypatch.setattr(imports, "CHUNK", 3)
    phonebook.good("user", "set", "ann", "--max-number-subscriber-campaign", 7)
    import_file(phonebook, "contact\n15551230001\n15551230002\n")
    data = "contact\n" + "".join(f"1555123{n:04}\n" for n in range(12))
    ran = import_file(phonebook, data, "--json", *(["--dry-run"] if dry else []))
    assert ran.status == 1
    assert (ran.json["taken"], ran.json["already_there"], ran.json["reasons"]) == (5, 2, {"limit of the user": 5})
    assert len(numbers(phonebook)) == (2 if dry else 7)
    assert "the user may have 7 contacts in a campaign" in ran.err


# --- for any bytes --------------------------------------------------------------------------------------------------------

CELLS = st.sampled_from(
    [b"15551230001", b"+15551230001", b"15551230002", b"15551230003", b"112", b"x", b'"', b"", b"1,2", b"\xe9"]
)
FILES = st.builds(
    lambda cells, tail: b"contact\n" + b"\n".join(cells) + tail, st.lists(CELLS, max_size=12), st.binary(max_size=30)
)


@on_sqlite
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=FILES)
def test_the_rows_of_a_file_are_those_taken_there_already_twice_or_refused(phonebook, data):
    before = numbers(phonebook)
    ran = import_file(phonebook, data, "--json")
    if ran.status == 2:
        assert Commands.one_line(ran)
        return
    told, after = ran.json, numbers(phonebook)
    assert told["rows"] == told["taken"] + told["already_there"] + told["duplicates"] + told["refused"]
    assert len(after) == len(before) + told["taken"]
    assert told["refused"] == sum(told["reasons"].values())
    assert len(ran.err.splitlines()) == min(20, told["duplicates"] + told["refused"])
    assert ran.status == (1 if told["refused"] else 0)


def test_a_row_whose_reference_is_that_of_another_contact_is_refused(phonebook):
    import_file(phonebook, "contact,reference\n+15551230001,A\n")
    ran = import_file(
        phonebook, "contact,reference\n+15551230002,A\n+15551230003,B\n+15551230004,B\n+15551230001,A\n", "--json"
    )
    assert ran.status == 1
    assert (ran.json["taken"], ran.json["already_there"]) == (1, 1)
    assert ran.json["reasons"] == {"reference of another contact": 2}
    assert numbers(phonebook) == ["+15551230001", "+15551230003"]
