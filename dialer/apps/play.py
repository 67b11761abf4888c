"""PlayAudio: plays files or tones to the callee, one after the other."""

from __future__ import annotations

from dialer import appdata
from dialer.apps.context import CallContext
from dialer.interfaces import AnsweredCall
from dialer.settings import AppSettings

DEFAULT_AUDIO = "tone_stream://%(400,200,440);%(600,200,660)"
"""What is played when neither the campaign nor the voice application names anything: two short tones."""

NOT_FOUND = "FILE NOT FOUND"


async def play_audio(call: AnsweredCall, context: CallContext) -> None:
    """Play what the data names. Notes how many sounds were `played` to their end, and those that are `missing`.

    Raises `SessionGone` when the callee hangs up before the end, `BadValue` for data that cannot be played.
    """
    text = context.data or DEFAULT_AUDIO
    sounds = appdata.parse_sounds(text, by_admin=context.by_admin, formats=context.settings.formats)
    notes = context.notes
    played, missing = 0, []
    notes["played"] = "0"
    for sound in sounds:
        if await call.execute("playback", located(sound, context.settings)) == NOT_FOUND:
            missing.append(sound)
            notes["missing"] = appdata.SEPARATOR.join(missing)
        else:
            played += 1
            notes["played"] = str(played)


def located(sound: str, settings: AppSettings) -> str:
    """A sound as FreeSWITCH finds it: names without a folder are those of the folder for sounds."""
    if not settings.sounds or sound.startswith("/") or "://" in sound:
        return sound
    return f"{settings.sounds.rstrip('/')}/{sound}"
