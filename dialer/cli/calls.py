"""`dialer call`: one call without a campaign, made now or later."""

from __future__ import annotations

import argparse
from typing import Any, Final

from dialer.cli.blocking import config_option
from dialer.cli.naming import named, names
from dialer.cli.objects import flag_of, manage
from dialer.cli.owners import owner, owner_option
from dialer.cli.showing import Shown, option_of_json, print_all, print_json, print_one
from dialer.declare import Field, noun_of
from dialer.errors import BadValue
from dialer.management import Management, calls
from dialer.model import Campaign, Contact
from dialer.model.single_call import SingleCall
from dialer.model.user import ADMINISTRATOR

LISTED: Final = 100
COLUMNS: Final = ("id", "number", "state", "starting_at", "gateway", "attempts", "disposition", "reason")
_DOCS: Final = {
    "starting_at": "when it is to be made (default: now)",
    "expires_at": "until when it may be made (default: a day later)",
    "max_retry": "further attempts after the first (default: none)",
}


def _fields() -> list[Field]:
    """What a call may be given, but for its number."""
    contact = [noun_of(Contact).field(name) for name in calls.FACTS if name != "number"]
    return [*contact, *(noun_of(Campaign).field(name) for name in calls.SETTINGS)]


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "call", help="calls without a campaign: one number, now or later", description="Calls without a campaign."
    )
    parsers = parser.add_subparsers(dest="action", required=True)
    sub = parsers.add_parser("add", help="make a call, now or later")
    sub.add_argument("number", metavar="NUMBER", help="whom to call, in any spelling")
    owner_option(sub, "the user that it belongs to, whose limits and lists hold")
    for field in _fields():
        told = _DOCS.get(field.name, f"{field.doc}{f' ({field.unit})' if field.unit else ''}").replace("%", "%%")
        sub.add_argument(flag_of(field), dest=f"value_{field.name}", metavar="TEXT", help=told)
    option_of_json(sub)
    config_option(sub)
    sub.set_defaults(run=_add)
    sub = parsers.add_parser("list", help=f"the newest {LISTED} of them")
    option_of_json(sub)
    config_option(sub)
    sub.set_defaults(run=_list)
    for action, run, told in (
        ("show", _show, "all of a call"),
        ("cancel", _cancel, "cancel a call; one that is live is hung up"),
    ):
        sub = parsers.add_parser(action, help=told)
        sub.add_argument("id", metavar="ID")
        option_of_json(sub)
        config_option(sub)
        sub.set_defaults(run=run)
    parsers.metavar = "|".join(parsers.choices)


def _shown(call: SingleCall, gateways: dict[int, str], applications: dict[int, str]) -> Shown:
    settings, last = call.campaign, call.last
    return {
        "id": call.id,
        "number": call.contact.number,
        "state": str(call.state),
        "starting_at": settings.starting_at,
        "expires_at": settings.expires_at,
        "gateway": gateways.get(settings.gateway_id, ""),
        "voip_app": applications.get(settings.voip_app_id, ""),
        "caller_id": settings.caller_id,
        "reference": call.contact.reference,
        "attempts": call.count_attempt,
        "next_attempt_at": call.next_attempt_at,
        "disposition": "" if last is None or last.disposition is None else str(last.disposition),
        "cause": "" if last is None else last.cause or "",
        "answered_at": None if last is None else last.answered_at,
        "reason": call.reason or "",
    }


async def _shown_all(management: Management, found: list[SingleCall]) -> list[Shown]:
    gateways, applications = await names(management, "gateway"), await names(management, "voip app")
    return [_shown(each, gateways, applications) for each in found]


def _parsed(field: Field, text: str) -> Any:
    try:
        return field.kind.parse(text)
    except ValueError:
        raise BadValue(flag_of(field), f"expected {field.kind.takes}, got {text[:40]!r}") from None


def _add(arguments: argparse.Namespace) -> int:
    given: dict[str, Any] = {"number": arguments.number}
    for field in _fields():
        text = getattr(arguments, f"value_{field.name}")
        if text is not None:
            given[field.name] = text if field.refers_to else _parsed(field, text)

    async def add(management: Management) -> Shown:
        who = await owner(management, arguments, "the user that the call belongs to")
        for field in _fields():
            if field.refers_to and field.name in given:
                given[field.name] = await named(management, field.refers_to, given[field.name], flag_of(field))
        try:
            call = await management.ask(calls.create_completed, who, given, granting=True)
        except BadValue as error:
            flags = {field.name: flag_of(field) for field in _fields()}
            raise BadValue(flags.get(error.field, error.field), error.problem) from None
        return (await _shown_all(management, [call]))[0]

    shown = manage(arguments, add)
    if arguments.json:
        print_json(shown)
    else:
        print(f"call {shown['id']} to {shown['number']}: {shown['state']}")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    async def look(management: Management) -> list[Shown]:
        return await _shown_all(management, await management.ask(calls.listed, ADMINISTRATOR, None, LISTED))

    entries = manage(arguments, look)
    if arguments.json:
        print_json(entries)
    else:
        print_all(COLUMNS, entries)
    return 0


def _id_of(arguments: argparse.Namespace) -> int:
    kind = noun_of(Campaign).field("gateway_id").kind
    try:
        return int(kind.parse(arguments.id))
    except ValueError:
        raise BadValue("ID", f"expected {kind.takes}, got {arguments.id[:40]!r}") from None


def _show(arguments: argparse.Namespace) -> int:
    key = _id_of(arguments)

    async def look(management: Management) -> Shown:
        return (await _shown_all(management, [await management.ask(calls.read, ADMINISTRATOR, key)]))[0]

    _print(arguments, manage(arguments, look))
    return 0


def _cancel(arguments: argparse.Namespace) -> int:
    key = _id_of(arguments)

    async def cancel(management: Management) -> Shown:
        return (await _shown_all(management, [await management.ask(calls.cancel, ADMINISTRATOR, key)]))[0]

    shown = manage(arguments, cancel)
    if arguments.json:
        print_json(shown)
    else:
        print(f"call {shown['id']} to {shown['number']}: {shown['state']}")
    return 0


def _print(arguments: argparse.Namespace, shown: Shown) -> None:
    if arguments.json:
        print_json(shown)
    else:
        print_one(shown)
