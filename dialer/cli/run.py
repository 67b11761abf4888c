"""`dialer run`: the API, the scheduler and both sides of the Event Socket in one process, until it is told to stop."""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM
from typing import Any

import structlog
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from api import build_site
from api.monitoring import build_monitoring_site, watch_api
from api.records import build_record_site
from dialer import __version__
from dialer.cli.blocking import config_option
from dialer.cli.demo_page import sign_in_address
from dialer.cli.frame import works_here_only
from dialer.cli.signals import Signals
from dialer.config import load_config
from dialer.doctor.diagnosis import Diagnosis, Level
from dialer.doctor.diagnostics import Diagnostics
from dialer.doctor.local import judge_files
from dialer.errors import BadValue, DialerError
from dialer.host import Api, Host
from dialer.logs import LineLog, log_to_stderr
from dialer.management import users
from dialer.notify import Notifier, from_environment
from dialer.open_files import files_needed, raise_most_open_files
from dialer.safe_files import UnsafeFile
from dialer.safe_paths import parent_of
from dialer.service import new_id
from dialer.settings import Config
from dialer.shared_result import SharedResult
from dialer.store.location import shown
from dialer.wall_clock import utc_now

log = structlog.get_logger()

_M_MMAP_THRESHOLD = -3
LARGE_BLOCK = 262_144
"""Bytes."""
EXIT_STOPPED = 0
EXIT_FAILED = 1
EXIT_CONFIGURATION = 2
ONE_WISH = 1.0
"""Seconds in which signals to stop are one wish: a terminal, or a kill of a whole process group, may send it twice. A later
one asks not to wait any longer."""


def add_parser(commands: Any) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        "run",
        help="dial: the API, the scheduler and the Event Socket, until SIGTERM",
        description="Runs the dialer that a configuration describes. SIGTERM or SIGINT stops it: no new calls, requests in "
        "flight are answered, the state is saved. SIGHUP reads the live settings again.",
        epilog="Exit status: 0 stopped as told; 1 failed to start, died, or could not stop in time; 2 wrong configuration.",
    )
    config_option(parser)
    parser.add_argument(
        "--ready-file",
        type=Path,
        metavar="FILE",
        help="write a JSON object there once calls and requests are served: process id, addresses",
    )
    parser.set_defaults(run=run)
    works_here_only(parser, "is the dialer")


def run(arguments: argparse.Namespace) -> int:
    """Run until told to stop. Raises `BadValue` for a configuration that is wrong."""
    config = load_config(arguments.config)
    level = arguments.log_level or config.log.level
    lines = log_to_stderr(
        utc_now,
        level,
        config.log.library_level,
        format=config.log.format,
        mask_numbers=config.log.mask_numbers,
        twisted=True,
    )
    take_open_files(config)
    give_memory_back()
    from twisted.internet import reactor

    return DialerProcess(reactor, arguments, config, lines, from_environment()).run()


def keep_loaded() -> None:
    """A started dialer stays until the process ends. The garbage collector shall not look at all of it again and again: that
    would hold the reactor for a tenth of a second or more each time."""
    gc.freeze()


def give_memory_back() -> None:
    """Large blocks go back to the system as soon as they are free. Left alone, glibc takes blocks of a size that was freed
    once from its heap from then on, and keeps up to twice that size: after some bodies of 2 MB, tens of MB were kept for good
    (mallopt(3), M_MMAP_THRESHOLD). Another C library does without."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK)


def take_open_files(config: Config) -> None:
    """Raise the limit of open files as far as it goes; when it stays too low, the log says so in the doctor's words."""
    found = judge_files(raise_most_open_files(), files_needed(config), "this dialer")
    if found.level is Level.WARNING:
        log.warning("too few open files", reason=found.text, advice=found.advice)


API = Api(
    build_site=build_site,
    build_record_site=build_record_site,
    build_monitoring_site=build_monitoring_site,
    watch_api=watch_api,
)


