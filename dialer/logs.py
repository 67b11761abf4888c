"""The log: one line an event on standard error, for our modules (structlog) and for what Twisted tells.

    2026-11-23T10:00:00.123Z WARNING dialer: attempts left open by an earlier run attempts=3

Under systemd the time is left to the journal, and the level travels as its priority. No value can begin a line:
anything that is not printable is escaped. The lines of a traceback are indented. As JSON, an event is an object on one line:

    {"time": "2026-11-23T10:00:00.123Z", "level": "warning", "logger": "dialer", "event": "attempts left ...", "attempts": 3}

What is bound to the context of a request (`structlog.contextvars`), its `request_id`, is among the values of each line that is
written on its behalf. All that is written can have its telephone numbers masked.
"""

from __future__ import annotations

import enum
import logging
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any, TextIO

import structlog
from attrs import define, field
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.logger import ILogObserver, Logger, LogLevel, formatEvent, globalLogBeginner
from twisted.python.failure import Failure
from zope.interface import implementer

from dialer.interfaces import Now
from dialer.number_masks import masked, masked_values
from dialer.settings import LogFormat

OURS = ("dialer", "api")
_NUMBERS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
_TWISTED = {"warn": "warning"}
_JSON = structlog.processors.JSONRenderer()


@define(eq=False)
class LineLog:
    """Writes events as lines to `stream`. `level` is that of our own modules, `library_level` that of all others; both may be
    changed at any time by `set_levels`, and `format` and `mask_numbers` may be set at any time."""

    stream: TextIO
    now: Now
    for_journal: bool = False
    level: str = "info"
    library_level: str = "warning"
    format: LogFormat = "text"
    mask_numbers: bool = False

    def write(
        self,
        level: str,
        name: str,
        text: str,
        error: BaseException | Failure | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        """One event. A stream that is gone loses it: there is nobody left to tell."""
        time = f"{self.now().astimezone(UTC).isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"
        traceback = _traceback(error)
        if self.mask_numbers:
            text, values, traceback = masked(text), masked_values(values or {}, in_words), [*map(masked, traceback)]
        start = f"<{_PRIORITIES[level]}>" if self.for_journal else ""
        if self.format == "json":
            head = {"time": time, "level": level, "logger": name, "event": text}
            more = {"traceback": "\n".join(traceback)} if traceback else {}
            told = {key: _plain(value) for key, value in (values or {}).items()}
            lines = [str(_JSON(None, level, head | told | head | more))]
        else:
            start = start or f"{time} {level.upper()} "
            lines = [f"{name}: {_printable(_with_values(text, values))}", *(f"    {_printable(line)}" for line in traceback)]
        try:
            self.stream.write("".join(f"{start}{line}\n" for line in lines))
            self.stream.flush()
        except (OSError, ValueError):
            return

    def wants(self, level: str, name: str) -> bool:
        """Whether an event of that level, of the module `name`, is written."""
        threshold = self.level if name.partition(".")[0] in OURS else self.library_level
        return _NUMBERS.get(level, logging.CRITICAL) >= _NUMBERS[threshold]

    def set_levels(self, level: str, library_level: str) -> None:
        """From which level on events are written, from now on."""
        self.level, self.library_level = level, library_level
        _use_structlog(lambda *_: _LineSink(self), level)


def log_to_stderr(
    now: Now,
    level: str,
    library_level: str = "error",
    *,
    format: LogFormat = "text",
    mask_numbers: bool = False,
    twisted: bool = False,
) -> LineLog:
    """Send our events to standard error; with `twisted`, Twisted's own as well, which a process can do once."""
    journal = os.environ.get("JOURNAL_STREAM", "")
    log = LineLog(sys.stderr, now, for_journal=_is_journal(journal), format=format, mask_numbers=mask_numbers)
    log.set_levels(level, library_level)
    if twisted:
        globalLogBeginner.beginLoggingTo([LineObserver(log)], redirectStandardIO=False, discardBuffer=True)
    return log


def log_to_twisted(level: str, *, mask_numbers: bool = False) -> None:
    """Send our events to Twisted's log: `twist` has a log of its own."""
    _use_structlog(lambda *_: _TwistedSink(Logger(OURS[0]), mask_numbers), level)


@implementer(ILogObserver)
@define(eq=False)
class LineObserver:
    """Writes the events of Twisted."""

    log: LineLog

    def __call__(self, event: Mapping[str, Any]) -> None:
        level = event.get("log_level", LogLevel.info).name
        level = _TWISTED.get(level, level)
        name = event.get("log_namespace") or "twisted"
        if self.log.wants(level, name):
            # The class that a namespace ends with is no news beside its module.
            self.log.write(level, name.rpartition(".")[0] or name, formatEvent(_worded(event)), event.get("log_failure"))


def _use_structlog(factory: Callable[..., Any], level: str) -> None:
    # Loggers are not cached: a level may change while the process runs, and little is ever logged.
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, _as_arguments],
        wrapper_class=structlog.make_filtering_bound_logger(_NUMBERS[level]),
        logger_factory=factory,
        cache_logger_on_first_use=False,
    )


