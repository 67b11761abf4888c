"""Contacts from CSV files."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.errors import BadValue
from dialer.imports import parse_contacts, read_contacts


def numbers(text: str) -> list[str]:
    return [contact.number for contact in parse_contacts(text, "test.csv").contacts]


def problems(text: str) -> dict[int, str]:
    return {row.line: row.reason for row in parse_contacts(text, "test.csv").bad_rows}


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_the_named_columns_are_kept_and_the_others_become_variables() -> None:
    file = parse_contacts("contact,first_name,city\n15550001,Ana,Lima\n", "test.csv")
    contact = file.contacts[0]
    assert (contact.number, contact.first_name, dict(contact.additional_vars)) == ("15550001", "Ana", {"city": "Lima"})


def test_a_byte_order_mark_is_tolerated(tmp_path: Path) -> None:
    file = read_contacts(write(tmp_path / "c.csv", b"\xef\xbb\xbfcontact\r\n15550001\r\n"))
    assert [contact.number for contact in file.contacts] == ["15550001"]


def test_quoted_commas_and_crlf_are_read_as_rfc_4180_says() -> None:
    file = parse_contacts('contact,last_name\r\n"15550001","Doe, ""Jr"""\r\n', "test.csv")
    assert file.contacts[0].last_name == 'Doe, "Jr"'


def test_columns_may_stand_in_any_order_and_case() -> None:
    assert numbers("Name,CONTACT\nx,15550001\n") == ["15550001"]


def test_separators_in_a_number_are_taken_out() -> None:
    assert numbers("contact\n+1 (555) 000-1234\n") == ["+15550001234"]


def test_a_bad_number_is_reported_with_its_line_and_the_rest_is_kept() -> None:
    text = "contact\n15550001\nnot a number\n15550002\n"
    assert numbers(text) == ["15550001", "15550002"]
    assert list(problems(text)) == [3]
    assert "contact" in problems(text)[3]


def test_the_line_of_a_row_is_that_of_its_first_line_in_the_file() -> None:
    text = 'contact,description\n15550001,"two\nlines"\nbad,x\n'
    assert list(problems(text)) == [4]


def test_a_number_that_occurs_twice_is_dialled_once() -> None:
    text = "contact\n15550001\n1555-0001\n"
    assert numbers(text) == ["15550001"]
    assert "already" in problems(text)[3]


def test_a_row_with_too_many_fields_is_refused() -> None:
    assert list(problems("contact,first_name\n15550001,Ana,extra\n")) == [2]


def test_an_emergency_number_is_refused() -> None:
    assert "emergency" in problems("contact\n112\n")[2]


def test_bytes_that_are_not_utf8_cost_only_their_row(tmp_path: Path) -> None:
    file = read_contacts(write(tmp_path / "c.csv", b"contact,first_name\n15550001,Jos\xe9\n15550002,Ana\n"))
    assert [contact.number for contact in file.contacts] == ["15550002"]
    assert file.bad_rows[0].line == 2
    assert "UTF-8" in file.bad_rows[0].reason


def test_a_line_break_inside_a_name_is_refused() -> None:
    assert list(problems('contact,first_name\n15550001,"Ana\nX"\n')) == [2]


def test_empty_rows_are_skipped() -> None:
    assert numbers("contact\n\n15550001\n  \n") == ["15550001"]


def test_an_unclosed_quote_is_reported_and_nothing_of_it_is_dialled() -> None:
    text = 'contact,first_name\n15550001,"Ana\n15550002,Bo\n'
    assert numbers(text) == []
    assert list(problems(text)) == [2]


@pytest.mark.parametrize(
    "text", ["", "\n", "15550001\n15550002\n", "name,phone\nAna,1\n", "\x00\x01\x02", "PK\x03\x04rubbish"]
)
def test_a_file_that_is_no_contact_list_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(BadValue, match="one of them `contact`"):
        parse_contacts(text, "test.csv")


def test_a_repeated_column_is_refused() -> None:
    with pytest.raises(BadValue, match="more than once"):
        parse_contacts("contact,contact\n1,2\n", "test.csv")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadValue, match=r"missing\.csv: cannot be read"):
        read_contacts(tmp_path / "missing.csv")


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="cannot be read"):
        read_contacts(tmp_path)
