"""Forms as `multipart/form-data` (RFC 7578), which PHP sends for an array and `curl -F` for each field: to named texts.

Werkzeug reads the parts. A body is in memory, within the site's limit, when it comes here. How many parts it has, and how long
their heads are, is looked at before it is read: a long head would take seconds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from api.errors import HttpError
from dialer.errors import BadValue

MULTIPART: Final = b"multipart/form-data"
LONGEST_BOUNDARY: Final = 70
"""Bytes (RFC 2046, section 5.1.1)."""
LONGEST_HEAD: Final = 1000
"""Bytes of the head of a part."""
_DAMAGED: Final = "The body is not multipart/form-data, or not whole"


def parts(content_type: bytes, body: bytes, most: int) -> Iterator[tuple[str, str]]:
    """The names and the texts of a body, in order. Raises `HttpError` for one that does not parse, that is not UTF-8 or that
    has more parts than `most`, and `BadValue` for a file."""
    boundary = _boundary(content_type)
    _measure(body, b"--" + boundary, most)
    decoder = MultipartDecoder(boundary, max_parts=most)
    decoder.receive_data(body)
    decoder.receive_data(None)
    name = ""
    pieces: list[bytes] = []
    try:
        while not isinstance(event := decoder.next_event(), Epilogue | NeedData):
            match event:
                case Field():
                    name, pieces = event.name or "", []
                case File():
                    raise BadValue(ascii(str(event.name)[:40]), "is a file; a text is expected")
                case Data():
                    pieces.append(event.data)
                    if not event.more_data:
                        yield name, b"".join(pieces).decode()
    except RequestEntityTooLarge:
        raise HttpError(400, "The body has too many attributes") from None
    except UnicodeDecodeError:
        raise HttpError(400, "The body is not UTF-8") from None
    except BadValue:
        raise
    except ValueError:
        raise HttpError(400, _DAMAGED) from None
    if not isinstance(event, Epilogue):
        raise HttpError(400, _DAMAGED)


def _boundary(content_type: bytes) -> bytes:
    _, options = parse_options_header(content_type.decode("latin-1"))
    boundary = options.get("boundary", "")
    if not 0 < len(boundary) <= LONGEST_BOUNDARY or not boundary.isascii():
        raise HttpError(400, f"The boundary of the body is missing, or longer than {LONGEST_BOUNDARY} characters")
    return boundary.encode()


def _measure(body: bytes, delimiter: bytes, most: int) -> None:
    """Refuse a body that would take long to read. Nothing stands before its first delimiter, as no client of forms puts
    anything there."""
    if not body.startswith((delimiter, b"\r\n" + delimiter)):
        raise HttpError(400, _DAMAGED)
    if body.count(delimiter) > most + 1:
        raise HttpError(400, "The body has too many attributes")
    for part in body.split(delimiter)[1:]:
        if not part.startswith(b"--") and part.find(b"\r\n\r\n", 0, LONGEST_HEAD) < 0:
            raise HttpError(400, _DAMAGED)
