"""A request as this API takes it: a body with a limit, declared or chunked, and an answer with a length."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure
from twisted.web.server import Request

from api.branches import NO_BRANCH, PAGES, UNROUTED, Branch
from api.connections import host_of
from api.errors import NO_RESOURCE, TOO_LARGE
from api.forwarding import client_of
from api.long_answers import LongAnswer
from api.open_stream import OpenStream
from api.streamed_answers import Pieces, close
from api.uploads import Upload
from dialer.model import Account
from dialer.settings import Network

_PHRASES: Final = {422: b"Unprocessable Content"}
"""Of the statuses that Twisted does not know."""


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
    branch: Branch = NO_BRANCH
    upload: Upload | None = None
    """The body, where that goes to disk."""
    _id = ""
    _kept = True
    _is_upload = False
    _is_here = False
    _is_refused = False
    _room = 0
    _proxies: Sequence[Network] = ()

    # --- what came --------------------------------------------------------------------------------------------------------

    def gotLength(self, length: int | None) -> None:
        """The headers are here. Refuses a body that is declared too long before it comes."""
        self.content = BytesIO()
        self._proxies = self.channel.site.settings.proxies
        self.path = self.channel.asked_path
        self.branch = self.channel.site.branch_of(self.path)
        uploads = self.branch.uploads
        self.method, self.uri = self.channel.asked_method, self.channel.asked_uri
        self._is_upload = uploads is not None and uploads.takes(self.method, self.path)
        self._room = self.most_body
        if length is not None and length > self._room:
            self._refuse_body()
        elif length != 0 and (self._is_upload or not self.branch.largest):
            self._look_at_sender()

    def handleContentChunk(self, data: bytes) -> None:
        """Part of the body is here. Refuses a body that turns out to be too long."""
        self._room -= len(data)
        if self._is_refused:
            return
        if self._room < 0:
            self._refuse_body()
        elif self.upload is not None:
            self.upload.write(data)
        elif self._kept:
            self.content.write(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Everything is here. The body is not looked at: a route knows what it takes."""
        if self._is_refused:
            self.finish()
            return
        self._is_here = True
        self.args = {}
        self.method, self.uri, self.clientproto = command, path, version
        self.path = path.partition(b"?")[0]
        self.process()

    def process(self) -> None:
        """Hand the request to the resource of its branch, unless that cannot take it. The short form of Twisted's own: there
        is one resource, and its addresses are plain."""
        self.site = self.channel.site
        page = self.channel.site.pages.get(self.path)
        if page is not None:
            self.branch = PAGES
            page(self)
            return
        if self.branch.resource is None:
            self._answer(404, NO_RESOURCE)
            return
        self.prepath = list(self.branch.segments)
        self.postpath = unquote_to_bytes(self.path[len(self.branch.prefix) :]).split(b"/")
        try:
            b"/".join(self.postpath).decode()
            self.method.decode("ascii")
        except UnicodeDecodeError:
            self._answer(400, "The address is not UTF-8")
            return
        self.render(self.branch.resource)

    def getRequestHostname(self) -> bytes:
        """Always the same: nothing here depends on what a client calls this host."""
        return b"localhost"

    @property
    def id(self) -> str:
        """By which its client and the log call it."""
        self._id = self._id or secrets.token_hex(8)
        return self._id

    def authorization(self) -> bytes | None:
        """The header, when there is one."""
        found = self.requestHeaders.getRawHeaders(b"Authorization")
        return found[0] if found else None

    def header(self, name: bytes) -> str | None:
        """A header whose lines are items of one list, when there is one; any bytes are some text."""
        found = self.requestHeaders.getRawHeaders(name)
        return b",".join(found).decode("latin-1") if found else None

    def client_host(self) -> str:
        """The address that it came from, also by way of a proxy that is known; for a Unix socket whose proxy does not say so,
        one for all."""
        return client_of(host_of(self.getClientAddress()), self.header(b"X-Forwarded-For"), self._proxies)

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
        if self.branch.identify is not None:
            return self.branch.identify(self)
        header = self.authorization()
        if header is None:
            return False
        authentication, tokens = self.channel.site.authentication, self.branch.tokens
        self.account = authentication.recall(header, tokens=tokens)
        return self.account is not None or authentication.identify(header, self.client_host(), tokens=tokens)

    def _look_at_sender(self) -> None:
        try:
            known = self.known()
        except Exception:
            self.not_identified, known = Failure(), False
        if isinstance(known, bool):
            self._kept = known
            self._begin_upload()
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

    def _begin_upload(self) -> None:
        """The sender is known, or nobody; a body for the disk is refused before it comes, where that is possible."""
        if not self._is_upload or self.branch.uploads is None or self._disconnected:
            return
        try:
            if self.not_identified is not None:
                self.not_identified.raiseException()
            self.upload = self.branch.uploads.begin(self)
        except Exception as error:
            self._refuse_now(*self.branch.uploads.refusal(self, error))

    def connectionLost(self, reason: Failure) -> None:
        """The client has gone."""
        super().connectionLost(reason)
        if self.upload is not None and not self._is_here:
            self.upload.close()

    def _go_on(self, invited: bool) -> None:
        self._begin_upload()
        if not self._disconnected:
            self.channel.go_on(invited=invited and not self._is_refused)

    @property
    def most_body(self) -> int:
        """Bytes that a body may have."""
        settings = self.channel.site.settings
        most: int = settings.max_body
        if self._is_upload:
            most = settings.max_import
        elif self.branch.largest:
            most = min(self.branch.largest, most)
        return most

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

    def write_stream(self, stream: OpenStream) -> Deferred[None]:
        """The same for one that goes on until either side ends it."""
        if self.startedWriting or self._disconnected:
            return succeed(None)
        self.startedWriting = 1
        sent: Deferred[None] = self.channel.send_stream(self, stream)
        return sent

    def write_pieces(self, pieces: Pieces) -> Deferred[None]:
        """The same for an answer that is made while it is sent. Fails with what the maker of the pieces raised."""
        if self.startedWriting or self._disconnected:
            return Deferred.fromCoroutine(close(pieces))
        self.startedWriting = 1
        sent: Deferred[None] = self.channel.send_pieces(self, pieces)
        return sent

    def reply(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a whole answer, unless nobody waits for it any more."""
        if self._disconnected:
            return
        self.setResponseCode(status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **headers}.items():
            self.responseHeaders.setRawHeaders(name, [value])
        self.write(body)
        self.finish()

    def refused(self, status: int, sentence: str, headers: Mapping[str, str]) -> bytes:
        """Set the head of a refusal, and return its body."""
        return self.headed(status, *self.branch.refuse(self, status, sentence, headers))

    def headed(self, status: int, headers: Mapping[str, str], body: bytes) -> bytes:
        """Set the head of an answer, and return its body."""
        self.setResponseCode(status, _PHRASES.get(status))
        for name, value in headers.items():
            self.responseHeaders.setRawHeaders(name, [value])
        return body

    def _answer(self, status: int, sentence: str) -> None:
        self.write(self.refused(status, sentence, {}))
        self.finish()

    def _refuse_body(self) -> None:
        """Answer at once, then read on and throw away until the client has seen it: closing with unread data would reset the
        connection, and the answer could be lost on its way (RFC 9112, section 9.6)."""
        sentence = TOO_LARGE.format(maximum=self.most_body)
        self._refuse_now(413, *self.branch.refuse(self, 413, sentence, {}))

    def _refuse_now(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        if self.upload is not None:
            self.upload.close()
            self.upload = None
        self._is_refused = True
        self.content = BytesIO()
        self.requestHeaders.removeHeader(b"Expect")
        self.clientproto = b"HTTP/1.1"
        self.channel.close_after_answer()
        self.write(self.headed(status, {**headers, "Connection": "close"}, body))
