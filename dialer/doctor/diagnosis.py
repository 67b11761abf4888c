"""The findings of the doctor."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator, Sequence

from attrs import asdict, frozen


class Level(enum.StrEnum):
    """How bad it is. A warning lets the dialer call."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@frozen
class Diagnosis:
    """A finding. `check` is one word for programs, `advice` says what to do; "" when there is nothing to do."""

    check: str
    level: Level
    text: str
    advice: str = ""


def ok(check: str, text: str) -> Diagnosis:
    """All is well."""
    return Diagnosis(check, Level.OK, text)


def warning(check: str, text: str, advice: str) -> Diagnosis:
    """It works, but not as well as it could."""
    return Diagnosis(check, Level.WARNING, text, advice)


def failure(check: str, text: str, advice: str) -> Diagnosis:
    """It does not work."""
    return Diagnosis(check, Level.FAILURE, text, advice)


def worst(findings: Sequence[Diagnosis]) -> Level:
    """The worst level among them."""
    order = list(Level)
    return max((finding.level for finding in findings), key=order.index, default=Level.OK)


def as_text(findings: Sequence[Diagnosis]) -> Iterator[str]:
    """One line a finding."""
    for one in findings:
        advice = f" -> {one.advice}" if one.advice else ""
        line = f"{one.level:<8} {one.check:<12} {one.text}{advice}"
        yield "".join(c if c.isprintable() else "?" for c in line)


def as_json(findings: Sequence[Diagnosis]) -> str:
    """An object with the worst level and all findings."""
    return json.dumps({"worst": worst(findings), "findings": [asdict(one) for one in findings]}, indent=2, ensure_ascii=False)
