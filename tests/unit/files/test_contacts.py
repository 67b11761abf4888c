"""The contacts of a file, and the faults of the rows that are none."""

from __future__ import annotations

import pytest

from dialer.errors import BadValue
from tests.unit.files.support import read


def test_the_named_columns_are_kept_and_the_others_become_variables() -> None:
    contact = read("contact,first_name,City\n15550001,Ana,Lima\n").contacts[0]
    assert (contact.number, contact.first_name, dict(contact.additional_vars)) == ("15550001", "Ana", {"City": "Lima"})


def test_quoted_commas_and_crlf_are_read_as_rfc_4180_says() -> None:
    assert read('contact,last_name\r\n"15550001","Doe, ""Jr"""\r\n').contacts[0].last_name == 'Doe, "Jr"'


def test_separators_in_a_number_are_taken_out() -> None:
    assert read("contact\n+1 (555) 000-1234\n").numbers == ["+15550001234"]


def test_a_bad_number_is_a_fault_of_its_line_and_the_rest_is_kept() -> None:
    found = read("contact\n15550001\nnot a number\n15550002\n")
    assert found.numbers == ["15550001", "15550002"]
    assert list(found.faults) == [3]
    assert "contact" in found.faults[3]


def test_the_line_of_a_row_is_that_of_its_first_line_in_the_file() -> None:
    found = read('contact,description\n15550001,"two\nlines"\nbad,x\n')
    assert found.contacts[0].description == "two\nlines"
    assert list(found.faults) == [4]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("15550001,Ana,extra", "3 fields, but the header has 2"),
        ("112,Ana", "emergency number"),
        ("15550001,A\0a", "NUL"),
        ("15550001," + "x" * 256, "first_name: expected a text of 0 to 255 characters"),
        ('15550001,"Ana\nX"', "first_name: expected"),
        ('15550001,"Ana"x', "behind the end of a quoted field"),
        (",Ana", "contact: "),
    ],
)
def test_a_row_that_is_no_contact_is_refused_with_its_reason(row: str, why: str) -> None:
    found = read(f"contact,first_name\n15551111,Bo\n{row}\n15552222,Cy\n")
    assert found.numbers == ["15551111", "15552222"]
    assert list(found.faults) == [3]
    assert why in found.faults[3]


def test_a_variable_that_is_too_long_is_named_by_its_column() -> None:
    found = read("contact,city\n15550001," + "x" * 1001 + "\n")
    assert "city: expected a text of at most 1000 characters" in found.faults[2]


def test_empty_rows_and_empty_columns_at_the_end_are_skipped() -> None:
    assert read("contact;first_name;;\n\n15550001;Ana;;\n  \n;;;\n15550002;Bo\n").numbers == ["15550001", "15550002"]


def test_empty_fields_that_excel_left_out_at_the_end_of_a_row_are_empty() -> None:
    found = read("contact;first_name;city\n15550001;Ana;Lima\n15550002;Bo\n15550003\n")
    assert found.numbers == ["15550001", "15550002", "15550003"]
    assert [(each.first_name, dict(each.additional_vars)) for each in found.contacts[1:]] == [("Bo", {}), ("", {})]


def test_a_row_that_is_too_short_for_its_number_is_refused() -> None:
    assert "1 field, but the header has 2" in read("first_name,contact\nAna\n").faults[2]


def test_a_file_that_may_have_been_cut_off_in_its_last_row_has_that_row_refused() -> None:
    found = read("contact,first_name,city\n15550001,Ana,Lima\n15550002,Bo")
    assert found.numbers == ["15550001"]
    assert found.faults[3] == "2 fields, but the header has 3, and the file ends in this line"


def test_a_value_in_a_column_without_a_name_is_refused() -> None:
    assert "no name" in read("contact,,city\n15550001,x,Lima\n").faults[2]


@pytest.mark.parametrize("cell", ['="5551230001"', "'5551230001", '"=""5551230001"""', " 5551230001 ", "\u00a05551230001"])
def test_a_number_is_found_in_what_excel_makes_of_it(cell: str) -> None:
    assert read(f"contact,first_name\n{cell},Ana\n").numbers == ["5551230001"]


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [
        ("contact;first_name", ";"),
        ("contact,first_name", ","),
        ("contact\tfirst_name", "\t"),
        ("contact|first_name", "|"),
        ('contact;"Name, first"', ";"),
        ("Name, first;contact", ";"),
        ("Name, first, last;contact", ";"),
        ("contact", ","),
    ],
)
def test_the_delimiter_is_that_of_the_header(header: str, delimiter: str) -> None:
    assert read(f"{header}\n").file.table.delimiter == delimiter


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;\r", "sep=;;;"])
def test_a_first_line_may_name_the_delimiter(line: str) -> None:
    found = read(f"{line}\ncontact;a,b,c\n15550001;x\n")
    assert (found.numbers, dict(found.contacts[0].additional_vars)) == (["15550001"], {"a_b_c": "x"})


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_on_unix_windows_or_an_old_mac(end: str) -> None:
    found = read(end.join(["contact,first_name", "15550001,Ana", "", "x,Bo", "15550002,Cy"]))
    assert found.numbers == ["15550001", "15550002"]
    assert list(found.faults) == [4]


