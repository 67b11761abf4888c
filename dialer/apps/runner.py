"""Runs the voice application of an answered call, with what is common to all of them: the recording, the wall limit, the
digits, and the wish never to be called again."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import structlog
from attrs import define, field
from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IReactorTime

from dialer import appdata
from dialer.apps.basic import conference, located, play_audio, speak
from dialer.apps.context import Application, CallContext
from dialer.apps.dial import dial
from dialer.apps.gated import GatedCall, NoLimits
from dialer.apps.guard import Guard
from dialer.errors import BadValue, DialerError, SessionGone
from dialer.interfaces import OPT_OUT, UNFINISHED, UNSERVED, AnsweredCall, ApplicationStore, Now, SecondLegs
from dialer.loading import named_object
from dialer.model import Attempt, VoipAppType
from dialer.numbering import Numbering, numbering
from dialer.periodic import RepeatedLog
from dialer.settings import AppSettings

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
"""The sound that tells a callee that no further call will come, unless another one is configured."""

CONFIRMATION_LIMIT: Final = 20.0
"""Seconds."""

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
    numbering: Numbering = field(factory=numbering)
    limits: SecondLegs = field(factory=NoLimits)
    unserved: int = field(default=0, init=False)
    """Callees for whom an application could do nothing."""
    _missing: RepeatedLog = field(init=False)
    _failing: RepeatedLog = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._missing = RepeatedLog("the switch has not got a sound that a campaign plays", self.clock)
        self._failing = RepeatedLog("the voice application failed", self.clock)

    async def run(self, call: AnsweredCall, attempt: Attempt) -> dict[str, str]:
        """Drive the call; returns the notes, whatever happened to it: a call that is gone is no error. What an application
        raises beside that is logged, and its words are noted as `error`; unless it had done something before, the callee was
        left `unserved`."""
        kind = attempt.plan.campaign.voip_app.type
        settings = self.settings
        context = CallContext(attempt=attempt, settings=settings, store=self.store, clock=self.clock, numbering=self.numbering)
        digit = settings.opt_out_digit if kind in settings.opt_out_kinds else ""
        gated = GatedCall(
            call=call,
            user_id=attempt.plan.campaign.user_id,
            campaign_id=attempt.plan.campaign.id,
            numbering=self.numbering,
            store=self.store,
            limits=self.limits,
            clock=self.clock,
        )
        # The dialplan goes on behind an interrupted session only when its `bridge` has ended.
        self.limits.end(call.call_uuid)
        guard = Guard(call, self.clock, settings.limit(kind), digit)
        finished = False
        try:
            if settings.recordings or settings.inband_dtmf:
                await self._prepare(call, context)
            if not guard.pressed:
                context.notes |= await self.applications[kind](gated, context) or {}
            finished = True
            if digit and not guard.pressed:
                await guard.pause(settings.opt_out_wait)
        except SessionGone:  # the callee has hung up: the usual end of a call
            _note_unfinished(context, finished=finished)
        except CancelledError:
            if not guard.interrupted:
                raise  # the session does not wait for it any longer, and says so
        except DialerError as error:
            self._failed(context, error)
            _left_unserved(context.notes)
        except Exception:
            log.exception("the voice application failed", call=call.call_uuid)
            context.notes["error"] = "the application is broken; the log tells more"
            _left_unserved(context.notes)
        finally:
            guard.stop()
            self._look_at(context)
        if guard.pressed:
            await self._opted_out(call, context)
        elif guard.expired:
            log.info("the voice application reached its limit", call=call.call_uuid, seconds=settings.limit(kind))
            context.notes["limit"] = str(settings.limit(kind))
        if call.digits:
            context.notes["digits"] = call.digits
        return _stored(context.notes)

    async def _prepare(self, call: AnsweredCall, context: CallContext) -> None:
        if self.settings.recordings:
            path = f"{self.settings.recordings.rstrip('/')}/{call.call_uuid}.wav"
            await call.execute("record_session", path)
            context.notes["recording"] = path
        if self.settings.inband_dtmf:
            await call.execute("start_dtmf")

    # --- do not call me again ---------------------------------------------------------------------------------------------

    async def _opted_out(self, call: AnsweredCall, context: CallContext) -> None:
        """The note has the end of the attempt add the number once more, should the database not serve now. The callee hears
        that the wish was heard when it is sure to be obeyed."""
        plan, digit = context.attempt.plan, self.settings.opt_out_digit
        context.notes[OPT_OUT] = digit
        try:
            reason = f"the callee pressed {digit} ({plan.campaign.name})"
            await self.store.never_call(plan.candidate, self.now(), reason)
            log.info("a callee does not want to be called again", call=call.call_uuid)
            await self._confirm(call)
        except SessionGone:
            pass  # the callee has hung up
        except DialerError as error:
            self._failed(context, error)

    async def _confirm(self, call: AnsweredCall) -> None:
        sound = self.settings.opt_out_sound
        guard = Guard(call, self.clock, CONFIRMATION_LIMIT, "")
        try:
            await call.stop_playing()
            await call.execute("playback", located(sound, self.settings) if sound else CONFIRMATION)
        except CancelledError:
            if not guard.expired:
                raise
        finally:
            guard.stop()

    # --- the log ----------------------------------------------------------------------------------------------------------

    def _failed(self, context: CallContext, error: DialerError) -> None:
        """All calls of a campaign may fail alike: that is one line a minute."""
        campaign, reason = context.attempt.plan.campaign, str(error)
        self._failing.happened((campaign.id, reason), campaign=campaign.name, call=context.attempt.call_uuid, reason=reason)
        context.notes["error"] = reason

    def _look_at(self, context: CallContext) -> None:
        campaign, notes = context.attempt.plan.campaign, context.notes
        for sound in filter(None, notes.get("missing", "").split(appdata.SEPARATOR)):
            path = located(sound, self.settings)
            self._missing.happened(path, sound=path, campaign=campaign.name, call=context.attempt.call_uuid)
        self.unserved += UNSERVED in notes


_DONE: Final = ("spoken", "transfer", "conference_seconds")
"""Notes that tell of something done for the callee, beside sounds that were played."""


def _note_unfinished(context: CallContext, *, finished: bool) -> None:
    """A conference has no other end."""
    if not finished and context.attempt.plan.campaign.voip_app.type is not VoipAppType.CONFERENCE:
        context.notes[UNFINISHED] = "the callee hung up"


def _left_unserved(notes: dict[str, str]) -> None:
    """The application has failed with the `error` that is noted."""
    if notes.get("played", "0") == "0" and not any(name in notes for name in _DONE):
        notes[UNSERVED] = notes["error"]


def _stored(notes: Mapping[str, object]) -> dict[str, str]:
    """Notes as they are stored: texts, not too long, not too many."""
    return {str(name)[:64]: str(value)[:LONGEST_NOTE] for name, value in list(notes.items())[:MOST_NOTES]}


def applications(own: Mapping[VoipAppType, str]) -> dict[VoipAppType, Application]:
    """The application of each kind: the one that is named, else the built-in one. Raises `BadValue` naming the setting."""
    loaded = {kind: load(name, f"apps.{kind.name.lower()}") for kind, name in own.items() if name}
    return {**BUILT_IN, **loaded}


def load(name: str, field: str) -> Application:
    """The coroutine function `package.module:function`. Raises `BadValue` naming `field`: a module that cannot be imported,
    whatever it raises, a name that it does not have, or what is no `async def` of two arguments."""
    found = named_object(name, field, "package.module:function")
    if not inspect.iscoroutinefunction(found):
        raise BadValue(field, f"{name} is not an async def")
    try:
        inspect.signature(found).bind(None, None)
    except TypeError:
        raise BadValue(field, f"{name} does not take two arguments, the call and its context") from None
    return found
