"""`dialer dnc`: one number in any spelling is on the list once, and files go in and out."""

from __future__ import annotations

import pytest

from tests.grounds import rows


@pytest.fixture
def listed(unfurnished):
    return unfurnished.furnish(_list_numbers)


def _list_numbers(commands):
    assert commands.good("dnc", "add", "+1 (555) 000-0099", "5551", "--reason", "asked").out == "2 added, 0 already there\n"


@pytest.mark.parametrize("spelling", ["+15550000099", "15550000099", "0015550000099", "+1 555 000-0099"])
def test_a_number_is_found_in_any_spelling(listed, spelling):
    ran = listed.run("dnc", "check", spelling, "888")
    assert ran.status == 1
    assert f"{spelling}: is on the list as +15550000099 since " in ran.out
    assert "(asked)" in ran.out
    assert "888: is not on the list" in ran.out
    assert listed.good("dnc", "add", spelling, "--json").json == {"added": 0, "already_there": 1}


def test_a_check_tells_programs(listed):
    found = listed.run("dnc", "check", "888", "5551", "--json").json
    assert [(each["asked"], each["listed"]) for each in found] == [("888", False), ("5551", True)]
    assert found[1]["reason"] == "asked"
    assert listed.run("dnc", "check", "888").status == 0


def test_a_number_is_taken_off_in_any_spelling(listed):
    assert listed.good("dnc", "remove", "0015550000099", "777").out == "1 removed, 1 not there\n"
    assert [each["number"] for each in listed.good("dnc", "list", "--json").json] == ["5551"]


def test_all_that_is_no_number_is_named_and_nothing_is_done(listed):
    problem = listed.refused("dnc", "add", "100", "abc", "14/06/2011")
    assert "'abc' is not a number" in problem
    assert "'14/06/2011' is a date" in problem
    assert len(listed.good("dnc", "list", "--json").json) == 2


def test_a_list_goes_on_behind_a_number(listed):
    assert [each["number"] for each in listed.good("dnc", "list", "--limit", 1, "--json").json] == ["+15550000099"]
    assert [each["number"] for each in listed.good("dnc", "list", "--after", "+15550000099", "--json").json] == ["5551"]


def test_a_file_of_bare_numbers_is_taken_and_each_bad_line_is_named(listed, tmp_path):
    file = tmp_path / "numbers.txt"
    file.write_text("15550000099\n+1 555 000 0098\nabc\n\n4.47E+11\n")
    ran = listed.run("dnc", "import", file)
    assert ran.status == 1
    assert ran.out.startswith("4 rows, 1 added, 1 already there, 0 duplicates, 2 refused\n")
    assert f"{file}:3: contact: 'abc' is not a number" in ran.err
    assert f"{file}:5: contact: '4.47E+11' is a number that a spreadsheet has rounded" in ran.err
    assert "abc" in (tmp_path / "numbers.txt.errors.csv").read_text()
    again = listed.run("dnc", "import", file, "--json")
    assert again.json == {"rows": 4, "added": 0, "already_there": 2, "duplicates": 0, "refused": 2}


def test_spellings_of_one_number_in_a_file_are_one(listed, tmp_path):
    file = tmp_path / "numbers.txt"
    file.write_text("+15550000098\n15550000098\n001 555 000 0098\n15550000099\n")
    told = {"rows": 4, "added": 1, "already_there": 1, "duplicates": 2, "refused": 0}
    assert listed.good("dnc", "import", file, "--dry-run", "--json").json == told
    ran = listed.good("dnc", "import", file, "--json")
    assert ran.json == told
    assert f"{file}:2: 15550000098 is +15550000098 of line 1" in ran.err


def test_a_table_has_a_column_for_the_reason(listed, tmp_path):
    file = tmp_path / "list.csv"
    file.write_text("Phone;Reason\n+44 20 7946 0123;asked by letter\n")
    assert listed.good("dnc", "import", file).out == "1 rows, 1 added, 0 already there, 0 duplicates, 0 refused\n"
    assert "(asked by letter)" in listed.run("dnc", "check", "00442079460123").out


def test_a_trial_writes_nothing(listed, tmp_path):
    file = tmp_path / "numbers.txt"
    file.write_text("1000\n5551\n")
    assert listed.good("dnc", "import", file, "--dry-run").out == "2 rows, 1 added, 1 already there, 0 duplicates, 0 refused\n"
    assert len(listed.good("dnc", "list", "--json").json) == 2


def test_export_and_import_again_change_nothing(listed, tmp_path, monkeypatch):
    monkeypatch.setattr("dialer.management.list_files.PAGE", 1)
    first, second = tmp_path / "one.csv", tmp_path / "two.csv"
    listed.good("dnc", "export", first)
    assert listed.good("dnc", "import", first).out == "2 rows, 0 added, 2 already there, 0 duplicates, 0 refused\n"
    listed.good("dnc", "export", second)
    assert first.read_text() == second.read_text()
    assert first.read_text().splitlines()[0] == "number,reason,since,source,expires_at"


