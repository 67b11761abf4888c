"""What voice applications hand to a call and get back from it, and what an administrator sets for them: frozen values."""

from __future__ import annotations

from attrs import frozen

from dialer.model import VoipAppType


@frozen(kw_only=True)
class Transfer:
    """Whom an answered call shall be connected to: `dial_string` is one address such as `sofia/gateway/carrier/15551234`.
    `timeout` bounds the ringing, in seconds; `ringback` is the tone that the caller hears meanwhile, such as
    `%(1000,4000,425)`. `variables` are channel variables of the second leg, beside its caller id."""

    dial_string: str
    timeout: int
    ringback: str = ""
    caller_id_number: str = ""
    variables: tuple[tuple[str, str], ...] = ()


@frozen(kw_only=True)
class Transferred:
    """What became of the second leg: `cause` is FreeSWITCH's word for its end, `talk_ms` how long both legs were connected.
    `by_contact` tells that the contact hung up, before or after the second leg answered."""

    cause: str
    answered: bool
    talk_ms: int = 0
    by_contact: bool = False


SPOKEN_TO = frozenset({VoipAppType.PLAY_AUDIO, VoipAppType.CONFERENCE, VoipAppType.SPEAK})


@frozen(kw_only=True)
class AppSettings:
    """What holds for the voice applications of an installation; `dialer.config` explains each. Times are seconds; folders
    are FreeSWITCH's, "" for its own one (`sounds`) or for none (`recordings`)."""

    sounds: str = ""
    formats: frozenset[str] = frozenset()
    engine: str = "flite"
    voice: str = "slt"
    conference_profile: str = "default"
    conference_prefix: str = ""
    conference_members: int = 50
    dial_timeout: int = 30
    ringback: str = "%(1000,4000,425)"
    opt_out_digit: str = ""
    opt_out_sound: str = ""
    opt_out_wait: float = 5.0
    opt_out_kinds: frozenset[VoipAppType] = SPOKEN_TO
    recordings: str = ""
    inband_dtmf: bool = False
    dial_limit: int = 3600
    play_limit: int = 600
    conference_limit: int = 3600
    speak_limit: int = 600

    def limit(self, kind: VoipAppType) -> int:
        """The wall limit of a kind of application."""
        return {
            VoipAppType.DIAL: self.dial_limit,
            VoipAppType.PLAY_AUDIO: self.play_limit,
            VoipAppType.CONFERENCE: self.conference_limit,
            VoipAppType.SPEAK: self.speak_limit,
        }[kind]
