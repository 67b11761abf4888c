"""Objects of the API v2: sounds.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from typing import TypedDict


class SoundObject(TypedDict):
    """A file that voice applications can play, by its name."""

    name: str
    size: int
    """in bytes"""
    changed_at: str
    is_audio: bool
    """whether its content is WAV, FLAC or Ogg"""
    rate: int | None
    """in Hz"""
    channels: int | None
    seconds: float | None
    """how long it is, where the file tells"""
