"""Whose something new is: the user that `--user` names, or else over `--server` that of the login."""

from __future__ import annotations

import argparse
from typing import Any

from dialer.errors import BadValue
from dialer.management import Management, users
from dialer.model import Account


def owner_option(parser: Any, told: str) -> None:
    """The option; `told` is what the user is to the new thing."""
    parser.add_argument("--user", metavar="NAME", help=f"{told} (with --server: that of the login, unless it is named)")


async def owner(management: Management, arguments: argparse.Namespace, told: str) -> Account:
    """The user that a new thing belongs to. Raises `BadValue` where nobody says who that is, `NotFound`."""
    if arguments.user is None and arguments.server is None:
        raise BadValue("--user", f"is needed: {told}")
    return await management.ask(users.owner, arguments.user)
