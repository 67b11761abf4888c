"""A coroutine of an app, each step of which is timed."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractContextManager
from typing import Any

from attrs import define


@define
class Watch:
    """Whether what was watched kept within its time."""

    fast: bool = True


class Stepped(Coroutine[Any, Any, Any]):
    """A coroutine, each step of which is timed."""

    def __init__(self, inner: Coroutine[Any, Any, Any], watched: Callable[[], AbstractContextManager[Watch]]) -> None:
        self._inner = inner
        self._watched = watched
        self.fast = True

    def __await__(self) -> Generator[Any, Any, Any]:
        raise TypeError("it is for a task alone")

    def send(self, value: Any) -> Any:
        """The next step."""
        return self._step(self._inner.send, value)

    def throw(self, *error: Any) -> Any:
        """The next step, with an error."""
        return self._step(self._inner.throw, *error)

    def _step(self, step: Callable[..., Any], *given: Any) -> Any:
        watch = Watch()
        try:
            with self._watched() as watch:
                return step(*given)
        finally:
            self.fast = self.fast and watch.fast

    def close(self) -> None:
        """It is not run any more."""
        self._inner.close()
