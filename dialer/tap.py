"""The `twist dialer` plugin: a dialling service from a configuration file."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from twisted.application.service import IService
from twisted.internet import reactor
from twisted.python import usage

from dialer.config import load_config
from dialer.errors import DialerError
from dialer.service import DialerService


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
        self["folder"] = path.parent


def makeService(options: Options) -> IService:
    """The service, not started."""
    return DialerService.from_config(reactor, options["settings"], options["folder"])
