"""The contract with machines that watch a dialer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from attrs import frozen

from dialer.model.readiness import Unready


@frozen(kw_only=True)
class Scraped:
    """The metrics of a moment as text, of that content type."""

    content_type: str
    body: bytes


class Monitoring(Protocol):
    """A dialer, for machines that watch it. Asked on the reactor thread."""

    def switches(self) -> tuple[int, int]:
        """How many switches are connected, of how many."""
        ...

    def unready(self) -> Sequence[Unready]:
        """Why it does not serve its purpose now; nothing when it does. At hand: nobody is asked."""
        ...

    async def scrape(self, accept: str) -> Scraped:
        """All metrics, in the format that an Accept header wants. Does not fail when the database does not answer."""
        ...
