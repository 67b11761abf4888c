"""Tones of `tone_stream://`: the ones that may be played, and how long they last.

FreeSWITCH makes the whole sound in memory before it plays it, 16 bytes a millisecond, and believes every number in it
(teletone_run, mod_tone_stream.c): `l=-1` never ends, `L=99999` takes all the memory that there is, `c=0` has it write
behind its buffer, `r=` divides lengths to nothing, `path=` reads tones from a file of the switch. Only `;loops=` costs
nothing: it plays the same memory again.
"""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 60_000
"""Milliseconds of a sound, without `;loops=`: 1 MB of the switch's memory for each call that hears it."""

DURATION: Final = 2000
WAIT: Final = 500
"""Milliseconds of a key and of the silence behind it where nothing else is said (teletone_init_session)."""

_LOOPS = re.compile(r";loops=(-?[0-9]{1,9}) *\Z", re.IGNORECASE)
_LENGTHS = r"\( *([0-9]{1,7}) *, *([0-9]{1,7}) *"
_TONE = re.compile(rf" *(?:%{_LENGTHS}(?:, *[0-9]{{1,5}}(?:\.[0-9]{{1,3}})? *){{1,17}}\)|([0-9A-D*#])(?:{_LENGTHS}\))?) *")
_LENGTH = re.compile(r" *([dwlL])=([0-9]{1,7}) *")
_LEVEL = re.compile(r" *(?:v=-?[0-9]{1,3}(?:\.[0-9]{1,3})?|[<>]=[0-9]{1,7}|\+=[0-9]{0,3}(?:\.[0-9]{1,3})?) *")


def milliseconds(text: str) -> int:
    """How much sound `text` is, the part behind `tone_stream://`. Raises `ValueError` with a reason for anything but tones
    such as `%(on,off,hertz,...)` and keys, with `v=`, `>=`, `<=`, `+=`, `d=`, `w=`, `l=` and `L=` between semicolons, and
    `;loops=` at the end."""
    found = _LOOPS.search(text)
    sound = text if found is None else text[: found.start()]
    duration, wait, repeated, times, total = DURATION, WAIT, 1, 1, 0
    for part in sound.split(";"):
        if setting := _LENGTH.fullmatch(part):
            value = int(setting[2])
            match setting[1]:
                case "d":
                    duration = value
                case "w":
                    wait = value
                case "l":
                    repeated = max(value, 1)
                case _:
                    times = max(value, 1)
        elif not _LEVEL.fullmatch(part):
            total += repeated * _played(part, duration, wait)
            repeated = 1
    return total * times


def _played(part: str, duration: int, wait: int) -> int:
    """The tones of a part, one after the other."""
    total, position = 0, 0
    while position < len(part):
        tone = _TONE.match(part, position)
        if tone is None:
            raise ValueError(f"{part[position:][:20]!r} is no tone such as %(1000,500,440)")
        on, off = (tone[1], tone[2]) if tone[3] is None else (tone[4], tone[5])
        total += (duration if on is None else int(on)) + (wait if off is None else int(off))
        position = tone.end()
    return total
