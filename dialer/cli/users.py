"""`dialer user`: accounts, their limits, and whom they may call."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from dialer.cli import objects
from dialer.cli.blocking import config_option
from dialer.cli.frame import works_here_only
from dialer.cli.naming import named
from dialer.cli.objects import Extra, RemovableCommand, find, manage
from dialer.cli.passwords import given_password, password_options, prompted
from dialer.cli.showing import Shown, shown_noun
from dialer.config import load_config
from dialer.errors import BadValue
from dialer.management import Management, grants, page_sessions, removals, users
from dialer.model import User
from dialer.patterns import parse_patterns
from dialer.settings import HttpSettings

ALL: Final = "all"
"""The gateways and voice applications of a superuser."""


def add_parser(commands: Any) -> None:
    """Register the command."""
    objects.add_parser(commands, UsersCommand())


class UsersCommand(RemovableCommand):
    """The command."""

    word = "user"
    noun = User
    key = "username"
    help = "the accounts of the API, their limits, and whom they may call"
    columns = (
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
        "gateways",
        "voip_apps",
    )
    actions = ("add", "list", "show", "set", "remove")

    def more_options(self, parser: Any, action: str) -> None:
        """The lists of patterns, and the password; with all that it has."""
        if action == "remove":
            parser.add_argument(
                "--everything", action="store_true", help="with its campaigns and phonebooks; attempts of the past stay"
            )
        if action not in ("add", "set"):
            return
        parser.add_argument(
            "--blacklist",
            metavar="PATTERNS",
            help="numbers that are never called: the beginnings of numbers, separated by commas; x is any one digit, = before "
            "a pattern makes it a whole number; empty for none",
        )
        parser.add_argument("--whitelist", metavar="PATTERNS", help="when not empty, no other numbers are called")
        if action == "set":
            parser.add_argument("--password", action="store_true", help="ask for a new password")
        password_options(parser)

    def more_values(self, arguments: argparse.Namespace, name: str, action: str) -> Extra:
        """The lists, and the password; a generated password is told once."""
        values: dict[str, object] = {}
        for kind in users.LISTS:
            if (text := getattr(arguments, kind)) is not None:
                values[kind] = parse_patterns(text, f"--{kind}")
        password = given_password(arguments)
        if password is None and (action == "add" or arguments.password):
            password = prompted(name)
        if password is not None:
            values["password"] = password.text
        note = f"password of {name}: {password.text}" if password is not None and password.generated else ""
        return Extra(values=values, note=note)

    async def entries(self, management: Management) -> Sequence[Shown]:
        """All users; a superuser has all gateways and voice applications."""
        return [
            shown_noun(
                each.user,
                has_password=bool(each.user.password_hash),
                blacklist=each.blacklist,
                whitelist=each.whitelist,
                gateways=ALL if each.user.is_superuser else each.gateways,
                voip_apps=ALL if each.user.is_superuser else each.voip_apps,
            )
            for each in await management.ask(users.listed)
        ]

    def more_actions(self, parsers: Any) -> None:
        """What it may use."""
        for action, told in (("grant", "let a user use gateways and voice applications"), ("revoke", "the opposite")):
            sub = parsers.add_parser(action, help=told)
            sub.add_argument("name", metavar="NAME|ID")
            sub.add_argument("--gateway", metavar="NAME|ID", action="append", default=[], help="may be given several times")
            sub.add_argument("--voip-app", metavar="NAME|ID", action="append", default=[], help="may be given several times")
            config_option(sub)
            sub.set_defaults(run=partial(_change_grants, self, grants.grant if action == "grant" else grants.revoke))

        link = parsers.add_parser(
            "sign-in", help="an address of the page at which a user is signed in once, within an hour, without its password"
        )
        link.add_argument("name", metavar="NAME")
        config_option(link)
        link.set_defaults(run=_sign_in)
        works_here_only(link, "signs in without a password, which is for those only who may read the configuration")

    def add(self, management: Management, values: Mapping[str, Any], arguments: argparse.Namespace) -> Awaitable[int]:
        """Create one."""
        return management.perform(users.enter, values)

    def change(self, management: Management, entry: Shown, values: Mapping[str, Any]) -> Awaitable[object]:
        """Change what is named."""
        return management.perform(users.change_entered, entry["id"], values)

    def remove(self, management: Management, entry: Shown, arguments: argparse.Namespace) -> Awaitable[object]:
        """Remove one that has nothing, or with all that it has."""
        if arguments.everything:
            return management.perform(removals.user, entry["id"])
        return management.ask(removals.user_without_anything, entry["id"])


def _sign_in(arguments: argparse.Namespace) -> int:
    secret = page_sessions.new_secret()

    async def make(management: Management) -> None:
        await management.ask(page_sessions.make_link, arguments.name, secret)

    manage(arguments, make)
    print(f"the page, signed in by this link once: {address_of(load_config(arguments.config).http)}/ui/link/{secret}")
    return 0


def address_of(settings: HttpSettings) -> str:
    """Where a browser on this machine finds the page, as far as the endpoint tells."""
    kind, _, rest = settings.endpoint.partition(":")
    port, _, options = rest.partition(":")
    host = next((each.partition("=")[2] for each in options.split(":") if each.startswith("interface=")), "localhost")
    if kind not in ("tcp", "ssl") or not port.isdigit():
        return "http://localhost"
    return f"{'https' if kind == 'ssl' else 'http'}://{host or 'localhost'}:{port}"


def _change_grants(command: UsersCommand, use_case: Callable[..., None], arguments: argparse.Namespace) -> int:
    if not arguments.gateway and not arguments.voip_app:
        raise BadValue(arguments.action, "name a --gateway or a --voip-app")

    async def change(management: Management) -> None:
        entry = find(command, await command.entries(management), arguments.name)
        things = {
            "gateway": [await named(management, "gateway", text, "--gateway") for text in arguments.gateway],
            "voip app": [await named(management, "voip app", text, "--voip-app") for text in arguments.voip_app],
        }
        await management.ask(use_case, entry["id"], things)

    manage(arguments, change)
    print(f"user {arguments.name} changed")
    return 0
