"""`dialer user`: accounts, their limits, and whom they may call."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Any

from dialer.accounts import hash_password
from dialer.cli import objects
from dialer.cli.objects import Extra, Option, name_value, whole_number
from dialer.cli.passwords import given_password, password_options, prompted
from dialer.errors import BadValue
from dialer.patterns import parse_patterns
from dialer.store.admin import Admin
from dialer.store.catalogue import Catalogue, UserEntry
from dialer.store.database import Database
from dialer.store.drafts import NewUser
from dialer.store.number_rules import BLACKLIST, WHITELIST

LONGEST_NAME = 150
FLAGS = {"superuser": "is_superuser", "active": "is_active"}


def add_parser(commands: Any) -> None:
    """Register the command."""
    objects.add_parser(commands, Users())


class Users:
    """The kind."""

    word = "user"
    key = "username"
    help = "the accounts of the API, their limits, and whom they may call"
    options: Sequence[Option] = (
        Option(name="max_number_campaign", parse=whole_number(0), metavar="N", help="campaigns it may have, or none"),
        Option(
            name="max_number_subscriber_campaign", parse=whole_number(0), metavar="N", help="contacts of a campaign, or none"
        ),
        Option(name="max_frequency", parse=whole_number(1), metavar="N", help="calls per minute of a campaign, or none"),
        Option(name="max_duration", parse=whole_number(1), metavar="S", help="seconds of a call, or none"),
        Option(name="max_retries", parse=whole_number(0), metavar="N", help="further attempts for a contact, or none"),
        Option(name="max_timeout", parse=whole_number(1), metavar="S", help="seconds of ringing, or none"),
        Option(
            name="blacklist",
            parse=parse_patterns,
            metavar="PATTERNS",
            help="numbers that are never called: the beginnings of numbers, separated by commas; x is any one digit, = before "
            "a pattern makes it a whole number; empty for none",
        ),
        Option(name="whitelist", parse=parse_patterns, metavar="PATTERNS", help="when not empty, no other numbers are called"),
    )
    columns: Sequence[str] = (
        "id",
        "username",
        "is_superuser",
        "is_active",
        "max_number_campaign",
        "max_number_subscriber_campaign",
        "max_frequency",
        "max_duration",
        "max_retries",
        "max_timeout",
        "blacklist",
        "whitelist",
    )

    def parse_name(self, text: str) -> str:
        """HTTP's Basic authentication cannot carry a name with a colon (RFC 7617, section 2)."""
        name = name_value(text, self.key, LONGEST_NAME)
        if ":" in name:
            raise BadValue(self.key, "may not contain a colon")
        return name

    def more_options(self, parser: Any, *, adding: bool) -> None:
        """Flags, and the password."""
        parser.add_argument("--superuser", action=argparse.BooleanOptionalAction, help="sees and changes everybody's objects")
        if not adding:
            parser.add_argument("--active", action=argparse.BooleanOptionalAction, help="may log in")
            parser.add_argument("--password", action="store_true", help="ask for a new password")
        password_options(parser)

    def more_values(self, arguments: argparse.Namespace, name: str, *, adding: bool) -> Extra:
        """The flags, and the password's hash; a generated password is told once."""
        values: dict[str, object] = {
            attribute: getattr(arguments, option)
            for option, attribute in FLAGS.items()
            if getattr(arguments, option, None) is not None
        }
        password = given_password(arguments)
        if password is None and (adding or arguments.password):
            password = prompted(name)
        if password is not None:
            values["password_hash"] = hash_password(password.text)
        note = f"password of {name}: {password.text}" if password is not None and password.generated else ""
        return Extra(values=values, note=note)

    def entries(self, database: Database) -> Awaitable[Sequence[UserEntry]]:
        """All users."""
        return Catalogue(database).users()

    def add(self, database: Database, values: dict[str, Any], now: datetime) -> Awaitable[int]:
        """Create one."""
        return Admin(database).create_user(NewUser(**values), now)

    def change(self, database: Database, entry: UserEntry, values: dict[str, Any], now: datetime) -> Awaitable[None]:
        """Change what is named."""
        patterns = {kind: values.pop(kind) for kind in (BLACKLIST, WHITELIST) if kind in values}
        return Catalogue(database).change_user(entry.id, values, patterns)

    def remove(self, database: Database, key: int) -> Awaitable[None]:
        """Remove one that has nothing."""
        return Catalogue(database).remove_user(key)
