"""Cells as spreadsheets keep them: what they put around a text that shall stay one, and what they would run."""

from __future__ import annotations

import re
from typing import Final

_FORMULA = re.compile(r'\s*="(.*)"\s*', re.DOTALL)
_JOINED_FORMULA = re.compile(r'\s*=("(?:[^"]|"")*"(?:&CHAR\(\d{1,3}\)&"(?:[^"]|"")*")+)\s*')
_PIECE = re.compile(r'"((?:[^"]|"")*)"|CHAR\((\d+)\)')
_LINE_END = re.compile(r"[\r\n]")
_LINE_ENDS = re.compile(r"([\r\n])")
_RUNS: Final = frozenset("=+-@")
"""The first characters of what a spreadsheet runs, also behind blanks."""
_HARMLESS = re.compile(r"\s*[+-]?[\s0-9().,/-]*")
"""A number, also one for people."""


def clean(text: str) -> str:
    """A cell without what spreadsheets put around a text that shall stay one: `="0123"`, or `="two"&CHAR(10)&"lines"`."""
    joined_text = _JOINED_FORMULA.fullmatch(text) if "&CHAR(" in text else None
    if joined_text is not None:
        pieces = _PIECE.finditer(joined_text[1])
        return "".join(each[1].replace('""', '"') if each[2] is None else chr(int(each[2])) for each in pieces)
    found = _FORMULA.fullmatch(text)
    return text if found is None else found[1].replace('""', '"')


def kept(text: str, *, on_one_line: bool = False) -> str:
    """A cell that `clean` takes for exactly this text; with `on_one_line`, in which no line ends."""
    if on_one_line and _LINE_END.search(text):
        pieces = (f"CHAR({ord(each)})" if _LINE_END.match(each) else _quoted(each) for each in _LINE_ENDS.split(text))
        return f"={'&'.join(pieces)}"
    return f"={_quoted(text)}" if _FORMULA.fullmatch(text) else text


def inert(text: str) -> str:
    """A cell that `clean` takes for the same text, and that no spreadsheet runs: what one would take for a formula becomes a
    text of a spreadsheet (OWASP, "CSV Injection")."""
    if text.lstrip()[:1] not in _RUNS or _HARMLESS.fullmatch(text):
        return text
    found = _FORMULA.fullmatch(text)
    if _JOINED_FORMULA.fullmatch(text) or (found is not None and '"' not in found[1].replace('""', "")):
        return text
    return f"={_quoted(clean(text))}"


def inert_line(raw: str, delimiter: str) -> str:
    """The same of a row whose quotes are wrong, so that its cells are not known: `'` stands before what could be run."""
    return re.sub(rf"""(^|["'\r\n{re.escape(delimiter)}])(\s*)(?=[=@])""", r"\1\2'", raw)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