# --- quotes that are not closed ---------------------------------------------------------------------------------------------


def test_only_the_row_of_a_quote_that_is_not_closed_is_refused() -> None:
    found = read('contact,first_name\n15550001,"Ana\n15550002,Bo\n15550003,"Cy"\n')
    assert found.numbers == ["15550002", "15550003"]
    assert "quote is not closed" in found.faults[2]


def test_two_rows_with_open_quotes_do_not_swallow_what_stands_between() -> None:
    found = read('contact,description\n15550001,"Ana\n15550002,Bo\n15550003,"\n15550004,Cy\n')
    assert found.numbers == ["15550002", "15550004"]
    assert list(found.faults) == [2, 4]


def test_a_quote_that_is_not_closed_costs_one_row_however_many_follow() -> None:
    rows = "".join(f"1555{n:04},x\n" for n in range(1000))
    found = read(f'contact,first_name\n1444,"Ana\n{rows}')
    assert (len(found.numbers), list(found.faults)) == (1000, [2])


def test_a_file_that_is_cut_off_inside_quotes_loses_only_its_last_row() -> None:
    found = read('contact,first_name\n15550001,"Ana"\n15550002,"B')
    assert (found.numbers, list(found.faults)) == (["15550001"], [3])


def test_a_line_without_an_end_is_a_row() -> None:
    assert read("contact\n15550001\n15550002").numbers == ["15550001", "15550002"]


def test_a_text_may_have_several_lines() -> None:
    text = "\n".join(f"line {n}" for n in range(50))
    assert read(f'contact,description\n15550001,"{text}"\n').contacts[0].description == text


# --- columns ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "contact", "CONTACT", " Contact ", "number", "Number", "Phone", "phone_number", "Phone Number", "PHONE-NUMBER",
        "Mobile", "Telefon", "T\u00e9l\u00e9phone", "Tel", "Cell phone",
    ],
)  # fmt: skip
def test_the_column_of_the_number_is_found_by_its_usual_names(name: str) -> None:
    assert read(f"Name,{name}\nx,15550001\n").numbers == ["15550001"]


def test_an_exact_name_comes_before_the_usual_ones() -> None:
    contact = read("Phone,contact,Mobile\n1,15550001,3\n").contacts[0]
    assert (contact.number, dict(contact.additional_vars)) == ("15550001", {"Phone": "1", "Mobile": "3"})


@pytest.mark.parametrize("header", ["Phone,Mobile", "contact,number", "contact,Contact"])
def test_two_columns_that_could_be_the_number_are_refused(header: str) -> None:
    with pytest.raises(BadValue, match=r"could be the number; .*--map contact=1"):
        read(f"{header}\n1,2\n")


def test_columns_are_named_by_the_command() -> None:
    columns = {"contact": "Phone", "first_name": "Vorname", "town": "4"}
    contact = read("Phone,Mobile,vorname,Ort\n15550001,2,Ana,Lima\n", columns=columns).contacts[0]
    assert (contact.number, contact.first_name) == ("15550001", "Ana")
    assert dict(contact.additional_vars) == {"Mobile": "2", "town": "Lima"}


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"contact": "Phon"}, "there is no column 'Phon'"),
        ({"contact": "9"}, "there is no column '9'"),
        ({"contact": "1", "first_name": "Phone"}, "cannot be contact and first_name"),
        ({"my name": "Phone"}, "'my name' is no name"),
        ({"city": "\u00e1"}, "several columns are called"),
    ],
)
def test_a_column_that_cannot_be_is_refused(columns: dict[str, str], why: str) -> None:
    with pytest.raises(BadValue, match=why) as caught:
        read("Phone,a,A\n1,2,3\n", columns=columns)
    assert caught.value.field == "--map"


def test_the_names_of_variables_are_made_of_what_they_may_have() -> None:
    contact = read("contact,City of birth,Citt\u00e0 (it),ok.name-1\n15550001,a,b,c\n").contacts[0]
    assert dict(contact.additional_vars) == {"City_of_birth": "a", "Citta_it": "b", "ok.name-1": "c"}


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("contact,a b,a_b", "would both be a_b"),
        ("contact,First Name,first_name", "would both be first_name"),
        ("contact,???", "gives no name for a variable"),
        ("contact," + ",".join(f"v{n}" for n in range(101)), "at most 100"),
        ("15550001,Ana", "no header: .*--no-header"),
        ("name,email", "no column is called `contact`; .*--map.*'name', 'email'"),
        ("", "is empty"),
        ("\n \n;;\n", "is empty"),
        ('contact,"first', "quote"),
        ("contact,\0", "NUL"),
        ("PK\x03\x04rubbish", "Excel"),
        ("%PDF-1.4", "PDF"),
    ],
)
def test_a_file_that_is_no_list_of_contacts_is_refused_with_what_was_expected(header: str, why: str) -> None:
    with pytest.raises(BadValue, match=why) as caught:
        read(f"{header}\n")
    assert caught.value.field == "test.csv"


