"""Voice applications that run on an answered call.

One is `async def app(call: AnsweredCall, attempt: Attempt) -> dict[str, str]`: it drives the call and returns what shall be
stored with the attempt. When it returns, the call is hung up.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from dialer.apps.play import play_audio
from dialer.interfaces import AnsweredCall, VoiceApplication
from dialer.model import Attempt, VoipAppType

log = structlog.get_logger()

APPLICATIONS: Mapping[VoipAppType, VoiceApplication] = {VoipAppType.PLAY_AUDIO: play_audio}
"""The application for each kind of `voipapp`."""


async def run_application(call: AnsweredCall, attempt: Attempt) -> dict[str, str]:
    """Run the application of the attempt's campaign."""
    kind = attempt.plan.campaign.voip_app.type
    application = APPLICATIONS.get(kind)
    if application is None:
        log.error("no such voice application here", kind=kind.name, call=call.call_uuid)
        return {"error": f"voice application {kind.name} is not available"}
    return await application(call, attempt)
