"""How a value is written into a command of the switch so that it comes out exactly, or is refused. All quoting is here.

What happens to `bgapi expand originate '{name=value,...}DIALSTRING' ...` inside FreeSWITCH, read in its source:

1. `expand` (switch_event_expand_headers_check): `${...}` is replaced; `\\\\` becomes one backslash, `\\'` vanishes.
2. `originate` (separate_string_blank_delim) cuts at spaces outside of quotes; cleanup_separated_string then removes the quotes
   and one level of backslashes.
3. switch_ivr_originate looks for `:_:` (several originates in one) and `origination_nested_vars=true` anywhere in the text.
4. switch_event_create_brackets finds the end of `{...}` by counting braces, whatever is quoted or escaped.
5. The variables are cut at commas, then each at its first `=`: each time one level of backslashes and quotes is removed, and
   unescaped spaces at both ends.
6. A value that begins with `ARRAY::` becomes a list; an empty one is not set at all.

Seen on FreeSWITCH 1.10.12: 575 names and values made of all this syntax came out of `uuid_getvar` exactly as given.

So each of the levels 1, 2 and twice 5 is undone by escaping once more; the texts of 3 get quotes in their middle, which the
level 5 takes away; braces, `$` and the text of 6 are refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dialer import variables
from dialer.errors import BadValue

_ENDING_A_LINE = re.compile(r"[\r\n\0$]")
_ENDING_A_BODY = re.compile(r"[\r\0$]")
_NOT_IN_A_VARIABLE = re.compile(r"[\x00-\x1f\x7f{}]")
_NAMES = {"\r": "CR", "\n": "LF", "\0": "NUL"}
_VARIABLE_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_SUBCLASS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}")
_CALL_UUID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,35}")
_CAUSE = re.compile(r"[A-Z0-9_]{1,64}")
_ENDPOINT = re.compile(r"[A-Za-z0-9_.:-]{1,255}:[0-9]{1,5}")
_CALLER_NUMBER = re.compile(r"[A-Za-z0-9+*#._~-]{1,64}")
_NOT_DIALLED = re.compile(r"[^A-Za-z0-9_./@:;=+*#%&?!~-]")
_SEVERAL = re.compile(r"(?<=:)_(?=:)")
_NESTED = re.compile(r"(?<=origination_nested_vars)=(?=true)", re.IGNORECASE)
_LONGEST_VALUE = 4096


def _refuse_characters(field: str, found: Sequence[str], where: str) -> None:
    if found:
        listed = ", ".join(sorted({_NAMES.get(c) or ascii(c) for c in found}))
        raise BadValue(field, f"may not contain {listed} ({where})")


def argument(field: str, value: str, *, lines: bool = False) -> str:
    """Any text in any command: no CR, LF or NUL, which end a command, and no `$`, which FreeSWITCH expands. With `lines`,
    line feeds are allowed, for texts that travel as a counted body."""
    forbidden = _ENDING_A_BODY if lines else _ENDING_A_LINE
    _refuse_characters(field, forbidden.findall(value), "in a command to the switch")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadValue(field, f"is not text that UTF-8 can carry: {value[error.start]!a}") from None
    return value


def _matching(pattern: re.Pattern[str], expected: str, field: str, value: str) -> str:
    argument(field, value)
    if not pattern.fullmatch(value):
        raise BadValue(field, f"{value[:80]!r} is not {expected}")
    return value


def subclass(field: str, value: str) -> str:
    """The subclass of a CUSTOM event, such as `conference::maintenance`."""
    return _matching(_SUBCLASS, "a subclass of events such as conference::maintenance", field, value)


def call_uuid(field: str, value: str) -> str:
    """A channel's and job's id. FreeSWITCH cuts a Job-UUID to 36 characters (mod_event_socket.c, api_command_struct)."""
    return _matching(_CALL_UUID, "an id of at most 36 letters, digits and hyphens", field, value)


def word(field: str, value: str) -> str:
    """One word, such as an account code or the name of an application."""
    return _matching(_WORD, "a word of at most 64 letters, digits, '_', '.' and '-'", field, value)


def cause(field: str, value: str) -> str:
    """The name of a hangup cause."""
    return _matching(_CAUSE, "the name of a cause such as NORMAL_CLEARING", field, value)


def endpoint(field: str, value: str) -> str:
    """`host:port`. The host's characters mean nothing to the `socket` application, which splits at `|`, `/` and spaces."""
    return _matching(_ENDPOINT, "host:port", field, value)


