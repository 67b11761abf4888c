"""The contacts in a file of JSON lines (jsonlines.org).

Each line that is not blank is an object whose members are called as the columns of a table are (`dialer.files.columns`). A
member `error` is a remark of an earlier import, and ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any, BinaryIO, Final

import orjson
from attrs import define, field

from dialer.declare import noun_of, valid
from dialer.errors import BadValue
from dialer.files.columns import ERROR, EXACT, LEFT_OUT, NAMED, NUMBER, USUAL, VARIABLES, target_of, usual
from dialer.files.contacts import Allowed, FileRow, Reading, Reason, RowFault, RowRefused, number_in
from dialer.files.table import Row
from dialer.files.text import TextFile
from dialer.model import Contact

UNREADABLE: Final = "unreadable"
"""The member of a refused row that has a line which is no JSON."""


@define(eq=False)
class ObjectFile:
    """The contacts of a stream of bytes; `name` is for errors. `open` comes first. In memory is never more than some hundred
    kilobytes, and the longest line."""

    stream: BinaryIO
    name: str
    reading: Reading = field(factory=Reading)
    text: TextFile = field(init=False)
    _lines: Iterator[tuple[int, str]] = field(init=False)
    _targets: Mapping[str, str] = field(init=False)
    """What a member is, by its name, where `reading.columns` says so."""

    def __attrs_post_init__(self) -> None:
        self.text = TextFile(self.stream, self.name, self.reading.encoding)
        named = ((target, column.strip()) for target, column in self.reading.columns.items() if target != LEFT_OUT)
        self._targets = {column: target for target, column in named}

    def open(self) -> None:
        """See that the first line is an object. Raises `BadValue` (field: the file's name) and `OSError`."""
        self._lines = ((number, line) for number, line in enumerate(self.text.lines(), 1) if line.strip())
        first = next(self._lines, None)
        if first is None:
            raise BadValue(self.name, f"{_EXPECTED}; it is empty")
        try:
            _object(first[1])
        except RowRefused as error:
            raise BadValue(self.name, f"{_EXPECTED}; line {first[0]} {error.fault.text}") from None
        self._lines = chain([first], self._lines)

    def entries(self, allowed: Allowed) -> Iterator[FileRow]:
        """Each line that is not blank. Raises `BadValue` where the file is no text any more, and `OSError`."""
        identity, checked, book = allowed.rules.identity, allowed.checker(), allowed.phonebook_id
        for line, raw in self._lines:
            row, contact, fault = Row(line, raw, ()), None, None
            try:
                if not raw.isascii() and (problem := self.text.fault(raw)):
                    raise RowRefused(Reason.ENCODING, problem)
                number, values = self._values(_object(raw), checked)
                contact = Contact(number=number, identity=identity(number), phonebook_id=book, **values)
            except RowRefused as error:
                fault = error.fault
            except BadValue as error:
                fault = RowFault(Reason.NUMBER if error.field == NUMBER else Reason.VALUE, str(error))
            yield FileRow(row, contact, fault)

    def header_with_error(self) -> str:
        """Nothing: each line says by itself what it holds."""
        return ""

    def row_with_error(self, row: Row, error: str) -> str:
        """The object with a member `error`; a line that is none is a member of one."""
        try:
            found: dict[str, Any] = _object(row.raw)
        except RowRefused:
            found = {UNREADABLE: row.raw.strip().encode("utf-8", "backslashreplace").decode()}
        return orjson.dumps({**found, ERROR: error}).decode() + "\n"

    def _values(self, found: Mapping[str, Any], checked: Callable[[str], str]) -> tuple[str, dict[str, Any]]:
        """The number, and the other values of a contact. Raises `BadValue`."""
        values: dict[str, Any] = {}
        variables: dict[str, str] = {}
        for name, value in found.items():
            target = self._target(name)
            if target == ERROR or value is None:
                continue
            if target in values or target in variables:
                raise BadValue(target, "is there more than once")
            if target == NUMBER:
                values[NUMBER] = checked(number_in(_text(NUMBER, value)))
            elif target in NAMED:
                values[target] = valid(_CONTACT.field(target), value)
            elif text := _variable(target, value):
                variables[target] = text
        if NUMBER not in values:
            raise BadValue(NUMBER, "is missing")
        number = values.pop(NUMBER)
        return number, _with_variables(values, variables)

    def _target(self, name: str) -> str:
        if name in self._targets:
            return self._targets[name]
        if name == ERROR:
            return ERROR
        word = usual(name)
        if NUMBER not in self._targets.values() and (word in EXACT or word in USUAL):
            return NUMBER
        return target_of(name)


def _object(raw: str) -> dict[str, Any]:
    """The object in a line. Raises `RowRefused`."""
    if "\0" in raw:
        raise RowRefused(Reason.NUL, "holds a NUL character")
    try:
        found = orjson.loads(raw.encode())
    except ValueError:  # also of what UTF-8 cannot carry
        raise RowRefused(Reason.VALUE, "is no JSON") from None
    if not isinstance(found, dict):
        raise RowRefused(Reason.VALUE, "is no JSON object")
    return found


def _text(name: str, value: Any) -> str:
    """A text, or a number as one. Raises `BadValue`."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise BadValue(name, "expected a text or a number")


def _variable(name: str, value: Any) -> str:
    text = _text(name, value).strip()
    try:
        return str(_VARIABLES.value(text)) if text else ""
    except ValueError:
        problem = f"expected a text of at most {_VARIABLES.longest} characters, without control characters"
        raise BadValue(name, problem) from None


def _with_variables(values: dict[str, Any], variables: Mapping[str, str]) -> dict[str, Any]:
    several = values.get(VARIABLES, {})
    twice = sorted(set(several) & set(variables))
    if twice:
        raise BadValue(VARIABLES, f"{twice[0]} has a member of its own")
    if variables:
        values[VARIABLES] = valid(_CONTACT.field(VARIABLES), {**several, **variables})
    return values


_CONTACT: Final = noun_of(Contact)
_VARIABLES: Any = _CONTACT.field(VARIABLES).kind
_EXPECTED: Final = "expected lines, each of which is a JSON object with a member `contact`"
