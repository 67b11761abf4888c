"""`dialer contact`: the contacts of phonebooks."""

from __future__ import annotations

from typing import Any

from dialer.cli.contact_import import add_import


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("contact", help="the contacts of phonebooks", description="The contacts of phonebooks.")
    parsers = parser.add_subparsers(dest="action", required=True, metavar="import")
    add_import(parsers)
