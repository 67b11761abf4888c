"""The manifest: the files that were installed into a folder, and those that they replaced."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import PurePosixPath

from attrs import asdict, evolve, field, frozen

from dialer.errors import DialerError
from dialer.freeswitch.content import FILES

PATH = "dialer/manifest.json"
"""Where the manifest is, below FreeSWITCH's configuration folder."""
BACKUPS = "dialer/backup"
VERSION = 1
LONGEST = 1 << 20
"""Bytes of a manifest; a real one has some hundreds."""
_DIGEST = re.compile("[0-9a-f]{64}")


@frozen(kw_only=True)
class Entry:
    """An installed file: its digest, and the digest of the file that it replaced, which is kept in `BACKUPS`; "" when there
    was none."""

    digest: str
    replaced: str = ""


@frozen(kw_only=True)
class Manifest:
    """`files` by path; `folders` are those that did not exist before, the outermost first."""

    files: dict[str, Entry] = field(factory=dict)
    folders: tuple[str, ...] = ()

    def with_file(self, path: str, entry: Entry) -> Manifest:
        """The same and one more file."""
        return evolve(self, files={**self.files, path: entry})

    def without(self, path: str) -> Manifest:
        """The same without a file."""
        return evolve(self, files={name: entry for name, entry in self.files.items() if name != path})

    def with_folder(self, path: str) -> Manifest:
        """The same and one more folder."""
        return self if path in self.folders else evolve(self, folders=(*self.folders, path))


def digest(data: bytes) -> str:
    """SHA-256, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def encode(manifest: Manifest) -> bytes:
    """The manifest's file."""
    return json.dumps({"version": VERSION, **asdict(manifest)}, indent=2, sort_keys=True).encode() + b"\n"


def decode(data: bytes) -> Manifest:
    """Read it. Raises `DialerError` when it is not one of this version, or names anything that is not the dialer's: whoever
    the folder belongs to can write it."""
    try:
        raw = json.loads(data)
        if raw["version"] != VERSION:
            raise DialerError(f"{PATH} is of version {raw['version']!r:.40}, which this dialer does not know")
        files = {
            str(path): Entry(digest=str(one["digest"]), replaced=str(one["replaced"])) for path, one in raw["files"].items()
        }
        manifest = Manifest(files=files, folders=tuple(map(str, raw["folders"])))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise DialerError(f"{PATH} is damaged: nothing can be told of what was installed") from None
    for path in manifest.files:
        if path not in FILES:
            raise DialerError(f"{PATH} is damaged: {path!r:.200} is no file that the dialer installs")
    for path in manifest.folders:
        if path not in _FOLDERS:
            raise DialerError(f"{PATH} is damaged: {path!r:.200} is no folder that the dialer makes")
    for path, entry in manifest.files.items():
        if not _DIGEST.fullmatch(entry.digest) or not _DIGEST.fullmatch(entry.replaced or entry.digest):
            raise DialerError(f"{PATH} is damaged: a digest of {path} is none")
    return manifest


def backup(path: str, digest: str) -> str:
    """Where the file is kept that `path` has replaced."""
    return f"{BACKUPS}/{path}.{digest[:12]}"


def folders_of(path: str) -> list[str]:
    """The folders on the way to a file, the outermost first."""
    return [parent.as_posix() for parent in reversed(PurePosixPath(path).parents) if parent.name]


_FOLDERS = frozenset(
    folder for file in (PATH, *FILES, *(f"{BACKUPS}/{path}" for path in FILES)) for folder in folders_of(file)
)
