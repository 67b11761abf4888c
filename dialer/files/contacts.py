"""The contacts in a file, row by row, and the faults of the rows that are none.

Every row that is not blank gives an entry: a contact that the declarations allow, or a fault with its reason. Two rows of one
number are told apart by who collects them (`dialer.files.seen`).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, Protocol

from attrs import Factory, define, field, frozen

from dialer.declare import Field, noun_of, valid
from dialer.errors import BadValue
from dialer.files.cells import clean, inert, inert_line
from dialer.files.columns import ERROR, NUMBER, VARIABLES, Columns, found_columns, has_number_column, made_up_columns, usual
from dialer.files.table import NoRows, Row, Table, end_of, joined, with_field
from dialer.files.text import TextFile
from dialer.kinds import Text, Variables
from dialer.model import Contact
from dialer.numbering import Numbering, numbering
from dialer.numbers import parse_number
from dialer.safe_files import UnsafeFile
from dialer.safe_paths import open_to_read

_KIND: Final = Variables()
_AROUND: Final = frozenset("='")
"""The first characters of a cell whose text a spreadsheet has wrapped."""


class Reason(enum.StrEnum):
    """Why a row of a file is not taken, for people and programs."""

    ENCODING = "encoding"
    NUL = "NUL character"
    QUOTES = "quotes"
    TOO_FEW = "too few fields"
    TOO_MANY = "too many fields"
    NUMBER = "no number"
    EMERGENCY = "emergency number"
    VALUE = "value not allowed"
    TWICE = "twice in the file"
    BLACKLIST = "blacklist"
    WHITELIST = "whitelist"
    LIMIT = "limit of the user"
    REFERENCE = "reference of another contact"


class RowFault(NamedTuple):
    """Why a row is not taken: the kind of reason, and the sentence."""

    reason: Reason
    text: str


class FileRow(NamedTuple):
    """A row of the file, and the contact that it is, or else its fault."""

    row: Row
    contact: Contact | None
    fault: RowFault | None


class RowFile(Protocol):
    """A file of contacts, whatever its format. `open` comes first."""

    text: TextFile

    def open(self) -> None:
        """Find out how it is to be read. Raises `BadValue` (field: the file's name, or an option) and `OSError`."""
        ...

    def entries(self, allowed: Allowed) -> Iterator[FileRow]:
        """Each row that is not blank. Raises `BadValue` where the file is no text any more, and `OSError`."""
        ...

    def header_with_error(self) -> str:
        """What a file of refused rows begins with."""
        ...

    def row_with_error(self, row: Row, error: str) -> str:
        """A row, and why it is not taken; once corrected, it can be read again with the error."""
        ...


@frozen(kw_only=True)
class Reading:
    """How a file is read: `encoding` "" to find it out, columns by `--map`, and whether the first row is a header."""

    encoding: str = ""
    columns: Mapping[str, str] = Factory(dict)
    header: bool = True


@frozen(kw_only=True)
class Allowed:
    """Which numbers the contacts may have: those of a region, `rules`, but for emergency numbers there and in `others`; and
    the phonebook that the contacts are of. With `national`, the national numbers of the file are those of that region: they
    are taken in their international form."""

    rules: Numbering = Factory(numbering)
    others: Sequence[Numbering] = ()
    phonebook_id: int = 0
    national: Numbering | None = None

    def checker(self) -> Callable[[str], str]:
        """Makes of a number as `parse_number` gives it the one to be dialled; raises `RowRefused` for an emergency number."""
        is_emergency, national = self.rules.is_emergency, self.national
        others = tuple(each.is_emergency for each in (*self.others, *(() if national is None else (national,))))

        def checked(number: str) -> str:
            if is_emergency(number) or (others and any(each(number) for each in others)):
                raise RowRefused(Reason.EMERGENCY, f"contact: {number} is an emergency number, which is never dialled")
            if national is None or number[0] == "+":
                return number
            identity = national.identity(number)
            return number if identity == number else f"+{identity}"

        return checked


@define(eq=False)
class ContactFile:
    """The contacts of a stream of bytes; `name` is for errors. `open` comes first. Reading never holds more than some hundred
    kilobytes."""

    stream: BinaryIO
    name: str
    reading: Reading = Reading()
    text: TextFile = field(init=False)
    table: Table = field(init=False)
    columns: Columns = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.text = TextFile(self.stream, self.name, self.reading.encoding)
        self.table = Table(self.text)

    def open(self) -> None:
        """Find out what the columns are. Raises `BadValue` (field: the file's name, or an option) and `OSError`."""
        wanted = self.reading.columns
        named = {usual(column) for column in wanted.values()}
        try:
            first = self.table.open(lambda names: has_number_column(names) or any(usual(name) in named for name in names))
        except NoRows:
            raise BadValue(self.name, f"{_EXPECTED}; it is empty") from None
        header = [clean(text) for text in first.fields]
        if first.problem or "\0" in first.raw:
            raise BadValue(self.name, f"{_EXPECTED}; line {first.line}: {first.problem or 'a NUL character'}")
        if not self.reading.header:
            self.columns = made_up_columns(len(header), wanted)
        else:
            fault = "" if first.raw.isascii() else self.text.fault(first.raw)
            if fault:
                raise BadValue(self.name, f"{_EXPECTED}; line {first.line} {fault}")
            try:
                self.columns = found_columns(header, wanted)
            except BadValue as error:
                if error.field == "--map":
                    raise
                raise BadValue(self.name, f"{_EXPECTED}; {error.problem}") from None

    def entries(self, allowed: Allowed) -> Iterator[FileRow]:
        """Each row that is not blank. Raises `BadValue` where the file is no text any more, and `OSError`."""
        make = _maker(self.columns, allowed)
        for row in self._rows():
            fault = None
            if row.plain and row.raw.isascii():
                pass
            elif row.problem:
                fault = RowFault(Reason.QUOTES, row.problem)
            elif "\0" in row.raw:
                fault = RowFault(Reason.NUL, "holds a NUL character")
            elif not row.raw.isascii() and (problem := self.text.fault(row.raw)):
                fault = RowFault(Reason.ENCODING, problem)
            contact = None
            if fault is None:
                try:
                    contact = make(row)
                except RowRefused as error:
                    fault = error.fault
                except BadValue as error:
                    fault = RowFault(Reason.NUMBER if error.field == NUMBER else Reason.VALUE, str(error))
            yield FileRow(row, contact, fault)

    def header_with_error(self) -> str:
        """What a file of refused rows begins with: the lines before the first row of this one, and its header with a column
        `error`; one is made up where there is none."""
        table = self.table
        if not self.reading.header:
            return joined([*self._made_up_names(), ERROR], table.delimiter, end_of(table.first.raw))
        raw, names = table.first.raw, list(map(inert, table.first.fields))
        if names != [*table.first.fields]:
            raw = joined(names, table.delimiter, end_of(raw))
        if self.columns.error_at is None:
            raw = with_field(raw, table.delimiter, ERROR)
        return table.preamble + raw

    def row_with_error(self, row: Row, error: str) -> str:
        """A row as it stands in the file, and why it is not taken. A cell that a spreadsheet would run as a formula becomes a
        text there, which `clean` takes for the same."""
        delimiter, columns, fields = self.table.delimiter, self.columns, row.fields
        shown = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in error)
        if row.problem:
            return with_field(inert_line(row.raw, delimiter), delimiter, shown)
        raw, cells = row.raw, list(map(inert, fields))
        if cells != [*fields]:
            raw, fields = joined(cells, delimiter, end_of(raw)), cells
        count, earlier = len(self.table.first.fields), 0
        if columns.error_at is not None:
            count, earlier = columns.error_at, 1
        # Empty fields at the end may be there or not, and so may the error of an earlier import.
        blank = not any(text.strip() for text in fields[count + earlier :])
        whole = len(fields) >= min(count, columns.width) or _may_be_short(row, columns)
        if blank and len(fields) != count and whole:
            return joined([*[*fields, *[""] * count][:count], shown], delimiter, end_of(raw))
        return with_field(raw, delimiter, shown)

    def _rows(self) -> Iterator[Row]:
        if not self.reading.header:
            yield self.table.first
        yield from self.table.rows(self._is_row)

    def _is_row(self, fields: Sequence[str]) -> bool:
        """Whether fields have the shape of a contact."""
        columns = self.columns
        if not columns.width <= len(fields) <= columns.width + 1:
            return False
        try:
            return len(number_in(fields[columns.number])) > 2
        except BadValue:
            return False

    def _made_up_names(self) -> list[str]:
        columns = self.columns
        names = {columns.number: NUMBER, **{at: name for name, at in {**columns.fields, **columns.variables}.items()}}
        return [names.get(at, f"column_{at + 1}") for at in range(columns.width)]


