"""The lists of `dialer dnc`: made, shown, removed, and who changed what on them."""

from __future__ import annotations

import argparse
import getpass
from typing import Any, Final

from attrs import evolve

from dialer.cli.blocking import config_option
from dialer.cli.campaigns import campaign_named
from dialer.cli.objects import manage
from dialer.cli.showing import Shown, option_of_json, print_all, print_json
from dialer.errors import BadValue, NotFound
from dialer.management import Management, do_not_call, do_not_call_lists, users
from dialer.model import Account, DoNotCallEntry, DoNotCallList
from dialer.model.do_not_call import EVERYBODYS
from dialer.model.user import ADMINISTRATOR

MOST_LISTS: Final = 1_000_000
_LISTS: Final = ("id", "name", "holds_for", "description", "created_at", "by")
_HISTORY: Final = ("id", "number", "added_at", "added_by", "removed_at", "removed_by", "reason", "source", "expires_at")


def operator() -> Account:
    """The administrator, under the name that is noted for a change."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):
        name = "somebody"
    return evolve(ADMINISTRATOR, username=f"{name} at the command line")


def list_option(parser: Any) -> None:
    """Which list a command is about."""
    parser.add_argument("--list", metavar="NAME|ID", help="another list than the one that holds for everybody")


def add_list_actions(actions: Any) -> None:
    """Register the actions on lists."""
    sub = actions.add_parser("lists", help="show the lists")
    option_of_json(sub)
    config_option(sub)
    sub.set_defaults(run=_lists)
    sub = actions.add_parser("new-list", help="make a list: for everybody, the campaigns of a user, or one campaign")
    sub.add_argument("name", metavar="NAME")
    sub.add_argument("--description", default="", help="for people")
    whose = sub.add_mutually_exclusive_group()
    whose.add_argument("--user", metavar="NAME", help="it holds for the campaigns of this user")
    whose.add_argument("--campaign", metavar="NAME|ID", help="it holds for this campaign")
    config_option(sub)
    sub.set_defaults(run=_new_list)
    sub = actions.add_parser("drop-list", help="remove a list: its entries hold no more")
    sub.add_argument("name", metavar="NAME|ID")
    config_option(sub)
    sub.set_defaults(run=_drop_list)
    sub = actions.add_parser("history", help="who put numbers on a list and took them off, and when; the oldest first")
    sub.add_argument("number", metavar="NUMBER", nargs="?", help="only this one, in whatever spelling")
    sub.add_argument("--limit", type=int, default=100, metavar="N", help="at most so many (default: %(default)s)")
    sub.add_argument("--after", type=int, default=0, metavar="ID", help="those behind this entry")
    list_option(sub)
    option_of_json(sub)
    config_option(sub)
    sub.set_defaults(run=_history)


async def list_named(management: Management, text: str | None) -> int:
    """The id of the list of that name, or else of that id; without a text, of the one that holds for everybody. Raises
    `BadValue`."""
    if text is None:
        return EVERYBODYS
    found = await management.ask(do_not_call_lists.listed, operator(), 0, MOST_LISTS)
    named = [each for each in found if each.name == text] or [each for each in found if str(each.id) == text]
    if len(named) > 1:
        ids = ", ".join(str(each.id) for each in named)
        raise BadValue("--list", f"several lists are called {text}: name one by its id ({ids})")
    if not named:
        raise BadValue("--list", f"there is no list {text}")
    return named[0].id


def shown_entry(entry: DoNotCallEntry) -> dict[str, Any]:
    """An entry as it is shown."""
    return {
        "number": entry.number,
        "reason": entry.reason,
        "since": entry.created_at,
        "source": entry.source,
        "expires_at": entry.expires_at,
        "by": entry.added_by,
    }


# --- the actions ----------------------------------------------------------------------------------------------------------


def _lists(arguments: argparse.Namespace) -> int:
    async def read(management: Management) -> list[Shown]:
        owners = {each.user.id: each.user.username for each in await management.ask(users.listed)}
        found = await management.ask(do_not_call_lists.listed, operator(), 0, MOST_LISTS)
        return [_shown_list(each, owners.get(each.user_id or 0, "")) for each in found]

    entries = manage(arguments, read)
    if arguments.json:
        print_json(entries)
    else:
        print_all(_LISTS, entries)
    return 0


def _shown_list(each: DoNotCallList, owner: str) -> Shown:
    holds_for = "everybody" if each.user_id is None else f"user {owner}"
    return {
        "id": each.id,
        "name": each.name,
        "holds_for": holds_for if each.campaign_id is None else f"campaign {each.campaign_id} of {owner}",
        "user_id": each.user_id,
        "campaign_id": each.campaign_id,
        "description": each.description,
        "created_at": each.created_at,
        "by": each.added_by,
    }


def _new_list(arguments: argparse.Namespace) -> int:
    given: dict[str, Any] = {"name": arguments.name, "description": arguments.description}

    async def create(management: Management) -> int:
        if arguments.user is not None:
            try:
                given["user_id"] = (await management.ask(users.account, arguments.user)).id
            except NotFound as error:
                raise BadValue("--user", str(error)) from None
        if arguments.campaign is not None:
            given["campaign_id"] = (await campaign_named(management, arguments.campaign))["id"]
        return (await management.ask(do_not_call_lists.create, operator(), given)).id

    print(f"list {arguments.name}: {manage(arguments, create)}")
    return 0


def _drop_list(arguments: argparse.Namespace) -> int:
    async def remove(management: Management) -> None:
        await management.ask(do_not_call_lists.remove, operator(), await list_named(management, arguments.name))

    manage(arguments, remove)
    print(f"list {arguments.name}: removed")
    return 0


def _history(arguments: argparse.Namespace) -> int:
    async def read(management: Management) -> list[DoNotCallEntry]:
        list_id = await list_named(management, arguments.list)
        page = (list_id, arguments.after, arguments.limit, arguments.number)
        return await management.ask(do_not_call.history, operator(), *page)

    entries = [_shown_history(each) for each in manage(arguments, read)]
    if arguments.json:
        print_json(entries)
    else:
        print_all(_HISTORY, entries)
    return 0


def _shown_history(entry: DoNotCallEntry) -> Shown:
    return {
        "id": entry.id,
        "number": entry.number,
        "added_at": entry.created_at,
        "added_by": entry.added_by,
        "removed_at": entry.removed_at,
        "removed_by": entry.removed_by,
        "reason": entry.reason,
        "source": entry.source,
        "expires_at": entry.expires_at,
    }
