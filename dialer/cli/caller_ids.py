"""`dialer callerpool` and `dialer callerid`: the numbers that calls show as their caller's, and what came of it."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from dialer.cli import objects
from dialer.cli.blocking import config_option
from dialer.cli.naming import named, names
from dialer.cli.objects import RemovableCommand, find, manage
from dialer.cli.owners import owner, owner_option
from dialer.cli.showing import Shown, option_of_json, print_all, print_json, shown_noun
from dialer.errors import BadValue
from dialer.kinds import NONE, Nullable
from dialer.management import Management, caller_ids, users
from dialer.model import CallerId, CallerIdPool
from dialer.model.caller_id import CallerIdCounts, CallerIdDetails
from dialer.model.user import ADMINISTRATOR
from dialer.time_kinds import Moment

ALL: Final = "all"
DAYS: Final = 30
"""That are told unless another number is named."""


def add_parser(commands: Any) -> None:
    """Register the commands."""
    objects.add_parser(commands, CallerPoolsCommand())
    objects.add_parser(commands, CallerIdsCommand())


class CallerPoolsCommand(RemovableCommand):
    """The command of pools."""

    word = "callerpool"
    noun = CallerIdPool
    help = "the pools of caller ids, from which campaigns take the number that callees see"
    removal = "that has no numbers and that no campaign uses"
    columns = ("id", "user", "name", "strategy", "foreign_callees", "time_zone", "numbers", "description")

    def more_options(self, parser: Any, action: str) -> None:
        """The user that a new one belongs to."""
        if action == "add":
            owner_option(parser, "the user that it belongs to")

    async def entries(self, management: Management) -> Sequence[Shown]:
        """All pools."""
        owners = {each.user.id: each.user.username for each in await management.ask(users.listed)}
        numbers = [each.pool.id for each in await management.ask(caller_ids.listed, ADMINISTRATOR)]
        return [
            shown_noun(each, {"user": owners}, numbers=numbers.count(each.id))
            for each in await management.ask(caller_ids.pools, ADMINISTRATOR)
        ]

    async def add(self, management: Management, values: Mapping[str, Any], arguments: argparse.Namespace) -> int:
        """Create one."""
        who = await owner(management, arguments, "the user that it belongs to")
        return (await management.ask(caller_ids.create_pool, who, values)).id

    def change(self, management: Management, entry: Shown, values: Mapping[str, Any]) -> Awaitable[object]:
        """Change what is named."""
        return management.ask(caller_ids.change_pool, ADMINISTRATOR, entry["id"], values)

    def remove(self, management: Management, entry: Shown, arguments: argparse.Namespace) -> Awaitable[object]:
        """Remove one that nothing uses."""
        return management.ask(caller_ids.remove_pool, ADMINISTRATOR, entry["id"])


class CallerIdsCommand(RemovableCommand):
    """The command of numbers."""

    word = "callerid"
    noun = CallerId
    key = "number"
    metavar = "NUMBER"
    actions = ("add", "list", "show", "set", "remove")
    removal = "so that no call shows it any more; its attempts stay"
    help = "the caller ids: numbers of pools, their daily caps, warm-up and rest, and what came of their calls"
    columns = (
        "id", "pool", "number", "country", "name", "active", "today", "allowed", "answer_rate", "short", "refused",
        "rest_until", "unusable",
    )  # fmt: skip

    def more_options(self, parser: Any, action: str) -> None:
        """The gateways that may show it."""
        if action in ("add", "set"):
            told = f"the gateways that may show it, names or ids with commas between; {ALL}: every one (default)"
            parser.add_argument("--gateways", metavar="NAME,...", help=told)

    def more_values(self, arguments: argparse.Namespace, name: str, action: str) -> objects.Extra:
        """The gateways, still as they are named."""
        given = arguments.gateways
        if given is None:
            return objects.Extra()
        return objects.Extra(values={"gateways": [] if given == ALL else [each.strip() for each in given.split(",")]})

    def more_actions(self, parsers: Any) -> None:
        """Rest, and the counts by day."""
        sub = parsers.add_parser("rest", help="show it in no call for a while")
        sub.add_argument("name", metavar="NUMBER|ID")
        sub.add_argument("until", metavar="TIME", help=f"until then, in UTC: 2026-11-23 10:00:00; {NONE}: its rest is over")
        option_of_json(sub)
        config_option(sub)
        sub.set_defaults(run=_rest)
        sub = parsers.add_parser("days", help="what came of its calls, day by day, the newest first")
        sub.add_argument("name", metavar="NUMBER|ID")
        most = caller_ids.MOST_DAYS
        sub.add_argument("--limit", metavar="N", default=str(DAYS), help=f"how many days, at most {most} (default: {DAYS})")
        option_of_json(sub)
        config_option(sub)
        sub.set_defaults(run=_days)

    async def entries(self, management: Management) -> Sequence[Shown]:
        """All numbers, with what came of them today."""
        gateways = await names(management, "gateway")
        return [_shown(each, gateways) for each in await management.ask(caller_ids.listed, ADMINISTRATOR)]

    async def add(self, management: Management, values: Mapping[str, Any], arguments: argparse.Namespace) -> int:
        """Add one."""
        made = await management.ask(caller_ids.create, ADMINISTRATOR, await _with_gateways(management, values))
        return made.caller_id.id

    async def change(self, management: Management, entry: Shown, values: Mapping[str, Any]) -> None:
        """Change what is named."""
        await management.ask(caller_ids.change, ADMINISTRATOR, entry["id"], await _with_gateways(management, values))

    def remove(self, management: Management, entry: Shown, arguments: argparse.Namespace) -> Awaitable[object]:
        """Remove one."""
        return management.ask(caller_ids.remove, ADMINISTRATOR, entry["id"])


async def _with_gateways(management: Management, values: Mapping[str, Any]) -> dict[str, Any]:
    if "gateways" not in values:
        return dict(values)
    return {**values, "gateways": [await named(management, "gateway", each, "--gateways") for each in values["gateways"]]}


def _shown(details: CallerIdDetails, gateways: Mapping[int, str]) -> Shown:
    return shown_noun(
        details.caller_id,
        {"caller id pool": {details.pool.id: details.pool.name}},
        country=details.caller_id.country,
        gateways=tuple(gateways.get(key, str(key)) for key in details.gateways),
        allowed=details.allowed,
        unusable=details.unusable,
        until=details.until,
        **_counted(details.today),
    )


def _counted(counts: CallerIdCounts) -> dict[str, Any]:
    refused = {code: count for code, count in counts.refused.items() if count}
    rate = counts.answer_rate
    return {
        "today": counts.used,
        "answered": counts.answered,
        "answer_rate": None if rate is None else round(rate, 3),
        "short": counts.short,
        "refused": ", ".join(f"{code}: {count}" for code, count in refused.items()),
    }


# --- the actions ------------------------------------------------------------------------------------------------------------


async def _found(management: Management, name: str) -> int:
    command = CallerIdsCommand()
    return int(find(command, await command.entries(management), name)["id"])


def _rest(arguments: argparse.Namespace) -> int:
    kind = Nullable(Moment())
    try:
        until: datetime | None = kind.parse(arguments.until)
    except ValueError:
        raise BadValue("TIME", f"expected {kind.takes}") from None

    async def rest(management: Management) -> CallerIdDetails:
        return await management.ask(caller_ids.rest, ADMINISTRATOR, await _found(management, arguments.name), until)

    found = manage(arguments, rest).caller_id
    if arguments.json:
        print_json({"id": found.id, "number": found.number, "rest_until": found.rest_until})
    else:
        told = "rests no more" if found.rest_until is None else f"rests until {found.rest_until:%Y-%m-%d %H:%M:%S} UTC"
        print(f"caller id {found.number} {told}")
    return 0


def _days(arguments: argparse.Namespace) -> int:
    text = arguments.limit
    limit = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    if not 1 <= limit <= caller_ids.MOST_DAYS:
        raise BadValue("--limit", f"expected a whole number from 1 to {caller_ids.MOST_DAYS}")

    async def ask(management: Management) -> list[caller_ids.CallerIdDay]:
        return await management.ask(caller_ids.days, ADMINISTRATOR, await _found(management, arguments.name), limit)

    shown = [_day(each) for each in manage(arguments, ask)]
    if arguments.json:
        print_json(shown)
    else:
        print_all(("day", "calls", "answered", "answer_rate", "short", "refused", "talk_ms"), shown)
    return 0


def _day(each: caller_ids.CallerIdDay) -> Shown:
    told = _counted(each.counts)
    return {"day": each.day.isoformat(), "calls": told.pop("today"), **told, "talk_ms": each.counts.talk_ms}
