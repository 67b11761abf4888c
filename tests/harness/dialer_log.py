"""What a dialer's log tells: corrections by kind, errors, and when it was connected to the switch."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from attrs import frozen

_LINE = re.compile(r"(\S+Z) ([A-Z]+) (\S+): (.*)")
_FIELD = re.compile(r" (\w+)=('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\S+)")

CORRECTION = "correction"
"""The event that tells of a correction; its field `kind` says which."""

CONNECTED = "connected to "
ADOPTED = "adopted"
RESCUED = "rescued"


@frozen
class LogLine:
    """`at` is in seconds since 1970; `text` is without the fields."""

    at: float
    level: str
    module: str
    text: str
    fields: Mapping[str, str]


def parse(lines: Iterable[str]) -> Iterator[LogLine]:
    """The lines of a log. What is no line of it, such as the last words of an interpreter, is an error of nobody."""
    for line in lines:
        match = _LINE.fullmatch(line.rstrip("\n"))
        if match is None:
            yield LogLine(0.0, "ERROR", "", line.rstrip("\n"), {})
            continue
        stamp, level, module, rest = match.groups()
        fields = {name: value.strip("'\"") for name, value in _FIELD.findall(rest)}
        text = rest[: _FIELD.search(rest).start()] if fields else rest  # type: ignore[union-attr]
        yield LogLine(datetime.fromisoformat(stamp).timestamp(), level, module, text, fields)


def correction(line: LogLine) -> str:
    """The kind of correction that a line tells of, "" for any other line."""
    return line.fields["kind"] if line.text == CORRECTION else ""


def corrections(lines: Iterable[LogLine]) -> Counter[str]:
    """How many there were of each kind."""
    return Counter(kind for line in lines if (kind := correction(line)))


def errors(lines: Iterable[LogLine]) -> list[str]:
    """What the dialer says that should not have happened."""
    return [
        f"{line.module}: {line.text} {dict(line.fields) or ''}".rstrip()
        for line in lines
        if line.level in ("ERROR", "CRITICAL")
    ]
