"""The lines of a text file whose encoding nobody told, in bounded memory.

A mark at the beginning tells UTF-8 and UTF-16, NUL bytes at every second place UTF-16 without one. Anything else is ASCII
until the first other byte: the lines around it are UTF-8, or else Windows-1252, which nearly every byte string is. From then
on the encoding is that of the file, and a line that contradicts it is faulty rather than misread: bytes that are not UTF-8 in
a file of UTF-8, and a line of Windows-1252 that would be UTF-8 just as well.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from attrs import define, field

from dialer.errors import BadValue

PIECE: Final = 256 * 1024
"""Bytes that are read at once."""

LONGEST_LINE: Final = 1024 * 1024
"""Characters. A file with a longer one is no table."""

ASCII: Final = "ascii"
UTF_8: Final = "utf-8"
WINDOWS: Final = "windows-1252"

_MARKS: Final = ((codecs.BOM_UTF8, UTF_8), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_FOREIGN: Final = (
    (b"PK\x03\x04", "an Excel workbook (or another zip file)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"%PDF", "a PDF"),
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
)
_MARK: Final = "\ufeff"
_ITS_PLAIN: Final = {"utf-8-sig": UTF_8, "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
"""Encodings that would write a mark before every piece."""
_UNDECODED = re.compile("[\ud800-\udfff]")
_LINE_END = re.compile(rb"[\r\n]")


@define(eq=False)
class TextFile:
    """The text of a stream of bytes. `name` is for errors; `encoding` is the one that the user named, "" to find out. `used`
    is the encoding so far: `ascii` as long as nothing else occurred. `marked` tells whether a mark stood at the beginning,
    `size` how many bytes were read."""

    stream: BinaryIO
    name: str
    encoding: str = ""
    used: str = field(default=ASCII, init=False)
    marked: bool = field(default=False, init=False)
    size: int = field(default=0, init=False)
    _guessed: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        if self.encoding:
            try:
                self.used = codecs.lookup(self.encoding).name
                b"".decode(self.used)
            except LookupError:
                raise BadValue("encoding", f"{self.encoding!r} is not known; expected one such as utf-8 or cp1252") from None
            self.used = _ITS_PLAIN.get(self.used, self.used)

    def lines(self) -> Iterator[str]:
        """Each line with its end, which may be LF, CR LF or CR. What cannot be decoded is a surrogate. Raises `BadValue` for
        what is no text at all, or has an endless line, and `OSError`."""
        rest, number = "", 0
        for piece in self._pieces():
            found = list(io.StringIO(rest + piece, newline=""))
            # The last one may go on in the next piece, and so may its end.
            rest = found.pop() if found else ""
            if len(rest) > LONGEST_LINE:
                raise BadValue(self.name, f"line {number + len(found) + 1} has more than {LONGEST_LINE} characters")
            number += len(found)
            yield from found
        if rest:
            yield from io.StringIO(rest, newline="")

    def fault(self, text: str) -> str:
        """Why `text`, which holds more than ASCII, is misread; "" when it is not."""
        undecoded = _UNDECODED.search(text)
        if undecoded is not None:
            byte = ord(undecoded[0]) - 0xDC00
            shown = f"the byte 0x{byte:02X}" if 0x80 <= byte <= 0xFF else "half a character"
            return f"is not {self.used}: it holds {shown}"
        if self._guessed and self.used == WINDOWS:
            try:
                text.encode(WINDOWS).decode(UTF_8)
            except ValueError:
                return ""
            return f"may be {UTF_8}, while the lines before are {WINDOWS}: name the right one with --encoding"
        return ""

    def encode(self, text: str) -> bytes:
        """Text of this file as it stood there. Of other text, what the encoding does not have is escaped."""
        try:
            return text.encode(self._codec, self._errors)
        except UnicodeEncodeError:
            return b"".join(map(self._encode_one, text))

    def _encode_one(self, character: str) -> bytes:
        try:
            return character.encode(self._codec, self._errors)
        except UnicodeEncodeError:
            return character.encode(self._codec, "backslashreplace")

    @property
    def mark(self) -> bytes:
        """What a file of this encoding begins with."""
        return _MARK.encode(self._codec) if self.marked or self.used.startswith("utf-16") else b""

    # --- bytes to text ------------------------------------------------------------------------------------------------------

    @property
    def _codec(self) -> str:
        return UTF_8 if self.used == ASCII and not self.encoding else self.used

    @property
    def _errors(self) -> str:
        return "surrogatepass" if self.used.startswith(("utf-16", "utf-32")) else "surrogateescape"

    def _read(self) -> bytes:
        data = self.stream.read(PIECE)
        self.size += len(data)
        return data

    def _pieces(self) -> Iterator[str]:
        data = self._read()
        if not self.encoding:
            self._look(data)
        elif self.used == "utf-16-le" and data.startswith(codecs.BOM_UTF16_BE):
            self.used = "utf-16-be"
        while self.used == ASCII and not self.encoding and data:
            if not data.isascii():
                data = self._guess(data)
                break
            yield data.decode(ASCII)
            data = self._read()
        decoder = codecs.getincrementaldecoder(self._codec)(self._errors)
        first = True
        while data:
            try:
                text = decoder.decode(data)
            except UnicodeDecodeError as error:
                raise BadValue(self.name, f"cannot be read as {self.used}: {error.reason}") from None
            if first and text.startswith(_MARK):
                self.marked, text = True, text[1:]
            first = False
            yield text
            data = self._read()
        try:
            yield decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            yield "\ud800"

    def _look(self, data: bytes) -> None:
        """What the beginning tells."""
        for mark, what in _FOREIGN:
            if data.startswith(mark):
                raise BadValue(self.name, f"is {what}; save it as CSV first")
        for mark, encoding in _MARKS:
            if data.startswith(mark):
                self.used = encoding
                return
        even, odd = data[0:400:2].count(0), data[1:400:2].count(0)
        pairs = len(data[:400]) // 2
        if pairs and max(even, odd) * 4 >= pairs and min(even, odd) == 0:
            self.used = "utf-16-le" if odd else "utf-16-be"

    def _guess(self, data: bytes) -> bytes:
        """The encoding by the first lines that are more than ASCII. Gives the data back, with what else was read."""
        while True:
            *whole, last = _LINE_END.split(data)
            telling = [line for line in whole if not line.isascii()]
            more = b"" if telling or len(last) > LONGEST_LINE else self._read()
            if not more:
                break
            data += more
        telling = telling or [last]
        good = sum(map(_is_utf8, telling))
        self.used = UTF_8 if good * 2 >= len(telling) else WINDOWS
        self._guessed = True
        return data


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode(UTF_8)
    except UnicodeDecodeError:
        return False
    return True
