"""Limits of apps, and what is told of those that do not keep them."""

from __future__ import annotations

from attrs import define, frozen


@frozen(kw_only=True)
class HookLimits:
    """How long a method, or a step of a coroutine, may take (seconds); after how many failures in a row an app is switched
    off; how many events may wait for it."""

    seconds: float = 1.0
    failures: int = 10
    queue: int = 1000


@define(eq=False)
class HookFigures:
    """What became of an app: methods and steps of coroutines that were run, those that failed, the longest (seconds); events
    that were dropped."""

    calls: int = 0
    failures: int = 0
    slowest: float = 0.0
    dropped: int = 0


@frozen(kw_only=True)
class Trouble:
    """What went wrong in a method, for an event ("" for none); with `off`, the app is switched off for it."""

    method: str
    event: str
    reason: str
    error: BaseException | None = None
    off: bool = False


@frozen
class RunningMethod:
    """The method that runs, since when, and how long it may."""

    method: str
    event: str
    since: float
    limit: float


def words(error: BaseException) -> str:
    """An error, for people."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
