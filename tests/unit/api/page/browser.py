"""A browser without a screen: cookies, forms with their tokens, and what a page says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from urllib.parse import urlencode

from attrs import define, field

from tests.unit.api.world import FORM, Reply, World

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@define(eq=False)
class Browser:
    """Of one person. Every answer is looked at: what browsers must know is in its head."""

    api: World
    cookies: dict[str, str] = field(factory=dict)
    headers: dict[str, str] = field(factory=dict)

    async def ask(self, method: str, path: str, form: Mapping[str, str] | None = None, **headers: str) -> Reply:
        sent = {**self.headers, **headers}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        data = None if form is None else urlencode(form)
        reply = await self.api.ask(method, path, data, user=None, headers=sent, content_type=FORM)
        self._keep(reply)
        if path.startswith("/ui/") and not path.startswith("/ui/static/"):
            assert reply.headers["content-security-policy"] == POLICY, path
            assert reply.headers["cache-control"] == "no-store"
            assert reply.headers["x-content-type-options"] == "nosniff"
            assert reply.headers["referrer-policy"] == "same-origin"
        return reply

    def _keep(self, reply: Reply) -> None:
        for cookie in reply.cookies:
            name, _, rest = cookie.partition("=")
            value, _, attributes = rest.partition(";")
            assert "HttpOnly" in attributes
            assert "SameSite=Lax" in attributes
            self.cookies.pop(name, None)
            if value:
                self.cookies[name] = value

    async def get(self, path: str, **headers: str) -> Reply:
        return await self.ask("GET", path, **headers)

    async def send(self, path: str, form: Mapping[str, str] | None = None, *, on: str = "/ui/tokens", **headers: str) -> Reply:
        """A form as it stands on a page."""
        token = await self.token(on)
        return await self.ask("POST", path, {**(form or {}), "csrf": token}, **headers)

    async def send_file(
        self, path: str, content: bytes, name: str, fields: Mapping[str, str], *, token: str | None = None, **headers: str
    ) -> Reply:
        """A form with a file, as browsers send it."""
        given = {"csrf": await self.token() if token is None else token, **fields}
        parts = [f'--b\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in given.items()]
        parts.append(f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n')
        of_file = b"text/csv" if name.endswith(".csv") else b"application/octet-stream"
        body = "".join(parts).encode() + b"Content-Type: " + of_file + b"\r\n\r\n" + content + b"\r\n--b--\r\n"
        sent = {**self.headers, **headers, "Cookie": "; ".join(f"{key}={value}" for key, value in self.cookies.items())}
        kind = "multipart/form-data; boundary=b"
        reply = await self.api.ask("POST", path, body, user=None, headers=sent, content_type=kind)
        assert reply.headers["content-security-policy"] == POLICY
        return reply

    async def token(self, on: str = "/ui/tokens") -> str:
        found = re.search(r'name="csrf" value="(\w+)"', text_of(await self.get(on)))
        assert found, on
        return found[1]

    async def sign_in(self, user: str, password: str | None = None) -> Reply:
        form = {"username": user, "password": user if password is None else password}
        return await self.send("/ui/sign-in", form, on="/ui/sign-in")


def text_of(reply: Reply) -> str:
    return reply.text.decode()


def seen(reply: Reply) -> str:
    """The words of a page."""
    return unescape(re.sub(r"<[^>]*>", " ", text_of(reply)))


async def signed_in(api: World, user: str = "root") -> Browser:
    browser = Browser(api)
    reply = await browser.sign_in(user)
    assert (reply.status, reply.headers["location"]) == (303, "/ui/")
    return browser
