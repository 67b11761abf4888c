"""The applications of one leg: PlayAudio plays files or tones one after the other; Speak has a text to speech engine of the
switch read a text, in which tags stand for what is known of the contact; Conference has the callee join a room, in which
others may be already."""

from __future__ import annotations

from dialer import appdata
from dialer.apps.context import CallContext
from dialer.interfaces import UNSERVED, AnsweredCall
from dialer.model import Contact
from dialer.settings import AppSettings

NOT_FOUND = "FILE NOT FOUND"


async def play_audio(call: AnsweredCall, context: CallContext) -> None:
    """Play what the data names. Notes how many sounds were `played` to their end, those that are `missing`, and, when there
    were no others, that the callee was left `unserved`.

    Raises `SessionGone` when the callee hangs up before the end, `BadValue` for data that cannot be played.
    """
    text = context.data or appdata.DEFAULT_AUDIO
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
    if not played:
        notes[UNSERVED] = f"the switch has not got {notes['missing']}"


def located(sound: str, settings: AppSettings) -> str:
    """A sound as FreeSWITCH finds it: names without a folder are those of the folder for sounds."""
    if not settings.sounds or sound.startswith("/") or "://" in sound:
        return sound
    return f"{settings.sounds.rstrip('/')}/{sound}"


async def speak(call: AnsweredCall, context: CallContext) -> None:
    """Speak the data. Notes how many characters were `spoken`.

    Raises `SessionGone` when the callee hangs up before the end, `BadValue` when there is nothing to speak.
    """
    speech = appdata.parse_speech(context.data)
    text = appdata.filled_in(speech, tags(await context.contact()) if "{" in speech else {})
    if text:
        settings = context.settings
        await call.execute("speak", f"{settings.engine}|{settings.voice}|{text}")
    else:
        context.notes[UNSERVED] = "nothing was left to speak"
    context.notes["spoken"] = str(len(text))


def tags(contact: Contact) -> dict[str, str]:
    """The names that may stand between braces; the contact's own fields win over its `additional_vars`. What UTF-8 cannot
    carry becomes a question mark."""
    known = {
        **contact.additional_vars,
        "contact": contact.number,
        "number": contact.number,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "email": contact.email,
        "description": contact.description,
    }
    return {name: str(value).encode("utf-8", "replace").decode() for name, value in known.items()}


async def conference(call: AnsweredCall, context: CallContext) -> None:
    """Join the room that the data names, until the callee leaves or is put out. Notes the `conference` and, when the callee
    did not hang up first, the seconds there (`conference_seconds`).

    The limit of members counts from the first member's joining on: FreeSWITCH takes `conference_max_members` of the channel
    that opens the room (mod_conference.c). Raises `SessionGone` when the callee hangs up, `BadValue` for data that is no room.
    """
    settings = context.settings
    room = settings.conference_prefix + appdata.parse_room(context.data)
    context.notes["conference"] = room
    await call.execute("set", f"conference_max_members={settings.conference_members}")
    joined_at = context.clock.seconds()
    try:
        await call.execute("conference", f"{room}@{settings.conference_profile}")
    finally:
        context.notes["conference_seconds"] = str(round(context.clock.seconds() - joined_at))
