"""What all resources of the API v2 have: how a call is sent, how a list is fetched, how a file is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import evolve

from dialer.client.calls import ApiCall

Send = Callable[[ApiCall], Any]
Pages = Callable[[ApiCall], Any]
Fetch = Callable[[ApiCall], Any]

PAGE: Final = 100
"""Entries that are fetched at once."""


def page_query(call: ApiCall, cursor: str) -> ApiCall:
    """The call for the page behind a cursor, "" for the first one."""
    given = {name: value for name, value in call.query.items() if value is not None}
    return evolve(call, query={"limit": PAGE, **given, **({"cursor": cursor} if cursor else {})})


class Resource:
    """The methods of one: `send` gives the object of an answer, `pages` iterates over the entries of a list, `fetch` gives the
    bytes of a file."""

    def __init__(self, send: Send, pages: Pages, fetch: Fetch) -> None:
        self._send = send
        self._pages = pages
        self._fetch = fetch
