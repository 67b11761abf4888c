"""`dialer upgrade`: brings the database to the schema of this version."""

from __future__ import annotations

import argparse
from typing import Any

from dialer.cli.blocking import config_option, database_url
from dialer.store.maintenance import without_dialers
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
    with without_dialers(url):
        applied = upgrade(url)
    print(f"schema upgraded to {applied[-1]}" if applied else "the schema is up to date")
    return 0
