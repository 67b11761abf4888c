"""`dialer campaign preview`: who will be called within a horizon, who later, who never, and why."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from typing import Any, Final

from dialer.cli.blocking import config_option
from dialer.cli.objects import manage
from dialer.cli.showing import Shown, option_of_json, print_all, print_json
from dialer.config import Config, load_config
from dialer.errors import BadValue
from dialer.kinds import word_of
from dialer.management import Management, previews
from dialer.model.preview import Outlook, PreviewSummary, Prospect, ProspectGroup
from dialer.model.user import ADMINISTRATOR
from dialer.time_kinds import Span

MOST: Final = 100
"""Contacts that are listed, unless it is said how many."""

Named = Callable[[Management, str], Awaitable[Shown]]


def add_parser(parsers: Any, named: Named) -> None:
    """Register the action; `named` finds a campaign."""
    sub = parsers.add_parser(
        "preview",
        help="who will be called within the next hour, or day, who later, who never, and why",
        description="It plays the campaign ahead, as if it was started now, by the rules, lists and limits by which it calls. "
        "Who waits for a retry has the moment that the table of retries gave. It takes for granted that every call lasts "
        "equally long and settles its contact. Nothing is called or changed.",
    )
    sub.add_argument("name", metavar="NAME|ID")
    sub.add_argument("--horizon", metavar="SPAN", default="1h", help="how far to look: 30m, 1h, 1d (default: %(default)s)")
    sub.add_argument(
        "--call-seconds", metavar="N", type=float, help="how long a call lasts (default: as long as its newest ones)"
    )
    sub.add_argument(
        "--list", metavar="PROSPECT", choices=[str(each) for each in Prospect], help=f"list contacts: {', '.join(Prospect)}"
    )
    sub.add_argument("--limit", metavar="N", type=int, default=MOST, help="of how many contacts (default: %(default)s)")
    option_of_json(sub)
    config_option(sub)
    sub.set_defaults(run=lambda arguments: _run(arguments, named))


def _run(arguments: argparse.Namespace, named: Named) -> int:
    span = Span(round(previews.LONGEST.total_seconds()))
    try:
        horizon = span.parse(arguments.horizon)
    except ValueError:
        raise BadValue("--horizon", f"expected {span.takes}") from None
    if arguments.call_seconds is not None and not 0 < arguments.call_seconds <= 86_400:
        raise BadValue("--call-seconds", "expected more than 0, and 86400 at most")
    if arguments.limit < 1:
        raise BadValue("--limit", "expected 1 or more")
    rate = None if arguments.config is None else _switch_rate(load_config(arguments.config))

    async def ask(management: Management) -> tuple[str, PreviewSummary, list[Outlook]]:
        entry = await named(management, arguments.name)
        wanted = ADMINISTRATOR, entry["id"], horizon, arguments.call_seconds, rate
        found: PreviewSummary = await management.perform(previews.preview, *wanted)
        listed: list[Outlook] = []
        more = arguments.list is not None
        while more and len(listed) < arguments.limit:
            size = min(previews.AT_ONCE, arguments.limit - len(listed))
            place = found.key, Prospect(arguments.list), len(listed), size
            some, more = await management.perform(previews.contacts, ADMINISTRATOR, entry["id"], *place)
            listed += some
        return entry["name"], found, listed

    name, found, listed = manage(arguments, ask)
    if arguments.json:
        print_json(_document(name, found, listed))
    else:
        _show(name, found, listed)
    return 0


def _switch_rate(config: Config) -> float | None:
    """How many calls per second the switches take; None without a limit."""
    one = config.simulator
    return (one.calls_per_second if one else sum(each.calls_per_second for each in config.switch)) or None


def _document(name: str, found: PreviewSummary, listed: list[Outlook]) -> dict[str, Any]:
    return {
        "campaign": name,
        "from": found.begin,
        "until": found.end,
        **{str(group): found.in_group(group) for group in ProspectGroup},
        "reasons": [
            {
                "prospect": prospect,
                "group": prospect.group,
                "text": prospect.text,
                "contacts": count,
                "retries": found.retries.get(prospect, 0),
                "first_at": found.first_at.get(prospect),
                "examples": [_row(each) for each in found.examples.get(prospect, ())],
            }
            for prospect, count in found.counts.items()
            if count
        ],
        "others": {word_of(status): count for status, count in found.done.items()},
        "first_call_at": found.first_call_at,
        "last_call_at": found.last_call_at,
        "calls_per_minute": found.calls_per_minute,
        "call_seconds": found.call_seconds,
        "refusal": found.refusal,
        "contacts": [_row(each) for each in listed],
    }


def _row(found: Outlook) -> dict[str, Any]:
    return {"number": found.number, "at": found.at, "attempt": found.attempt, "why": found.text or found.prospect.text}


def _show(name: str, found: PreviewSummary, listed: list[Outlook]) -> None:
    called, later, never = (found.in_group(group) for group in ProspectGroup)
    others = "".join(f", {count} {word_of(status)}" for status, count in found.done.items())
    print(f"campaign {name}, from {_utc(found.begin)} to {_utc(found.end)}, as if it was started:")
    print(f"{called} contacts are called, {later} later, {never} never{others}")
    if found.refusal:
        print(f"it may not call anybody: {found.refusal}")
    pace = f"{found.calls_per_minute:g} calls a minute at most, each of {found.call_seconds:g} s"
    if found.first_call_at is not None and found.last_call_at is not None:
        print(f"the first call is made at {_utc(found.first_call_at)}, the last at {_utc(found.last_call_at)}; {pace}")
    rows = [
        {
            "": str(prospect.group),
            "contacts": count,
            "retries": found.retries.get(prospect, 0),
            "from": _utc(found.first_at[prospect]) if prospect in found.first_at else "",
            "why": prospect.text,
            "such as": "; ".join(_example(each) for each in found.examples.get(prospect, ())),
        }
        for prospect, count in found.counts.items()
        if count
    ]
    for some in (rows, [_row(each) for each in listed]):
        if some:
            print()
            print_all(tuple(some[0]), some)


def _example(found: Outlook) -> str:
    return found.number + ("" if found.at is None else f" ({_utc(found.at)})")


def _utc(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
