"""Files of sounds: whether their content is audio that FreeSWITCH plays, and how long it is.

WAV (RFC 2361, RIFF), FLAC (RFC 9639) and Ogg (RFC 3533) are told apart by their content, not by their names.
"""

from __future__ import annotations

import re
import struct
from typing import Final

from attrs import frozen

from dialer.errors import BadValue

ENDINGS: Final = ("wav", "flac", "ogg")
_NAME: Final = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_.-]{{0,99}}\.(?:{'|'.join(ENDINGS)})", re.ASCII)

_CODECS: Final = {1: "PCM", 3: "float", 6: "A-law", 7: "mu-law"}
"""Formats of WAV that mod_sndfile plays."""
_EXTENSIBLE: Final = 0xFFFE
_RATES: Final = range(8000, 48_001)


@frozen(kw_only=True)
class Audio:
    """`kind` is one of `ENDINGS`; `seconds` is None where the content does not tell."""

    kind: str
    rate: int
    channels: int
    seconds: float | None


def check_name(name: str, field: str = "name") -> str:
    """The name of a file of sounds in a folder of them. Raises `BadValue`."""
    if not _NAME.fullmatch(name) or ".." in name:
        known = ", ".join(ENDINGS)
        raise BadValue(field, f"expected letters, digits, _ . and -, at most 100, and an ending ({known}), such as hello.wav")
    return name


def read_audio(content: bytes, size: int | None = None, field: str = "body") -> Audio:
    """What audio it is, of which `content` is the beginning and `size` the length of all. Raises `BadValue` for what is none,
    or was cut off."""
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        found = _wav(content, len(content) if size is None else size, field)
    elif content[:4] == b"fLaC":
        found = _flac(content, field)
    elif content[:4] == b"OggS":
        found = _ogg(content, field)
    else:
        raise BadValue(field, "is no audio that is known here; expected WAV, FLAC or Ogg")
    if found.rate not in _RATES or found.channels not in (1, 2):
        problem = f"has {found.channels} channels at {found.rate} Hz; expected one or two at 8000 to 48000 Hz"
        raise BadValue(field, problem)
    return found


def _wav(content: bytes, whole: int, field: str) -> Audio:
    at, described = 12, None
    while at + 8 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        body = at + 8
        if name == b"fmt " and size >= 16 and body + 16 <= len(content):
            described = struct.unpack_from("<HHIIHH", content, body)
            if described[0] == _EXTENSIBLE and size >= 26 and body + 26 <= len(content):
                described = (struct.unpack_from("<H", content, body + 24)[0], *described[1:])
        elif name == b"data":
            return _wav_data(described, size, whole - body, field)
        at = body + size + size % 2
    raise BadValue(field, "is a WAV file without sound")


def _wav_data(described: tuple[int, ...] | None, size: int, left: int, field: str) -> Audio:
    if described is None:
        raise BadValue(field, "is a WAV file that does not say what its sound is")
    codec, channels, rate, per_second, _, _ = described
    if codec not in _CODECS or not per_second:
        known = ", ".join(_CODECS.values())
        raise BadValue(field, f"is a WAV file of the format {codec}; expected {known}")
    if not size:
        raise BadValue(field, "is a WAV file without sound")
    if size > left:
        raise BadValue(field, f"was cut off: {size} bytes of sound are announced, and {left} are there")
    return Audio(kind="wav", rate=rate, channels=channels, seconds=size / per_second)


def _flac(content: bytes, field: str) -> Audio:
    """Its first block is STREAMINFO: 20 bits of rate, 3 of channels, 5 of width, 36 of samples behind 10 bytes."""
    if len(content) < 42 + 1 or content[4] & 0x7F or int.from_bytes(content[5:8], "big") != 34:
        raise BadValue(field, "is a FLAC file without its first block, or without sound")
    packed = int.from_bytes(content[18:26], "big")
    rate, channels, samples = packed >> 44, (packed >> 41 & 0x7) + 1, packed & ((1 << 36) - 1)
    return Audio(kind="flac", rate=rate, channels=channels, seconds=samples / rate if samples and rate else None)


def _ogg(content: bytes, field: str) -> Audio:
    """Its first page has one packet, which names the codec."""
    segments = content[26] if len(content) > 26 else 0
    packet = content[27 + segments :]
    if content[4:5] == b"\0" and packet[:7] == b"\x01vorbis" and len(packet) >= 30:
        return Audio(kind="ogg", rate=int.from_bytes(packet[12:16], "little"), channels=packet[11], seconds=None)
    if content[4:5] == b"\0" and packet[:8] == b"OpusHead" and len(packet) >= 19:
        return Audio(kind="ogg", rate=48_000, channels=packet[9], seconds=None)
    raise BadValue(field, "is an Ogg file of another kind than Vorbis and Opus, or was cut off")
