"""A voice application, to which an answered call is connected."""

from __future__ import annotations

import enum
import re
from datetime import datetime
from typing import Final

from attrs import frozen

from dialer.declare import key, noun, reference, setting, stamp
from dialer.errors import BadValue

LONGEST_DATA: Final = 4096
_SYNTAX: Final = re.compile(r"[\x00-\x1f\x7f$`]")
_SHELL: Final = re.compile(r"shell_stream:", re.IGNORECASE)


class VoipAppType(enum.IntEnum):
    """The four kinds of voice application of the 2011 API."""

    DIAL = 1
    PLAY_AUDIO = 2
    CONFERENCE = 3
    SPEAK = 4


def no_shell(text: str, field: str) -> str:
    """Data of an application: it becomes an argument, where FreeSWITCH expands `$`; one of its file formats runs commands.
    Raises `BadValue`. Whether an application of its kind can do something with it, `dialer.appdata` knows."""
    if found := _SYNTAX.search(text):
        raise BadValue(field, f"may not contain {found[0]!a}")
    if _SHELL.search(text):
        raise BadValue(field, "may not contain shell_stream:")
    return text


@noun("voip app", links={"users": "user"})
@frozen(kw_only=True)
class VoipApp:
    """A voice application. `gateway_id` is that of the second call which an application may make."""

    id: int = key()
    name: str = setting(shortest=1, v1="name", doc="its name, unique")
    description: str = setting("", longest=LONGEST_DATA, lines=True, v1="description", doc="for people")
    type: VoipAppType = setting(v1="type", doc="dial, play-audio, conference or speak")
    gateway_id: int | None = reference(
        "gateway", reverse="voip_apps", default=None, v1="gateway_id", doc="the gateway through which a second call is made"
    )
    data: str = setting(
        "",
        longest=LONGEST_DATA,
        doc="a number to dial, a file to play, a conference's name or a text to speak; a campaign's voipapp_data wins",
    )
    created_at: datetime = stamp("when it was created", v1="created_date")
    updated_at: datetime = stamp("when it was last changed", v1="updated_date")
