"""What the product logs as an error while the world runs; the rest is not even formatted."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Any

import structlog
from attrs import define, field
from twisted.logger import LogLevel, globalLogPublisher


@define(eq=False)
class Complaints:
    """Within the context, errors are collected in `said`."""

    said: list[str] = field(factory=list)
    _before: dict[str, Any] = field(factory=dict, init=False)

    def __enter__(self) -> Complaints:
        self._before = structlog.get_config()
        structlog.configure(processors=[self._structured], wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
        globalLogPublisher.addObserver(self._twisted)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        globalLogPublisher.removeObserver(self._twisted)
        structlog.configure(**self._before)

    def _structured(self, logger: Any, method: str, event: Any) -> Any:
        self.said.append(f"{event.get('event')}: {event.get('reason', '')}")
        raise structlog.DropEvent

    def _twisted(self, event: Any) -> None:
        if event["log_level"] in (LogLevel.critical, LogLevel.error):
            failure = event.get("log_failure")
            self.said.append(f"{event.get('log_format')}: {failure.getTraceback() if failure else ''}")
