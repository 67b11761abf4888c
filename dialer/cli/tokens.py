"""`dialer token`: what programs log in with."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any, Final

from dialer.cli.blocking import config_option
from dialer.cli.objects import manage
from dialer.cli.owners import owner
from dialer.cli.showing import Shown, option_of_json, print_all, print_json, shown_noun
from dialer.errors import BadValue
from dialer.kinds import LARGEST_ID, Whole
from dialer.management import Management, tokens, users
from dialer.model import MadeToken, Token
from dialer.model.user import ADMINISTRATOR

COLUMNS: Final = ("id", "user", "name", "public_id", "scopes", "expires_at", "last_used_at", "created_at")
_ID: Final = Whole(1, LARGEST_ID)
ONCE: Final = "this is the only time that the token is shown; only a hash of it is kept"


def add_parser(commands: Any) -> None:
    """Register the command with its subcommands."""
    told = "the tokens that programs log in with"
    parser = commands.add_parser("token", help=told, description=f"{told[0].upper()}{told[1:]}, over the API v2.")
    actions = parser.add_subparsers(dest="action", required=True, metavar="add|list|revoke")
    adding = _action(actions, "add", _add, "make a token; its text goes to standard output, once")
    told = "the name of the user that it stands for (with --server: that of the login, unless it is named)"
    adding.add_argument("user", metavar="USER", nargs="?", help=told)
    adding.add_argument("--name", required=True, metavar="TEXT", help="for people: who has it, and what for")
    adding.add_argument("--scopes", metavar="WORDS", help="read, dial, admin, with commas between them; read by default")
    adding.add_argument("--expires-at", metavar="TIME", help="such as 2027-03-01T00:00:00+01:00; never by default")
    _action(actions, "list", _list, "show them, without their secrets").add_argument(
        "--user", metavar="USER", help="those of this user only"
    )
    _action(actions, "revoke", _revoke, "a token is good for nothing from now on").add_argument("id", metavar="ID")


def _action(actions: Any, word: str, run: Callable[[argparse.Namespace], int], told: str) -> Any:
    sub = actions.add_parser(word, help=told)
    option_of_json(sub)
    config_option(sub)
    sub.set_defaults(run=run)
    return sub


def _shown(token: Token, names: dict[int, str]) -> Shown:
    return shown_noun(token, {"user": names}, public_id=token.public_id, last_used_at=token.last_used_at)


def _add(arguments: argparse.Namespace) -> int:
    options = {"name": arguments.name, "scopes": arguments.scopes, "expires_at": arguments.expires_at}
    given = {name: value for name, value in options.items() if value is not None}

    async def add(management: Management) -> tuple[str, MadeToken]:
        if arguments.user is None:
            who = await owner(management, arguments, "the user that the token stands for")
        else:
            who = await management.ask(users.account, arguments.user)
        return who.username, await management.ask(tokens.create, who, given)

    name, made = manage(arguments, add)
    if arguments.json:
        print_json({**_shown(made.token, {made.token.user_id: name}), "token": made.text})
    else:
        print(made.text)
    print(ONCE, file=sys.stderr)
    return 0


def _list(arguments: argparse.Namespace) -> int:
    async def look(management: Management) -> list[Shown]:
        names = {each.user.id: each.user.username for each in await management.ask(users.listed)}
        wanted = None if arguments.user is None else (await management.ask(users.account, arguments.user)).id
        found = await management.ask(tokens.listed, ADMINISTRATOR)
        return [_shown(token, names) for token in reversed(found) if wanted in (None, token.user_id)]

    entries = manage(arguments, look)
    if arguments.json:
        print_json(entries)
    else:
        print_all(COLUMNS, entries)
    return 0


def _revoke(arguments: argparse.Namespace) -> int:
    try:
        key = _ID.parse(arguments.id)
    except ValueError:
        raise BadValue("id", f"expected {_ID.takes}") from None

    async def revoke(management: Management) -> None:
        await management.ask(tokens.revoke, ADMINISTRATOR, key)

    manage(arguments, revoke)
    if arguments.json:
        print_json({"id": key})
    else:
        print(f"token {key} revoked")
    return 0
