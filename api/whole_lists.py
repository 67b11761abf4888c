"""Lists of any length as one answer: read, encoded and laid aside page by page, so that no list is ever whole in memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import orjson

from api.long_answers import Entries, LongAnswer
from dialer.management import Management

T = TypeVar("T")

FEW: Final = 1000
"""Entries up to which a list is given as it is."""


async def whole(
    management: Management,
    read_pages: Callable[[Callable[[list[T]], Awaitable[None]]], Awaitable[None]],
    key: Callable[[T], int],
    encode: Callable[[T], Any],
) -> list[T] | LongAnswer:
    """All entries, in the order of their keys: a list when they are few, else the answer itself. `read_pages` gives them page
    by page to the function that it takes. Fails as it does."""
    first: list[T] = []
    entries: Entries | None = None

    async def take(found: list[T]) -> None:
        nonlocal first, entries
        if entries is None and len(first) + len(found) <= FEW:
            first += found
            return
        entries = aside = entries or Entries()  # a file, which a short list does not need
        together, first = [*first, *found], []
        await management.in_thread(lambda: aside.add([(key(each), orjson.dumps(encode(each))) for each in together]))

    try:
        await read_pages(take)
        if entries is not None:
            return await management.in_thread(entries.finish)
    finally:
        if entries is not None:
            entries.close()
    return sorted(first, key=key)
