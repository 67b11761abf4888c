"""The `twist dialer` plugin: `dialer run` under Twisted's own runner."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import structlog
from attrs import define, field
from twisted.application.service import IService, Service
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.python import usage
from twisted.python.failure import Failure

from dialer.cli.run import API, keep_loaded, take_open_files
from dialer.config import load_config
from dialer.errors import DialerError
from dialer.host import Host
from dialer.logs import log_to_twisted

log = structlog.get_logger()


class Options(usage.Options):
    """`twist dialer --config dialer.toml`"""

    synopsis = "--config FILE"
    optParameters: ClassVar = [["config", "c", None, "the configuration, a TOML file"]]

    def postOptions(self) -> None:
        """Refuse a command line without a configuration, and a configuration that is wrong, before anything starts."""
        if not self["config"]:
            raise usage.UsageError("--config FILE is needed")
        path = Path(self["config"])
        try:
            self["settings"] = load_config(path)
        except DialerError as error:
            raise usage.UsageError(str(error)) from None
        self["folder"] = path.absolute().parent


def makeService(options: Options) -> IService:
    """The service, not started."""
    config = options["settings"]
    log_to_twisted(config.log.level, mask_numbers=config.log.mask_numbers)
    take_open_files(config)
    return _HostService(Host(reactor, config, options["folder"], API))


@define(eq=False, slots=False)
class _HostService(Service):
    """Ends the process, with one line, when the host cannot start."""

    host: Host
    _started: Deferred[None] = field(factory=Deferred, init=False)

    def startService(self) -> None:
        super().startService()
        started = Deferred.fromCoroutine(self.host.start()).addCallback(lambda _: keep_loaded())
        self._started = started.addErrback(self._not_started)

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await self._started
        if self.host.up:
            await self.host.stop()

    def _not_started(self, failure: Failure) -> None:
        error = failure.value
        text = str(error) if isinstance(error, DialerError) else failure.getTraceback()
        log.error("the dialer cannot start", reason=text)
        self.host.reactor.stop()
