"""Settings of the applications and hooks that work on answered calls."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from attrs import frozen

from dialer.model import VoipAppType
from dialer.settings.declaration import setting

# Of these settings, arguments of FreeSWITCH's applications are made.
_FOLDER = "^(/[A-Za-z0-9_][A-Za-z0-9_ .-]*)*/?$"
_WORD = "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$"
_WORD_OR_EMPTY = "^([A-Za-z0-9][A-Za-z0-9_-]{0,31})?$"
_TONE = "^[0-9A-Za-z%(),.;:=<>+*#-]{0,200}$"


def _kinds(names: Iterable[str | VoipAppType]) -> frozenset[VoipAppType]:
    return frozenset(VoipAppType[name.upper()] if isinstance(name, str) else name for name in names)


@frozen(kw_only=True)
class AppSettings:
    """The voice applications: what answered calls are connected to. Folders and files are on FreeSWITCH's machine."""

    dial: str = setting("", 'an application of your own in place of this kind, as "package.module:function"')
    play_audio: str = setting("", "the same for this kind")
    conference: str = setting("", "the same for this kind")
    speak: str = setting("", "the same for this kind")
    sounds: str = setting(
        "", "the folder in which sounds are found by name; empty: FreeSWITCH's own (sounds_dir)", pattern=_FOLDER
    )
    formats: frozenset[str] = setting(
        (),
        'what may stand before :// in the data of a voice application beside tone_stream, such as ["local_stream"]',
        given=tuple[str, ...],
        converter=frozenset,
    )
    engine: str = setting("flite", "the text to speech engine; its module has to be loaded (mod_flite)", pattern=_WORD)
    voice: str = setting("slt", "its voice", pattern=_WORD)
    conference_profile: str = setting("default", "the profile of conferences (conference.conf.xml)", pattern=_WORD)
    conference_prefix: str = setting(
        "", "what is put before the name of a room, to keep campaigns out of the other rooms", pattern=_WORD_OR_EMPTY
    )
    conference_members: int = setting(50, "the most members of a room, counted from its first one", ge=2, le=10_000)
    dial_timeout: int = setting(30, "how long a second leg may ring", unit="seconds", ge=1, le=600)
    ringback: str = setting("%(1000,4000,425)", "what the callee hears meanwhile, a tone; empty: silence", pattern=_TONE)
    opt_out_digit: str = setting(
        "", "the key with which a callee puts its number on the do-not-call list; empty: none", pattern="^[0-9A-D*#]?$"
    )
    opt_out_sound: str = setting("", "what is played then, a file or tone; empty: three tones", max_length=255)
    opt_out_wait: float = setting(5.0, "how long the key is waited for after the message", unit="seconds", ge=0, le=60)
    opt_out_kinds: frozenset[VoipAppType] = setting(
        ("play_audio", "conference", "speak"),
        "where the key counts; in dial, it would count while an agent is talked to, too",
        given=tuple[Literal["dial", "play_audio", "conference", "speak"], ...],
        converter=_kinds,
    )
    recordings: str = setting(
        "", "the folder for recordings of all calls, each named after its call; empty: none", pattern=_FOLDER
    )
    inband_dtmf: bool = setting(False, "true: look for keys in the sound as well, for carriers without RFC 2833")
    dial_limit: int = setting(3600, "how long an application of this kind may last", unit="seconds", ge=1, le=86_400)
    play_limit: int = setting(600, "the same for PlayAudio", unit="seconds", ge=1, le=86_400)
    conference_limit: int = setting(3600, "the same for Conference", unit="seconds", ge=1, le=86_400)
    speak_limit: int = setting(600, "the same for Speak", unit="seconds", ge=1, le=86_400)

    def limit(self, kind: VoipAppType) -> int:
        """Seconds that an application of a kind may last."""
        return {
            VoipAppType.DIAL: self.dial_limit,
            VoipAppType.PLAY_AUDIO: self.play_limit,
            VoipAppType.CONFERENCE: self.conference_limit,
            VoipAppType.SPEAK: self.speak_limit,
        }[kind]


@frozen(kw_only=True)
class HooksSettings:
    """Python classes in the dialer's own process that hear the events of its calls, by switchio.marks (docs/hooks.md)."""

    apps: tuple[str, ...] = setting((), 'the classes, such as ["mycompany.hooks:Screens"]', max_length=100)
    time_limit: float = setting(
        1.0,
        "how long a method, or a step of a coroutine, may take; one that lasts five times as long is given up, and its app "
        "switched off",
        unit="seconds",
        live=True,
        ge=0.05,
        le=60,
    )
    failures: int = setting(
        10, "an app is switched off after so many failures in a row", unit="failures", live=True, ge=1, le=1_000_000
    )
    queue: int = setting(
        1000,
        "events that may wait for an app; beyond them, the oldest are dropped",
        unit="events",
        live=True,
        ge=10,
        le=10_000,
    )
    commands_per_second: float = setting(
        100.0, "the most commands that an app gives to the switch", unit="per second", live=True, gt=0, le=10_000
    )
