"""The data of a voice application (`voip_app_data` of a campaign), by kind: what it may be, and what it means.

Two sorts of people enter it. A campaign's data comes over the API: it may name a number, sounds in the folder for sounds, a
room or a text, and nothing that is syntax for the switch. The data of a voice application itself is an administrator's: it may
be an address to dial, an absolute path, or a sound of another format as well.

FreeSWITCH chooses how to open a file by what stands before `://` or else behind the last dot (switch_core_file.c), and some
of its formats run commands or fetch from anywhere: so both are lists of what is allowed. In `conference`, a name that begins
with `bridge:` dials (mod_conference.c); in any argument, `$` is expanded (switch_core_session_exec).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Final

from attrs import frozen

from dialer import gateways, tones
from dialer.errors import BadValue
from dialer.gate import GatedLeg, Refusal, leg_through, legs_of
from dialer.model import Gateway, GatewayStatus, VoipApp, VoipAppType
from dialer.numbers import parse_number

FIELD: Final = "voip_app_data"
GATEWAY: Final = "gateway"
"""The field of a refusal for which the voice application's gateway is to blame."""

SEPARATOR: Final = "!"
"""Stands between several sounds; the one that FreeSWITCH's `playback_delimiter` suggests."""

DEFAULT_AUDIO: Final = "tone_stream://%(400,200,440);%(600,200,660)"
"""Two short tones: the sound of a demo, and of a campaign of an earlier version that names none."""

MOST_SOUNDS: Final = 100
LONGEST_TEXT: Final = 2000
"""Characters that are spoken, after the tags were filled in; about three minutes."""

LONGEST_WORD: Final = 40
"""Characters without a blank that are spoken. flite 2.2 has room for words of some hundred: 2,000 dots damage the memory of
FreeSWITCH, 800 letters that are not ASCII overrun the stack of the call's thread, and every call of that FreeSWITCH ends
(seen on 1.11.2)."""

FILE_TYPES: Final = frozenset(
    {"wav", "mp3", "ogg", "oga", "opus", "gsm", "au", "raw", "r8", "r16", "ul", "al", "ulaw", "alaw"}
    | {"pcmu", "pcma", "g722", "g729", "sln"}
)
"""The endings of sound files that may be played, in lower case."""

NEVER: Final = frozenset({"shell_stream"})
"""Formats that no setting allows: it runs a command."""

_SYNTAX = re.compile(r"[\x00-\x1f\x7f$`]")
_PATH = re.compile(r"/?[A-Za-z0-9_][A-Za-z0-9_ .-]*(?:/[A-Za-z0-9_][A-Za-z0-9_ .-]*)*")
_STREAM = re.compile(r"([A-Za-z0-9_]+)://(.*)")
_SILENCE = re.compile(r"-?[0-9]{1,9}(?:,[0-9]{1,9})?")
_OTHER_STREAM = re.compile(r"[^\s'\"\\{}\[\]|!]{1,1000}")
_ADDRESS = re.compile(r"[A-Za-z0-9]+/[A-Za-z0-9_./@:;=+*#%&?~-]{1,255}")
_ROOM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_TAG = re.compile(r"\{([^{}]*)\}")
_NOT_SPOKEN = re.compile(r"[\x00-\x1f\x7f$\\|{}<>\[\]^`]")
_LONG_WORD = re.compile(rf"(\S{{{LONGEST_WORD}}})(?=\S)")


def check_data(kind: VoipAppType, text: str, *, by_admin: bool = False, field: str = FIELD) -> None:
    """Raise `BadValue` naming `field` unless an application of this kind can do something with `text`. No text at all is
    no fault: the voice application's own data serves then, or that of the campaign."""
    if found := _SYNTAX.search(text):
        raise BadValue(field, f"may not contain {found[0]!a}")
    if text.strip():
        _CHECKS[kind](text, by_admin, field)


@frozen
class Data:
    """The data that serves an answered call: the campaign's, else the voice application's own (`by_admin`), which only an
    administrator enters; "" when neither has any."""

    text: str
    by_admin: bool

    @classmethod
    def of(cls, campaigns: str, app: VoipApp) -> Data:
        """Of a campaign that has `campaigns` for data."""
        return cls(campaigns.strip() or app.data.strip(), by_admin=not campaigns.strip())


