"""Open files: how many this process may have, and which share of them its HTTP ports may take.

Each connection and each call in a voice application is an open file. Anybody can connect to a port; so that calls go on
whatever comes there, most of the files are kept for the switch, the sessions of answered calls and the database.
"""

from __future__ import annotations

import resource
from typing import Final

from dialer.settings import Config

KEPT_APART: Final = 64
"""Files that no connection may ever have: the database, the log, the listening ports, libraries that are loaded late."""

API_SHARE: Final = 0.25
"""Of the rest, for connections to the API."""

RECORDS_SHARE: Final = 0.05
"""The same for the port that takes call detail records."""

MONITORING_SHARE: Final = 0.02
"""The same for the port of the metrics."""

STRANGERS_SHARE: Final = 0.2
"""The same for connections to the outbound port that have not brought a call yet."""

FEWEST: Final = 8
"""Connections that a port may have, however few the files are."""


def most_open_files() -> int | None:
    """The limit of this process (RLIMIT_NOFILE); None when there is none."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def raise_most_open_files() -> int | None:
    """Take as many as the administrator allows (the hard limit). Returns the limit from then on, None for none."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return most_open_files()


def files_needed(config: Config) -> int:
    """How many can be open at the same time under a configuration: with calls of a minute each, and all connections."""
    calls = int(config.calls_per_second * 60)
    return KEPT_APART + max(calls + config.http.max_connections, int(config.http.max_connections / API_SHARE))


def files_for(share: float) -> int | None:
    """How many connections that share of the files is; None for any number."""
    most = most_open_files()
    return None if most is None else max(FEWEST, int((most - KEPT_APART) * share))
