"""How FreeSWITCH writes a value: in a JSON event, in a plain one, and back.

Text is `str` with surrogate escapes, so that bytes which are no UTF-8 pass through unchanged, as they do in FreeSWITCH.
"""

from __future__ import annotations

import re

_JSON_SPECIAL = re.compile(r'["\\\x00-\x1f]')
_JSON_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}

# SWITCH_URL_UNSAFE of switch_utils.h, and everything outside of printable ASCII; a `%` before two capital
# hexadecimal digits is taken for an escape and left alone (switch_url_encode without double_encode).
_PLAIN_SPECIAL = re.compile(rb'%(?![0-9A-F]{2})|[\x00-\x20\x7f-\xff#&+:;<=>?@\[\\\]^`{|}"]')
_PLAIN_SAFE = re.compile(r"[A-Za-z0-9_./,()!$*'~-]+")

UNDEFINED = "_undef_"  # what a plain event shows for an empty value (switch_event_serialize)


def to_bytes(text: str) -> bytes:
    """The bytes that the text stands for."""
    return text.encode("utf-8", "surrogateescape")


def to_text(data: bytes) -> str:
    """The text for bytes; what is no UTF-8 survives the way back."""
    return data.decode("utf-8", "surrogateescape")


def json_text(value: str) -> str:
    """The inside of a JSON string, as cJSON prints it: nothing but quotes, backslashes and control characters escaped."""
    if not _JSON_SPECIAL.search(value):
        return value
    return _JSON_SPECIAL.sub(lambda m: _JSON_SHORT.get(m[0]) or f"\\u{ord(m[0]):04x}", value)


def plain_text(value: str) -> str:
    """A header's value as a plain event shows it: percent-encoded, `_undef_` when empty. Not reversible (see above)."""
    if not value:
        return UNDEFINED
    if _PLAIN_SAFE.fullmatch(value):
        return value
    return _PLAIN_SPECIAL.sub(lambda m: b"%%%02X" % m[0][0], to_bytes(value)).decode("ascii")
