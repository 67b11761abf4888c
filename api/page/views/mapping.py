"""Which column of a file is what: what is guessed of its header, what is chosen in a form, and what an import is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import orjson
from attrs import frozen

from api.page.rendering import text
from dialer.errors import BadValue
from dialer.files.columns import ERROR, EXACT, LEFT_OUT, NAMED, NUMBER, USUAL, target_of, usual, variable_name
from dialer.files.sample import LONGEST
from dialer.model import ImportFormat, ImportJob

VARIABLE: Final = "variable"
LEAVE_OUT: Final = "leave-out"
OF_ENTRY: Final = ("reason", "source", "expires_at")
"""What a row of a do-not-call list has beside its number."""
_FIELDS: Final = (NUMBER, *NAMED)
_OF_ENTRY: Final = {"expires": "expires_at", **{name: name for name in OF_ENTRY}}


@frozen(kw_only=True)
class ColumnChoice:
    """A column of a file: its place from 0, its name, the first texts in it, and what it is."""

    place: int
    name: str
    texts: Sequence[str]
    chosen: str

    @property
    def field(self) -> str:
        """Of the form."""
        return f"column-{self.place}"


@frozen(kw_only=True)
class ColumnForm:
    """The columns of a file, and what each of them can be."""

    columns: Sequence[ColumnChoice]
    options: Sequence[tuple[str, str]]


def form_of(job: ImportJob, chosen: Mapping[str, str], *, header: bool) -> ColumnForm:
    """The form for an import; `chosen` is what was chosen before, by the fields of the form."""
    rows = orjson.loads(job.sample)
    names = rows[0] if header else []
    width = len(names) if header else max(map(len, rows), default=0)
    guessed = _guess(job, rows, width, header=header)
    columns = [
        ColumnChoice(
            place=at,
            name=names[at] if header else "",
            texts=[row[at] for row in rows[1 if header else 0 :] if at < len(row)],
            chosen=chosen.get(f"column-{at}", guessed[at]),
        )
        for at in range(width)
        if not (header and _is_remark(job, names, at))
    ]
    return ColumnForm(columns=columns, options=[(each, text("column." + each)) for each in _targets(job)])


def _is_remark(job: ImportJob, names: Sequence[str], at: int) -> bool:
    """Whether a column is what an earlier import had to say, and ignored."""
    is_last = at == len(names) - 1 or job.format is ImportFormat.JSON_LINES
    return is_last and names[at].casefold() == ERROR


def _targets(job: ImportJob) -> Sequence[str]:
    left_out = () if job.format is ImportFormat.JSON_LINES else (LEAVE_OUT,)
    return (NUMBER, *NAMED, VARIABLE, *left_out) if job.list_id is None else (NUMBER, *OF_ENTRY, *left_out)


def _guess(job: ImportJob, rows: Sequence[Sequence[str]], width: int, *, header: bool) -> list[str]:
    """What each column is: as it was said before, or else by its name; without names, the first that has digits is the
    number."""
    said = _said(job, rows[0] if header else [], width)
    otherwise = VARIABLE if job.list_id is None else _targets(job)[-1]
    found = [said.get(at, "") for at in range(width)]
    if NUMBER not in found:
        place = _number_place(rows, width, found, header=header)
        if place is not None:
            found[place] = NUMBER
    for at in range(width):
        found[at] = found[at] or (_by_name(job, rows[0][at], found) if header else otherwise) or otherwise
    return found


def _said(job: ImportJob, names: Sequence[str], width: int) -> dict[int, str]:
    """What the mapping of an import says of columns, by their places."""
    found: dict[int, str] = {}
    for target, column in orjson.loads(job.mapping).items():
        if target == LEFT_OUT:
            found |= {int(each) - 1: LEAVE_OUT for each in column.split(",") if each.isdigit()}
            continue
        place = next((at for at, name in enumerate(names) if name == column), None)
        if place is None and column.isdigit() and 0 < int(column) <= width:
            place = int(column) - 1
        if place is not None:
            found[place] = target if target in _targets(job) else VARIABLE
    return found


def _number_place(rows: Sequence[Sequence[str]], width: int, taken: Sequence[str], *, header: bool) -> int | None:
    free = [at for at in range(width) if not taken[at]]
    if header:
        for words in (frozenset(EXACT), USUAL):
            for at in free:
                if usual(rows[0][at]) in words:
                    return at
        return None
    return next((at for at in free if at < len(rows[0]) and any(each.isdigit() for each in rows[0][at])), None)


def _by_name(job: ImportJob, name: str, taken: Sequence[str]) -> str:
    if job.list_id is not None:
        found = _OF_ENTRY.get(usual(name), "")
    else:
        try:
            found = target_of(name)
        except BadValue:
            return LEAVE_OUT if not name else VARIABLE
    return found if found in _targets(job) and found not in taken else ""


def mapping_of(job: ImportJob, chosen: Mapping[str, str], *, header: bool) -> dict[str, str]:
    """The mapping that was chosen. Raises `BadValue`."""
    form = form_of(job, chosen, header=header)
    names = [each.name for each in form.columns]
    mapping: dict[str, str] = {}
    left_out: list[str] = []
    known = {target for target, _ in form.options}
    for each in form.columns:
        if each.chosen not in known:
            raise BadValue("mapping", f"column {each.place + 1}: expected one of {', '.join(sorted(known))}")
        if each.chosen == LEAVE_OUT:
            left_out.append(str(each.place + 1))
            continue
        target = _variable(each, header=header) if each.chosen == VARIABLE else each.chosen
        if target in mapping:
            raise BadValue("mapping", text("import.twice", what=text("column." + target) if target in known else target))
        if target:
            mapping[target] = _column(names, each.place, job.format)
    if NUMBER not in mapping:
        raise BadValue("mapping", text("import.no-number"))
    return {**mapping, **({LEFT_OUT: ",".join(left_out)} if left_out else {})}


def _variable(column: ColumnChoice, *, header: bool) -> str:
    """The name of the variable that a column is; "" where that goes without saying."""
    made_up = f"column_{column.place + 1}"
    if not header:
        return made_up
    try:
        if target_of(column.name) not in _FIELDS:
            return ""
        name = variable_name(column.name)
    except BadValue:
        return made_up
    return made_up if name in _FIELDS else name


def _column(names: Sequence[str], at: int, format_: ImportFormat) -> str:
    """A column as a mapping names it: by its name where that is whole, and the only one of its kind."""
    if format_ is ImportFormat.JSON_LINES:
        return names[at]
    same = [name for name in names if usual(name) == usual(names[at])]
    return names[at] if 0 < len(names[at]) < LONGEST and len(same) == 1 else str(at + 1)
