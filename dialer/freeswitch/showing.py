"""The steps of an installation for people: unified diffs, in which no password shows."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence

from dialer.freeswitch.planning import Step, Verb

_SECRET = re.compile(r'(name="(?:password|cred)"\s+value=")([^"]*)(")')
_WORDS = {
    Verb.CREATE: "new",
    Verb.UPDATE: "brought up to date",
    Verb.REPLACE: "replaced, the old one is kept",
    Verb.REMOVE: "removed",
    Verb.RESTORE: "put back as it was",
    Verb.FORGET: "nothing left to undo",
    Verb.KEEP: "as it should be",
}


def diff(steps: Sequence[Step]) -> Iterator[str]:
    """The lines of a unified diff of all steps that change something."""
    for step in steps:
        if step.changes:
            yield from _diff(step)


def summary(step: Step) -> str:
    """One line on a step."""
    if step.verb is Verb.LEAVE:
        why = "not installed by the dialer" if step.entry is None else "changed since it was installed"
        return f"{step.path}: left alone, {why}"
    return f"{step.path}: {_WORDS[step.verb]}"


def _diff(step: Step) -> Iterator[str]:
    before = "/dev/null" if step.before is None else f"a/{step.path}"
    after = "/dev/null" if step.after is None else f"b/{step.path}"
    old, new = _lines(step.before, "the old one"), _lines(step.after, "the new one")
    for line in difflib.unified_diff(old, new, before, after, lineterm=""):
        yield line if line.isprintable() else "".join(c if c.isprintable() or c == "\t" else "?" for c in line)


def _lines(data: bytes | None, which: str) -> list[str]:
    text = "" if data is None else data.decode("utf-8", "replace")
    return _SECRET.sub(rf"\1({which})\3", text).splitlines()