def test_variables_in_one_column_join_those_of_their_own() -> None:
    contact = read('contact,city,additional_vars\n15550001,Lima,"{""plan"": ""gold""}"\n').contacts[0]
    assert dict(contact.additional_vars) == {"city": "Lima", "plan": "gold"}
    assert "city has a column of its own" in read("contact,city,additional_vars\n15550001,Lima,city=Rome\n").faults[2]
    assert "additional_vars: expected" in read("contact,additional_vars\n15550001,rubbish\n").faults[2]


def test_without_a_header_the_first_column_is_the_number() -> None:
    found = read("15550001;Ana;Lima\n15550002;Bo;\n", header=False)
    assert found.numbers == ["15550001", "15550002"]
    assert dict(found.contacts[0].additional_vars) == {"column_2": "Ana", "column_3": "Lima"}


def test_without_a_header_columns_are_named_by_their_places() -> None:
    contact = read("Ana;15550001\n", header=False, columns={"contact": "2", "first_name": "1"}).contacts[0]
    assert (contact.number, contact.first_name, dict(contact.additional_vars)) == ("15550001", "Ana", {})


# --- rows that are not taken, for another try -------------------------------------------------------------------------------


def errors_of(data: str | bytes, **reading: object) -> bytes:
    """What a file of the refused rows has."""
    found = read(data, **reading)
    file = found.file
    rows = [file.row_with_error(row, fault.text) for row, _, fault in found.entries if fault is not None]
    return file.text.mark + b"".join(map(file.text.encode, [file.header_with_error(), *rows]))


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"sep=;\r\nPhone;A\r\nx;1\r\n", [b"sep=;", b'Phone;A;"error"', b"x;1;"]),
        (b"a,contact\n1,2,3\n1\n", [b'a,contact,"error"', b"1,2,3,", b"1,"]),
        (b"contact,a,b\nx\n1,2", [b'contact,a,b,"error"', b"x,,,", b"1,2,"]),
        (b'contact,a\n155500,"x\n', [b'contact,a,"error"', b'155500,"x,']),
        (b"contact,a,,\nx,1\nx,2,,,,\n", [b'contact,a,,,"error"', b"x,1,,,", b"x,2,,,"]),
        (b"contact,a\nx,Jos\xe9\n", [b'contact,a,"error"', b"x,Jos\xe9,"]),
        ("contact,\u00e9\nx,\u00e9\n".encode() + b"1555,\xff\n", [b'contact,\xc3\xa9,"error"', b"x,\xc3\xa9,", b"1555,\xff,"]),
        (b"contact,error\nx,earlier\ny\n", [b"contact,error", b"x,", b"y,"]),
    ],
)
def test_a_refused_row_stands_as_it_stood_with_its_error(data: bytes, lines: list[bytes]) -> None:
    found = errors_of(data).splitlines()
    assert len(found) == len(lines)
    for line, beginning in zip(found, lines, strict=True):
        assert line.startswith(beginning)
    assert b"earlier" not in b"".join(found)


def test_a_corrected_row_is_taken_and_its_error_ignored() -> None:
    again = errors_of('contact;first_name;city\nx;"Ana; B";Lima\n15550002').replace(b"x;", b"15550001;")
    found = read(again)
    assert found.numbers == ["15550001"]
    assert (found.contacts[0].first_name, dict(found.contacts[0].additional_vars)) == ("Ana; B", {"city": "Lima"})
    assert list(found.faults) == [3]


def test_refused_rows_without_a_header_get_one() -> None:
    again = errors_of("15550001,Ana\nx,Bo\n", header=False).replace(b"x,", b"15550002,")
    assert again.startswith(b"contact,column_2,error")
    assert dict(read(again).contacts[0].additional_vars) == {"column_2": "Bo"}


def test_a_file_of_refused_rows_has_the_encoding_of_the_file() -> None:
    again = errors_of("contact;a\nx;\u0159\n".encode("utf-16"))
    assert again.startswith(b"\xff\xfe")
    assert again.decode("utf-16").splitlines()[1].startswith("x;\u0159;")


@pytest.mark.parametrize("column", ["time_zone", "Time Zone", "timezone"])
def test_where_a_contact_is_has_a_column(column: str) -> None:
    found = read(f"contact,{column}\n15550001,America/Denver\n15550002,\n15550003,Mars/North\n15550004,  \n")
    assert [contact.time_zone for contact in found.contacts] == ["America/Denver", "", ""]
    assert list(found.faults) == [4]
    assert found.faults[4].startswith("time_zone: expected the name of a time zone such as Europe/Madrid")
