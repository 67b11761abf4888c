"""The page in the browser beside a demo: its address, with a link that signs in once."""

from __future__ import annotations

from typing import Any, Final

from attrs import define, field

from api import build_site
from dialer.errors import NotFound
from dialer.listening import WebServer
from dialer.management import Management, page_sessions, users
from dialer.settings import HttpSettings

USER: Final = "demo"
"""Who is signed in by the link. It has no password."""

LAST_WORDS: Final = 1.0
"""Seconds in which the last requests are answered."""


async def sign_in_address(management: Management, address: str, username: str) -> str:
    """An address at which that user is signed in once, within `page_sessions.LINK_LIFETIME`. Fails with `NotFound`,
    `StoreError`."""
    secret = page_sessions.new_secret()
    await management.ask(page_sessions.make_link, username, secret)
    return f"http://{address}/ui/link/{secret}"


@define(eq=False)
class DemoPage:
    """Serves the page on this machine, at a port that is given, 0 for a free one."""

    reactor: Any
    management: Management
    port: int
    _server: WebServer = field(init=False)

    async def start(self) -> str:
        """The address that signs in. Fails with `CannotListen`, `StoreError`."""
        self.management.start()
        self._server = WebServer(self.reactor, build_site(self.management, HttpSettings(), self.reactor))
        await self._server.start(f"tcp:{self.port}:interface=127.0.0.1", "--page")
        try:
            await self.management.ask(users.account, USER)
        except NotFound:
            await self.management.ask(users.create, {"username": USER, "is_superuser": True})
        return await sign_in_address(self.management, self._server.address, USER)

    async def stop(self) -> None:
        """No more is served."""
        await self._server.stop(LAST_WORDS)
        self.management.stop()
