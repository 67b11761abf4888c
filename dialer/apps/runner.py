"""Runs the voice application of an answered call, with what is common to all of them: the recording, the wall limit, the
digits, and the wish never to be called again."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import structlog
from attrs import define
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime

from dialer.applications import AppSettings
from dialer.apps.conference import conference
from dialer.apps.context import Application, CallContext
from dialer.apps.dial import dial
from dialer.apps.limit import Limit
from dialer.apps.opt_out import OptOutKey
from dialer.apps.play import located, play_audio
from dialer.apps.speak import speak
from dialer.errors import DialerError, SessionGone
from dialer.interfaces import OPT_OUT, AnsweredCall, ApplicationStore, Now
from dialer.model import Attempt, VoipAppType

log = structlog.get_logger()

BUILT_IN: Final[Mapping[VoipAppType, Application]] = MappingProxyType(
    {
        VoipAppType.DIAL: dial,
        VoipAppType.PLAY_AUDIO: play_audio,
        VoipAppType.CONFERENCE: conference,
        VoipAppType.SPEAK: speak,
    }
)
"""The application of each kind, unless the configuration names another one."""

CONFIRMATION: Final = "tone_stream://%(150,100,660);%(150,100,660);%(300,0,440)"
"""What a callee hears who will not be called again, unless a sound is configured."""

MOST_NOTES: Final = 50
LONGEST_NOTE: Final = 1000
"""Characters."""


@define(eq=False, kw_only=True)
class VoiceApplications:
    """Its `run` is the flow's `VoiceApplication`. `applications` are those of each kind."""

    settings: AppSettings
    store: ApplicationStore
    clock: IReactorTime
    now: Now
    applications: Mapping[VoipAppType, Application] = BUILT_IN

    async def run(self, call: AnsweredCall, attempt: Attempt) -> dict[str, str]:
        """Drive the call; returns the notes, whatever happened to it: a call that is gone is no error. What an application
        raises beside that is logged, and its words are noted as `error`."""
        context = CallContext(attempt=attempt, settings=self.settings, store=self.store, clock=self.clock)
        try:
            await self._drive(call, context)
        except SessionGone:
            pass  # the callee has hung up: the usual end of a call
        except CancelledError:
            raise  # the session does not wait for it any longer, and says so
        except DialerError as error:
            log.warning("the voice application failed", call=call.call_uuid, reason=str(error))
            context.notes["error"] = str(error)
        except Exception:
            log.exception("the voice application failed", call=call.call_uuid)
            context.notes["error"] = "the application is broken; the log tells more"
        if call.digits:
            context.notes["digits"] = call.digits
        return _stored(context.notes)

    async def _drive(self, call: AnsweredCall, context: CallContext) -> None:
        kind = context.attempt.plan.campaign.voip_app.type
        settings = self.settings
        if settings.recordings:
            path = f"{settings.recordings.rstrip('/')}/{call.call_uuid}.wav"
            await call.execute("record_session", path)
            context.notes["recording"] = path
        if settings.inband_dtmf:
            await call.execute("start_dtmf")
        work = Deferred.fromCoroutine(self._apply(kind, call, context))
        limit = Limit(work, settings.limit(kind), self.clock)
        try:
            if settings.opt_out_digit and kind in settings.opt_out_kinds:
                await self._with_opt_out(call, context, work)
            else:
                await work
        except CancelledError:
            if not limit.passed:
                raise
            log.info("the voice application reached its limit", call=call.call_uuid, seconds=settings.limit(kind))
            context.notes["limit"] = str(settings.limit(kind))

    async def _apply(self, kind: VoipAppType, call: AnsweredCall, context: CallContext) -> None:
        context.notes |= await self.applications[kind](call, context) or {}

    # --- do not call me again ---------------------------------------------------------------------------------------------

    async def _with_opt_out(self, call: AnsweredCall, context: CallContext, work: Deferred[None]) -> None:
        key = OptOutKey(call, self.settings.opt_out_digit)
        try:
            await key.during(work)
            if not key.pressed:
                await key.during(self._pause(call, self.settings.opt_out_wait))
        finally:
            if key.pressed:
                await self._opted_out(context)
        if key.pressed:
            await self._confirm(call)

    def _pause(self, call: AnsweredCall, seconds: float) -> Deferred[None]:
        """Time for the callee to press the key after the message; over at once when the call is."""
        paused: Deferred[None] = Deferred()
        paused.addTimeout(seconds, self.clock, lambda _result, _seconds: None)
        call.when_closed().addCallback(lambda _: None if paused.called else paused.callback(None))
        return paused

    async def _opted_out(self, context: CallContext) -> None:
        """The note has the end of the attempt add the number once more, should the database not serve now."""
        number = context.attempt.plan.candidate.number
        context.notes[OPT_OUT] = self.settings.opt_out_digit
        campaign = context.attempt.plan.campaign.name
        await self.store.never_call(number, self.now(), f"the callee pressed {self.settings.opt_out_digit} ({campaign})")
        log.info("a callee does not want to be called again", call=context.attempt.call_uuid)

    async def _confirm(self, call: AnsweredCall) -> None:
        await call.stop_playing()
        sound = self.settings.opt_out_sound
        await call.execute("playback", located(sound, self.settings) if sound else CONFIRMATION)


def _stored(notes: Mapping[str, object]) -> dict[str, str]:
    """Notes as they are stored: texts, not too long, not too many."""
    return {str(name)[:64]: str(value)[:LONGEST_NOTE] for name, value in list(notes.items())[:MOST_NOTES]}
