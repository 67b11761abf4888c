"""`dialer contact`, but for `import`."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dialer.management import contact_list
from tests.grounds import on_sqlite, rows
from tests.unit.cli.support import Commands, Ran
from tests.unit.cli.test_contact_import import SPELLINGS, add_spring, import_file, numbers

HEADER = "contact,first_name,last_name,email,description,reference,priority,time_zone,"
HEADER += "consent_basis,consent_given_at,consent_expires_at,consent_proof,additional_vars\n"


@pytest.fixture
def spring(unfurnished: Commands) -> Commands:
    """A user with a paused campaign, which has a phonebook of its name."""
    return unfurnished.furnish(add_spring)


@pytest.fixture
def ana(unfurnished: Commands) -> Commands:
    """The same with a contact."""
    return unfurnished.furnish(add_spring, _add_ana)


def _add_ana(commands: Commands) -> None:
    add(commands, "+1 (555) 123-0001", "--first-name", "Ana", "--var", "city=Lima", "--var", "shoe=38")


def add(commands: Commands, number: object, *more: object) -> Ran:
    return commands.good("contact", "add", number, "--phonebook", "spring", *more)


def shown(commands: Commands, name: object) -> dict[str, Any]:
    found: dict[str, Any] = commands.good("contact", "show", name, "--phonebook", "spring", "--json").json
    return found


# --- add ------------------------------------------------------------------------------------------------------------------


def test_a_contact_stands_in_its_phonebook_and_in_the_campaigns(ana):
    assert numbers(ana) == numbers(ana, "subscriber") == ["+15551230001"]
    found = shown(ana, "+15551230001")
    assert (found["first_name"], found["additional_vars"]) == ("Ana", {"city": "Lima", "shoe": "38"})
    assert add(ana, "15551230002", "--json").json == {"id": 2}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_number_that_is_there_is_named_as_it_stands_there(ana, spelling):
    assert ana.refused("contact", "add", spelling, "--phonebook", "spring") == "number: +15551230001 exists already"
    assert len(numbers(ana)) == 1


def test_the_limits_and_the_lists_of_the_user_hold(ana):
    ana.good("user", "set", "ann", "--max-number-subscriber-campaign", 1)
    assert "the maximum contacts of 1 is exceeded" in ana.failed("contact", "add", "15551230002", "--phonebook", "spring")
    ana.good("user", "set", "ann", "--max-number-subscriber-campaign", "none", "--blacklist", "49")
    assert "is on the blacklist" in ana.refused("contact", "add", "+49 30 123456", "--phonebook", "spring")
    assert len(numbers(ana)) == 1


@on_sqlite
@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("112",), "number: 112 is an emergency number"),
        (("none",), "number: 'none' is not a number"),
        (("15551230002", "--var", "city"), "--var: expected KEY=VALUE"),
        (("15551230002", "--var", "a=1", "--var", "a=2"), "--var: is there twice"),
        (("15551230002", "--var", "a b=1"), "additional_vars: expected"),
        (("15551230002", "--email", "x" * 256), "--email: expected"),
    ],
)
def test_what_is_wrong_with_a_new_contact_is_told_and_nothing_is_done(spring, words, why):
    assert why in spring.refused("contact", "add", *words, "--phonebook", "spring")
    assert numbers(spring) == []


@on_sqlite
def test_the_installations_own_emergency_numbers_are_refused_by_every_command(spring):
    text = spring.config.read_text()
    spring.config.write_text(text.replace("[numbers]\n", '[numbers]\nemergency = ["0800555"]\n', 1))
    why = "number: 0800555 is an emergency number"
    assert why in spring.refused("contact", "add", "0800555", "--phonebook", "spring")
    file = spring.folder / "people.csv"
    file.write_text("contact\n0800555\n15551230001\n")
    spring.run("contact", "import", file, "--phonebook", "spring")
    assert numbers(spring) == ["15551230001"]


@on_sqlite
@pytest.mark.parametrize("words", [("add", "1555"), ("list",), ("show", "1555"), ("set", "1555", "--email", "x"), ("export",)])
def test_a_phonebook_that_is_not_there_is_named(spring, words):
    assert spring.refused("contact", *words, "--phonebook", "autumn") == "--phonebook: there is no phonebook autumn"


# --- list and show --------------------------------------------------------------------------------------------------------


def listed(commands: Commands, *more: object) -> list[str]:
    found = commands.good("contact", "list", "--phonebook", "spring", "--json", *more).json
    return [each["number"] for each in found]


def test_a_phonebook_is_listed_page_by_page(spring):
    import_file(spring, "contact\n" + "".join(f"1555123000{n}\n" for n in range(5)))
    assert listed(spring, "--limit", 2) == ["15551230000", "15551230001"]
    assert listed(spring, "--limit", 2, "--after", 2) == ["15551230002", "15551230003"]
    assert listed(spring, "--after", 4) == ["15551230004"]
    page = spring.good("contact", "list", "--phonebook", "spring", "--limit", 2)
    assert page.err == "there may be more: --after 2\n"
    assert page.out.count("1555123") == 2
    assert spring.good("contact", "list", "--phonebook", "spring").err == ""


@on_sqlite
@pytest.mark.parametrize("words", [("--limit", "0"), ("--limit", "x"), ("--after", "-1"), ("--after", 10**30)])
def test_a_page_that_cannot_be_is_refused(spring, words):
    assert spring.run("contact", "list", "--phonebook", "spring", *words).status == 2


def test_doubles_are_shown_as_such(ana):
    rows(
        ana.url,
        "INSERT INTO contact (phonebook_id, number, identity, first_name, last_name, email, description, additional_vars, "
        "created_at, updated_at, double_of) SELECT phonebook_id, '0015551230001', identity, 'Anita', '', '', '', '{}', "
        "created_at, updated_at, id FROM contact",
    )
    first, second = ana.good("contact", "list", "--phonebook", "spring", "--json").json
    assert (first["double_of"], second["double_of"]) == (None, first["id"])
    assert shown(ana, "0015551230001")["doubles"] == ["0015551230001"]
    of_the_double = shown(ana, second["id"])
    assert (of_the_double["first_name"], of_the_double["double_of"]) == ("Anita", first["id"])
    assert [each["campaign"] for each in of_the_double["campaigns"]] == ["spring"]
    assert "number: 0015551230001 exists already" in ana.refused(
        "contact", "set", "15551230001", "--phonebook", "spring", "--number", "0015551230001"
    )


@on_sqlite
def test_more_digits_than_any_number_has_are_refused_as_such(ana):
    digits = "5" * 4301  # more than Python makes a number of
    told = ana.refused("contact", "show", digits, "--phonebook", "spring")
    assert re.fullmatch(r"number: '5+\S* has 4301 digits; .*", told), told
    listed = ana.run("contact", "list", "--phonebook", "spring", "--limit", digits)
    assert (listed.status, "expected a whole number" in listed.err) == (2, True)
    for wanted in (f"contact={digits}", f"-={digits}"):
        imported = import_file(ana, "a,b\n+15551230002,x\n", f"--map={wanted}")
        assert "there is no column '555" in imported.err, imported.err


@pytest.mark.parametrize("spelling", [*SPELLINGS, "1"])
def test_a_contact_is_found_by_any_spelling_and_by_its_id(ana, spelling):
    found = shown(ana, spelling)
    assert (found["id"], found["number"], found["doubles"], found["attempts"]) == (1, "+15551230001", [], [])
    assert [(each["campaign"], each["status"], each["count_attempt"]) for each in found["campaigns"]] == [
        ("spring", "start", 0)
    ]


def test_the_attempts_to_reach_a_contact_are_shown(ana):
    rows(
        ana.url,
        "INSERT INTO attempt (call_uuid, campaign_id, subscriber_id, gateway_id, number, identity, dial_string, "
        "number_of_attempt, state, owner, epoch, core_uuid, planned_at, due_at, deadline) VALUES "
        "('u', 1, 1, 1, '+15551230001', '15551230001', 'x', 1, 'ringing', 'n', 1, '', "
        "'2026-01-02 03:04:05.000000', '2026-01-02 03:04:05.000000', '2026-01-02 03:04:05.000000')",
    )
    (attempt,) = shown(ana, "1")["attempts"]
    assert (attempt["campaign"], attempt["state"], attempt["planned_at"]) == ("spring", "ringing", "2026-01-02 03:04:05")
    out = ana.good("contact", "show", "15551230001", "--phonebook", "spring").out
    assert "Ana" in out
    assert re.search(r"spring +\+15551230001 +2026-01-02 03:04:05 +ringing", out)


@on_sqlite
def test_a_contact_that_is_not_there_or_not_in_this_phonebook_is_named(ana):
    for text in ("15551230009", "9"):
        assert ana.failed("contact", "show", text, "--phonebook", "spring") == f"there is no contact {text}"
    ana.good("phonebook", "add", "autumn", "--user", "ann")
    assert ana.failed("contact", "show", "1", "--phonebook", "autumn") == "there is no contact 1"
    assert "number: 'Ana' is not a number" in ana.refused("contact", "show", "Ana", "--phonebook", "spring")


def test_a_removed_contact_is_not_found(ana):
    rows(ana.url, "UPDATE contact SET archived_at = '2026-01-01 00:00:00.000000', number = number || '#*1'")
    assert listed(ana) == []
    assert ana.failed("contact", "show", "1", "--phonebook", "spring") == "there is no contact 1"


@on_sqlite
def test_one_contact_is_found_without_reading_the_others(ana, monkeypatch):
    monkeypatch.setattr(contact_list, "page", None)
    assert shown(ana, "15551230001")["id"] == 1


def test_the_numbers_of_a_phonebook_are_those_of_its_region(spring):
    spring.good("phonebook", "add", "berlin", "--user", "ann", "--region", "DE")
    spring.good("contact", "add", "030 123456", "--phonebook", "berlin")
    ran = spring.good("contact", "show", "+49 30 123456", "--phonebook", "berlin", "--json")
    assert ran.json["number"] == "030123456"


# --- set ------------------------------------------------------------------------------------------------------------------


def change(commands: Commands, *more: object, name: object = "15551230001") -> Ran:
    return commands.run("contact", "set", name, "--phonebook", "spring", *more)


def test_a_contact_is_changed_where_something_is_named(ana):
    assert change(ana, "--last-name", "Ruiz", "--var", "city=Cusco", "--var", "shoe=", "--var", "hat=7").status == 0
    found = shown(ana, 1)
    assert (found["first_name"], found["last_name"]) == ("Ana", "Ruiz")
    assert found["additional_vars"] == {"city": "Cusco", "hat": "7"}
    assert change(ana, "--first-name", "").status == 0
    assert shown(ana, 1)["first_name"] == ""


def test_another_spelling_of_its_number_is_taken(ana):
    assert change(ana, "--number", "001 555 123 0001").status == 0
    assert numbers(ana) == ["0015551230001"]
    assert [each["campaign"] for each in shown(ana, 1)["campaigns"]] == ["spring"]


def test_another_number_is_another_contact(ana):
    refusal = Commands.one_line(change(ana, "--number", "15551230002", "--first-name", "Eva"))
    assert refusal == "number: 15551230002 is another number than +15551230001: add it as a new contact, and remove this one"
    assert (shown(ana, 1)["first_name"], numbers(ana)) == ("Ana", ["+15551230001"])


@on_sqlite
def test_a_change_that_cannot_be_is_refused(ana):
    assert "name what shall be changed" in Commands.one_line(change(ana))
    assert "there is no contact" in change(ana, "--email", "x", name="15551230009").err
    assert "additional_vars: expected" in Commands.one_line(change(ana, "--var", "a b=1"))
    assert "number: " in Commands.one_line(change(ana, "--number", "x"))


# --- export ---------------------------------------------------------------------------------------------------------------


def exported(commands: Commands, phonebook: object = "spring", *more: object) -> str:
    file = commands.folder / f"{phonebook}.csv"
    commands.good("contact", "export", file, "--phonebook", phonebook, *more)
    assert [path.name for path in commands.folder.glob("*.part")] == []
    return file.read_bytes().decode()


def test_a_phonebook_is_written_to_a_file_or_to_standard_output(ana):
    text = exported(ana)
    assert text == HEADER + '+15551230001,Ana,,,,,5,,,,,,"city=Lima,shoe=38"\n'
    assert ana.good("contact", "export", "--phonebook", "spring").out == text
    assert ana.good("phonebook", "export", "spring").out == text
    assert exported(ana) == text


def test_all_pages_are_written(spring, monkeypatch):
    monkeypatch.setattr(contact_list, "PAGE", 3)
    import_file(spring, "contact\n" + "".join(f"1555123000{n}\n" for n in range(6)))
    assert [line[:11] for line in exported(spring).splitlines()[1:]] == [f"1555123000{n}" for n in range(6)]
    add(spring, "15551230006")
    assert len(exported(spring).splitlines()) == 8


def test_a_program_gets_an_object_a_line(ana):
    add(ana, "15551230002", "--description", "two\nlines")
    first, second = (json.loads(line) for line in exported(ana, "spring", "--json").splitlines())
    assert (first["number"], first["additional_vars"]) == ("+15551230001", {"city": "Lima", "shoe": "38"})
    assert second["description"] == "two\nlines"


@on_sqlite
def test_a_file_that_cannot_be_written_is_named_and_an_old_one_stays(ana, monkeypatch):
    refusal = ana.refused("contact", "export", ana.folder / "nowhere" / "x.csv", "--phonebook", "spring")
    assert "x.csv: cannot be written: No such file or directory" in refusal
    old = ana.folder / "old.csv"
    old.write_text("old")
    assert "there is no phonebook" in ana.refused("contact", "export", old, "--phonebook", "autumn")
    assert old.read_text() == "old"


# Bits of texts: spreadsheets' formulas, quotes, ends of lines, and lines that look like rows.
BITS = st.sampled_from(
    ["a", "é", "日", "=", "+", "-", "'", '"', '="', ",", ";", "\n", "\r", "\r\n", "\t", "|", " ", "{", "}", "\\", "\u2028",
     "\ufeff", "15551230009", "\n15551230009,a,b,c,d,e", "&CHAR(10)&", '"&CHAR(10)&"', "additional_vars", "x=1"]
)  # fmt: skip
LINES = st.one_of(st.just("a\n" * 150 + "b"), st.lists(BITS, max_size=9).map("".join))
WORDS = LINES.map(lambda text: re.sub(r"[\x00-\x1f]", "", text)[:200])
CONTACTS = st.lists(
    st.tuples(WORDS, WORDS, LINES, st.dictionaries(st.sampled_from(["a", "contact", "error", "x-1.b"]), WORDS, max_size=3)),
    min_size=1,
    max_size=4,
)


@on_sqlite
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(contacts=CONTACTS)
@example(contacts=[('="x"', "'", "a\n" * 150 + "b", {"a": ""}), ("", "", "\r\n15551230009,a,b,c,d,e\n'", {"a": " x"})])
@example(contacts=[('="a"&CHAR(10)&"b"', "=1+1", '="a\nb"', {"error": '="x"'})])
def test_what_is_exported_and_imported_is_the_same(spring, contacts):
    for table in ("subscriber", "contact"):
        rows(spring.url, f"DELETE FROM {table}")
    for name in ("one", "two"):
        if name not in [each["name"] for each in spring.good("phonebook", "list", "--json").json]:
            spring.good("phonebook", "add", name, "--user", "ann")
    wanted = []
    for number, (first, last, description, variables) in enumerate(contacts):
        wanted.append((f"+1555123{number:04}", first.strip(), last.strip(), description.strip(), variables))
        row = [text.replace("'", "''") for text in (*wanted[-1][:4], json.dumps(variables))]
        rows(
            spring.url,
            "INSERT INTO contact (phonebook_id, number, identity, first_name, last_name, email, description, additional_vars, "
            f"created_at, updated_at) SELECT id, '{row[0]}', '{row[0][1:]}', '{row[1]}', '{row[2]}', '', '{row[3]}', "
            f"'{row[4]}', created_at, created_at FROM phonebook WHERE name = 'one'",
        )
    text = exported(spring, "one")
    ran = spring.run("contact", "import", spring.folder / "one.csv", "--phonebook", "two")
    assert (ran.status, ran.err) == (0, "")
    assert exported(spring, "two") == text
    names = ("number", "first_name", "last_name", "description", "additional_vars")
    found = spring.good("contact", "list", "--phonebook", "two", "--json").json
    assert [tuple(each[name] for name in names) for each in found] == wanted


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_contact_is_removed_in_any_spelling_and_can_be_added_again(ana, spelling):
    assert ana.good("contact", "remove", spelling, "--phonebook", "spring").out == f"contact {spelling} removed\n"
    assert numbers(ana) == numbers(ana, "subscriber") == []
    assert "there is no contact" in ana.failed("contact", "remove", spelling, "--phonebook", "spring")
    add(ana, "15551230001")


def test_the_word_of_the_client_comes_with_the_file_and_goes_with_it(ana):
    ana.good("contact", "set", "+15551230001", "--phonebook", "spring", "--reference", "crm-1")
    (ana.folder / "more.csv").write_text("Phone,Reference\n15551230002,crm-2\n")
    ana.good("contact", "import", ana.folder / "more.csv", "--phonebook", "spring")
    assert [line.split(",")[:6] for line in exported(ana).splitlines()[1:]] == [
        ["+15551230001", "Ana", "", "", "", "crm-1"],
        ["15551230002", "", "", "", "", "crm-2"],
    ]