class DialerProcess:
    """One run of the process; it owns the reactor."""

    def __init__(self, reactor: Any, arguments: argparse.Namespace, config: Config, lines: LineLog, systemd: Notifier) -> None:
        self._reactor = reactor
        self._path: Path = arguments.config
        self._ready_file: Path | None = arguments.ready_file
        self._log_level: str | None = arguments.log_level
        self._lines = lines
        self._systemd = systemd
        self._host = Host(reactor, config, arguments.config.absolute().parent, API)
        self._watchdog = LoopingCall(systemd.tell, "WATCHDOG=1")
        self._watchdog.clock = reactor
        self._up = False
        self._stop_wanted = False
        self._stopping: Deferred[None] | None = None
        self._stop_began = 0.0
        self._status = EXIT_FAILED

    def run(self) -> int:
        """Returns the exit status."""
        wishes = {SIGTERM: self._wish_stop, SIGINT: self._wish_stop, SIGHUP: self._wish_reload}
        with Signals(self._reactor, wishes):
            self._reactor.callWhenRunning(self._do, self._start())
            self._reactor.run(installSignalHandlers=False)
        if self._ready_file is not None and self._up:
            remove_ready(self._ready_file)
        return self._status

    def _do(self, work: Coroutine[Any, Any, None]) -> Deferred[None]:
        """A failure ends the process, with one line; only a mistake of the program shows a traceback."""
        return Deferred.fromCoroutine(work).addErrback(self._failed)

    def _failed(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, CancelledError):
            log.error("stopped without waiting")
        elif isinstance(error, DialerError):
            print(f"dialer: {error}", file=sys.stderr)
        else:
            log.error("the dialer has died", exc_info=error)
        is_configuration = isinstance(error, BadValue) and not self._up
        self._status = EXIT_CONFIGURATION if is_configuration else EXIT_FAILED
        self._reactor.stop()

    # --- start ------------------------------------------------------------------------------------------------------------

    async def _start(self) -> None:
        log.info("starting", version=__version__, config=self._path)
        await self._host.start()
        self._host.management.examine = SharedResult(self._examine, 0.0, self._reactor).get
        keep_loaded()
        self._up = True
        addresses = self._addresses()
        if self._ready_file is not None:
            write_ready(self._ready_file, json.dumps({"pid": os.getpid(), **addresses}))
        log.info("ready", **addresses)
        await self._tell_of_page(addresses["http"])
        self._systemd.tell("READY=1", f"STATUS=dialling, API on {addresses['http']}")
        if self._systemd.watchdog:
            # Half of what systemd waits for, as sd_watchdog_enabled(3) recommends.
            self._watchdog.start(self._systemd.watchdog / 2)
        if self._stop_wanted:
            self._begin_stop()

    async def _tell_of_page(self, address: str) -> None:
        """Where a simulator stands in for the switch, somebody tries things out: the page is a click away."""
        if self._host.config.simulator is None or not self._host.config.http.page or not address.startswith("127."):
            return
        admins = await self._host.management.ask(users.superusers)
        if admins:
            print(f"the page, signed in by this link once: {await sign_in_address(self._host.management, address, admins[0])}")
            sys.stdout.flush()

    async def _examine(self) -> list[Diagnosis]:
        """The doctor's findings, of this installation as it is configured now."""
        return await Diagnostics(self._reactor, self._host.config, self._path, utc_now, new_id).run()

    def _addresses(self) -> dict[str, str]:
        host = self._host
        addresses = {
            "http": host.web.address,
            "outbound": host.service.outbound_address,
            "switch": ", ".join(switch.name for switch in host.service.switches),
        }
        if host.watched is not None:
            addresses["metrics"] = host.watched.address
        return addresses | {"database": shown(host.service.settings.database)}

    # --- stop -------------------------------------------------------------------------------------------------------------

    def _wish_stop(self) -> None:
        if self._stopping is not None:
            if self._reactor.seconds() - self._stop_began > ONE_WISH:
                self._stopping.cancel()
        elif self._up:
            self._begin_stop()
        else:
            self._stop_wanted = True

    def _begin_stop(self) -> None:
        log.info("stopping")
        self._stop_began = self._reactor.seconds()
        self._systemd.tell("STOPPING=1", "STATUS=no new calls; answering what is asked and saving the state")
        self._stopping = self._do(self._stop())

    async def _stop(self) -> None:
        await self._host.stop()
        self._status = EXIT_STOPPED
        log.info("stopped")
        self._reactor.stop()

    # --- SIGHUP -----------------------------------------------------------------------------------------------------------

    def _wish_reload(self) -> None:
        if not self._up or self._stopping is not None:
            return
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._systemd.tell("RELOADING=1", f"MONOTONIC_USEC={microseconds}")
        try:
            config = load_config(self._path)
            live, fixed = self._host.reload(config)
        except BadValue as error:
            log.error("the configuration stays as it was", reason=str(error))
        else:
            self._lines.format, self._lines.mask_numbers = config.log.format, config.log.mask_numbers
            self._lines.set_levels(self._log_level or config.log.level, config.log.library_level)
            changed = ", ".join(live) or "nothing"
            if fixed:
                log.warning("configuration read again", changed=changed, needs_restart=", ".join(fixed))
            else:
                log.info("configuration read again", changed=changed)
        self._systemd.tell("READY=1")


def write_ready(path: Path, text: str) -> None:
    """A reader that waits for the file never sees half of it. Raises `DialerError`."""
    try:
        with parent_of(path) as (folder, name):
            folder.write(name, text.encode())
    except UnsafeFile as error:
        raise DialerError(f"--ready-file: {error}") from None
    except OSError as error:
        raise DialerError(f"--ready-file: {path} cannot be written: {error.strerror}") from None


def remove_ready(path: Path) -> None:
    """Take it away; a failure is told in the log."""
    try:
        with parent_of(path) as (folder, name):
            folder.remove(name)
    except (OSError, UnsafeFile) as error:
        log.warning("the ready file stays", reason=str(error))
