"""The manifest: the files that were installed into a folder, and those that they replaced."""

from __future__ import annotations

import hashlib
import json

from attrs import asdict, evolve, field, frozen

from dialer.errors import DialerError

PATH = "dialer/manifest.json"
"""Where the manifest is, below FreeSWITCH's configuration folder."""
BACKUPS = "dialer/backup"
VERSION = 1


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
    """Read it. Raises `DialerError` when it is not one of this version."""
    try:
        raw = json.loads(data)
        if raw["version"] != VERSION:
            raise DialerError(f"{PATH} is of version {raw['version']}, which this dialer does not know")
        files = {
            str(path): Entry(digest=str(one["digest"]), replaced=str(one["replaced"])) for path, one in raw["files"].items()
        }
        manifest = Manifest(files=files, folders=tuple(map(str, raw["folders"])))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DialerError(f"{PATH} is damaged: nothing can be told of what was installed") from None
    for path in (*manifest.files, *manifest.folders):
        if path.startswith("/") or ".." in path.split("/"):
            raise DialerError(f"{PATH} is damaged: {path!r} is outside of the folder")
    return manifest
