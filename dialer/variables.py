"""The texts that a channel variable of the switch, and the SIP header that one becomes, can carry: what an administrator
enters is refused when it cannot be carried, what is known of a contact is made so that it can.

Besides characters that are syntax, FreeSWITCH knows texts that are: a value that begins with `ARRAY::` becomes a list
(switch_event.c), which no quoting prevents; `:_:` anywhere in an originate or a bridge makes several of it, and
`origination_nested_vars=true` has the variables read another time (switch_ivr_originate). The last two are quoted in a value
(`dialer.esl.quoting`); in an address they cannot be.

mod_sofia reads a caller's name twice more on its way into SIP, whatever the quoting (seen on FreeSWITCH 1.11.2): it
decodes `%0d` and its like, by a scanf that passes over blanks and takes a single digit, so that "50% apples" becomes a line
feed in the middle of a header (check_decode, switch_url_decode); and it leaves only what stands between the last `/` or `:`
and the first `@` (switch_sanitize_number).
"""

from __future__ import annotations

import re
from typing import Final

from dialer.errors import BadValue

_SYNTAX = re.compile(r"[\x00-\x1f\x7f${}\\\"'<>]")
_LIST: Final = "array::"
_IN_AN_ADDRESS: Final = (":_:", "origination_nested_vars=true")
_SYNTAX_IN_NAME = re.compile(r"[\x00-\x1f\x7f${}\\\"<>]")
_DECODED_IN_NAME = re.compile(r"% *[+-]?[0-9A-Fa-f]")
_CUTTING_A_NAME = re.compile(r"[/:@]")
_NO_NAME: Final = "_undef_"


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


def check_caller_name(value: str, field: str) -> str:
    """The name itself. Raises `BadValue` naming `field` for one that would be syntax for the switch or in a SIP header."""
    if bad := sorted(set(_SYNTAX_IN_NAME.findall(value))):
        raise BadValue(field, f"may not contain {' '.join(map(ascii, bad))}")
    if found := _DECODED_IN_NAME.search(value):
        raise BadValue(
            field, f"may not contain {found[0]!a}, a percent sign before a hexadecimal digit: the switch decodes it"
        )
    return check_value(value, field)


def caller_name(text: str, field: str) -> str:
    """A name that the callee sees. Raises `BadValue` for one that the switch would not carry as it is."""
    name = check_caller_name(text.strip(), field)
    if bad := sorted(set(_CUTTING_A_NAME.findall(name))):
        raise BadValue(field, f"may not contain {' '.join(map(ascii, bad))}, at which the switch cuts a caller's name")
    if name.lower() == _NO_NAME:
        raise BadValue(field, f"may not be {_NO_NAME}, which stands for no name")
    return name
