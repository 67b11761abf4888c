"""What installing or uninstalling comes to, decided from what is there; nothing is done here.

A file is ours when the manifest has it with the digest that it has. Whatever else is there is somebody else's: it is left
alone, or replaced when that was asked for, and then kept as a backup until it is put back.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence

from attrs import frozen

from dialer.freeswitch.content import ConfFile
from dialer.freeswitch.manifest import Entry, Manifest, digest


class Verb(enum.StrEnum):
    """What is done with a file."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"  # somebody else's, or ours with somebody's changes: with a backup
    REMOVE = "remove"
    RESTORE = "restore"  # the backup comes back
    FORGET = "forget"  # it is gone, or is what it was before
    KEEP = "keep"  # nothing to do
    LEAVE = "leave"  # somebody else's, or changed since


@frozen(kw_only=True)
class Step:
    """One file's step. `before` and `after` are its contents, None where there is none; `entry` is what the manifest is to
    say of it afterwards. `secret`: it holds a password."""

    verb: Verb
    path: str
    before: bytes | None
    after: bytes | None
    entry: Entry | None = None
    secret: bool = False

    @property
    def changes(self) -> bool:
        """Whether the file will be another."""
        return self.verb not in (Verb.KEEP, Verb.LEAVE, Verb.FORGET)


def plan_install(
    files: Sequence[ConfFile], manifest: Manifest, present: Mapping[str, bytes | None], *, replace: bool
) -> list[Step]:
    """The steps that bring `files` about. `present` is what each of them holds now, None for what is not there. With
    `replace`, what is somebody else's is replaced, too."""
    return [_install(file, manifest.files.get(file.path), present.get(file.path), replace=replace) for file in files]


def plan_uninstall(manifest: Manifest, present: Mapping[str, bytes | None], backups: Mapping[str, bytes | None]) -> list[Step]:
    """The steps that undo what the manifest tells of. `backups` are the files that were replaced."""
    return [_uninstall(path, manifest.files[path], present.get(path), backups.get(path)) for path in sorted(manifest.files)]


def _install(file: ConfFile, known: Entry | None, now: bytes | None, *, replace: bool) -> Step:
    wanted = file.text.encode()
    replaced = known.replaced if known else ""

    def step(verb: Verb, entry: Entry | None) -> Step:
        after = now if verb in (Verb.KEEP, Verb.LEAVE) else wanted
        return Step(verb=verb, path=file.path, before=now, after=after, entry=entry, secret=file.secret)

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


def _uninstall(path: str, entry: Entry, now: bytes | None, backup: bytes | None) -> Step:
    def step(verb: Verb, after: bytes | None, kept: Entry | None = None) -> Step:
        return Step(verb=verb, path=path, before=now, after=after, entry=kept)

    if now is not None and digest(now) == entry.replaced:
        return step(Verb.FORGET, now)
    if now is not None and digest(now) != entry.digest:
        return step(Verb.LEAVE, now, entry)
    if entry.replaced:
        whole = backup is not None and digest(backup) == entry.replaced
        return step(Verb.RESTORE, backup) if whole else step(Verb.LEAVE, now, entry)
    return step(Verb.FORGET if now is None else Verb.REMOVE, None)
