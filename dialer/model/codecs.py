"""The codecs that the calls through a gateway offer, as FreeSWITCH writes them in `absolute_codec_string`."""

from __future__ import annotations

import re
from typing import Final

from dialer.errors import BadValue

VARIABLE: Final = "absolute_codec_string"
"""The channel variable: the codecs of the offer, whatever the SIP profile says (switch_core_media_get_codec_string)."""

MOST: Final = 16

_CODEC = re.compile(r"(?:mod_[a-z0-9_]{1,32}\.)?[A-Za-z0-9][A-Za-z0-9_.-]{0,31}(?:@[0-9]{1,7}[bchik])*")
"""`[MODULE.]NAME[@8000h][@20i][@64000b][@1c]`: rate, packet time, bit rate, channels (switch_parse_codec_buf)."""


def codec_list(text: str, field: str) -> str:
    """Codecs with commas or blanks between them, in one spelling. Raises `BadValue`."""
    codecs = text.replace(",", " ").split()
    if len(codecs) > MOST:
        raise BadValue(field, f"names {len(codecs)} codecs; expected at most {MOST}")
    seen: set[str] = set()
    for codec in codecs:
        if not _CODEC.fullmatch(codec):
            raise BadValue(field, f"{codec[:40]!r} is not a codec such as PCMA, G722, opus@48000h or PCMU@8000h@20i")
        if codec.upper() in seen:
            raise BadValue(field, f"{codec[:40]} is named twice")
        seen.add(codec.upper())
    return ",".join(codecs)
