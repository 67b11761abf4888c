"""Nothing of a file is lost without a word, whatever bytes it has."""

from __future__ import annotations

import re
from unittest.mock import patch

from hypothesis import example, given
from hypothesis import strategies as st

from dialer.errors import BadValue
from dialer.files import text
from tests.unit.files.support import Read, read

HEADERS = (b"contact\n", b"contact,first_name\n", b"contact;description\r\n", b"Phone\tA\tB\r", b"sep=;\ncontact;x;;\n")
BITS = st.sampled_from(
    [
        b"15550001", b"15550002,Ana", b"+1 555;x", b'"', b'""', b",", b";", b"\t", b"|", b"\n", b"\r", b"\r\n", b"\0", b" ",
        b"x", b'="1555"', b"'1555", b"\xe9", "\u00e9".encode(), b"\x81", b"\xff\xfe", b"\xef\xbb\xbf", b"sep=;", b"112",
        b"\xc2\xa0",
    ]
)  # fmt: skip
FILES = st.one_of(
    st.binary(max_size=80),
    st.builds(lambda header, bits: header + b"".join(bits), st.sampled_from(HEADERS), st.lists(BITS, max_size=40)),
    st.builds(lambda header, tail: header + tail, st.sampled_from(HEADERS), st.binary(max_size=80)),
)
CODINGS = st.sampled_from([None, "utf-16-le", "utf-16-be", "utf-16"])
BLANK = re.compile(r'[\s"=\';,\t|]*')


def whole_text(data: bytes, found: Read) -> str:
    """What the file has, decoded at once."""
    used = found.file.text.used
    codec, errors = ("utf-8" if used == "ascii" else used), "surrogateescape"
    if used.startswith("utf-16"):
        errors = "surrogatepass"
        if len(data) % 2:
            return data[:-1].decode(codec, errors).removeprefix("\ufeff") + "\ud800"
    return data.decode(codec, errors).removeprefix("\ufeff")


def check(data: bytes) -> None:
    """Every line is part of the header, of one row that is taken or refused with a reason, or blank."""
    try:
        found = read(data)
    except BadValue as error:
        assert error.problem
        return
    lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", whole_text(data, found), re.DOTALL)
    first = found.file.table.first
    at = first.line - 1 + first.lines
    assert "".join(lines[first.line - 1 : at]) == first.raw
    for row, contact, fault in found.entries:
        assert all(BLANK.fullmatch(line) for line in lines[at : row.line - 1])
        at = row.line - 1 + row.lines
        assert "".join(lines[row.line - 1 : at]) == row.raw
        assert (contact is None) != (fault is None)
        assert fault is None or (fault.text and fault.reason)
        assert contact is None or re.sub(r"\D", "", contact.number) in re.sub(r"\D", "", row.raw)
    assert all(BLANK.fullmatch(line) for line in lines[at:])


@given(FILES)
@example(b'contact\n"15550001\n15550002\n')
@example(b'contact,description\n15550001,"\n\n"\n')
@example(b"contact\n\xe9\n\xc3\xa9\n")
def test_every_line_is_taken_refused_or_blank(data: bytes) -> None:
    check(data)


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=60), CODINGS)
def test_so_is_every_line_of_text_in_any_encoding(tail: str, coding: str | None) -> None:
    check(("contact,first_name\n15550001,Ana\n" + tail).encode(coding or "utf-8", "surrogatepass"))


@given(FILES)
def test_refused_rows_that_nobody_corrects_are_refused_again(data: bytes) -> None:
    try:
        found = read(data)
    except BadValue:
        return
    file = found.file
    rows = [file.row_with_error(row, fault.text) for row, _, fault in found.entries if fault is not None]
    again = file.text.mark + b"".join(map(file.text.encode, [file.header_with_error(), *rows]))
    encoding = {"windows-1252": "cp1252", "ascii": "utf-8"}.get(file.text.used, file.text.used)
    assert read(again, encoding=encoding).numbers == []


@given(FILES)
def test_the_same_rows_are_read_whatever_the_size_of_the_pieces(data: bytes) -> None:
    def outcome(piece: int) -> object:
        with patch.object(text, "PIECE", piece):
            try:
                return [(entry.row, entry.contact, entry.fault) for entry in read(data, encoding="utf-8").entries]
            except BadValue as error:
                return str(error)

    assert outcome(3) == outcome(100_000)