def caller_number(field: str, value: str) -> str:
    """A caller id number: it becomes the user part of a SIP address."""
    return _matching(_CALLER_NUMBER, "a caller number of at most 64 letters, digits and + * # . _ ~ -", field, value)


def caller_name(field: str, value: str) -> str:
    """A caller id name, as text that can be carried exactly. It becomes a quoted display name in SIP, where one that an
    earlier version took may arrive cut (`dialer.variables`)."""
    return variables.check_caller_name(variable_value(field, value), field)


def variable_name(field: str, value: str) -> str:
    """A channel variable's name."""
    return _matching(_VARIABLE_NAME, "a variable name of letters, digits, '_' and '-'", field, value)


def dial_string(field: str, value: str) -> str:
    """An address to dial, such as `sofia/gateway/carrier/15551234`. It stands as the last value in `${cond(...)}`, where
    parentheses, braces, quotes, backslashes and spaces are syntax, and in a list of addresses, where `,` and `|` are."""
    argument(field, value)
    _refuse_characters(field, _NOT_DIALLED.findall(value), "in a dial string")
    if not value:
        raise BadValue(field, "may not be empty")
    if not value[0].isalnum():
        raise BadValue(field, "must begin with a letter or a digit")
    return variables.check_address(value, field)


def variable_value(field: str, value: str) -> str:
    """A channel variable's value, as text that can be carried exactly."""
    argument(field, value)
    _refuse_characters(field, _NOT_IN_A_VARIABLE.findall(value), "in a channel variable")
    if len(value) > _LONGEST_VALUE:
        raise BadValue(field, f"has {len(value)} characters; at most {_LONGEST_VALUE} are accepted")
    return variables.check_value(value, field)


def assignments(pairs: Sequence[tuple[str, str]]) -> str:
    """`name=value,...` of checked names and values, for between braces: escaped for the levels 1, 2 and 5. Empty values are
    left out."""
    return _escaped(_escaped(bracketed(pairs), "'"))


def bracketed(pairs: Sequence[tuple[str, str]]) -> str:
    """The same for `bridge`, whose argument begins at level 3: escaped for the level 5 alone."""
    return ",".join(_parted(_escaped(f"{name}={_inner(value)}", "',")) for name, value in pairs if value)


def quoted(value: str) -> str:
    """The argument of an application, for between the quotes of an API command: escaped for the expansion of the application
    and for the cut at blanks."""
    return _escaped(_escaped(value), "'")


def dialplan(text: str) -> str:
    """A dialplan for between quotes, escaped for the levels 1 and 2; its `${...}` are left to the channel."""
    return _escaped(_escaped(text, "'")).replace("$", "\\$")


def _parted(assignment: str) -> str:
    """Without the texts that level 3 looks for, wherever they stand: a name may end with one half and its value begin with the
    other."""
    return _NESTED.sub("'='", _SEVERAL.sub("'_'", assignment))


def _inner(value: str) -> str:
    """A value for the cut at `=`: spaces at the ends as `\\s`, which the level takes for a space that stays."""
    stripped = value.strip(" ")
    lead = len(value) - len(value.lstrip(" "))
    trail = len(value) - lead - len(stripped)
    return "\\s" * lead + _escaped(stripped, "'") + "\\s" * trail


def _escaped(value: str, special: str = "") -> str:
    escaped = value.replace("\\", "\\\\")
    for character in special:
        escaped = escaped.replace(character, "\\" + character)
    return escaped
