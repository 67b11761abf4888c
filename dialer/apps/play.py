"""PlayAudio: plays files or tone streams to the callee, one after the other."""

from __future__ import annotations

from dialer.interfaces import AnsweredCall
from dialer.model import Attempt

DEFAULT_AUDIO = "tone_stream://%(400,200,440);%(600,200,660)"
"""What is played when neither the campaign nor the voice application names anything: two short tones."""

SEPARATOR = "!"
"""Stands between several things to play; the one that FreeSWITCH's `playback_delimiter` suggests."""


async def play_audio(call: AnsweredCall, attempt: Attempt) -> dict[str, str]:
    """Play what the campaign's `voip_app_data` (else the voice application's own data) names.

    Raises `SessionGone` when the callee hangs up before the end. Returns how much was played, for the attempt's record.
    """
    campaign = attempt.plan.campaign
    audio = campaign.voip_app_data or campaign.voip_app.data or DEFAULT_AUDIO
    items = [item.strip() for item in audio.split(SEPARATOR) if item.strip()]
    for item in items:
        await call.execute("playback", item)
    return {"played": str(len(items))}
