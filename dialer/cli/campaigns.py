"""`dialer campaign`: who is called, when, how fast, through what; how far that is, and why nobody is called."""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, TextIO

from dialer.cli import campaign_preview, campaign_report, objects
from dialer.cli.blocking import config_option
from dialer.cli.contact_export import written
from dialer.cli.contact_import import phonebook_named
from dialer.cli.naming import names
from dialer.cli.objects import RemovableCommand, find, manage
from dialer.cli.owners import owner, owner_option
from dialer.cli.showing import Shown, option_of_json, print_json, shown_noun
from dialer.kinds import word_of
from dialer.management import (
    Management,
    campaigns,
    contact_explanation,
    outcomes,
    phonebooks,
    redial,
    removals,
    statistics,
    users,
    why,
)
from dialer.model import Campaign, CampaignReport, CampaignStatus, Disposition, SubscriberStatus
from dialer.model.statistics import CampaignStatistics
from dialer.model.user import ADMINISTRATOR

STATUS_OF = {
    "start": CampaignStatus.START,
    "pause": CampaignStatus.PAUSE,
    "stop": CampaignStatus.END,
    "abort": CampaignStatus.ABORT,
}
HELP_OF = {
    "start": "start campaigns",
    "pause": "pause campaigns: live calls go on",
    "stop": "end campaigns: live calls go on",
    "abort": "abort campaigns: live calls are hung up",
}
_REDIALLED = {
    "failed": SubscriberStatus.FAIL,
    "aborted": SubscriberStatus.ABORT,
    "completed": SubscriberStatus.COMPLETE,
}
DONE = (SubscriberStatus.ABORT, SubscriberStatus.FAIL, SubscriberStatus.COMPLETE, SubscriberStatus.NOT_AUTHORISED)
STANDARD_OUTPUT = "-"


def add_parser(commands: Any) -> None:
    """Register the command, and `dialer why`."""
    objects.add_parser(commands, CampaignsCommand())
    parser = commands.add_parser(
        "why",
        help="why a campaign, or a number of it, is not called now",
        description="Tells why a campaign is not calling, or what stands in the way of a number, in whatever spelling, and "
        "how it was tried. It looks at the database, beside the dialers that are at work with it; a gateway that is backed "
        "off from and a full switch are told by their log and by the API.",
    )
    parser.add_argument("campaign", metavar="CAMPAIGN", help="its name or id")
    parser.add_argument("number", metavar="NUMBER", nargs="?", help="a number in whatever spelling")
    option_of_json(parser)
    config_option(parser)
    parser.set_defaults(run=_why)


