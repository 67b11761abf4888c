"""Which column of a table is what of a contact.

The number's column is called `contact` or `number`, or else by one of the usual words; `first_name`, `last_name`, `email` and
`description` are kept as such, `additional_vars` holds several variables, and any other column is a variable of the contact.
Names count in any case and with blanks, hyphens or underscores between their words.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from dialer.declare import noun_of
from dialer.errors import BadValue
from dialer.kinds import Variables, whole_number
from dialer.model import Contact
from dialer.numbers import parse_number

NUMBER: Final = "contact"
"""The number's column, as the API calls it."""
EXACT: Final = (NUMBER, "number")
USUAL: Final = frozenset(
    {
        "phone", "phone_number", "phone_no", "phonenumber", "telephone", "telephone_number", "tel", "tel_no", "mobile",
        "mobile_phone", "mobile_number", "cell", "cell_phone", "cellphone", "contact_number", "msisdn", "telefon",
        "telefonnummer", "rufnummer", "mobil", "mobilnummer", "handy", "handynummer", "telefono", "movil", "celular",
        "telefone",
    }
)  # fmt: skip
"""Words for the number's column that are looked for where no column is called by an exact one. Accents do not count."""

ERROR: Final = "error"
"""A last column of this name is a remark of an earlier import, and ignored."""

LEFT_OUT: Final = "-"
"""In the place of a field: columns that are ignored, by their places with commas between."""
VARIABLES: Final = "additional_vars"
CONSENT: Final = ("consent_basis", "consent_given_at", "consent_expires_at", "consent_proof")
NAMED: Final = (
    "first_name", "last_name", "email", "description", "reference", "priority", "time_zone", *CONSENT, VARIABLES,
)  # fmt: skip
_SPELLINGS: Final = {
    "firstname": "first_name",
    "lastname": "last_name",
    "e_mail": "email",
    "email_address": "email",
    "timezone": "time_zone",
}
_FIELDS: Final = frozenset({NUMBER, *NAMED})
_VARIABLE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_BETWEEN = re.compile(r"[\s_-]+")
_KIND: Final = noun_of(Contact).field(VARIABLES).kind


@frozen(kw_only=True)
class Columns:
    """The places of the columns, counted from 0: of the number, of fields and of variables by their names. `width` is how many
    columns have a name; one behind them that is called `error` is at `error_at`."""

    number: int
    fields: Mapping[str, int]
    variables: Mapping[str, int]
    nameless: tuple[int, ...]
    width: int
    error_at: int | None = None


def found_columns(header: Sequence[str], wanted: Mapping[str, str]) -> Columns:
    """The columns of a header. `wanted` names columns, by their names or their places counted from 1, for fields and
    variables. Raises `BadValue` naming `header` or `--map`."""
    names = [name.strip() for name in header]
    while names and not names[-1]:
        names.pop()
    error_at = len(names) - 1 if names and names[-1].lower() == ERROR and ERROR not in wanted else None
    left_out = _left_out(wanted, len(names))
    places = _wanted_places(names, wanted)
    _refuse_shared(places, names)
    if NUMBER not in places:
        places[NUMBER] = _number_column(names, {*places.values(), *left_out}, error_at)
    nameless = []
    for at, name in enumerate(names):
        if at == error_at or at in left_out or at in places.values():
            continue
        if not name:
            nameless.append(at)
            continue
        target = target_of(name)
        if target in places:
            raise BadValue("header", f"{_shown(names, places[target])} and {_shown(names, at)} would both be {target}; {_MAP}")
        places[target] = at
    return _columns(places, nameless, len(names), error_at)


def made_up_columns(count: int, wanted: Mapping[str, str]) -> Columns:
    """The columns of a table without a header: the number's is the first unless `wanted` names another one, the others are
    variables `column_2` and so on. Raises `BadValue`."""
    names = [""] * count
    left_out = _left_out(wanted, count)
    places = _wanted_places(names, wanted)
    _refuse_shared(places, names)
    places.setdefault(NUMBER, next((at for at in range(count) if at not in {*places.values(), *left_out}), 0))
    for at in range(count):
        if at not in left_out and at not in places.values():
            places[f"column_{at + 1}"] = at
    return _columns(places, [], count, None)


def has_number_column(header: Sequence[str]) -> bool:
    """Whether a header names the number's column."""
    return any(usual(name) in EXACT or usual(name) in USUAL for name in header)


def is_header(row: Sequence[str]) -> bool:
    """Whether a first row seems to name its columns."""
    return has_number_column(row) or not any(_is_number(text) for text in row)


