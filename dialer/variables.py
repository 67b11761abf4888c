"""The texts that a channel variable of the switch, and the SIP header that one becomes, can carry: what an administrator
enters is refused when it cannot be carried, what is known of a contact is made so that it can.

Besides characters that are syntax, FreeSWITCH knows texts that are: a value that begins with `ARRAY::` becomes a list
(switch_event.c), `:_:` anywhere in an originate or a bridge makes several of it, and `origination_nested_vars=true` has the
variables read another time (switch_ivr_originate).
"""

from __future__ import annotations

import re
from typing import Final

from dialer.errors import BadValue

_SYNTAX = re.compile(r"[\x00-\x1f\x7f${}\\\"'<>]")
_TEXTS: Final = ("array::", ":_:", "origination_nested_vars=true")
_SYNTAX_IN_NAME = re.compile(r"[\x00-\x1f\x7f${}\\\"<>]")


def harmless(text: str, longest: int) -> str:
    """`text` as a value that can be carried: characters that are syntax become blanks, texts that are syntax get a blank in
    between, what UTF-8 cannot carry becomes a question mark; without blanks at the ends, and not longer than `longest`. Of
    what people are called, all is left."""
    value = _SYNTAX.sub(" ", text.encode("utf-8", "replace").decode()).strip()
    value = re.sub(r"\A(ARRAY:):", r"\1 :", value, flags=re.IGNORECASE)
    value = re.sub(r":(?=_:)", ": ", value)
    value = re.sub(r"(origination_nested_vars)=(?=true)", r"\1 ", value, flags=re.IGNORECASE)
    return value[:longest].rstrip()


def check_texts(value: str, field: str) -> str:
    """The value itself. Raises `BadValue` naming `field` for one with a text that is syntax."""
    folded = value.strip().lower()
    first, *anywhere = _TEXTS
    if folded.startswith(first):
        raise BadValue(field, "may not begin with ARRAY::")
    for text in anywhere:
        if text in folded:
            raise BadValue(field, f"may not contain {text}")
    return value


def caller_name(text: str, field: str) -> str:
    """A name that the callee sees. Raises `BadValue` for one that the switch would not carry as it is."""
    name = text.strip()
    if bad := sorted(set(_SYNTAX_IN_NAME.findall(name))):
        raise BadValue(field, f"may not contain {' '.join(map(ascii, bad))}")
    return check_texts(name, field)
