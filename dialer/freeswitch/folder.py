"""FreeSWITCH's configuration folder: what is in it, and steps carried out so that a failure at any moment can be undone.

The manifest is written first, then the backup, then the file: a run that is cut short leaves a manifest that tells of more
than was done, and files that the next one, or uninstalling, takes for what they are.

The folder belongs to the user of FreeSWITCH as a rule, and root works in it: see `dialer.safe_files`.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import define, evolve, field

from dialer.errors import BadValue, DialerError
from dialer.freeswitch import manifest as manifests
from dialer.freeswitch.manifest import Manifest, backup, folders_of
from dialer.freeswitch.planning import FileStep, Verb
from dialer.safe_files import Access, Folder, ReadFile, UnsafeFile
from dialer.safe_paths import open_folder

ROOT_FILE = "freeswitch.xml"
LONGEST = 4 << 20
"""Bytes of a configuration file; the longest one that FreeSWITCH ships has some 30,000."""
_NOBODY_ELSE = ~(stat.S_IRWXO | stat.S_IWGRP)


@define
class ConfFolder:
    """The folder at `root`, to be closed after use; `manifest` tells of earlier installations. Methods raise `DialerError`
    where the file system refuses, and for what is no plain file."""

    root: Path
    manifest: Manifest = field(init=False)
    _folder: Folder = field(init=False)
    _new: Access = field(init=False)
    """Of files that were not there."""

    def __attrs_post_init__(self) -> None:
        try:
            self._folder = open_folder(self.root)
        except OSError as error:
            raise BadValue("DIR", f"{self.root} cannot be opened: {error.strerror}") from None
        try:
            self._new = self._access_of_new()
            saved = self.read(manifests.PATH)
            self.manifest = Manifest() if saved is None else manifests.decode(saved)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> ConfFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """No more is done with it."""
        self._folder.close()

    def read(self, path: str) -> bytes | None:
        """A file, None where there is none."""
        found = self._found(path)
        return None if found is None else found.content

    def read_all(self, paths: Iterable[str]) -> dict[str, bytes | None]:
        """Several files."""
        return {path: self.read(path) for path in paths}

    def backups(self) -> dict[str, bytes | None]:
        """The files that were replaced."""
        return {path: self.read(backup(path, entry.replaced)) for path, entry in self.manifest.files.items() if entry.replaced}

    def carry_out(self, steps: Sequence[FileStep]) -> None:
        """Do it."""
        for step in steps:
            self._carry_out(step)
        if not self.manifest.files:
            self._clean_up()

    # --- one step ---------------------------------------------------------------------------------------------------------

    def _carry_out(self, step: FileStep) -> None:
        if step.verb in (Verb.REMOVE, Verb.RESTORE, Verb.FORGET):
            self._undo(step)
            return
        replaced = step.before if step.verb is Verb.REPLACE else None
        kept = "" if replaced is None else backup(step.path, manifests.digest(replaced))
        if step.entry is not None and (step.changes or step.entry != self.manifest.files.get(step.path)):
            noted = self.manifest.with_file(step.path, step.entry)
            for folder in self._missing_folders(step.path, kept, manifests.PATH):
                noted = noted.with_folder(folder)
            self._remember(noted)
        access = self._access(step.path)
        if replaced is not None:
            self._write(kept, replaced, access)
        if step.changes and step.after is not None:
            self._write(step.path, step.after, access, secret=step.secret)

    def _undo(self, step: FileStep) -> None:
        entry = self.manifest.files[step.path]
        kept = backup(step.path, entry.replaced) if entry.replaced else ""
        if step.verb is Verb.REMOVE:
            self._remove(step.path)
        elif step.verb is Verb.RESTORE and step.after is not None:
            self._write(step.path, step.after, self._access(kept))
        self._remember(self.manifest.without(step.path))
        if kept:
            self._remove(kept)

    def _remember(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self._write(manifests.PATH, manifests.encode(manifest), self._new)

    def _clean_up(self) -> None:
        """The manifest, and the folders that were made and are empty now."""
        self._remove(manifests.PATH)
        for path in sorted(self.manifest.folders, key=len, reverse=True):
            with suppress(OSError), self._folder.within(path) as (folder, name):
                folder.remove_folder(name)

    # --- files ------------------------------------------------------------------------------------------------------------

    def _found(self, path: str) -> ReadFile | None:
        with self._told(path):
            try:
                with self._folder.within(path) as (folder, name):
                    return folder.read(name, LONGEST)
            except FileNotFoundError:
                return None

    def _write(self, path: str, data: bytes, access: Access, *, secret: bool = False) -> None:
        """Whole or not at all: FreeSWITCH reads *.xml, and must never see half a file. A secret is for no others."""
        private = evolve(access, mode=(access.mode or 0) & _NOBODY_ELSE) if secret else access
        self._make_folders(path)
        with self._told(path), self._folder.within(path) as (folder, name):
            try:
                folder.write(name, data, private)
            except PermissionError:
                # Only root can give a file away. FreeSWITCH may run as that owner: without others' right to read it, it
                # could read the file no more.
                folder.write(name, data, Access(mode=access.mode))

    def _remove(self, path: str) -> None:
        with self._told(path), suppress(FileNotFoundError), self._folder.within(path) as (folder, name):
            folder.remove(name)

    def _access(self, path: str) -> Access:
        """Owner and mode of a file that is there, or those of a new one. In a folder of somebody else nothing becomes root's:
        he decides on its content."""
        found = self._found(path)
        if found is None:
            return self._new
        access = Access.of(found.status)
        uid, gid = self._folder.owner
        return evolve(access, uid=access.uid or uid, gid=access.gid or gid) if uid else access

    def _access_of_new(self) -> Access:
        """The mode of freeswitch.xml, and the owner of the folder; where that is root, nobody else can lead it astray, and
        the owner is that of freeswitch.xml. Raises `BadValue`."""
        found = self._found(ROOT_FILE)
        if found is None:
            raise BadValue("DIR", f"{self.root} is no configuration folder of FreeSWITCH: it has no {ROOT_FILE}")
        access = Access.of(found.status)
        uid, gid = self._folder.owner
        return evolve(access, uid=uid, gid=gid) if uid else access

    # --- folders ----------------------------------------------------------------------------------------------------------

    def _make_folders(self, path: str) -> None:
        with self._told(path), self._folder.below(folders_of(path)[-1].split("/"), make=True):
            pass

    def _missing_folders(self, *paths: str) -> list[str]:
        """Those on the way to the files that do not exist, the outermost first."""
        folders = {folder for path in paths for folder in folders_of(path)}
        return [folder for folder in sorted(folders, key=len) if not self._is_there(folder)]

    def _is_there(self, path: str) -> bool:
        with self._told(path):
            try:
                with self._folder.within(path) as (folder, name):
                    folder.folder(name).close()
            except FileNotFoundError:
                return False
        return True

    @contextmanager
    def _told(self, path: str) -> Iterator[None]:
        """Failures as `DialerError`."""
        try:
            yield
        except UnsafeFile as error:
            raise DialerError(f"{error}: nothing was done with it, look at it and remove it") from None
        except OSError as error:
            raise DialerError(f"{self.root / path}: {error.strerror}") from None
