"""One HTTP connection: how long a client may take, and what it hears when it does not speak HTTP."""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, Request

from api.branches import NO_BRANCH, UNROUTED, Branch, error_body
from api.long_answers import LongAnswer, Sender
from api.open_stream import OpenStream
from api.streamed_answers import Pieces, Streamer, close

_BODILESS: Final = frozenset({204, 304})
"""Statuses whose answers have no body and tell no length (RFC 9110, section 8.6)."""

LAST_BYTES: Final = 1.0
"""Seconds in which a client may take what is left of an answer that goes on, when the dialer stops."""

UNTIL_CLOSED: Final = -1
"""The length of an answer that ends with its connection, as a stream does, and a file for HTTP/1.0 (RFC 9112, section 6.3)."""

MALFORMED = "This is not a request of HTTP/1.1, or its headers are too long"
TOO_LONG_URI = "The address is too long"
TOO_LONG_HEADER = "A header is too long"


def _framing(length: int | None) -> bytes:
    """The header that tells where a body ends; None is for one that comes in chunks."""
    if length == UNTIL_CLOSED:
        return b""
    return b"Transfer-Encoding: chunked\r\n" if length is None else b"Content-Length: %d\r\n" % length


class ApiChannel(HTTPChannel):
    """A connection of an `ApiSite`.

    From its first byte on, a whole request has to arrive within the site's `request_timeout`: sending a byte now and then
    keeps nothing open. Between requests, `idle_timeout` counts.
    """

    site: Any
    maxHeaders = 100  # noqa: N815 - Twisted's name
    _held: list[bytes] | None = None
    """What came of a body whose sender is not known yet: a buffer's worth, since the connection is not read meanwhile."""
    _answered: Request | None = None
    """A request whose answer is written and has not left."""
    _next: IDelayedCall | None = None
    """Looks at the request behind the one that was answered."""
    _stream: OpenStream | None = None
    """The answer that goes on, from its beginning to the end of the connection."""
    _cut: IDelayedCall | None = None
    """Cuts the connection off."""
    _receiving = False
    _answering = False

    @property
    def idle(self) -> bool:
        """Whether no request is on its way in or being answered."""
        return not self._receiving and not self._answering

    @property
    def answering(self) -> bool:
        """Whether a whole request is here and was not answered yet."""
        return self._answering

    @property
    def asked_method(self) -> bytes:
        """The method of the request that is coming in."""
        return bytes(self._command)

    @property
    def asked_uri(self) -> bytes:
        """Its address, with its query."""
        return bytes(self._path)

    @property
    def asked_path(self) -> bytes:
        """The address of the request that is coming in, without its query."""
        return bytes(self._path).partition(b"?")[0]

    def abort(self) -> None:
        """Close at once, without a word."""
        transport: Any = self.transport
        transport.abortConnection()

    def connectionMade(self) -> None:
        """The site knows of the connection, or of its end."""
        super().connectionMade()
        self.site.opened(self)

    def connectionLost(self, reason: Failure = Failure(ConnectionDone())) -> None:  # noqa: B008 - Twisted's own default
        """The site knows of the connection, or of its end."""
        for call in (self._next, self._cut):
            if call is not None and call.active():
                call.cancel()
        self._next = self._cut = None
        super().connectionLost(reason)
        self.site.closed(self)

    def dataReceived(self, data: bytes) -> None:
        """Bytes came. The first of a request starts the time that it may take; later ones do not prolong it."""
        if not self._receiving and not self._answering:
            self._receiving = True
            self.setTimeout(self.site.settings.request_timeout)
        try:
            LineReceiver.dataReceived(self, data)
        except ValueError:  # a Content-Length of more digits than Python reads
            self._respondToBadRequestAndDisconnect()

    def rawDataReceived(self, data: bytes) -> None:
        """Part of a body, or of the request behind the one that is being answered."""
        if self._held is None:
            super().rawDataReceived(data)
        else:
            self._held.append(data)

    def hold(self) -> None:
        """Read no more of the body until it is known whose it is."""
        self._held = []
        self._networkProducer.pauseProducing()

    def go_on(self, *, invited: bool) -> None:
        """Read the body; `invited` tells whether the client waits to be asked for it (RFC 9110, section 10.1.1)."""
        held, self._held = self._held, None
        if held is None or self.transport is None or not self.requests:
            return
        if invited:
            self._send100Continue()
        self._networkProducer.resumeProducing()
        if held:
            super().rawDataReceived(b"".join(held))

    def prolong(self) -> None:
        """The time in which the request has to arrive begins anew: a body that goes to disk may take long."""
        if self._receiving:
            self.setTimeout(self.site.settings.request_timeout)

    def allContentReceived(self) -> None:
        """A request is here, whole."""
        self._receiving = False
        self._answering = True
        super().allContentReceived()

    def requestDone(self, request: Request) -> None:
        """A request was answered. The next one waits until the answer has left: a client that sends many and reads nothing
        fills no memory, and is cut off. One that is here already waits for a turn of the reactor: hundreds that were sent
        together are no single piece of work, to which nobody else comes in between."""
        if self._waitingForTransport and self.transport is not None:
            self._answered = request
            self.setTimeout(self.site.settings.idle_timeout)
        elif self._buffer or self._dataBuffer:
            self._next = self.site.reactor.callLater(0, self._done, request)
        else:
            self._done(request)

    def _done(self, request: Request) -> None:
        self._next = None
        self._answering = False
        self._savedTimeOut = self.site.settings.idle_timeout
        super().requestDone(request)

    def resumeProducing(self) -> None:
        """Twisted: what was written has left."""
        super().resumeProducing()
        answered, self._answered = self._answered, None
        if answered is not None:
            self.setTimeout(None)
            self.requestDone(answered)

    def checkPersistence(self, request: Request, version: bytes) -> bool:
        """Whether another request may follow on this connection."""
        if not self.site.draining:
            return bool(super().checkPersistence(request, version))
        request.responseHeaders.setRawHeaders(b"Connection", [b"close"])
        return False

    def send(self, request: Request, body: bytes) -> None:
        """An answer in one piece: its own headers, those that every answer has, and its body unless only the head was asked
        for. It does not tell the software that serves it."""
        self._send_head(request, len(body))
        if request.method != b"HEAD":
            transport: Any = self.transport
            transport.write(body)

    def send_long(self, request: Request, answer: LongAnswer) -> Deferred[None]:
        """The same for an answer that is long, as the client reads it; fires when it is sent, or the client has gone."""
        self._send_head(request, answer.length)
        if request.method == b"HEAD":
            answer.close()
            return succeed(None)
        sender = Sender(answer, self, self.site.reactor, self.site.settings.idle_timeout)
        request.notifyFinish().addErrback(lambda _: sender.stopProducing())
        sender.start()
        return sender.done

    def send_stream(self, request: Request, stream: OpenStream) -> Deferred[None]:
        """The same for one that has no length, and ends with the connection; what is sent behind the request is not read."""
        self.persistent = 0
        request.responseHeaders.setRawHeaders(b"Connection", [b"close"])
        self._send_head(request, UNTIL_CLOSED)
        if request.method == b"HEAD":
            return succeed(None)
        self._stream = stream
        request.notifyFinish().addErrback(lambda _: stream.stopProducing())
        stream.start(self)
        return stream.done

    def end_stream(self) -> None:
        """End the answer that goes on, if this is one; what its client has not taken soon, it does not get."""
        if self._stream is not None:
            self._cut = self.site.reactor.callLater(LAST_BYTES, self.abort)
            self._stream.end()

    def send_pieces(self, request: Request, pieces: Pieces) -> Deferred[None]:
        """The same for an answer that is made while it is sent: its length is not known. Fires when it is sent, or the client
        has gone; fails with what the maker of the pieces raised, when the client is cut off."""
        chunked = request.clientproto == b"HTTP/1.1"
        self._send_head(request, None if chunked else UNTIL_CLOSED)
        if request.method == b"HEAD":
            return Deferred.fromCoroutine(close(pieces))
        patience = self.site.settings.idle_timeout
        streamer = Streamer(pieces, self, self.site.reactor, patience, chunked=chunked)
        request.notifyFinish().addErrback(lambda _: streamer.stopProducing())
        streamer.start()
        return streamer.done

    def _send_head(self, request: Request, length: int | None) -> None:
        told = b"" if request.code in _BODILESS else _framing(length)
        head = b"%b %d %b\r\nDate: %b\r\n%b" % (
            request.clientproto,
            request.code,
            request.code_message,
            self.site.date(),
            told,
        )
        own = b"".join(
            [b"%b: %b\r\n" % (name, value) for name, values in request.responseHeaders.getAllRawHeaders() for value in values]
        )
        self.site.note_answer(getattr(request, "route", UNROUTED), request.code)
        transport: Any = self.transport
        branch: Branch = getattr(request, "branch", NO_BRANCH)
        transport.write(b"".join((head, own, branch.usual)))

    def close_after_answer(self) -> None:
        """No further request is read. An answer that has not begun tells so."""
        self.persistent = 0
        for request in self.requests:
            if not request.startedWriting:
                request.responseHeaders.setRawHeaders(b"Connection", [b"close"])

    def lineLengthExceeded(self, line: bytes) -> None:
        """A line longer than 16 kB."""
        if self.requests:
            self._refuse(b"431 Request Header Fields Too Large", TOO_LONG_HEADER)
        else:
            self._refuse(b"414 URI Too Long", TOO_LONG_URI)

    def _respondToBadRequestAndDisconnect(self) -> None:
        """Twisted's hook for what it cannot parse."""
        self._refuse(b"400 Bad Request", MALFORMED)

    def _refuse(self, status: bytes, sentence: str) -> None:
        """Answer without a request, and close: what follows cannot be told apart."""
        body = error_body(sentence)
        lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), b"Connection: close"]
        self.site.note_answer(UNROUTED, int(status[:3]))
        transport: Any = self.transport
        transport.write(b"\r\n".join([*lines, NO_BRANCH.usual]) + body)
        self.loseConnection()