def test_a_file_that_cannot_be_is_named(listed, tmp_path):
    assert "cannot be read: No such file or directory" in listed.refused("dnc", "import", tmp_path / "none.csv")
    assert "cannot be written" in listed.refused("dnc", "export", tmp_path / "none" / "x.csv")


def test_the_file_itself_is_no_place_for_refused_rows(listed, tmp_path):
    file = tmp_path / "numbers.txt"
    file.write_text("1000\nabc\n")
    assert listed.refused("dnc", "import", file, "--errors", file) == "--errors: is the file itself"
    assert file.read_text() == "1000\nabc\n"


def test_an_export_that_fails_leaves_the_file_as_it_is(listed, tmp_path):
    file = tmp_path / "out.csv"
    file.write_text("of yesterday\n")
    other = tmp_path / "other.toml"
    other.write_text(listed.config.read_text().replace(listed.url, "sqlite:///none.db"))
    assert listed.bare("dnc", "export", file, "-c", other).status != 0
    assert file.read_text() == "of yesterday\n"


def test_a_reason_is_one_line_and_one_that_is_not_loses_no_number(listed, tmp_path):
    for wrong in ("two\nlines", "x" * 256):
        assert "reason: expected a text of 0 to 255 characters" in listed.refused("dnc", "add", "100", "--reason", wrong)
    rows(listed.url, "UPDATE do_not_call SET reason = ? WHERE number = '5551'", "two\nlines")
    file = tmp_path / "out.csv"
    listed.good("dnc", "export", file)
    listed.good("dnc", "remove", "5551", "+15550000099")
    assert listed.good("dnc", "import", file).out.startswith("2 rows, 2 added")
    assert listed.run("dnc", "check", "5551").status == 1


# --- other lists ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def letters(unfurnished):
    return unfurnished.furnish(_list_numbers, _add_letters)


def _add_letters(commands):
    commands.good("user", "add", "ann", "--generate-password")
    assert commands.good("dnc", "new-list", "letters", "--user", "ann").out == "list letters: 2\n"


def test_a_list_has_entries_of_its_own(letters):
    given = ("--list", "letters", "--source", "a letter", "--expires", "2999-01-01")
    assert letters.good("dnc", "add", "+15550000098", *given).out == "1 added, 0 already there\n"
    assert letters.run("dnc", "check", "15550000098").status == 0
    ran = letters.run("dnc", "check", "15550000098", "--all")
    assert (ran.status, ran.out.startswith("15550000098: is on list 2 as +15550000098 since ")) == (1, True)
    assert " until 2999-01-01 00:00:00 UTC" in ran.out
    (entry,) = letters.good("dnc", "list", "--list", "letters", "--json").json
    assert (entry["source"], entry["expires_at"]) == ("a letter", "2999-01-01 00:00:00")
    assert entry["by"].endswith(" at the command line")
    assert [each["holds_for"] for each in letters.good("dnc", "lists", "--json").json] == ["everybody", "user ann"]
    assert letters.good("dnc", "drop-list", "letters").out == "list letters: removed\n"
    assert letters.refused("dnc", "list", "--list", "letters") == "--list: there is no list letters"


def test_who_changed_what_is_told(letters):
    letters.good("dnc", "remove", "5551")
    letters.good("dnc", "add", "5551")
    found = letters.good("dnc", "history", "5551", "--json").json
    assert [each["removed_at"] is None for each in found] == [False, True]
    assert all(each["added_by"].endswith(" at the command line") for each in found)
    assert len(letters.good("dnc", "history", "--json").json) == 3


def test_a_table_has_columns_for_source_and_expiry(letters, tmp_path):
    file = tmp_path / "list.csv"
    file.write_text("number;source;expires_at\n5100;a register;2999-01-01\n5101;;\n5102;;tomorrow\n5103;;2001-01-01\n")
    ran = letters.run("dnc", "import", file, "--list", "letters", "--source", "a letter", "--json")
    assert ran.json == {"rows": 4, "added": 2, "already_there": 0, "duplicates": 0, "refused": 2}, ran.err
    assert f"{file}:4: expires_at: expected a date and a time" in ran.err
    assert f"{file}:5: expires_at: has passed" in ran.err
    found = letters.good("dnc", "list", "--list", "2", "--json").json
    assert [(each["source"], each["expires_at"]) for each in found] == [
        ("a register", "2999-01-01 00:00:00"),
        ("a letter", None),
    ]
    export = tmp_path / "out.csv"
    letters.good("dnc", "export", export, "--list", "letters")
    assert letters.good("dnc", "import", export, "--list", "letters").out.startswith("2 rows, 0 added, 2 already there")


@pytest.mark.parametrize("when", ["2001-01-01", "tomorrow"])
def test_an_expiry_that_cannot_be_is_refused(letters, when):
    assert letters.refused("dnc", "add", "100", "--expires", when).startswith("--expires: ")
    file = letters.folder / "numbers.txt"
    file.write_text("100\n")
    assert letters.refused("dnc", "import", file, "--expires", when).startswith("--expires: ")
    assert letters.run("dnc", "check", "100").status == 0
