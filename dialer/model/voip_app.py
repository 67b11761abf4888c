"""What an answered call is connected to."""

from __future__ import annotations

import enum

from attrs import frozen


class VoipAppType(enum.IntEnum):
    """The four kinds of voice application of the 2011 API."""

    DIAL = 1
    PLAY_AUDIO = 2
    CONFERENCE = 3
    SPEAK = 4


@frozen(kw_only=True)
class VoipApp:
    """What an answered call is connected to."""

    id: int
    name: str
    type: VoipAppType
    gateway_id: int | None = None
    data: str = ""
