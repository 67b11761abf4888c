"""Conference: the callee joins a room, in which others may be already."""

from __future__ import annotations

from dialer import appdata
from dialer.apps.context import CallContext
from dialer.interfaces import AnsweredCall


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
