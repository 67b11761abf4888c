"""How long something plays: tones and silences tell their length, files do not."""

from __future__ import annotations

import re

_TONE = re.compile(r"%\((\d+)\s*,\s*(\d+)[^)]*\)")
_LOOPS = re.compile(r"loops=(-?\d+)")
FOR_EVER = 24 * 3600.0  # seconds; longer than any call


def playback_seconds(what: str, default: float) -> float | None:
    """Seconds that a playback lasts; None when there is no such file (a name with `nosuch` in it, for tests).

    Knows `tone_stream://%(on,off,hertz);loops=N` and `silence_stream://milliseconds`; a file lasts `default` unless it names
    its length, as in `hello-2500ms.wav`.
    """
    if "nosuch" in what:
        return None
    if what.startswith("tone_stream://"):
        milliseconds = sum(int(on) + int(off) for on, off in _TONE.findall(what))
        return _looped(what, milliseconds / 1000)
    if what.startswith("silence_stream://"):
        length = what.removeprefix("silence_stream://").partition(",")[0]
        return FOR_EVER if length.startswith("-") else _number(length) / 1000
    named = re.search(r"(\d+)ms\b", what)
    return int(named[1]) / 1000 if named else default


def _looped(what: str, seconds: float) -> float:
    loops = _LOOPS.search(what)
    count = int(loops[1]) if loops else 1
    return FOR_EVER if count < 0 else seconds * max(count, 1)


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
