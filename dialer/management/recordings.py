"""Recordings of calls: files in the folder that `apps.recordings` names, each called as its call. Who may see the call's
record may hear it."""

from __future__ import annotations

from typing import Final

from dialer.errors import NotFound, NotSetUp
from dialer.management import call_records
from dialer.management.management import Management
from dialer.management.sounds import OpenFile, in_folder, opened_in
from dialer.model import Account
from dialer.safe_files import Folder, UnsafeFile

SETTING: Final = "apps.recordings"


async def content(management: Management, who: Account, call_uuid: str) -> OpenFile:
    """The recording of a call. Fails with `NotFound`, for the attempt as well, and `NotSetUp`."""
    await management.ask(call_records.read, who, call_uuid)

    def look(folder: Folder) -> OpenFile:
        try:
            return opened_in(folder, f"{call_uuid}.wav")
        except (FileNotFoundError, UnsafeFile):
            raise NotFound("recording of the attempt", call_uuid) from None

    return await in_folder(management, management.folders.recordings, SETTING, look)


async def is_there(management: Management, who: Account, call_uuid: str) -> bool:
    """Whether the dialer sees the recording of a call. Fails with `NotFound` for the attempt."""
    await management.ask(call_records.read, who, call_uuid)
    try:
        return await in_folder(
            management, management.folders.recordings, SETTING, lambda folder: folder.status(f"{call_uuid}.wav") is not None
        )
    except (NotSetUp, UnsafeFile):
        return False


async def remove(management: Management, who: Account, call_uuid: str) -> None:
    """Remove it; the record of the call stays. Fails as `content`."""
    await management.ask(call_records.read, who, call_uuid)

    def delete(folder: Folder) -> None:
        try:
            if folder.status(f"{call_uuid}.wav") is None:
                raise FileNotFoundError
            folder.remove(f"{call_uuid}.wav")
        except (FileNotFoundError, UnsafeFile):
            raise NotFound("recording of the attempt", call_uuid) from None

    await in_folder(management, management.folders.recordings, SETTING, delete)