def usual(name: str) -> str:
    """A column's name in one spelling: lower case, without accents, words joined by underscores."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each))
    return _BETWEEN.sub("_", plain.strip().lower()).strip("_")


def target_of(name: str) -> str:
    """What a column is by its name: a field of a contact, or a variable. Raises `BadValue`."""
    target = _SPELLINGS.get(usual(name), usual(name))
    return target if target in NAMED else variable_name(name)


def variable_name(name: str) -> str:
    """The variable of a column: its name, with an underscore for whatever a variable's name cannot have. Raises `BadValue`."""
    if _VARIABLE.fullmatch(name):
        return name
    plain = "".join(each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each))
    made = re.sub(r"[^A-Za-z0-9.-]+", "_", plain).strip("_")
    if not _VARIABLE.fullmatch(made):
        raise BadValue("header", f"the column {name[:40]!r} gives no name for a variable; {_MAP}")
    return made


def _columns(places: Mapping[str, int], nameless: Sequence[int], width: int, error_at: int | None) -> Columns:
    variables = {target: at for target, at in places.items() if target not in _FIELDS}
    most = _KIND.most if isinstance(_KIND, Variables) else len(variables)
    if len(variables) > most:
        raise BadValue("header", f"has {len(variables)} further columns; at most {most} can be variables of a contact")
    return Columns(
        number=places[NUMBER],
        fields={target: at for target, at in places.items() if target in NAMED},
        variables=variables,
        nameless=tuple(nameless),
        width=width,
        error_at=error_at,
    )


def _number_column(names: Sequence[str], taken: set[int], error_at: int | None) -> int:
    free = {at: usual(name) for at, name in enumerate(names) if at not in taken and at != error_at}
    for words in (frozenset(EXACT), USUAL):
        candidates = [at for at, word in free.items() if word in words]
        if len(candidates) > 1:
            listed = " and ".join(_shown(names, at) for at in candidates[:3])
            raise BadValue(
                "header", f"{listed} could be the number; name the right one, such as --map contact={candidates[0] + 1}"
            )
        if candidates:
            return candidates[0]
    if any(_is_number(name) for name in names):
        raise BadValue(
            "header", "the first row is no header: it holds a number; --no-header takes the first column as numbers"
        )
    listed = ", ".join(repr(name[:40]) for name in names[:8] if name)
    raise BadValue("header", f"no column is called `contact`; {_MAP}; there {'are' if listed else 'is'} {listed or 'none'}")


def _wanted_places(names: Sequence[str], wanted: Mapping[str, str]) -> dict[str, int]:
    return {target: _place(names, column, target) for target, column in wanted.items() if target != LEFT_OUT}


def _left_out(wanted: Mapping[str, str], count: int) -> frozenset[int]:
    """The places of the columns that are ignored. Raises `BadValue`."""
    listed = [text.strip() for text in wanted.get(LEFT_OUT, "").split(",") if text.strip()]
    for text in listed:
        if not 1 <= (whole_number(text) or 0) <= count:
            raise BadValue("--map", f"there is no column {text[:40]!r} to be left out; expected places such as 2,5")
    return frozenset(int(text) - 1 for text in listed)


def _place(names: Sequence[str], column: str, target: str) -> int:
    """Where the column is that `--map` names."""
    if target not in _FIELDS and not _VARIABLE.fullmatch(target):
        raise BadValue("--map", f"{target[:40]!r} is no name; expected contact, {', '.join(NAMED)} or a variable's name")
    for same in (str.strip, usual):
        found = [at for at, name in enumerate(names) if name and same(name) == same(column)]
        if len(found) > 1:
            raise BadValue("--map", f"several columns are called {column!r}; name one by its place, such as {found[0] + 1}")
        if found:
            return found[0]
    if 1 <= (place := whole_number(column) or 0) <= len(names):
        return place - 1
    raise BadValue("--map", f"there is no column {column[:40]!r} for {target}")


def _refuse_shared(places: Mapping[str, int], names: Sequence[str]) -> None:
    for at, count in Counter(places.values()).items():
        if count > 1:
            targets = " and ".join(target for target, place in places.items() if place == at)
            raise BadValue("--map", f"{_shown(names, at)} cannot be {targets}")


def _is_number(text: str) -> bool:
    try:
        return len(parse_number(text, NUMBER)) > 2
    except BadValue:
        return False


def _shown(names: Sequence[str], at: int) -> str:
    return f"column {at + 1} ({names[at][:40]!r})" if names[at] else f"column {at + 1}"


_MAP: Final = "say which with --map, such as --map contact=Phone"
