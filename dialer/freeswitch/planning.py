"""The steps of installing and uninstalling, decided from the files that are there, and shown as diffs without passwords;
nothing is done here.

A file is ours when the manifest has it with the digest that it has. Any other file is somebody else's: it is left
alone, or replaced when that was asked for, and then kept as a backup until it is put back.
"""

from __future__ import annotations

import difflib
import enum
import re
from collections.abc import Iterator, Mapping, Sequence

from attrs import evolve, frozen

from dialer.freeswitch.content import ConfFile
from dialer.freeswitch.manifest import Entry, Manifest, digest


class Verb(enum.StrEnum):
    """The step for a file."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"  # somebody else's, or ours with somebody's changes: with a backup
    REMOVE = "remove"
    RESTORE = "restore"  # the backup comes back
    FORGET = "forget"  # it is gone, or is what it was before
    KEEP = "keep"  # nothing to do
    LEAVE = "leave"  # somebody else's, or changed since


@frozen(kw_only=True)
class FileStep:
    """One file's step. `before` and `after` are its contents, None where there is none; `entry` is what the manifest is to
    say of it afterwards. `secret`: it holds a password. `replacement` is what would stand there if the file were replaced."""

    verb: Verb
    path: str
    before: bytes | None
    after: bytes | None
    entry: Entry | None = None
    secret: bool = False
    replacement: bytes | None = None

    @property
    def changes(self) -> bool:
        """Whether the file will be another."""
        return self.verb not in (Verb.KEEP, Verb.LEAVE, Verb.FORGET)


def plan_install(
    files: Sequence[ConfFile], manifest: Manifest, present: Mapping[str, bytes | None], *, replace: bool
) -> list[FileStep]:
    """The steps that bring `files` about. `present` is what each of them holds now, None for what is not there. With
    `replace`, what is somebody else's is replaced, too."""
    return [_install(file, manifest.files.get(file.path), present.get(file.path), replace=replace) for file in files]


def plan_uninstall(
    manifest: Manifest, present: Mapping[str, bytes | None], backups: Mapping[str, bytes | None]
) -> list[FileStep]:
    """The steps that undo what the manifest tells of. `backups` are the files that were replaced."""
    return [_uninstall(path, manifest.files[path], present.get(path), backups.get(path)) for path in sorted(manifest.files)]


def _install(file: ConfFile, known: Entry | None, now: bytes | None, *, replace: bool) -> FileStep:
    wanted = file.text.encode()
    replaced = known.replaced if known else ""

    def step(verb: Verb, entry: Entry | None) -> FileStep:
        after = now if verb in (Verb.KEEP, Verb.LEAVE) else wanted
        left = wanted if verb is Verb.LEAVE else None
        return FileStep(verb=verb, path=file.path, before=now, after=after, entry=entry, secret=file.secret, replacement=left)

    ours = Entry(digest=digest(wanted), replaced=replaced)
    if now is None:
        return step(Verb.CREATE, ours)
    if known is not None and digest(now) == known.digest:
        return step(Verb.KEEP if now == wanted else Verb.UPDATE, ours)
    if now == wanted:
        # As an installation leaves it that was cut short, or as somebody has written it by hand.
        return step(Verb.KEEP, ours if known is not None else None)
    if not replace:
        return step(Verb.LEAVE, known)
    # Ours, changed by somebody, may stand in the place of a first one: that is what uninstalling brings back.
    return step(Verb.REPLACE, Entry(digest=ours.digest, replaced=replaced or digest(now)))


def _uninstall(path: str, entry: Entry, now: bytes | None, backup: bytes | None) -> FileStep:
    def step(verb: Verb, after: bytes | None, kept: Entry | None = None) -> FileStep:
        return FileStep(verb=verb, path=path, before=now, after=after, entry=kept)

    if now is not None and digest(now) == entry.replaced:
        return step(Verb.FORGET, now)
    if now is not None and digest(now) != entry.digest:
        return step(Verb.LEAVE, now, entry)
    if entry.replaced:
        whole = backup is not None and digest(backup) == entry.replaced
        return step(Verb.RESTORE, backup) if whole else step(Verb.LEAVE, now, entry)
    return step(Verb.FORGET if now is None else Verb.REMOVE, None)


# --- for people -------------------------------------------------------------------------------------------------------------

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


def diff(steps: Sequence[FileStep]) -> Iterator[str]:
    """The lines of a unified diff of all steps that change something."""
    for step in steps:
        if step.changes:
            yield from _diff(step)


def diff_if_replaced(steps: Sequence[FileStep]) -> Iterator[str]:
    """The same of what is left alone and would be another if it were replaced."""
    for step in steps:
        if step.replacement is not None:
            yield from _diff(evolve(step, after=step.replacement))


def summary(step: FileStep) -> str:
    """One line on a step."""
    if step.verb is Verb.LEAVE:
        why = "not installed by the dialer" if step.entry is None else "changed since it was installed"
        return f"{step.path}: left alone, {why}"
    return f"{step.path}: {_WORDS[step.verb]}"


def _diff(step: FileStep) -> Iterator[str]:
    before = "/dev/null" if step.before is None else f"a/{step.path}"
    after = "/dev/null" if step.after is None else f"b/{step.path}"
    old, new = _lines(step.before, "the old one"), _lines(step.after, "the new one")
    for line in difflib.unified_diff(old, new, before, after, lineterm=""):
        yield line if line.isprintable() else "".join(c if c.isprintable() or c == "\t" else "?" for c in line)


def _lines(data: bytes | None, which: str) -> list[str]:
    text = "" if data is None else data.decode("utf-8", "replace")
    return _SECRET.sub(rf"\1({which})\3", text).splitlines()
