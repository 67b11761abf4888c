"""`dialer webhook`: who is told what happens, what was sent, and what is sent again."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import asdict
from twisted.internet.defer import Deferred

from dialer.cli import objects
from dialer.cli.blocking import config_option, receivers
from dialer.cli.objects import RemovableCommand, find, manage
from dialer.cli.owners import owner, owner_option
from dialer.cli.showing import Shown, option_of_json, print_all, print_json, shown_noun
from dialer.errors import BadValue, HookFailed
from dialer.hooks.http_client import WebhookClient
from dialer.interfaces import ReceiverAnswer
from dialer.management import Management, users, webhooks
from dialer.model import DeliveryStatus, Webhook, WebhookDelivery
from dialer.model.user import ADMINISTRATOR
from dialer.time_kinds import Moment

PAGE = 100
"""Deliveries that are told at once, at most."""

LOG_COLUMNS = (
    "id", "status", "events", "tries", "http_status", "milliseconds", "error", "next_try_at", "created_at", "updated_at",
)  # fmt: skip


def add_parser(commands: Any) -> None:
    """Register the command."""
    objects.add_parser(commands, WebhooksCommand())


class WebhooksCommand(RemovableCommand):
    """The command."""

    word = "webhook"
    noun = Webhook
    key = "url"
    metavar = "URL"
    actions = ("add", "list", "show", "set", "remove")
    removal = "with what waits for it"
    help = "the webhooks: who is told what happens, by HTTP"
    columns = ("id", "user", "url", "kinds", "campaign_id", "batch_size", "status", "reason", "failing_since", "created_at")

    def more_options(self, parser: Any, action: str) -> None:
        """The user that a new one belongs to."""
        if action == "add":
            owner_option(parser, "the user whose events it is told; all events for a superuser")

    def more_actions(self, parsers: Any) -> None:
        """Another secret, a trial, the log, again."""
        for action, told, run in (
            ("rotate", "give it another secret; for a day, both are valid", _rotate),
            ("test", "send it a webhook.test now, and tell what it answers", _test),
            ("deliveries", "the requests to it, the newest first", _deliveries),
            ("replay", "send events again: those of a delivery, or of a time", _replay),
            ("enable", "tell it again, from where it was", _enable),
        ):
            sub = parsers.add_parser(action, help=told)
            sub.add_argument("name", metavar="URL|ID")
            if action == "deliveries":
                sub.add_argument("--status", metavar="|".join(DeliveryStatus), help="those of that status")
                sub.add_argument("--before", metavar="ID", help="those that are older than this one")
                sub.add_argument("--limit", metavar="N", default="25", help=f"how many, at most {PAGE} (default: 25)")
            if action == "replay":
                sub.add_argument("--delivery", metavar="ID", help="the events of this delivery")
                sub.add_argument("--since", metavar="TIME", help="the events from then on, in UTC: 2026-11-23 10:00:00")
                sub.add_argument("--until", metavar="TIME", help="the events before (default: now)")
            option_of_json(sub)
            config_option(sub)
            sub.set_defaults(run=run)

    async def entries(self, management: Management) -> Sequence[Shown]:
        """All webhooks."""
        owners = {each.user.id: each.user.username for each in await management.ask(users.listed)}
        found = await management.ask(webhooks.listed, ADMINISTRATOR)
        return [
            shown_noun(
                each,
                {"user": owners},
                status=each.status,
                reason=each.reason,
                failing_since=each.failing_since,
                old_secret_until=each.old_secret_until,
            )
            for each in found
        ]

    async def add(self, management: Management, values: Mapping[str, Any], arguments: argparse.Namespace) -> int:
        """Create one."""
        return (await self.add_telling(management, values, arguments))[0]

    async def add_telling(
        self, management: Management, values: Mapping[str, Any], arguments: argparse.Namespace
    ) -> tuple[int, Mapping[str, str]]:
        """Create one, and tell its secret."""
        who = await owner(management, arguments, "the user whose events it is told")
        made = await management.ask(webhooks.add, who, values, management.receivers)
        return made.webhook.id, {"secret": made.secret}

    def change(self, management: Management, entry: Shown, values: Mapping[str, Any]) -> Awaitable[object]:
        """Change what is named."""
        return management.ask(webhooks.change, ADMINISTRATOR, entry["id"], values, management.receivers)

    def remove(self, management: Management, entry: Shown, arguments: argparse.Namespace) -> Awaitable[object]:
        """Remove one."""
        return management.ask(webhooks.remove, ADMINISTRATOR, entry["id"])


async def _found(management: Management, name: str) -> int:
    command = WebhooksCommand()
    return int(find(command, await command.entries(management), name)["id"])


# --- the actions ------------------------------------------------------------------------------------------------------------


def _rotate(arguments: argparse.Namespace) -> int:
    async def rotate(management: Management) -> webhooks.WithSecret:
        return await management.ask(webhooks.rotate, ADMINISTRATOR, await _found(management, arguments.name))

    made = manage(arguments, rotate)
    until = made.webhook.old_secret_until
    if arguments.json:
        print_json({"id": made.webhook.id, "secret": made.secret, "old_secret_until": until})
    else:
        print(f"webhook {arguments.name}: the old secret is valid until {until:%Y-%m-%d %H:%M:%S} UTC\nsecret: {made.secret}")
    return 0


def _enable(arguments: argparse.Namespace) -> int:
    async def enable(management: Management) -> Webhook:
        return await management.ask(webhooks.enable, ADMINISTRATOR, await _found(management, arguments.name))

    found = manage(arguments, enable)
    if arguments.json:
        print_json({"id": found.id, "status": str(found.status)})
    else:
        print(f"webhook {arguments.name} enabled")
    return 0


class _Later:
    """Keeps a request, so that it can be made when the database is closed and a reactor runs."""

    def __init__(self) -> None:
        self.request: tuple[str, dict[str, str], bytes] | None = None

    def send(self, url: str, headers: dict[str, str], body: bytes) -> Deferred[ReceiverAnswer]:
        """Nothing is sent yet."""
        self.request = (url, headers, body)
        done: Deferred[ReceiverAnswer] = Deferred()
        done.callback(ReceiverAnswer())
        return done


def _test(arguments: argparse.Namespace) -> int:
    later = _Later()

    async def prepare(management: Management) -> ReceiverAnswer:
        management.sender = later
        found: ReceiverAnswer = await management.perform(
            webhooks.test, ADMINISTRATOR, await _found(management, arguments.name)
        )
        return found

    answer = manage(arguments, prepare)
    if later.request is not None:
        answer = _made(arguments, later.request)
    if arguments.json:
        print_json({"arrived": answer.is_success, **asdict(answer)})
    elif answer.is_success:
        print(f"webhook {arguments.name}: arrived, {answer.status} after {answer.milliseconds} ms")
    if not answer.is_success:
        reason = answer.error or f"the answer was {answer.status}"
        raise HookFailed(f"webhook {arguments.name}: {reason}, after {answer.milliseconds} ms")
    return 0


def _made(arguments: argparse.Namespace, request: tuple[str, dict[str, str], bytes]) -> ReceiverAnswer:
    """Make a request, on a reactor that runs as long as it takes."""
    from twisted.internet import reactor

    main: Any = reactor
    client = WebhookClient(main, receivers(arguments.config))
    answers: list[ReceiverAnswer] = []

    async def make() -> None:
        try:
            answers.append(await client.send(*request))
            await client.close()
        finally:
            main.stop()

    main.callWhenRunning(lambda: Deferred.fromCoroutine(make()))
    main.run()
    return answers[0]


def _deliveries(arguments: argparse.Namespace) -> int:
    status = None if arguments.status is None else _status(arguments.status)
    before = None if arguments.before is None else _whole(arguments.before, "--before")
    limit = _whole(arguments.limit, "--limit")

    if not 1 <= limit <= PAGE:
        raise BadValue("--limit", f"expected a whole number from 1 to {PAGE}")

    async def ask(management: Management) -> list[WebhookDelivery]:
        number = await _found(management, arguments.name)
        return await management.ask(webhooks.deliveries, ADMINISTRATOR, number, before, limit + 1, status)

    found = manage(arguments, ask)
    shown = [_shown(each) for each in found[:limit]]
    older = found[limit - 1].id if len(found) > limit else None
    if arguments.json:
        print_json({"deliveries": shown, "before": older})
    else:
        print_all(LOG_COLUMNS, shown)
        if older is not None:
            print(f"older ones: --before {older}")
    return 0


def _shown(delivery: WebhookDelivery) -> Shown:
    return {name: getattr(delivery, name) for name in LOG_COLUMNS}


def _status(text: str) -> DeliveryStatus:
    try:
        return DeliveryStatus(text)
    except ValueError:
        raise BadValue("--status", f"expected {' or '.join(DeliveryStatus)}") from None


def _whole(text: str, option: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadValue(option, "expected a whole number")
    return int(text)


def _moment(text: str, option: str) -> datetime:
    try:
        return Moment().parse(text)
    except ValueError:
        raise BadValue(option, f"expected {Moment().takes}") from None


def _replay(arguments: argparse.Namespace) -> int:
    if (arguments.delivery is None) == (arguments.since is None):
        raise BadValue("replay", "name --delivery, or --since")
    delivery = None if arguments.delivery is None else _whole(arguments.delivery, "--delivery")
    since = None if arguments.since is None else _moment(arguments.since, "--since")
    until = None if arguments.until is None else _moment(arguments.until, "--until")

    async def replay(management: Management) -> webhooks.Replayed:
        number = await _found(management, arguments.name)
        if since is None:
            await management.ask(webhooks.replay, ADMINISTRATOR, number, delivery or 0)
            return webhooks.Replayed(events=1)
        found: webhooks.Replayed = await management.perform(
            webhooks.replay_between, ADMINISTRATOR, number, since, until or management.now()
        )
        return found

    found = manage(arguments, replay)
    if arguments.json:
        print_json(asdict(found))
    elif delivery is not None:
        print(f"webhook {arguments.name}: delivery {delivery} is sent again")
    else:
        print(f"webhook {arguments.name}: {found.events} events are sent again")
        if found.last is not None:
            print(f"there are more: go on with --since '{found.last:%Y-%m-%d %H:%M:%S}'")
    return 0
