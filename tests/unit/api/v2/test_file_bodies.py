"""Forms with a file: however much of one comes at once, the file is all of it, and the rest of the form stays small."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.v2.file_bodies import LONGEST_FIELD, MOST_FIELDS, FormBody
from api.v2.problems import Problem
from dialer.files.import_folder import ImportFolder

HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
END = b"\r\n--b--\r\n"


def field(name: str, text: bytes) -> bytes:
    return b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (name.encode(), text)


def body_in(folder: Path) -> FormBody:
    return FormBody(ImportFolder(folder).new(), "", boundary=b"b")


def read(folder: Path, body: FormBody) -> bytes:
    with ImportFolder(folder).open(body.disk.name) as stream:
        return stream.read()


@pytest.mark.parametrize(
    "content",
    [b"contact\n" + b"+15550000001\n" * 100_000, b"x" * 1_500_000, b"\r\n--" * 300_000, b"\n\r" * 500_000],
    ids=["lines", "one line", "beginnings of a boundary", "line ends"],
)
@pytest.mark.parametrize("size", [4_000_000, 70_000, 4097])
def test_a_file_is_whole_in_whatever_pieces_it_comes(tmp_path: Path, content: bytes, size: int) -> None:
    body = body_in(tmp_path)
    sent = field("mapping", b"contact=1") + HEAD + content + END
    for begin in range(0, len(sent), size):
        body.feed(sent[begin : begin + size])
    body.end()
    assert (read(tmp_path, body) == content, body.fields) == (True, {"mapping": "contact=1"})


@pytest.mark.parametrize(
    "sent",
    [
        field("a", b"x" * (LONGEST_FIELD + 1)),
        b"".join(field(f"f{each}", b"x") for each in range(MOST_FIELDS + 1)),
        b"--b\r\nContent-Disposition: form-data; name=" + b"x" * (LONGEST_FIELD + 1),
    ],
    ids=["a long field", "many fields", "a long head"],
)
@pytest.mark.parametrize("size", [4_000_000, 1000])
def test_the_rest_of_a_form_is_small(tmp_path: Path, sent: bytes, size: int) -> None:
    body = body_in(tmp_path)
    with pytest.raises(Problem, match="more than"):
        for begin in range(0, len(sent), size):
            body.feed(sent[begin : begin + size])
