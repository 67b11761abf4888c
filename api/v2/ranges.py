"""Parts of files (RFC 9110, section 14): who plays a recording asks for some of it, and goes on later."""

from __future__ import annotations

import re
from typing import IO, Any, Final

from attrs import define, frozen

from api.errors import HttpError
from api.long_answers import LongAnswer
from api.request import ApiRequest
from api.v2.conditions import matches
from dialer.management.sounds import OpenFile

_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


@frozen(kw_only=True, eq=False)
class RangedFile:
    """An answer that is a file, of which a part may be asked for."""

    content_type: str
    file: OpenFile


@define(eq=False)
class Stretch:
    """The next `left` bytes of a stream, as a stream."""

    stream: IO[bytes]
    left: int

    def read(self, size: int) -> bytes:
        """At most so many of them."""
        piece = self.stream.read(min(size, self.left))
        self.left -= len(piece)
        return piece

    def close(self) -> None:
        """Close the stream."""
        self.stream.close()


@frozen(kw_only=True, eq=False)
class Cut:
    """What is sent of a file: a status, headers, and the bytes; None for nothing."""

    status: int
    headers: dict[str, str]
    answer: LongAnswer | None


def cut(request: ApiRequest, file: OpenFile) -> Cut:
    """The part that a request wants, or all of it. Several parts at once are not made: all of it is sent. Raises `HttpError`
    for a part that there is not, when the file is closed."""
    tag = f'"{file.tag}"'
    headers = {"Accept-Ranges": "bytes", "ETag": tag}
    known = request.header(b"If-None-Match")
    if known is not None and matches(known, tag, weakly=True):
        file.stream.close()
        return Cut(status=304, headers=headers, answer=None)
    wanted = _wanted(request, tag, file)
    if wanted is None:
        return Cut(status=200, headers=headers, answer=LongAnswer(file.stream, file.size))
    first, last = wanted
    file.stream.seek(first)
    stretch: Any = Stretch(file.stream, last - first + 1)
    told = {**headers, "Content-Range": f"bytes {first}-{last}/{file.size}"}
    return Cut(status=206, headers=told, answer=LongAnswer(stretch, last - first + 1))


def _wanted(request: ApiRequest, tag: str, file: OpenFile) -> tuple[int, int] | None:
    """The first byte and the last one; None for all."""
    found = _RANGE.fullmatch((request.header(b"Range") or "").replace(" ", ""))
    if found is None or found[0] == "bytes=-" or (request.header(b"If-Range") or tag).strip() != tag:
        return None
    first, last = found.groups()
    if not first:  # the last so many
        begin, end = max(0, file.size - int(last)), file.size - 1
    else:
        begin, end = int(first), min(int(last) if last else file.size, file.size - 1)
        if last and int(last) < begin:
            return None
    if begin > end:
        file.stream.close()
        problem = f"the file has {file.size} bytes, and none of those that the header Range asks for"
        raise HttpError(416, problem, {"Content-Range": f"bytes */{file.size}"})
    return begin, end
