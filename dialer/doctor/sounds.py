"""The sounds that the started campaigns play: whether the switch has them.

`playback` looks for a name without a folder in the channel's `sound_prefix`, and for a file first in the folder beside it
that is called as the channel's rate (mod_sndfile.c): `hello.wav` may be `8000/hello.wav`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

from dialer import appdata
from dialer.apps.basic import located
from dialer.doctor.diagnosis import Diagnosis, ok, warning
from dialer.errors import BadValue
from dialer.model import Campaign, VoipAppType
from dialer.settings import AppSettings

CHECK: Final = "sounds"
MOST: Final = 100
"""Sounds that are asked for."""
RATES: Final = ("8000", "16000", "32000", "48000")

Ask = Callable[[str, str], Awaitable[str]]
"""Asks the switch: the name of a function and its argument."""


def played(campaigns: Sequence[Campaign], settings: AppSettings) -> tuple[dict[str, list[str]], list[Diagnosis]]:
    """The files that campaigns play, each with the names of these campaigns; and a finding for each campaign whose data names
    nothing that can be played. Tones and streams are no files, and a name without an ending is completed by the codec."""
    files: dict[str, list[str]] = {}
    findings = []
    for campaign in campaigns:
        if campaign.voip_app.type is not VoipAppType.PLAY_AUDIO or settings.play_audio:
            continue
        own = campaign.voip_app_data.strip()
        text = own or campaign.voip_app.data.strip()
        if not text:
            continue
        try:
            sounds = appdata.parse_sounds(text, by_admin=not own, formats=settings.formats)
        except BadValue as error:
            findings.append(warning(CHECK, f"{campaign.name}: {error.problem}", "its callees hear nothing: change its data"))
            continue
        for sound in sounds:
            if "://" not in sound and "." in sound.rpartition("/")[2]:
                files.setdefault(located(sound, settings), []).append(campaign.name)
    return files, findings


async def look(ask: Ask, campaigns: Sequence[Campaign], settings: AppSettings) -> list[Diagnosis]:
    """The findings; none when no started campaign plays anything."""
    files, findings = played(campaigns, settings)
    if not files:
        return findings
    prefix = (await ask("global_getvar", "sound_prefix")).strip()
    asked = list(files.items())[:MOST]
    for path, names in asked:
        there = await _exists(ask, path, "" if prefix.startswith("-ERR") else prefix)
        if there is None:
            return [*findings, ok(CHECK, "the switch does not tell which files it has (file_exists)")]
        if not there:
            findings.append(
                warning(
                    CHECK,
                    f"the switch has not got {path}, which {_listed(names)} plays",
                    "put the file on the switch's machine, where the switch may read it; or see apps.sounds",
                )
            )
    return findings or [ok(CHECK, f"the switch has the sounds of the started campaigns ({len(asked)})")]


async def _exists(ask: Ask, path: str, prefix: str) -> bool | None:
    """None when the switch does not tell."""
    for candidate in _candidates(path if path.startswith("/") or not prefix else f"{prefix.rstrip('/')}/{path}"):
        said = (await ask("file_exists", candidate)).strip()
        if said == "true":
            return True
        if said != "false":
            return None
    return False


def _candidates(path: str) -> Iterator[str]:
    yield path
    folder, slash, name = path.rpartition("/")
    yield from (f"{folder}{slash}{rate}/{name}" for rate in RATES)


def _listed(names: list[str]) -> str:
    known = sorted(set(names))
    return ", ".join(known[:3]) + (f" and {len(known) - 3} more" if len(known) > 3 else "")
