"""The connection of an app's sessions to the switch: their commands are read, handed to the reactor's thread, and answered.

It is used on the app's thread only. A command is refused at once when it is none that a hook may give, or when too many are
unanswered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

from dialer.errors import BadValue
from dialer.marks import package, requests
from dialer.marks.requests import Request

utils: Any = package.module("utils")

MOST_UNANSWERED: Final = 2000
"""Commands of one app; scheduled ones are unanswered until they are due."""

Send = Callable[[Request], "Future[str]"]


class HookConnection:
    """`send` hands a request over, and is answered with the switch's text, or with a failure that says why there is none.
    Those who wait on the thread do so for `patience` seconds."""

    def __init__(self, loop: asyncio.AbstractEventLoop, host: str, send: Send, patience: float) -> None:
        self.host = host
        self.loop = loop
        self.log = utils.get_logger("hooks")
        self._send = send
        self._patience = patience
        self._unanswered = 0

    def connected(self) -> bool:
        """The dialer keeps the connection up; a command tells when there is none."""
        return True

    def api(self, cmd: str, errcheck: bool = True, block: bool = False, timeout: float | None = None) -> Any:
        """Give a command. Returns what fires with the answer (its text is `Body`), or with `block`, the answer. Raises
        `APIError` for a command that is refused; what the switch, or the gate, says against it comes with the answer,
        unless `errcheck` is off."""
        if block:
            return {"Body": self.cmd(cmd, timeout)}
        answered: asyncio.Future[dict[str, str]] = self.loop.create_future()

        def told(future: Future[str]) -> None:
            try:
                self.loop.call_soon_threadsafe(self._answer, answered, future, errcheck)
            except RuntimeError:
                return  # the app has been stopped

        self._given(cmd).add_done_callback(told)
        return answered

    def bgapi(self, cmd: str, block: bool = False) -> Any:
        """The same: no command of a hook lasts."""
        return self.api(cmd, block=block)

    def cmd(self, cmd: str, timeout: float | None = None) -> str:
        """Give a command, and wait for what it says. Raises `APIError`."""
        given = self._given(cmd)
        try:
            return given.result(timeout or self._patience)
        except TimeoutError:
            raise utils.APIError(f"{cmd[:80]}: no answer within {timeout or self._patience:g} s") from None
        except Exception as error:
            raise utils.APIError(str(error)) from error
        finally:
            self._unanswered -= 1

    def _given(self, cmd: str) -> Future[str]:
        try:
            request = requests.read(cmd)
        except BadValue as error:
            raise utils.APIError(str(error)) from error
        if self._unanswered >= MOST_UNANSWERED:
            raise utils.APIError(f"{MOST_UNANSWERED} commands of this app are not answered yet")
        self._unanswered += 1
        return self._send(request)

    def _answer(self, answered: asyncio.Future[dict[str, str]], future: Future[str], errcheck: bool) -> None:
        self._unanswered -= 1
        if answered.done():
            return
        error = future.exception()
        if error is None:
            answered.set_result({"Body": future.result()})
        elif errcheck:
            answered.set_exception(utils.APIError(str(error)))
            answered.exception()  # it has been told in the log: nobody need await it
        else:
            answered.set_result({"Body": f"-ERR {error}"})
