"""`dialer switch`: the FreeSWITCH servers that dialers are connected to, and those on which no calls are begun."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from dialer.cli.blocking import config_option
from dialer.cli.dnc_lists import operator
from dialer.cli.objects import manage
from dialer.cli.showing import Shown, option_of_json, print_all, print_json
from dialer.management import Management, installation
from dialer.management.installation import SwitchEntry
from dialer.model.user import ADMINISTRATOR

COLUMNS: Final = ("name", "ready", "nodes", "open_attempts", "drained_by", "drained_at")


def add_parser(commands: Any) -> None:
    """Register the command with its subcommands."""
    told = "the switches of all dialers of the database, and those on which no calls are begun"
    parser = commands.add_parser("switch", help=told, description=f"{told[0].upper()}{told[1:]}.")
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|drain|resume")
    listing = actions.add_parser("list", help="show them")
    option_of_json(listing)
    config_option(listing)
    listing.set_defaults(run=_list)
    for action, use_case, told in (
        ("drain", installation.drain, "have no dialer begin calls on a switch, restarted or not: those that it has go on"),
        ("resume", installation.resume, "have dialers begin calls on it again"),
    ):
        sub = actions.add_parser(action, help=told)
        sub.add_argument("name", metavar="NAME", help="as `dialer switch list` has it")
        option_of_json(sub)
        config_option(sub)
        sub.set_defaults(run=partial(_change, use_case))


def _shown(entry: SwitchEntry) -> Shown:
    return {
        "name": entry.name,
        "ready": entry.ready,
        "core_uuid": entry.core_uuid,
        "nodes": list(entry.nodes),
        "open_attempts": entry.open_attempts,
        "drained_by": "" if entry.drain is None else entry.drain.drained_by,
        "drained_at": None if entry.drain is None else entry.drain.drained_at,
    }


def _list(arguments: argparse.Namespace) -> int:
    async def look(management: Management) -> list[SwitchEntry]:
        return await management.ask(installation.switches, ADMINISTRATOR)

    entries = [_shown(each) for each in manage(arguments, look)]
    if arguments.json:
        print_json(entries)
    else:
        print_all(COLUMNS, [{**each, "nodes": tuple(each["nodes"])} for each in entries])
    return 0


def _change(use_case: Callable[..., SwitchEntry], arguments: argparse.Namespace) -> int:
    async def change(management: Management) -> SwitchEntry:
        found: SwitchEntry = await management.ask(use_case, operator(), arguments.name)
        return found

    entry = manage(arguments, change)
    if arguments.json:
        print_json(_shown(entry))
    elif entry.drain is None:
        print(f"switch {entry.name}: calls are begun on it")
    else:
        print(f"{entry.drain.text}: no calls are begun on it, {entry.open_attempts} attempts of its dialers are open")
    return 0