class CampaignsCommand(RemovableCommand):
    """The command."""

    word = "campaign"
    noun = Campaign
    actions = ("add", "list", "show", "set", "remove")
    removal = "with what it has to call; its phonebooks, and the attempts of the past, stay"
    help = "the campaigns: who is called, when, how fast, through what"
    columns = (
        "id", "user", "name", "status", "progress", "frequency", "max_concurrent", "gateway", "voip_app", "time_zone",
        "phonebooks",
    )  # fmt: skip

    def more_options(self, parser: Any, action: str) -> None:
        """The user that a new one belongs to, and a phonebook that is there."""
        if action == "add":
            owner_option(parser, "the user that it belongs to, whose limits hold")
            parser.add_argument("--draft", action="store_true", help="make it without starting it: it calls nobody before")
            parser.add_argument(
                "--phonebook", metavar="NAME|ID", help="a phonebook of the user that it calls, beside the own one that it gets"
            )

    def more_actions(self, parsers: Any) -> None:
        """Starting and stopping, phonebooks, and the outcome."""
        for action, status in STATUS_OF.items():
            sub = parsers.add_parser(action, help=HELP_OF[action])
            sub.add_argument("names", metavar="NAME|ID", nargs="+")
            config_option(sub)
            sub.set_defaults(run=partial(_set_status, self, status))
        self._add_again(parsers)
        for action, told in (("attach", "call the contacts of a phonebook, too"), ("detach", "call them no more")):
            sub = parsers.add_parser(action, help=told)
            sub.add_argument("name", metavar="CAMPAIGN")
            sub.add_argument("phonebook", metavar="PHONEBOOK", help="its name or id")
            config_option(sub)
            sub.set_defaults(run=_attach if action == "attach" else _detach)
        sub = parsers.add_parser(
            "report", help="its statistics: how its calls ended, when, through what, and when it may be done"
        )
        sub.add_argument("name", metavar="NAME|ID")
        campaign_report.window_options(sub)
        option_of_json(sub)
        config_option(sub)
        sub.set_defaults(run=_report)
        campaign_preview.add_parser(parsers, campaign_named)
        sub = parsers.add_parser("export", help="what became of its contacts, as CSV")
        sub.add_argument("name", metavar="NAME|ID")
        sub.add_argument(
            "file", metavar="FILE", nargs="?", default=STANDARD_OUTPUT, help="where to (default: standard output)"
        )
        sub.add_argument("--json", action="store_true", help="a JSON object a line")
        config_option(sub)
        sub.set_defaults(run=_export)

    def _add_again(self, parsers: Any) -> None:
        """What goes on again: campaigns that are paused, contacts that are done."""
        sub = parsers.add_parser("resume", help="start campaigns that are paused")
        sub.add_argument("names", metavar="NAME|ID", nargs="+")
        config_option(sub)
        sub.set_defaults(run=partial(_resume, self))
        sub = parsers.add_parser("redial", help="call contacts again that are done: each once more at least")
        sub.add_argument("name", metavar="NAME|ID")
        sub.add_argument(
            "--state", action="append", choices=_REDIALLED, help="those that are so (default: failed); may be repeated"
        )
        sub.add_argument(
            "--disposition",
            action="append",
            default=[],
            choices=[str(each) for each in Disposition],
            metavar="WORD",
            help="of these, those whose last attempt ended so, such as BUSY; may be repeated",
        )
        sub.add_argument("--dry-run", action="store_true", help="change nothing, and tell how many they are")
        option_of_json(sub)
        config_option(sub)
        sub.set_defaults(run=_redial)

    async def entries(self, management: Management) -> Sequence[Shown]:
        """All campaigns."""
        owners = {each.user.id: each.user.username for each in await management.ask(users.listed)}
        found = await management.ask(campaigns.listed, ADMINISTRATOR, frozenset(CampaignStatus))
        counts = await management.ask(outcomes.counts)
        referred = {
            "gateway": await names(management, "gateway"),
            "voip app": await names(management, "voip app"),
            "user": owners,
            "caller id pool": await names(management, "caller id pool"),
        }
        return [
            shown_noun(
                each.campaign,
                referred,
                phonebooks=tuple(book.name for book in each.phonebooks),
                progress=_progress(counts.get(each.campaign.id, {})),
            )
            for each in reversed(found)
        ]

    async def details(self, management: Management, entry: Shown) -> Shown:
        """How far it is, and why it is not calling."""
        return {**entry, **told(await management.ask(why.campaign, ADMINISTRATOR, entry["id"]))}

    async def add(self, management: Management, values: Mapping[str, Any], arguments: argparse.Namespace) -> int:
        """Create one, with a phonebook of its name, and perhaps another one."""
        who = await owner(management, arguments, "the user that the campaign belongs to")
        book = None
        if arguments.phonebook is not None:
            book = (await phonebook_named(management, arguments.phonebook, who.username)).id
        own = campaigns.OWN_PHONEBOOK
        found = await management.ask(campaigns.create, who, values, own, granting=True, draft=arguments.draft)
        made = int(found.campaign.id)
        if book is not None:
            await management.perform(phonebooks.attach, who, made, book)
        return made

    async def change(self, management: Management, entry: Shown, values: Mapping[str, Any]) -> None:
        """Change what is named."""
        await management.ask(campaigns.change, ADMINISTRATOR, entry["id"], values)

    def remove(self, management: Management, entry: Shown, arguments: argparse.Namespace) -> Awaitable[object]:
        """Remove one; the attempts of the past stay."""
        return management.perform(removals.campaign, ADMINISTRATOR, entry["id"])


def _progress(counts: Mapping[SubscriberStatus, int]) -> str:
    total = sum(counts.values())
    return f"{sum(counts.get(status, 0) for status in DONE)}/{total}" if total else ""


def told(report: CampaignReport) -> dict[str, Any]:
    """How far a campaign is, in words."""
    found, reason = report.progress, report.reason
    contacts = {_word(status): count for status, count in found.subscribers.items() if count}
    return {
        "contacts": sum(contacts.values()),
        "contacts_by_state": contacts,
        "live_calls": report.live_calls,
        "idle": None if reason is None else {"code": str(reason.code), "text": reason.text, "until": reason.until},
        "next_retry_at": found.next_ready_at,
        "finished_at": report.finished_at,
        "blocked": {each.reason: each.blocked for each in report.blocked if each.blocked},
        "waiting_for": {each.reason: each.waiting for each in report.blocked if each.waiting},
    }


def _blocked(report: CampaignReport) -> Iterator[str]:
    for each in report.blocked:
        if each.blocked:
            yield f"contacts that are called no more ({each.reason}): {each.blocked}"
        if each.waiting:
            yield f"contacts that wait until they may be called ({each.reason}): {each.waiting}"


def _word(status: SubscriberStatus) -> str:
    return "pending" if status is SubscriberStatus.START else word_of(status)


async def campaign_named(management: Management, name: str) -> Shown:
    """The campaign of that name, or else of that id. Raises `BadValue`."""
    command = CampaignsCommand()
    return find(command, await command.entries(management), name)


# --- the actions ----------------------------------------------------------------------------------------------------------


def _set_status(command: CampaignsCommand, status: CampaignStatus, arguments: argparse.Namespace) -> int:
    async def change(management: Management) -> list[str]:
        entries = await command.entries(management)
        wanted = [find(command, entries, name) for name in arguments.names]
        for entry in wanted:
            await management.ask(campaigns.change, ADMINISTRATOR, entry["id"], {"status": status})
        return [str(entry["name"]) for entry in wanted]

    for name in manage(arguments, change):
        print(f"campaign {name}: {word_of(status)}")
    return 0


