"""Objects of the API v2: voice applications.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class VoiceApplicationObject(TypedDict):
    """What an answered call is connected to."""

    id: int
    """its number, given by the database"""
    name: str
    """its name, unique"""
    description: str
    """for people"""
    type: Literal["dial", "play-audio", "conference", "speak"]
    """dial, play-audio, conference or speak"""
    gateway_id: int | None
    """the gateway through which a second call is made"""
    data: str
    """a number to dial, a file to play, a conference's name or a text to speak; a campaign's voipapp_data wins"""
    created_at: str
    """when it was created"""
    updated_at: str
    """when it was last changed"""


class NewVoiceApplicationObject(TypedDict):
    """What is sent."""

    name: str
    """its name, unique"""
    description: NotRequired[str]
    """for people"""
    type: Literal["dial", "play-audio", "conference", "speak"]
    """dial, play-audio, conference or speak"""
    gateway_id: NotRequired[int | None]
    """the gateway through which a second call is made"""
    data: NotRequired[str]
    """a number to dial, a file to play, a conference's name or a text to speak; a campaign's voipapp_data wins"""


class ChangedVoiceApplicationObject(TypedDict, total=False):
    """What is sent."""

    name: str
    """its name, unique"""
    description: str | None
    type: Literal["dial", "play-audio", "conference", "speak"]
    """dial, play-audio, conference or speak"""
    gateway_id: int | None
    """the gateway through which a second call is made"""
    data: str | None
