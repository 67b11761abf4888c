"""`dialer upgrade`: brings the database to the schema of this version."""

from __future__ import annotations

import argparse
from typing import Any

from dialer.cli.blocking import config_option, database_url
from dialer.errors import StoreError
from dialer.store.maintenance import without_dialers
from dialer.store.schema import is_newest, upgrade


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
    """Upgrade; where there is something to do, no dialer may be at work. Raises `StoreError`."""
    url = database_url(arguments.config)
    applied = []
    if not _is_up_to_date(url):
        with without_dialers(url):
            applied = upgrade(url)
    print(f"schema upgraded to {applied[-1]}" if applied else "the schema is up to date")
    return 0


def _is_up_to_date(url: str) -> bool:
    try:
        return is_newest(url)
    except StoreError:
        return False  # the upgrade itself tells what is wrong, or makes a file that is not there
