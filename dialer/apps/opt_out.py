"""The key with which a callee says: do not call me again."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from dialer.interfaces import AnsweredCall


class OptOutKey:
    """Listens for `digit` on a call from its construction on, until it is pressed or the call is over."""

    def __init__(self, call: AnsweredCall, digit: str) -> None:
        self._call = call
        self._digit = digit
        self._work: Deferred[None] | None = None
        self.pressed = digit in call.digits
        if not self.pressed:
            self._listen()

    async def during(self, work: Coroutine[Any, Any, None] | Deferred[None]) -> None:
        """Do `work`; when the key is pressed, it is cancelled, and that ends quietly. Raises what `work` raises."""
        self._work = work if isinstance(work, Deferred) else Deferred.fromCoroutine(work)
        if self.pressed:
            self._work.cancel()
        try:
            await self._work
        except CancelledError:
            if not self.pressed:
                raise
        finally:
            self._work = None

    def _listen(self) -> None:
        self._call.next_digit().addCallbacks(self._heard, _over)

    def _heard(self, digit: str) -> None:
        if digit != self._digit:
            self._listen()
            return
        self.pressed = True
        if self._work is not None:
            self._work.cancel()


def _over(_: Failure) -> None:
    """The call is over: whoever drives it has been told."""
