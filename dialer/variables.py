"""The texts that a channel variable of the switch, and the SIP header that one becomes, can carry: what an administrator
enters is refused when it cannot be carried, what is known of a contact is made so that it can.

Besides characters that are syntax, FreeSWITCH knows texts that are: a value that begins with `ARRAY::` becomes a list
(switch_event.c), which no quoting prevents; `:_:` anywhere in an originate or a bridge makes several of it, and
`origination_nested_vars=true` has the variables read another time (switch_ivr_originate). The last two are quoted in a value
(`dialer.esl.quoting`); in an address they cannot be.
"""

from __future__ import annotations

import re
from typing import Final

from dialer.errors import BadValue

_SYNTAX = re.compile(r"[\x00-\x1f\x7f${}\\\"'<>]")
_LIST: Final = "array::"
_IN_AN_ADDRESS: Final = (":_:", "origination_nested_vars=true")
_SYNTAX_IN_NAME = re.compile(r"[\x00-\x1f\x7f${}\\\"<>]")


def harmless(text: str, longest: int) -> str:
    """`text` as a value that can be carried: characters that are syntax become blanks, ARRAY:: at its beginning gets a blank,
    what UTF-8 cannot carry becomes a question mark; without blanks at the ends, and not longer than `longest`. Of what people
    are called, all is left."""
    value = _SYNTAX.sub(" ", text.encode("utf-8", "replace").decode()).strip()
    value = re.sub(r"\A(ARRAY:):", r"\1 :", value, flags=re.IGNORECASE)
    return value[:longest].rstrip()


def check_value(value: str, field: str) -> str:
    """The value itself. Raises `BadValue` naming `field` for one that would become a list."""
    if value.strip().lower().startswith(_LIST):
        raise BadValue(field, "may not begin with ARRAY::")
    return value


def check_address(value: str, field: str) -> str:
    """The address itself. Raises `BadValue` naming `field` for one with a text that is syntax."""
    for text in _IN_AN_ADDRESS:
        if text in value.lower():
            raise BadValue(field, f"may not contain {text}")
    return check_value(value, field)


def caller_name(text: str, field: str) -> str:
    """A name that the callee sees. Raises `BadValue` for one that the switch would not carry as it is."""
    name = text.strip()
    if bad := sorted(set(_SYNTAX_IN_NAME.findall(name))):
        raise BadValue(field, f"may not contain {' '.join(map(ascii, bad))}")
    return check_value(name, field)
