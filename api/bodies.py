"""From bytes to named values: the query of an address, and a body that is a form of either kind or a JSON object. Nothing is
guessed: what does not parse, or names an attribute twice, is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from api.errors import UNSUPPORTED, HttpError
from api.multipart_forms import MULTIPART, parts
from dialer.errors import BadValue
from dialer.kinds import Kind, Number, NumberOrText, Numbers

MOST_ATTRIBUTES: Final = 100
MOST_BRACKETS: Final = 1000
"""Opening brackets of a JSON body: lists and objects in it."""
MOST_MEMBERS: Final = 50_000
"""Commas between the values of a JSON body. The longest list that is taken has fewer."""
DEEPEST: Final = 20
"""Lists and objects in one another."""
TOO_WIDE: Final = "The body is JSON with too many values"
FORM: Final = b"application/x-www-form-urlencoded"
JSON: Final = b"application/json"
_CHARSETS: Final = (b"", b"utf-8", b"utf8", b"us-ascii")

_BEGINS = rb"(?=[1-9](?:[^0-9,]*[0-9]){6})"
"""Seven digits of which the first is not 0: no number with its country has fewer."""
_LOST_PLUS: Final[Mapping[type[Kind], re.Pattern[bytes]]] = {
    Number: re.compile(rb"^(?:\+|%20| )" + _BEGINS),
    Numbers: re.compile(rb"(?:^(?:%20| )|(?:^|(?<=,))\+)" + _BEGINS),
    NumberOrText: re.compile(rb"^(?:\+|%20| )(?=[1-9][0-9]{6,14}$)"),
}
"""In a form a `+` means a blank, so that a client which does not encode its numbers loses their plus. A blank before the
digits of a number is that plus. Not so in a list whose commas are encoded: `+1%2C+2` comes from a client that encodes, and
means blanks."""
_ENCODED_COMMA = re.compile(rb"%2c", re.IGNORECASE)
_BRACKET = re.compile(rb"[\[\]{}]")
_NO_KINDS: Final[Mapping[str, Kind]] = MappingProxyType({})


def parse_body(content_type: bytes | None, body: bytes, kinds: Mapping[str, Kind] = _NO_KINDS) -> dict[str, Any]:
    """The attributes of a body, which are of these kinds. Without a body there are none, whatever its type."""
    if not body and content_type is None:
        return {}
    kind, charset = content_type_of(content_type or b"")
    if charset not in _CHARSETS:
        raise HttpError(415, UNSUPPORTED)
    if kind == FORM:
        return parse_form(body, "body", kinds)
    if kind == MULTIPART:
        return parse_parts(content_type or b"", body)
    if kind == JSON:
        return parse_json(body)
    raise HttpError(415, UNSUPPORTED)


def parse_parts(content_type: bytes, body: bytes) -> dict[str, Any]:
    """A form whose attributes are parts: nothing is encoded, so a plus is one."""
    found: dict[str, Any] = {}
    for name, text in parts(content_type, body, MOST_ATTRIBUTES + 1):
        if name in found:
            raise BadValue(shown(name), "is given more than once")
        found[name] = text
    return found


def parse_form(text: bytes, where: str, kinds: Mapping[str, Kind] = _NO_KINDS) -> dict[str, Any]:
    """`a=1&b=2`, percent-encoded UTF-8 (WHATWG URL, section 5.1); empty pairs are skipped. An attribute whose kind is a number
    keeps its plus, encoded or not."""
    if text.count(b"&") > MOST_ATTRIBUTES:
        raise HttpError(400, f"The {where} has too many attributes")
    found: dict[str, Any] = {}
    for pair in text.split(b"&"):
        if not pair:
            continue
        raw_name, equals, raw_value = pair.partition(b"=")
        name = _decoded(raw_name, f"The {where} has an attribute whose name is not UTF-8")
        if not equals:
            raise BadValue(shown(name), f"has no value; the {where} must be name=value pairs")
        if name in found:
            raise BadValue(shown(name), "is given more than once")
        if name in kinds:
            raw_value = _with_plus(raw_value, kinds[name])
        found[name] = _decoded(raw_value, f"{shown(name)}: is not UTF-8")
    return found


def _with_plus(raw: bytes, kind: Kind) -> bytes:
    """An encoded value; one of a number with the plus that it lost."""
    lost = _LOST_PLUS.get(type(kind))
    if lost is None or (isinstance(kind, Numbers) and _ENCODED_COMMA.search(raw)):
        return raw
    return lost.sub(b"%2B", raw)


def parse_json(text: bytes) -> dict[str, Any]:
    """A JSON object (RFC 8259), without NaN, infinite numbers and repeated names."""
    _measure(text)
    try:
        found = json.loads(text.decode(), object_pairs_hook=_object, parse_constant=_not_a_number)
    except UnicodeDecodeError:
        raise HttpError(400, "The body is not UTF-8") from None
    except BadValue:
        raise
    except RecursionError:
        raise HttpError(400, "The body is JSON that is nested too deep") from None
    except ValueError:
        raise HttpError(400, "The body is not JSON") from None
    if not isinstance(found, dict):
        raise HttpError(400, "The body must be a JSON object")
    if len(found) > MOST_ATTRIBUTES:
        raise HttpError(400, "The body has too many attributes")
    return found


def _measure(text: bytes) -> None:
    """Refuse JSON that would take long to read, and much memory, before it is read. To count is a hundred times faster than to
    read; in most bodies there is nothing to be looked at more closely."""
    brackets = text.count(b"[") + text.count(b"{")
    if brackets <= DEEPEST and text.count(b",") <= MOST_MEMBERS:
        return
    text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    if text.count(b'"') > 4 * MOST_MEMBERS:
        raise HttpError(400, TOO_WIDE)
    bare = b"".join(text.split(b'"')[::2])
    depth = 0
    for found in islice(_BRACKET.finditer(bare), 2 * MOST_BRACKETS):
        depth += 1 if found[0] in b"[{" else -1
        if depth > DEEPEST:
            raise HttpError(400, "The body is JSON that is nested too deep")
    if bare.count(b"[") + bare.count(b"{") > MOST_BRACKETS or bare.count(b",") > MOST_MEMBERS:
        raise HttpError(400, TOO_WIDE)


def content_type_of(header: bytes) -> tuple[bytes, bytes]:
    """The media type and the charset, in lower case."""
    kind, *parameters = header.split(b";")
    charset = b""
    for parameter in parameters:
        name, _, value = parameter.strip().partition(b"=")
        if name.strip().lower() == b"charset":
            charset = value.strip().strip(b'"').lower()
    return kind.strip().lower(), charset


def _decoded(raw: bytes, problem: str) -> str:
    text = raw.replace(b"+", b" ")
    try:
        return (unquote_to_bytes(text) if b"%" in text else text).decode()
    except UnicodeDecodeError:
        raise HttpError(400, problem) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise BadValue(shown(name), "is given more than once")
        seen.add(name)
    return found


def _not_a_number(text: str) -> Any:
    raise HttpError(400, f"The body holds {text}, which JSON does not have")


def shown(name: str) -> str:
    """A name that a client chose, fit for a sentence."""
    return name if name.isidentifier() and len(name) <= 40 else ascii(name[:40])