def check_task(kind: VoipAppType, data: Data, gateway: Gateway | None, refusal: Refusal, field: str = FIELD) -> None:
    """Raise `BadValue` when an application of this kind would do nothing for an answered call: there is no data, it is none
    for this kind, `refusal` keeps its number from being called, or `gateway`, that of the voice application, cannot dial it
    (then the field is `GATEWAY`)."""
    if not data.text:
        raise BadValue(field, f"is missing; expected {_NEEDED[kind]}, which the voice application does not have either")
    check_data(kind, data.text, by_admin=data.by_admin, field=field)
    if kind is VoipAppType.DIAL:
        dialled(parse_target(data.text, by_admin=data.by_admin, field=field), gateway, refusal, field)


def check_application(app: VoipApp, gateway: Gateway | None, refusal: Refusal) -> None:
    """Raise `BadValue` for a voice application that could do nothing in any campaign. Its data may be missing, as a campaign
    may have some; then a Dial application has to have a gateway for its number."""
    if app.data.strip():
        check_task(app.type, Data(app.data.strip(), by_admin=True), gateway, refusal, "data")
    elif app.type is VoipAppType.DIAL and gateway is None:
        raise BadValue(
            GATEWAY, "is missing; expected a gateway to dial numbers through, or an address such as user/1000 as data"
        )


# --- Dial -------------------------------------------------------------------------------------------------------------------


@frozen
class Target:
    """Whom to dial: `number` through the voice application's gateway, or `address` as it is."""

    number: str = ""
    address: str = ""


def parse_target(text: str, *, by_admin: bool = False, field: str = FIELD) -> Target:
    """A number or an extension; for an administrator, an address such as `user/1000` or `loopback/9000`, too. Raises
    `BadValue`."""
    target = text.strip()
    if "/" in target and by_admin:
        if not _ADDRESS.fullmatch(target) or ":_:" in target:
            raise BadValue(field, f"{_shown(target)} is not one address such as user/1000")
        return Target(address=target)
    return Target(number=parse_number(target, field))


def dialled(target: Target, gateway: Gateway | None, refusal: Refusal, field: str = FIELD) -> str:
    """The address to dial, when `dialer.gate` lets it pass. Raises `BadValue` naming `field`, or as `address_of`."""
    for leg in legs(target, gateway, field):
        if reason := refusal(leg):
            raise BadValue(field, reason)
    return address_of(target, gateway)


def legs(target: Target, gateway: Gateway | None, field: str = FIELD) -> tuple[GatedLeg, ...]:
    """The calls that a target means. Raises `BadValue` for an address whose number cannot be told."""
    if target.address:
        return legs_of(target.address, field)
    return () if gateway is None else (leg_through(gateway, target.number),)


def address_of(target: Target, gateway: Gateway | None) -> str:
    """That of the target, or of its number through the voice application's gateway. Raises `BadValue` naming `GATEWAY` when
    there is no gateway that could be used."""
    if target.address:
        return target.address
    if gateway is None:
        raise BadValue(GATEWAY, "the voice application has no gateway to dial a number through")
    if gateway.status is not GatewayStatus.ACTIVE:
        raise BadValue(GATEWAY, f"{gateway.name}, through which the voice application dials, is inactive")
    return gateways.dial_string(gateway, target.number)


# --- PlayAudio --------------------------------------------------------------------------------------------------------------


def parse_sounds(
    text: str, *, by_admin: bool = False, formats: Collection[str] | None = None, field: str = FIELD
) -> list[str]:
    """The sounds of a list that is separated by `!`. `formats` are further formats that an administrator may use; with None,
    which ones that are is not known here. Raises `BadValue`."""
    sounds = [item.strip() for item in text.split(SEPARATOR) if item.strip()]
    if not sounds:
        raise BadValue(field, "names nothing to play")
    if len(sounds) > MOST_SOUNDS:
        raise BadValue(field, f"names {len(sounds)} sounds; at most {MOST_SOUNDS} are played")
    for sound in sounds:
        stream = _STREAM.fullmatch(sound)
        if stream is None:
            _check_file(sound, by_admin=by_admin, field=field)
        else:
            _check_stream(sound, stream[1].lower(), stream[2], formats if by_admin else (), field)
    return sounds


