"""Tells systemd how the process does: sd_notify(3), a datagram to the socket that NOTIFY_SOCKET names."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

import structlog
from attrs import frozen

log = structlog.get_logger()


@frozen
class Notifier:
    """`address` is "" where nobody listens. `watchdog` is the interval in seconds in which systemd wants to hear from the
    process, 0 for never."""

    address: str = ""
    watchdog: float = 0.0

    def tell(self, *assignments: str) -> None:
        """Send `READY=1` and the like. Never waits, never fails."""
        if not self.address:
            return
        # A leading @ stands for the NUL of Linux' abstract sockets.
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as datagrams:
                datagrams.setblocking(False)
                datagrams.sendto("\n".join(assignments).encode(), address)
        except OSError as error:
            log.warning("systemd cannot be told", told=assignments[0], reason=error.strerror)


def from_environment(environment: Mapping[str, str] | None = None) -> Notifier:
    """The addresses that systemd has set for this process."""
    values = os.environ if environment is None else environment
    address = values.get("NOTIFY_SOCKET", "")
    interval = values.get("WATCHDOG_USEC", "")
    wanted_of = values.get("WATCHDOG_PID", "")
    watched = interval.isascii() and interval.isdigit() and wanted_of in ("", str(os.getpid()))
    return Notifier(address, int(interval) / 1e6 if watched and address else 0.0)
