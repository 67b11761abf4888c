"""The channel variables of a session, packed: thousands of sessions keep them for hours, and few look at them."""

from __future__ import annotations

import zlib

import orjson

from dialer.esl.events import ChannelData

_PREFIX = "variable_"
_LEVEL, _WINDOW, _MEMORY = 3, 13, 6
"""zlib's. A window of 8 kB holds the variables of two calls; to set up the usual one of 32 kB takes longer than to pack."""


class VariablePacker:
    """Packs each call's variables by what they do not share with those of the first call: the calls of an installation look
    alike. The 95 variables of a recorded call (`recordings/21-outbound-async-full-linger`), 4.4 kB, are packed to 0.3 kB.
    """

    def __init__(self) -> None:
        self._model = b""

    def pack(self, channel: ChannelData) -> bytes:
        """The variables of a channel."""
        variables = orjson.dumps({name: value for name, value in channel.encoded.items() if name.startswith(_PREFIX)})
        self._model = self._model or variables
        packing = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW, _MEMORY, zdict=self._model)
        return packing.compress(variables) + packing.flush()

    def value(self, packed: bytes, name: str) -> str:
        """A variable's value; "" when it is missing."""
        unpacking = zlib.decompressobj(_WINDOW, zdict=self._model)
        return ChannelData(orjson.loads(unpacking.decompress(packed))).value(_PREFIX + name)