class RowRefused(BadValue):
    """A row that is refused for a reason of its own."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__("row", text)
        self.fault = RowFault(reason, text)


def number_in(text: str) -> str:
    """The number in a cell, as it is dialled. Raises `BadValue`."""
    if text[:1] in _AROUND:
        text = clean(text).strip().removeprefix("'")
    return parse_number(text, NUMBER)


def _maker(columns: Columns, allowed: Allowed) -> Callable[[Row], Contact]:
    """Makes the contact of a row. Raises `BadValue`."""
    identity, checked, book = allowed.rules.identity, allowed.checker(), allowed.phonebook_id
    number_at, width, exact = columns.number, columns.width, not columns.nameless
    fields = [(at, name, _field(name).kind.parse) for name, at in columns.fields.items()]
    variables = [(at, name, _KIND.value) for name, at in columns.variables.items()]
    # Of a plain row that is so short no value can be refused: nothing is parsed that is only text.
    kinds = [_field(name).kind for name in columns.fields]
    texts = all(isinstance(kind, Text) and not kind.shortest for kind in kinds)
    harmless = min([_KIND.longest, *(kind.longest for kind in kinds if isinstance(kind, Text))]) if texts else 0
    plain_fields = [(at, name) for name, at in columns.fields.items()]
    plain_variables = [(at, name) for name, at in columns.variables.items()]

    def make(row: Row) -> Contact:
        cells = row.fields
        if len(cells) != width or not exact:
            cells = _fitted(row, columns)
        if row.plain and len(row.raw) <= harmless:
            number = checked(number_in(cells[number_at]))
            values: dict[str, Any] = {name: text for at, name in plain_fields if (text := cells[at].strip())}
            found = {name: text for at, name in plain_variables if (text := cells[at].strip())}
            return Contact(number=number, identity=identity(number), phonebook_id=book, additional_vars=found, **values)
        if '="' in row.raw:
            cells = [clean(text) for text in cells]
        number = checked(number_in(cells[number_at]))
        try:
            values = {name: parse(cells[at]) for at, name, parse in fields if cells[at]}
            found = {name: value for at, name, parse in variables if (value := parse(cells[at].strip()))}
        except ValueError:
            raise _refusal(cells, columns) from None
        if VARIABLES in values:
            values[VARIABLES] = _united(values[VARIABLES], found)
        elif found:
            values[VARIABLES] = found
        return Contact(number=number, identity=identity(number), phonebook_id=book, **values)

    return make


def _field(name: str) -> Field:
    return noun_of(Contact).field(name)


def _refusal(cells: Sequence[str], columns: Columns) -> BadValue:
    """The error that names the first value which is not allowed."""
    for name, at in columns.fields.items():
        try:
            valid(_field(name), cells[at])
        except BadValue as error:
            return error
    for name, at in columns.variables.items():
        try:
            _KIND.value(cells[at].strip())
        except ValueError:
            return BadValue(name, f"expected a text of at most {_KIND.longest} characters, without control characters")
    return BadValue("row", "has a value that is not allowed")


def _united(several: Mapping[str, str], found: Mapping[str, str]) -> Mapping[str, str]:
    twice = sorted(set(several) & set(found))
    if twice:
        raise BadValue(VARIABLES, f"{twice[0]} has a column of its own")
    united: Mapping[str, str] = valid(_field(VARIABLES), {**several, **found})
    return united


def _fitted(row: Row, columns: Columns) -> Sequence[str]:
    """Without empty fields that are too many, and with those that Excel leaves out at the end of a row. Raises `RowRefused`
    for others, and for a field without a column's name. A file may have been cut off in the middle of its last line."""
    cells, width = row.fields, columns.width
    for at in columns.nameless:
        if at < len(cells) and cells[at].strip():
            raise RowRefused(Reason.TOO_MANY, f"field {at + 1} has a value, and its column has no name")
    if len(cells) < width:
        if not _may_be_short(row, columns):
            told = "" if row.raw.endswith(("\n", "\r")) else ", and the file ends in this line"
            raise RowRefused(Reason.TOO_FEW, f"{_fields(len(cells))}, but the header has {width}{told}")
        return [*cells, *[""] * (width - len(cells))]
    if any(text.strip() for text in cells[width:]):
        raise RowRefused(Reason.TOO_MANY, f"{_fields(len(cells))}, but the header has {width}")
    return cells


def _may_be_short(row: Row, columns: Columns) -> bool:
    """Whether fields that are missing at the end may be empty ones. A row of refused rows has its error there: one that has
    none was cut off when it was refused."""
    is_whole = row.raw.endswith(("\n", "\r")) and columns.error_at is None
    return is_whole and len(row.fields) > columns.number


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"


def opened(path: Path) -> BinaryIO:
    """The file, for reading. Raises `BadValue` (field: the path)."""
    try:
        stream = open_to_read(path)
        stream.peek(1)
    except UnsafeFile as error:
        raise BadValue(str(path), f"cannot be read: {error.problem}") from None
    except OSError as error:
        raise BadValue(str(path), f"cannot be read: {error.strerror}") from None
    return stream


_EXPECTED: Final = "expected a CSV file whose first row names its columns, one of them `contact`"
