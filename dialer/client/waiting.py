"""The client that waits for each answer: the standard library alone, one connection, no threads."""

from __future__ import annotations

import http.client
import random
import ssl
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from dialer.client.api import Resources
from dialer.client.calls import MOST_TRIES, ApiAnswer, ApiCall, Unreachable, pause, result
from dialer.client.sending import page_query
from dialer.client.streams import EventReader, StreamEventObject
from dialer.errors import BadValue


def split_url(url: str) -> tuple[bool, str, int]:
    """Whether TLS is spoken, the host and the port. Raises `BadValue`."""
    found = urlsplit(url)
    try:
        port = found.port
    except ValueError:
        port = -1
    if found.scheme not in ("http", "https") or not found.hostname or port == -1 or found.path not in ("", "/") or found.query:
        raise BadValue("--server", f"expected an address such as http://127.0.0.1:8000, got {url[:80]!r}")
    secure = found.scheme == "https"
    return secure, found.hostname, port or (443 if secure else 80)


class Client(Resources):
    """A dialer's API at `url`; `authorization` is what `calls.bearer` or `calls.basic` makes. Answers are objects of JSON.

    Each method raises `ApiRefused` for what is not done, and `Unreachable` when no answer came in `MOST_TRIES` tries.
    `timeout` is of each, in seconds. To be closed, or used in a `with`.
    """

    def __init__(
        self,
        url: str,
        authorization: str,
        *,
        timeout: float = 30.0,
        context: ssl.SSLContext | None = None,
        new_key: Callable[[], str] = lambda: uuid.uuid4().hex,  # noqa: TID251 - the outermost place
        sleep: Callable[[float], object] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self._secure, self._host, self._port = split_url(url)
        self._authorization = authorization
        self._timeout = timeout
        self._context = context
        self._new_key = new_key
        self._sleep = sleep
        self._rng = rng or random.Random()
        self._connection: http.client.HTTPConnection | None = None
        super().__init__(self.send, self._pages, self.send)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next call opens another one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def send(self, call: ApiCall) -> Any:
        """Make a call, as often as it takes. Raises `ApiRefused`, `Unreachable`."""
        headers = call.headers(self._authorization, self._new_key())
        tries = 0
        while True:
            tries += 1
            answer, problem = None, ""
            try:
                answer = self._once(call, headers)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                problem = str(error) or type(error).__name__
            seconds = pause(tries, answer, self._rng.random())
            if seconds is None and answer is not None:
                return result(call, answer, tries)
            if seconds is None:
                raise Unreachable(f"{self._host}:{self._port} does not answer: {problem}")
            self._sleep(seconds)

    def events(
        self, *, kinds: str | None = None, campaign: int | None = None, after: str | None = None
    ) -> Iterator[StreamEventObject]:
        """What happens, as it happens, without end: of these kinds (`attempt.ended,contact.*`), of one campaign, behind the
        event with the id `after`. A connection that is lost is made again, and goes on where it was. Raises as `send`."""
        reader = EventReader(after or "")
        tries = 0
        while True:
            query = {"kinds": kinds, "campaign": campaign, "after": reader.last_id or None}
            call = ApiCall(method="GET", path="events", query=query)
            tries += 1
            problem = "it has ended the stream"
            connection = self._connected()
            try:
                for line in self._lines(connection, call):
                    tries = 0
                    event = reader.take(line)
                    if event is not None:
                        yield event
            except (OSError, http.client.HTTPException) as error:
                problem = str(error) or type(error).__name__
            finally:
                connection.close()
            if tries >= MOST_TRIES:
                raise Unreachable(f"{self._host}:{self._port} does not answer: {problem}")
            reader.lost()
            self._sleep(reader.retry)

    def _lines(self, connection: http.client.HTTPConnection, call: ApiCall) -> Iterator[str]:
        """Those of a stream. Raises `ApiRefused` for another answer, and what a connection raises."""
        connection.request("GET", call.target, headers=call.headers(self._authorization, ""))
        response = connection.getresponse()
        if response.status != http.client.OK:
            headers = {name.lower(): value for name, value in response.getheaders()}
            answer = ApiAnswer(status=response.status, headers=headers, content=response.read())
            if pause(1, answer, 0.0) is None:
                result(call, answer)
            raise http.client.HTTPException(f"the answer was {answer.status}")
        while line := response.readline():
            yield line.decode().rstrip("\r\n")

    def _once(self, call: ApiCall, headers: dict[str, str]) -> ApiAnswer:
        if self._connection is None:
            self._connection = self._connected()
        self._connection.request(call.method, call.target, call.payload, headers)
        response = self._connection.getresponse()
        content = response.read()
        found = {name.lower(): value for name, value in response.getheaders()}
        return ApiAnswer(status=response.status, headers=found, content=content)

    def _connected(self) -> http.client.HTTPConnection:
        if not self._secure:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        context = self._context or ssl.create_default_context()
        return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=context)

    def _pages(self, call: ApiCall) -> Iterator[Any]:
        cursor: str | None = ""
        while cursor is not None:
            page = self.send(page_query(call, cursor))
            yield from page["data"]
            cursor = page["next_cursor"]
