"""FreeSWITCH's configuration folder: what is in it, and steps carried out so that a failure at any moment can be undone.

The manifest is written first, then the backup, then the file: a run that is cut short leaves a manifest that tells of more
than was done, and files that the next one, or uninstalling, takes for what they are.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from attrs import define, field

from dialer.errors import BadValue, DialerError
from dialer.freeswitch import manifest as manifests
from dialer.freeswitch.manifest import Manifest
from dialer.freeswitch.planning import FileStep, Verb

ROOT_FILE = "freeswitch.xml"
_NOBODY_ELSE = ~(stat.S_IRWXO | stat.S_IWGRP)


@define
class ConfFolder:
    """The folder at `root`; `manifest` tells of earlier installations. Methods raise `DialerError` where the file system
    refuses."""

    root: Path
    manifest: Manifest = field(init=False)

    def __attrs_post_init__(self) -> None:
        if not (self.root / ROOT_FILE).is_file():
            raise BadValue("DIR", f"{self.root} is no configuration folder of FreeSWITCH: it has no {ROOT_FILE}")
        saved = self.read(manifests.PATH)
        self.manifest = Manifest() if saved is None else manifests.decode(saved)

    def read(self, path: str) -> bytes | None:
        """A file, None where there is none."""
        there = self.root / path
        try:
            if there.is_symlink():
                raise DialerError(f"{there} is a symbolic link, which is not touched: remove it, or name the folder it is in")
            return there.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _refused(there, error) from None

    def read_all(self, paths: Iterable[str]) -> dict[str, bytes | None]:
        """Several files."""
        return {path: self.read(path) for path in paths}

    def backups(self) -> dict[str, bytes | None]:
        """The files that were replaced."""
        return {
            path: self.read(_backup(path, entry.replaced)) for path, entry in self.manifest.files.items() if entry.replaced
        }

    def carry_out(self, steps: Sequence[FileStep]) -> None:
        """Do it."""
        try:
            for step in steps:
                self._carry_out(step)
            if not self.manifest.files:
                self._clean_up()
        except OSError as error:
            raise _refused(Path(error.filename or self.root), error) from None

    # --- one step ---------------------------------------------------------------------------------------------------------

    def _carry_out(self, step: FileStep) -> None:
        if step.verb in (Verb.REMOVE, Verb.RESTORE, Verb.FORGET):
            self._undo(step)
            return
        replaced = step.before if step.verb is Verb.REPLACE else None
        backup = "" if replaced is None else _backup(step.path, manifests.digest(replaced))
        if step.entry is not None and (step.changes or step.entry != self.manifest.files.get(step.path)):
            noted = self.manifest.with_file(step.path, step.entry)
            for folder in self._missing_folders(step.path, backup, manifests.PATH):
                noted = noted.with_folder(folder)
            self._remember(noted)
        there = self.root / step.path
        if replaced is not None:
            self._write(backup, replaced, like=there)
        if step.changes and step.after is not None:
            self._write(step.path, step.after, like=there if there.exists() else self.root / ROOT_FILE, secret=step.secret)

    def _undo(self, step: FileStep) -> None:
        entry = self.manifest.files[step.path]
        backup = _backup(step.path, entry.replaced) if entry.replaced else ""
        if step.verb is Verb.REMOVE:
            (self.root / step.path).unlink()
        elif step.verb is Verb.RESTORE and step.after is not None:
            self._write(step.path, step.after, like=self.root / backup)
        self._remember(self.manifest.without(step.path))
        if backup:
            (self.root / backup).unlink(missing_ok=True)

    def _remember(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self._write(manifests.PATH, manifests.encode(manifest), like=self.root / ROOT_FILE)

    def _clean_up(self) -> None:
        """The manifest, and the folders that were made and are empty now."""
        (self.root / manifests.PATH).unlink(missing_ok=True)
        for folder in sorted(self.manifest.folders, key=len, reverse=True):
            there = self.root / folder
            if there.is_dir() and not any(there.iterdir()):
                there.rmdir()

    # --- writing ----------------------------------------------------------------------------------------------------------

    def _write(self, path: str, data: bytes, *, like: Path, secret: bool = False) -> None:
        """Whole or not at all; owner, group and mode as those of `like`, without those of others for a secret."""
        self._make_folders(path)
        model = like.stat()
        target = self.root / path
        # FreeSWITCH reads *.xml: it must never see half a file.
        beside = target.with_name(f".{target.name}.{os.getpid()}.new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                os.fchmod(file.fileno(), self._mode(file.fileno(), model, secret=secret))
            beside.replace(target)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise

    def _mode(self, descriptor: int, model: os.stat_result, *, secret: bool) -> int:
        mode = stat.S_IMODE(model.st_mode)
        mine = os.fstat(descriptor)
        if (mine.st_uid, mine.st_gid) != (model.st_uid, model.st_gid):
            try:
                os.fchown(descriptor, model.st_uid, model.st_gid)
            except PermissionError:
                # FreeSWITCH may run as that owner: it could read the file no more.
                return mode
        return mode & _NOBODY_ELSE if secret else mode

    def _make_folders(self, path: str) -> None:
        model = self.root.stat()
        for folder in self._missing_folders(path):
            there = self.root / folder
            there.mkdir(mode=stat.S_IMODE(model.st_mode))
            if os.geteuid() == 0:
                os.chown(there, model.st_uid, model.st_gid)

    def _missing_folders(self, *paths: str) -> list[str]:
        """Those on the way to the files that do not exist, the outermost first."""
        parents = {parent.as_posix() for path in paths if path for parent in Path(path).parents}
        return sorted((folder for folder in parents if not (self.root / folder).is_dir()), key=len)


def _backup(path: str, digest: str) -> str:
    return f"{manifests.BACKUPS}/{path}.{digest[:12]}"


def _refused(path: Path, error: OSError) -> DialerError:
    return DialerError(f"{path}: {error.strerror}")
