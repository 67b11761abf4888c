"""Sounds: the files that voice applications play, in the folder that `apps.sounds` names; superusers keep them.

The folder is FreeSWITCH's. The dialer sees it where both run on one machine, or share it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final, TypeVar

from attrs import frozen
from twisted.internet.defer import Deferred

from dialer.audio import Audio, check_name, read_audio
from dialer.errors import AlreadyExists, BadValue, NotFound, NotSetUp
from dialer.management import rows, users
from dialer.management.management import Management, Transaction, verb
from dialer.model import Account
from dialer.safe_files import Folder, UnsafeFile
from dialer.safe_paths import open_folder

T = TypeVar("T")

SETTING: Final = "apps.sounds"
MOST_SOUNDS: Final = 10_000
_HEAD: Final = 65_536
"""Bytes of a file that are read to tell what it is."""


@frozen(kw_only=True)
class Sound:
    """A file of sounds; `audio` is None for one whose content is none."""

    name: str
    size: int
    changed_at: datetime
    audio: Audio | None = None


@frozen(kw_only=True, eq=False)
class OpenFile:
    """A file that is open for reading. `tag` is another one when its content is."""

    name: str
    stream: IO[bytes]
    size: int
    tag: str


def opened_in(folder: Folder, name: str) -> OpenFile:
    """A plain file of a folder. Raises `FileNotFoundError`, `OSError`, `UnsafeFile`."""
    descriptor = folder.open(name)
    status = os.fstat(descriptor)
    tag = f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"
    return OpenFile(name=name, stream=os.fdopen(descriptor, "rb"), size=status.st_size, tag=tag)


def in_folder(management: Management, path: str, setting: str, work: Callable[[Folder], T]) -> Deferred[T]:
    """Do something in a folder of files, on a thread. Fails with `NotSetUp`, and as `work` does."""

    def perform() -> T:
        if not path:
            raise NotSetUp(setting, "names no folder")
        try:
            with open_folder(Path(path)) as folder:
                return work(folder)
        except FileNotFoundError:
            raise NotSetUp(setting, f"{path} is not there for the dialer") from None
        except (OSError, UnsafeFile) as error:
            raise NotSetUp(setting, f"{path} cannot be used by the dialer: {error}") from None

    return management.in_thread(perform)


def _in_sounds(management: Management, work: Callable[[Folder], T]) -> Deferred[T]:
    """Whoever may log in hears sounds: a folder that has recordings, too, is none of them."""
    folders = management.folders

    def apart(folder: Folder) -> T:
        if folders.recordings and _is_same(folders.sounds, folders.recordings):
            raise NotSetUp(SETTING, "is the folder of apps.recordings, too, which are not for everybody: name another one")
        return work(folder)

    return in_folder(management, folders.sounds, SETTING, apart)


def _is_same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)  # noqa: PTH121 - of paths that may not be there
    except OSError:
        return False


async def listed(
    management: Management, who: Account, after: str = "", limit: int | None = None, downwards: bool = False
) -> list[Sound]:
    """The sounds in the order of their names, those behind a name. Fails with `NotSetUp`, `NotFound` (the user)."""
    await management.ask(users.current, who)

    def look(folder: Folder) -> list[Sound]:
        names = sorted(filter(_is_sound, folder.names()), reverse=downwards)
        behind = [name for name in names if not after or (name < after if downwards else name > after)]
        found = (_sound(folder, name) for name in behind[:limit])
        return [sound for sound in found if sound is not None]

    return await _in_sounds(management, look)


async def read(management: Management, who: Account, name: str) -> Sound:
    """One of them. Fails also with `NotFound`."""
    await management.ask(users.current, who)

    def look(folder: Folder) -> Sound:
        found = _sound(folder, name) if _is_sound(name) else None
        if found is None:
            raise NotFound("sound", name)
        return found

    return await _in_sounds(management, look)


async def content(management: Management, who: Account, name: str) -> OpenFile:
    """The content of one of them. Fails as `read`."""
    await management.ask(users.current, who)

    def look(folder: Folder) -> OpenFile:
        try:
            if not _is_sound(name):
                raise FileNotFoundError
            return opened_in(folder, name)
        except (FileNotFoundError, UnsafeFile):
            raise NotFound("sound", name) from None

    return await _in_sounds(management, look)


async def put(management: Management, who: Account, name: str, body: bytes, replace: bool) -> Sound:
    """A new sound; with `replace`, it may take the place of another one. It is there whole, or not at all. Fails with
    `Forbidden`, `AlreadyExists`, `BadValue`, `NotSetUp`."""
    rows.check_superuser(await management.ask(users.current, who))
    check_name(name)

    def write(folder: Folder) -> Sound:
        audio = read_audio(body)
        if not name.endswith(f".{audio.kind}"):
            raise BadValue("name", f"ends in another way than its content is: expected .{audio.kind}")
        if not replace and folder.status(name) is not None:
            raise AlreadyExists("sound", "name", name)
        if len(folder.names()) >= MOST_SOUNDS:
            raise NotSetUp(SETTING, f"has {MOST_SOUNDS} files, and no more are taken")
        folder.write(name, body)
        return _sound(folder, name) or Sound(name=name, size=len(body), changed_at=management.now(), audio=audio)

    return await _in_sounds(management, write)


async def remove(management: Management, who: Account, name: str) -> None:
    """Remove a sound; who is hearing it hears it to its end. Fails with `Forbidden`, `NotFound`, `NotSetUp`."""
    rows.check_superuser(await management.ask(users.current, who))

    def delete(folder: Folder) -> None:
        if not _is_sound(name) or folder.status(name) is None:
            raise NotFound("sound", name)
        folder.remove(name)

    await _in_sounds(management, delete)


@verb
def done(t: Transaction, who: Account, sound: Sound) -> Sound:
    """What was stored, for the answer."""
    return sound


def _is_sound(name: str) -> bool:
    try:
        check_name(name)
    except BadValue:
        return False
    return True


def _sound(folder: Folder, name: str) -> Sound | None:
    """None for what is no plain file, or gone."""
    try:
        descriptor = folder.open(name)
    except (OSError, UnsafeFile):
        return None
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        head = stream.read(_HEAD)
    changed_at = datetime.fromtimestamp(status.st_mtime, UTC)
    return Sound(name=name, size=status.st_size, changed_at=changed_at, audio=_audio(head, status.st_size))


def _audio(head: bytes, size: int) -> Audio | None:
    try:
        return read_audio(head, size)
    except BadValue:
        return None
