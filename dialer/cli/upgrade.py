"""`dialer upgrade`: brings the database to the schema of this version."""

from __future__ import annotations

import argparse
from typing import Any

from dialer.cli.blocking import config_option, database_url
from dialer.store.location import sqlite_path
from dialer.store.lock import DiallingLock
from dialer.store.schema import upgrade


def add_parser(commands: Any) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        "upgrade",
        help="bring the database to the schema of this version",
        description="Brings the database to the schema of this version, in one transaction. The dialer must be stopped.",
    )
    config_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Upgrade, unless a dialer is at work. Raises `StoreError`."""
    url = database_url(arguments.config)
    lock = DiallingLock(sqlite_path(url))
    lock.acquire()
    try:
        applied = upgrade(url)
    finally:
        lock.release()
    print(f"schema upgraded to {applied[-1]}" if applied else "the schema is up to date")
    return 0
