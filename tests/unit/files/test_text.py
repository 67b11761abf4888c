"""Encodings."""

from __future__ import annotations

import codecs
import io

import pytest

from dialer.errors import BadValue
from dialer.files import text as module
from dialer.files.text import TextFile
from tests.unit.files.support import read

NAMES = "contact;first_name\r\n15550001;Jos\u00e9 \u20ac\r\n15550002;\u00c5sa\r\n"


@pytest.mark.parametrize(
    ("data", "used"),
    [
        (NAMES.encode(), "utf-8"),
        (NAMES.encode("utf-8-sig"), "utf-8"),
        (codecs.BOM_UTF16_LE + NAMES.encode("utf-16-le"), "utf-16-le"),
        (codecs.BOM_UTF16_BE + NAMES.encode("utf-16-be"), "utf-16-be"),
        (NAMES.encode("utf-16-le"), "utf-16-le"),
        (NAMES.encode("utf-16-be"), "utf-16-be"),
        (NAMES.encode("cp1252"), "windows-1252"),
    ],
)
@pytest.mark.parametrize("piece", [1, 7, 64, 100_000])
def test_the_encoding_is_found(data: bytes, used: str, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if piece > 1 or not used.startswith("utf-16"):
        monkeypatch.setattr(module, "PIECE", piece)
    found = read(data)
    assert found.file.text.used == used
    assert [contact.first_name for contact in found.contacts] == ["Jos\u00e9 \u20ac", "\u00c5sa"]


def test_a_file_of_ascii_says_so() -> None:
    assert read("contact\n15550001\n").file.text.used == "ascii"


def test_an_encoding_may_be_named() -> None:
    found = read("contact,first_name\n15550001,\u0418\u0432\u0430\u043d\n".encode("cp1251"), encoding="cp1251")
    assert found.contacts[0].first_name == "\u0418\u0432\u0430\u043d"
    with pytest.raises(BadValue, match="encoding: 'klingon' is not known"):
        read("contact\n", encoding="klingon")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "UTF-16"])
def test_a_named_encoding_takes_a_mark(encoding: str) -> None:
    assert read(codecs.BOM_UTF16_LE + NAMES.encode("utf-16-le"), encoding=encoding).numbers == ["15550001", "15550002"]


def test_bytes_that_are_not_utf_8_cost_only_their_row_of_a_file_in_utf_8() -> None:
    found = read("contact,first_name\n15550001,\u00c5sa\n".encode() + b"15550002,Jos\xe9\n15550003,Ana\n")
    assert found.numbers == ["15550001", "15550003"]
    assert found.faults == {3: "is not utf-8: it holds the byte 0xE9"}


def test_utf_8_in_a_file_of_windows_1252_is_refused_rather_than_misread() -> None:
    late = "x" * module.PIECE
    data = b"contact,first_name\n15550001,Jos\xe9\n" + f"5,{late}\n15550003,\u00c5sa\n".encode() + b"15550004,\xc5sa\n"
    found = read(data)
    assert [contact.first_name for contact in found.contacts] == ["Jos\u00e9", "\u00c5sa"]
    assert "may be utf-8" in found.faults[4]


def test_a_byte_that_windows_1252_does_not_have_is_refused() -> None:
    assert "0x81" in read(b"contact,first_name\n15550001,Jos\xe9\n15550002,\x81\n").faults[3]


def test_half_a_character_at_the_end_of_utf_16_is_refused() -> None:
    found = read("contact,a\n15550001,b\n15550002,c".encode("utf-16") + b"\x00")
    assert (found.numbers, list(found.faults)) == (["15550001"], [3])


def test_what_is_first_not_ascii_decides_wherever_it_stands() -> None:
    rows = "".join(f"1555{n:07},Ana\n" for n in range(40_000))
    found = read(f"contact,first_name\n{rows}14440001,Jos\u00e9\n".encode("cp1252"))
    assert found.file.text.used == "windows-1252"
    assert found.contacts[-1].first_name == "Jos\u00e9"


def test_a_line_without_an_end_to_it_is_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_LINE", 1000)
    monkeypatch.setattr(module, "PIECE", 100)
    with pytest.raises(BadValue, match="line 3 has more than 1000 characters"):
        read("contact\n15550001\n" + "1" * 5000)


def test_memory_does_not_hold_the_file() -> None:
    class Endless(io.RawIOBase):
        reads = 0

        def read(self, size: int = -1) -> bytes:
            self.reads += 1
            return b"15550001\n" * (size // 9)

    stream = Endless()
    lines = TextFile(stream, "endless").lines()  # type: ignore[arg-type]
    assert [next(lines) for _ in range(1000)] == ["15550001\n"] * 1000
    assert stream.reads <= 2