def _check_file(sound: str, *, by_admin: bool, field: str) -> None:
    if not _PATH.fullmatch(sound):
        raise BadValue(field, f"{_shown(sound)} is not the name of a sound file, nor tone_stream:// or silence_stream://")
    if sound.startswith("/") and not by_admin:
        raise BadValue(field, f"{_shown(sound)} must be a name in the folder for sounds")
    name = sound.rpartition("/")[2]
    _, dot, ending = name.rpartition(".")
    if dot and ending.lower() not in FILE_TYPES:
        raise BadValue(field, f"{_shown(sound)} is not a sound file that can be played; its name may end in .wav or .mp3")


def _check_stream(sound: str, kind: str, rest: str, formats: Collection[str] | None, field: str) -> None:
    if kind == "tone_stream":
        _check_tones(rest, field)
        return
    if kind == "silence_stream":
        sane = _SILENCE.fullmatch(rest) is not None
    else:
        allowed = kind not in NEVER and (formats is None or kind in formats)
        sane = allowed and _OTHER_STREAM.fullmatch(rest) is not None
    if not sane:
        raise BadValue(field, f"{_shown(sound)} is not a sound that may be played")


def _check_tones(text: str, field: str) -> None:
    try:
        length = tones.milliseconds(text)
    except ValueError as error:
        raise BadValue(field, f"{_shown(text)} is not a sound that may be played: {error}") from None
    if not length:
        raise BadValue(field, f"{_shown(text)} is silence; expected a tone such as %(1000,500,440)")
    if length > tones.LONGEST:
        raise BadValue(
            field, f"{_shown(text)} lasts {length} ms; at most {tones.LONGEST} are played, and ;loops=N plays them again"
        )


# --- Conference -------------------------------------------------------------------------------------------------------------


def parse_room(text: str, *, field: str = FIELD) -> str:
    """The name of a conference. Raises `BadValue`."""
    room = text.strip()
    if not _ROOM.fullmatch(room):
        raise BadValue(field, f"{_shown(room)} is not a conference; expected at most 64 letters, digits, - and _")
    return room


# --- Speak ------------------------------------------------------------------------------------------------------------------


def parse_speech(text: str, *, field: str = FIELD) -> str:
    """A text with tags such as `{first_name}`. Raises `BadValue` when it is too long."""
    speech = text.strip()
    if not speech:
        raise BadValue(field, "has no text to speak")
    if len(speech) > LONGEST_TEXT:
        raise BadValue(field, f"has {len(speech)} characters; at most {LONGEST_TEXT} are spoken")
    return speech


def filled_in(speech: str, tags: Mapping[str, str]) -> str:
    """The text to speak: tags replaced, upper or lower case alike, unknown ones by nothing; without what is syntax for the
    switch or an engine, in one line, with a blank in words that are too long for one, and cut to `LONGEST_TEXT`. The values of
    tags are not looked at for tags."""
    known = {name.lower(): value for name, value in tags.items()}
    text = _TAG.sub(lambda tag: known.get(tag[1].strip().lower(), ""), speech)
    line = " ".join(_NOT_SPOKEN.sub(" ", text).split())
    return _LONG_WORD.sub(r"\1 ", line)[:LONGEST_TEXT].rstrip()


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}…")


_NEEDED: Final[Mapping[VoipAppType, str]] = {
    VoipAppType.DIAL: "a number to dial",
    VoipAppType.PLAY_AUDIO: "a sound to play",
    VoipAppType.CONFERENCE: "the name of a conference",
    VoipAppType.SPEAK: "a text to speak",
}
_CHECKS: Final[Mapping[VoipAppType, Callable[[str, bool, str], object]]] = {
    VoipAppType.DIAL: lambda text, by_admin, field: parse_target(text, by_admin=by_admin, field=field),
    VoipAppType.PLAY_AUDIO: lambda text, by_admin, field: parse_sounds(text, by_admin=by_admin, field=field),
    VoipAppType.CONFERENCE: lambda text, _, field: parse_room(text, field=field),
    VoipAppType.SPEAK: lambda text, _, field: parse_speech(text, field=field),
}
