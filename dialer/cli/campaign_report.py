"""The statistics of a campaign as `dialer campaign report` shows them."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from dialer.cli.showing import Shown, print_all
from dialer.errors import BadValue
from dialer.model import SubscriberStatus
from dialer.model.statistics import CampaignStatistics, Forecast, NoEnd, Sums
from dialer.time_kinds import Hour

_NO_END = {
    NoEnd.DONE: "nobody is left to call",
    NoEnd.NOT_STARTED: "it is not started",
    NoEnd.EXPIRES: "it expires before",
}


def window_options(parser: Any) -> None:
    """The options `--from` and `--to`."""
    parser.add_argument("--from", dest="since", metavar="HOUR", help=f"attempts begun from then on: {Hour.takes}")
    parser.add_argument("--to", dest="until", metavar="HOUR", help="attempts begun before")


def window(arguments: argparse.Namespace) -> tuple[datetime | None, datetime | None]:
    """The hours that were given. Raises `BadValue`."""
    since, until = (_hour(f"--{name}", text) for name, text in (("from", arguments.since), ("to", arguments.until)))
    if since is not None and until is not None and since >= until:
        raise BadValue("--to", "is not after --from; expected a later hour")
    return since, until


def _hour(flag: str, text: str | None) -> datetime | None:
    try:
        return None if text is None else Hour().parse(text)
    except (ValueError, OverflowError):
        raise BadValue(flag, f"expected {Hour.takes}") from None


def show(name: str, found: CampaignStatistics, words: Mapping[SubscriberStatus, str]) -> None:
    """Print them: sums, and a table for each way of telling attempts apart. `words` are those for the states of contacts."""
    contacts = ", ".join(f"{found.contacts[status]} {word}" for status, word in words.items() if found.contacts.get(status))
    print(f"campaign {name}: {sum(found.contacts.values())} contacts{f' ({contacts})' if contacts else ''}")
    print(_sentence(found))
    print(_expectation(found.forecast))
    _table(({"disposition": str(key)} for key in found.by_disposition), found.by_disposition.values())
    _table(({"disposition": str(key), "cause": cause} for key, cause in found.by_cause), found.by_cause.values())
    _table(
        ({"gateway": found.gateways.get(key, f"removed (id {key})")} for key in found.by_gateway), found.by_gateway.values()
    )
    _table(({"attempt": f"no. {number}"} for number in found.by_number), found.by_number.values())
    _table(({"hour (UTC)": f"{hour:%Y-%m-%d %H:00}"} for hour in found.by_hour), found.by_hour.values())
    made = [{"attempts made": str(number), "contacts": many} for number, many in found.attempts_per_contact.items() if many]
    if made:
        print()
        print_all(("attempts made", "contacts"), made)


def _sentence(found: CampaignStatistics) -> str:
    sums = found.totals
    window_ = [
        f"{word} {at:%Y-%m-%d %H:00} UTC" for word, at in (("from", found.since), ("to", found.until)) if at is not None
    ]
    when = "".join(f" {each}" for each in window_)
    told = (
        f"{sums.attempts} attempts have ended{when}, {sums.counted} count, {sums.answered} were answered ({_percent(sums)}), "
        f"{sums.talk_ms / 1000:.0f} s talked ({_seconds(sums.mean_talk_ms)} s on average)"
    )
    return f"{told}; calls now: {found.live_calls}"


def _expectation(expected: Forecast) -> str:
    pace = f"{expected.calls_per_minute:.1f} a minute"
    left = f"{expected.contacts_left} contacts left, about {expected.calls_left} calls at {pace}"
    if expected.reason is not None:
        return f"{left}; no end is expected: {_NO_END[expected.reason]}"
    return f"{left}; the last one may begin on {expected.ends_at:%Y-%m-%d at %H:%M} UTC"


def _table(keys: Iterable[Mapping[str, str]], all_sums: Iterable[Sums]) -> None:
    entries: list[Shown] = [
        {
            **key,
            "attempts": sums.attempts,
            "counted": sums.counted,
            "answered": sums.answered,
            "answer rate": _percent(sums),
            "talk s": round(sums.talk_ms / 1000),
            "mean talk s": _seconds(sums.mean_talk_ms),
        }
        for key, sums in zip(keys, all_sums, strict=True)
    ]
    if entries:
        print()
        print_all(tuple(entries[0]), entries)


def _percent(sums: Sums) -> str:
    return "-" if sums.answer_rate is None else f"{sums.answer_rate:.1%}"


def _seconds(milliseconds: int | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds / 1000:.1f}"