def _resume(command: CampaignsCommand, arguments: argparse.Namespace) -> int:
    async def resume(management: Management) -> list[str]:
        entries = await command.entries(management)
        wanted = [find(command, entries, name) for name in arguments.names]
        for entry in wanted:
            await management.ask(campaigns.resume, ADMINISTRATOR, entry["id"])
        return [str(entry["name"]) for entry in wanted]

    for name in manage(arguments, resume):
        print(f"campaign {name}: start")
    return 0


def _redial(arguments: argparse.Namespace) -> int:
    statuses = frozenset(_REDIALLED[word] for word in arguments.state or ["failed"])
    ends = frozenset(map(Disposition, arguments.disposition))

    async def again(management: Management) -> tuple[str, int, int]:
        entry = await campaign_named(management, arguments.name)
        looked_at, changed, after = 0, 0, ""
        while True:
            part = after, arguments.dry_run
            found = await management.ask(redial.redial, ADMINISTRATOR, entry["id"], statuses, ends, *part)
            looked_at, changed = looked_at + found.looked_at, changed + found.changed
            if found.after is None:
                return str(entry["name"]), looked_at, changed
            after = found.after

    name, looked_at, changed = manage(arguments, again)
    if arguments.json:
        print_json({"campaign": name, "looked_at": looked_at, "changed": changed, "dry_run": arguments.dry_run})
    else:
        told = "would be called again" if arguments.dry_run else "are called again"
        print(f"campaign {name}: {changed} of {looked_at} contacts {told}")
    return 0


def _attach(arguments: argparse.Namespace) -> int:
    async def attach(management: Management) -> int:
        entry = await campaign_named(management, arguments.name)
        book = await phonebook_named(management, arguments.phonebook, entry["user"])
        return int(await management.perform(phonebooks.attach, ADMINISTRATOR, entry["id"], book.id))

    print(f"campaign {arguments.name} calls phonebook {arguments.phonebook}, too: {manage(arguments, attach)} contacts more")
    return 0


def _detach(arguments: argparse.Namespace) -> int:
    async def detach(management: Management) -> None:
        entry = await campaign_named(management, arguments.name)
        book = await phonebook_named(management, arguments.phonebook, entry["user"])
        await management.perform(removals.detach, ADMINISTRATOR, entry["id"], book.id)

    manage(arguments, detach)
    print(f"campaign {arguments.name} calls phonebook {arguments.phonebook} no more")
    return 0


def _report(arguments: argparse.Namespace) -> int:
    since, until = campaign_report.window(arguments)

    async def ask(management: Management) -> tuple[str, CampaignStatistics]:
        entry = await campaign_named(management, arguments.name)
        return entry["name"], await management.perform(statistics.of_campaign, ADMINISTRATOR, entry["id"], since, until)

    name, found = manage(arguments, ask)
    words = {status: _word(status) for status in SubscriberStatus}
    if arguments.json:
        print_json(statistics.as_object(found, words))
    else:
        campaign_report.show(name, found, words)
    return 0


def _export(arguments: argparse.Namespace) -> int:
    with ExitStack() as stack:

        async def export(management: Management) -> None:
            entry = await campaign_named(management, arguments.name)
            to: TextIO = sys.stdout
            if arguments.file != STANDARD_OUTPUT:  # not before: a wrong name leaves the file of yesterday as it is
                to = stack.enter_context(_text_file(arguments.file))
            writer = csv.writer(to)
            if not arguments.json:
                writer.writerow(outcomes.COLUMNS)
            async for rows in management.iterate(outcomes.pages, ADMINISTRATOR, entry["id"]):
                if arguments.json:
                    to.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
                else:
                    writer.writerows(row.values() for row in rows)

        manage(arguments, export)
    return 0


@contextmanager
def _text_file(file: str) -> Iterator[TextIO]:
    """A file for text in UTF-8, whole at its place or not at all; `-` is the standard output."""
    with written(file) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        yield text
        text.detach()


def _why(arguments: argparse.Namespace) -> int:
    async def ask(management: Management) -> tuple[Any, list[str]]:
        entry = await campaign_named(management, arguments.campaign)
        if arguments.number is None:
            report = await management.ask(why.campaign, ADMINISTRATOR, entry["id"])
            reason = report.reason
            text = "nothing keeps it from calling" if reason is None else reason.text
            return told(report), [f"campaign {entry['name']}: {line}" for line in (text, *_blocked(report))]
        asked = ADMINISTRATOR, entry["id"], arguments.number
        lines, document = await management.perform(contact_explanation.of_number, *asked)
        return document, [f"{document['number']}: {line}" for line in lines]

    document, lines = manage(arguments, ask)
    if arguments.json:
        print_json(document)
    else:
        print("\n".join(lines))
    return 0