def _as_arguments(_: object, method: str, event: Any) -> dict[str, Any]:
    text = str(event.pop("event", ""))
    error = event.pop("exc_info", None)
    return {"text": text, "error": _error(error), "values": event}


def _with_values(text: str, values: Mapping[str, Any] | None) -> str:
    return text + "".join(f" {name}={_shown(value)}" for name, value in (values or {}).items())


def _worded(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event of Twisted, with words in the place of what its text would show as Python writes it."""
    return {key: in_words(value) if isinstance(value, _NEED_WORDS) else value for key, value in event.items()}


_NEED_WORDS = (IPv4Address, IPv6Address, BaseException, tuple, enum.Enum)


def in_words(value: object) -> str:
    """A value as people write it: no brackets, quotes and class names of Python."""
    match value:
        case str():  # and an enum whose members are texts
            return str(value)
        case enum.Enum():
            return value.name.lower().replace("_", "-")
        case IPv4Address() | IPv6Address():
            return f"[{value.host}]:{value.port}" if ":" in value.host else f"{value.host}:{value.port}"
        case BaseException():
            return str(value) or type(value).__name__
        case tuple() | list():
            return ", ".join(map(in_words, value))
        case set() | frozenset():
            return ", ".join(sorted(map(in_words, value)))
        case Mapping():
            return ", ".join(f"{in_words(key)} {in_words(each)}" for key, each in value.items())
    return str(value)


def _plain(value: object) -> object:
    """A value for JSON: a number stays one."""
    return value if value is None or type(value) in (bool, int, float) else in_words(value)


@define(eq=False)
class _LineSink:
    log: LineLog

    def __getattr__(self, method: str) -> Callable[..., None]:
        level = method if method in _PRIORITIES else "error"
        return lambda text, error, values: self.log.write(level, OURS[0], text, error, values)


@define(eq=False)
class _TwistedSink:
    log: Logger = field()
    mask_numbers: bool = False

    def __getattr__(self, method: str) -> Callable[..., None]:
        level = LogLevel.levelWithName("warn" if method == "warning" else method)
        return lambda text, error, values: self.log.emit(level, "{text}", text=self._told(text, error, values))

    def _told(self, text: str, error: BaseException | None, values: Mapping[str, Any]) -> str:
        if not self.mask_numbers:
            return _with_error(_with_values(text, values), error)
        return masked(_with_error(_with_values(text, masked_values(values, in_words)), error))


def _with_error(text: str, error: BaseException | None) -> str:
    return "\n    ".join([text, *_traceback(error)])


def _error(given: Any) -> BaseException | None:
    if given is True:
        return sys.exc_info()[1]
    if isinstance(given, tuple):
        return given[1] if isinstance(given[1], BaseException) else None
    return given if isinstance(given, BaseException) else None


def _traceback(error: BaseException | Failure | None) -> list[str]:
    match error:
        case None:
            return []
        case Failure():
            text = error.getTraceback()
        case _:
            text = "".join(traceback.format_exception(error))
    return text.rstrip().splitlines()


def _shown(value: object) -> str:
    text = in_words(value)
    return text if text and text.isprintable() and " " not in text and '"' not in text else repr(text)


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _is_journal(stream: str) -> bool:
    """Whether standard error is the journal: systemd names its device and inode (systemd.exec(5), JOURNAL_STREAM)."""
    try:
        status = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return stream == f"{status.st_dev}:{status.st_ino}"
