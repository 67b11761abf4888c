"""A request as this API takes it: a body with a limit, declared or chunked, and an answer with a length."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import orjson
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure
from twisted.web.server import Request

from api.errors import NO_RESOURCE, TOO_LARGE
from api.long_answers import LongAnswer
from api.routes import PREFIX
from dialer.model import Account

PREFIX_BYTES: Final = PREFIX.encode()
PREFIX_SEGMENTS: Final = tuple(PREFIX_BYTES.strip(b"/").split(b"/"))


UNROUTED: Final = "none"
"""The route of what asks for no resource."""


def error_body(sentence: str) -> bytes:
    """The body of every refusal."""
    return orjson.dumps({"error": sentence})


class ApiRequest(Request):
    """Made by the channel. Its body is in memory, and never longer than the site's `max_body`. It is kept only when it comes
    from a user: of others, it is read and thrown away."""

    channel: Any
    content: Any
    route: str = UNROUTED
    """What it asks for: method and address as documented."""
    account: Account | None = None
    """The user who sent it, where that was found out before its body was read."""
    not_identified: Failure | None = None
    """Why it is not known who sent it, where that was asked before its body was read."""
    _kept = True
    _too_large = False
    _room = 0

    # --- what came --------------------------------------------------------------------------------------------------------

    def gotLength(self, length: int | None) -> None:
        """The headers are here. Refuses a body that is declared too long before it comes."""
        self.content = BytesIO()
        self._room = self.channel.site.settings.max_body
        if length is not None and length > self._room:
            self._refuse_body()
        elif length != 0:
            self._look_at_sender()

    def handleContentChunk(self, data: bytes) -> None:
        """Part of the body is here. Refuses a body that turns out to be too long."""
        self._room -= len(data)
        if self._too_large:
            return
        if self._room < 0:
            self._refuse_body()
        elif self._kept:
            self.content.write(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Everything is here. The body is not looked at: a route knows what it takes."""
        if self._too_large:
            self.finish()
            return
        self.args = {}
        self.method, self.uri, self.clientproto = command, path, version
        self.path = path.partition(b"?")[0]
        self.process()

    def process(self) -> None:
        """Hand the request to the site's one resource, unless it cannot take it. The short form of Twisted's own: there is
        one resource, and its addresses are plain."""
        self.site = self.channel.site
        page = self.channel.site.pages.get(self.path)
        if page is not None:
            page(self)
            return
        if not self.path.startswith(PREFIX_BYTES):
            self._answer(404, NO_RESOURCE)
            return
        self.prepath = list(PREFIX_SEGMENTS)
        self.postpath = unquote_to_bytes(self.path[len(PREFIX_BYTES) :]).split(b"/")
        try:
            b"/".join(self.postpath).decode()
            self.method.decode("ascii")
        except UnicodeDecodeError:
            self._answer(400, "The address is not UTF-8")
            return
        self.render(self.channel.site.resource)

    def getRequestHostname(self) -> bytes:
        """Always the same: nothing here depends on what a client calls this host."""
        return b"localhost"

    def authorization(self) -> bytes | None:
        """The header, when there is one."""
        found = self.requestHeaders.getRawHeaders(b"Authorization")
        return found[0] if found else None

    def client_host(self) -> str:
        """The address that it came from; for a Unix socket, one for all."""
        return str(getattr(self.getClientAddress(), "host", "local"))

    def query(self) -> bytes:
        """The text behind the question mark."""
        return self.uri.partition(b"?")[2]

    def content_type(self) -> bytes | None:
        """The header, when there is one."""
        found = self.requestHeaders.getRawHeaders(b"Content-Type")
        return found[0] if found else None

    def body(self) -> bytes:
        """The whole body."""
        return bytes(self.content.getvalue())

    # --- whose body it is ---------------------------------------------------------------------------------------------------

    def known(self) -> bool | Deferred[Account]:
        """Whether the sender is known; fires when that takes a while."""
        header = self.authorization()
        if header is None:
            return False
        self.account = self.channel.site.authentication.recall(header)
        return self.account is not None or self.channel.site.authentication.identify(header, self.client_host())

    def _look_at_sender(self) -> None:
        try:
            known = self.known()
        except Exception:
            self.not_identified, known = Failure(), False
        if isinstance(known, bool):
            self._kept = known
            return
        invited = self.requestHeaders.hasHeader(b"Expect")
        self.requestHeaders.removeHeader(b"Expect")
        self.channel.hold()
        known.addCallbacks(self._identified, self._not_identified)
        known.addCallback(lambda _: self._go_on(invited))

    def _identified(self, account: Account) -> None:
        self.account = account

    def _not_identified(self, failure: Failure) -> None:
        self.not_identified, self._kept = failure, False

    def _go_on(self, invited: bool) -> None:
        if not self._disconnected:
            self.channel.go_on(invited=invited)

    # --- what goes --------------------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send the whole answer in one piece, as every answer here comes; `data` is its body."""
        if not self.startedWriting and not self._disconnected:
            self.startedWriting = 1
            self.channel.send(self, data)

    def write_long(self, answer: LongAnswer) -> Deferred[None]:
        """The same for a long answer; fires when it is sent, or nobody waits for it any more."""
        if self.startedWriting or self._disconnected:
            answer.close()
            return succeed(None)
        self.startedWriting = 1
        sent: Deferred[None] = self.channel.send_long(self, answer)
        return sent

    def reply(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a whole answer, unless nobody waits for it any more."""
        if self._disconnected:
            return
        self.setResponseCode(status)
        for name, value in headers.items():
            self.responseHeaders.setRawHeaders(name, [value])
        self.write(body)
        self.finish()

    def refused(self, status: int, sentence: str, headers: Mapping[str, str]) -> bytes:
        """Set the head of a refusal, and return its body."""
        self.setResponseCode(status)
        for name, value in headers.items():
            self.responseHeaders.setRawHeaders(name, [value])
        return error_body(sentence)

    def _answer(self, status: int, sentence: str) -> None:
        self.write(self.refused(status, sentence, {}))
        self.finish()

    def _refuse_body(self) -> None:
        """Answer at once, then read on and throw away until the client has seen it: closing with unread data would reset the
        connection, and the answer could be lost on its way (RFC 9112, section 9.6)."""
        self._too_large = True
        self.content = BytesIO()
        self.requestHeaders.removeHeader(b"Expect")
        self.clientproto = b"HTTP/1.1"
        self.channel.close_after_answer()
        sentence = TOO_LARGE.format(maximum=self.channel.site.settings.max_body)
        self.write(self.refused(413, sentence, {"Connection": "close"}))
