"""Files that are made while they are sent: what is wrong is told before anything of them is."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from attrs import define


@define(eq=False)
class BegunPieces:
    """The pieces of a file, of which the first is made."""

    pieces: AsyncGenerator[bytes]
    first: bytes | None

    def __aiter__(self) -> BegunPieces:
        return self

    async def __anext__(self) -> bytes:
        first, self.first = self.first, None
        return await anext(self.pieces) if first is None else first

    async def aclose(self) -> None:
        """No more are wanted."""
        await self.pieces.aclose()


async def begun(pieces: AsyncGenerator[bytes]) -> BegunPieces:
    """The same once the first is there. Fails with what making that one fails with."""
    return BegunPieces(pieces, await anext(pieces))
