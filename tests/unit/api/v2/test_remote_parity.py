"""Every command either works over `--server` as it does at the database, or says why it does not."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import pytest_twisted
from argon2 import PasswordHasher
from attrs import define
from twisted.internet.threads import deferToThread

from dialer import accounts
from dialer.cli.main import build_parser, main
from dialer.interfaces import ReceiverAnswer
from dialer.model import IdleCode, IdleReason
from dialer.rule_files import rule_book
from dialer.settings import RulesSettings
from dialer.settings_file import settings_file
from dialer.wall_clock import utc_now
from tests.grounds import copied_database
from tests.unit.api.v2.support import Client, Sent
from tests.unit.api.v2.test_imports import working
from tests.unit.api.v2.test_remote_commands import shell
from tests.unit.api.world import World, seed

HERE_ONLY = {
    "cdr import",
    "check",
    "demo",
    "doctor",
    "freeswitch install",
    "freeswitch uninstall",
    "hooks check",
    "init",
    "metrics dashboard",
    "metrics list",
    "metrics rules",
    "run",
    "simulate",
    "upgrade",
    "user sign-in",
}

CONTACTS = "contact;first_name;city\n+12125550101;Ana;Lima\nnonsense;Bob;\n+12125550102;Cy;\n+1 212 555 0102;Di;\n112;Eve;\n"
FORBIDDEN = "number,reason,expires_at\n+12125550190,asked,\n+12125550191,,2001-01-01\n911,,\n+1 212 555 0190,,\n"
WAYS = ("--gateway", "Default_Gateway", "--voip-app", "Default_VoIP_App")

WEEK = "monday,tuesday,wednesday,thursday,friday,saturday,sunday"

SCRIPT = (
    "user add eve --password-file {secret} --max-frequency 20 --blacklist 4990,=4989 --whitelist 49",
    "user list",
    "user list --json",
    "user show eve",
    "user set eve --max-frequency 30 --no-active --blacklist",
    "user grant eve --gateway Default_Gateway --voip-app Default_VoIP_App",
    "gateway list",
    "user revoke eve --gateway Default_Gateway",
    "user add eve --password-file {secret}",
    "user show nobody",
    "token add ann --name reports --scopes read,dial --json",
    "token list --user ann",
    "token list --user ann --json",
    "token revoke 2",
    "token revoke 99",
    "gateway add spare --dial-string sofia/gateway/spare/{{number}} --maximum-call 3",
    "gateway add cheap --dial-string sofia/gateway/cheap/{{number}} --codecs PCMA,PCMU --prefixes +1=0.0085,*=refused "
    "--group out --weight 3 --pause-after 20",
    "gateway add dear --dial-string sofia/gateway/dear/{{number}} --codecs nonsense/",
    "gateway add dear --dial-string sofia/gateway/dear/{{number}} --prefixes +1=free",
    "gateway add dear --dial-string sofia/gateway/dear/{{number}} --pause-after 2",
    "gateway show cheap",
    "gateway set cheap --pause-after none --prefixes +44=allowed --weight 5 --codecs",
    "gateway show cheap --json",
    "gateway add bad --max-nothing 3",
    "gateway add none",
    "gateway list --json",
    "gateway set spare --addprefix 00 --failover Default_Gateway",
    "voipapp add hello --type speak --data Hello --gateway spare",
    "voipapp list",
    "voipapp list --json",
    "voipapp set hello --description greets",
    "gateway remove spare",
    "voipapp remove hello",
    "gateway remove spare",
    "import list",
    "import list --json",
    "import show 99",
    "import start 99 --map contact=Phone",
    "import start 99 --map contact",
    "import cancel 99",
    "import errors 99",
    "switch list",
    "switch list --json",
    "switch drain nowhere",
    "switch resume nowhere",
    "phonebook add winter --user root --region US",
    "phonebook set winter --description cold",
    f"campaign add spring --user root {{ways}} --weekdays {WEEK} --phonebook winter",
    "campaign add spring --user root {ways}",
    "campaign add later --user root {ways} --draft",
    "campaign set spring --frequency 7",
    "campaign list",
    "campaign list --json",
    "phonebook list",
    "phonebook list --json",
    "contact add +12125550100 --phonebook winter --reference A-1 --var city=Lima",
    "contact add +12125550109 --phonebook spring",
    "contact set +1(212)5550100 --phonebook winter --last-name Roe --var city=",
    "contact import {contacts} --phonebook winter --map first_name=first_name --dry-run",
    "contact import {contacts} --phonebook winter",
    "contact import {contacts} --phonebook winter --json",
    "contact import {contacts} --phonebook winter --map contact=nowhere",
    "contact list --phonebook winter",
    "contact list --phonebook winter --limit 1 --json",
    "contact list --phonebook winter --limit 1 --after 1 --json",
    "contact show +12125550101 --phonebook winter",
    "contact show +12125550101 --phonebook winter --json",
    "contact export --phonebook winter",
    "contact export --phonebook winter --json",
    "phonebook export winter",
    "phonebook show winter",
    "campaign pause spring",
    "campaign resume spring",
    "campaign start later",
    "campaign attach later winter",
    "campaign detach later winter",
    "campaign redial spring --dry-run --json",
    "campaign redial spring --disposition BUSY",
    "campaign show spring",
    "campaign show spring --json",
    "campaign report spring",
    "campaign report spring --json",
    "campaign preview spring --list called",
    "campaign export spring",
    "campaign export spring --json",
    "campaign export nowhere",
    "why spring",
    "why spring --json",
    "why spring +12125550101",
    "why spring +12125550101 --json",
    "why spring +4989123456",
    "why spring nonsense",
    "cdr export",
    "cdr export --json",
    "cdr export --campaign spring --since 2020-01-01T00:00:00Z --answered no --ended",
    "campaign stop later",
    "campaign abort later",
    "call add +12125550177 --user root --starting-at 2999-01-01 --expires-at 2999-01-02 --reference Z {ways}",
    "call list",
    "call list --json",
    "call show 3",
    "call show 3 --json",
    "call cancel 3",
    "call cancel 3",
    "call show 99",
    "callerpool add sales --user root --strategy nearest",
    "callerpool list",
    "callerpool set sales --description numbers",
    "callerid add +12125550111 --pool sales --daily-cap 5 --gateways Default_Gateway",
    "callerid list",
    "callerid list --json",
    "callerid show +12125550111",
    "callerid set +12125550111 --daily-cap 6 --gateways all",
    "callerid rest +12125550111 2999-01-01",
    "callerid rest +12125550111 none",
    "callerid days +12125550111",
    "callerpool remove sales",
    "callerid remove +12125550111",
    "callerpool remove sales",
    "dnc add +12125550150 +12125550151 --reason asked --source letter",
    "dnc add nonsense",
    "dnc remove +12125550151",
    "dnc check +12125550150 +12125550151",
    "dnc check +12125550150 --all --json",
    "dnc list",
    "dnc list --json",
    "dnc list --after 1",
    "dnc new-list letters --user ann",
    "dnc new-list own --campaign spring --description mine",
    "dnc lists",
    "dnc lists --json",
    "dnc import {forbidden} --list letters --dry-run",
    "dnc import {forbidden} --list letters",
    "dnc import {forbidden} --list letters --json",
    "dnc export --list letters",
    "dnc history",
    "dnc history +12125550150 --json",
    "dnc drop-list own",
    "dnc list --list own",
    "webhook add https://erp.example.com/dialer --user root --kinds attempt.ended",
    "webhook list",
    "webhook show 1",
    "webhook set 1 --batch-size 20",
    "webhook rotate 1",
    "webhook deliveries 1",
    "webhook deliveries 1 --json --status dead --before 7",
    "webhook replay 1 --since 2020-01-01",
    "webhook replay 1 --delivery 7",
    "webhook enable 1",
    "webhook remove 1",
    "nodes remove nowhere",
    "rules list",
    "rules list FR --json",
    "rules list DE --json",
    "rules show US-FL",
    "rules show ZZ",
    "rules why +33123456789 --at 2027-03-01T09:00:00+01:00",
    "rules why +33123456789 --at 2027-03-01T09:00:00+01:00 --prerecorded --purpose research --json",
    "rules why +13125550123 --at 2027-03-01T15:00:00Z --prerecorded",
    "rules why nonsense",
    "contact remove +12125550101 --phonebook winter",
    "campaign remove spring",
    "phonebook remove winter",
    "user remove eve",
    "user remove bob --everything",
    "tail --count 0",
)

ELSEWHERE = {"nodes", "webhook test"}
"""What both do is looked at by tests of their own."""

_UNLIKE = (
    (re.compile(r"\b20\d\d-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|\+00:00)?"), "MOMENT"),
    (re.compile(r"\bdlr_live_[\w-]+"), "TOKEN"),
    (re.compile(r"whsec_[\w+/=]+"), "SECRET"),
    (re.compile(r'("public_id": |ann +reports +)"?\w+"?'), r"\1PUBLIC"),
    (re.compile(r'("(?:seconds|seen_seconds_ago|lease_seconds_left)": )[\d.]+'), r"\1SPAN"),
    (re.compile(r"\b[\d.]+ s\b"), "SPAN"),
    (re.compile(r"\b\S+ at the command line\b"), "root"),
    (re.compile(r" +"), " "),
    (re.compile(r"^(/\S+|http://\S+): (the rules in force|rules\.apply.*)$", re.MULTILINE), "ORIGIN"),
)


def leaves(parser: argparse.ArgumentParser, words: tuple[str, ...] = ()) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """All commands with what they are called."""
    actions = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    if not actions or parser.get_default("run") is not None:
        yield " ".join(words), parser
    for each in actions:
        for word, sub in each.choices.items():
            yield from leaves(sub, (*words, word))


def test_every_command_is_in_one_of_two_groups_and_each_of_the_first_is_compared() -> None:
    commands = dict(leaves(build_parser()))
    del commands["help"]
    here = {name for name, parser in commands.items() if parser.get_default("here_only")}
    there = {name for name, parser in commands.items() if parser.get_default("at_a_distance")}
    assert here == HERE_ONLY
    assert not here & there
    assert here | there == set(commands)
    compared = {name for name in there for line in SCRIPT if f"{line} ".startswith(f"{name} ")}
    assert there - compared - ELSEWHERE == set()


@define
class Both:
    """Runs a command at a database, and over the API of one that holds the same."""

    config: Path
    address: str
    token: str

    def run(self, *words: str) -> tuple[int, str, str]:
        output, errors = io.StringIO(), io.StringIO()
        with (
            redirect_stdout(_Output(output)),
            redirect_stderr(errors),
            mock.patch.dict(os.environ, {"DIALER_TOKEN": self.token}),
        ):
            try:
                status = main(words)
            except SystemExit as ended:
                status = int(ended.code or 0)
        return status, output.getvalue(), errors.getvalue()

    def here(self, *words: str) -> tuple[int, str, str]:
        return self.run(*words, "--config", str(self.config))

    def there(self, *words: str) -> tuple[int, str, str]:
        return self.run("--server", self.address, *words)


class _Output(io.StringIO):
    """Standard output for texts and for bytes."""

    def __init__(self, target: io.StringIO) -> None:
        super().__init__()
        self.write = target.write  # type: ignore[method-assign]
        self.buffer = self

        def write(content: str | bytes) -> int:
            return target.write(content.decode() if isinstance(content, bytes) else content)

        self.write = write  # type: ignore[method-assign,assignment]


def alike(ran: tuple[int, str, str]) -> tuple[int, str, str]:
    """Without what cannot be the same."""
    status, out, errors = ran
    for pattern, put in _UNLIKE:
        out, errors = pattern.sub(put, out), pattern.sub(put, errors)
    return status, out, errors


@pytest_twisted.ensureDeferred
async def test_a_command_gives_the_same_at_the_database_and_over_the_api(
    api: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    api.management.now, api.flow.reason = utc_now, IdleReason(IdleCode.NO_DIALER, "no dialer is at work with this database")
    api.management.rules = rule_book(RulesSettings(), tmp_path)
    (tmp_path / "here").mkdir()
    url = await copied_database(tmp_path / "here", "api", seed)
    config = tmp_path / "dialer.toml"
    config.write_text(settings_file({"database": {"url": url}, "simulator": {}}))
    files = {"secret": "correct horse battery\n", "contacts": CONTACTS, "forbidden": FORBIDDEN}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    made = await Client(api, "root").post("tokens", {"name": "shell", "scopes": ["read", "dial", "admin"]})
    both = Both(config, api.address, made.json["token"])
    given: dict[str, Any] = {name: tmp_path / name for name in files} | {"ways": " ".join(WAYS)}
    assert (await deferToThread(both.here, "token", "add", "root", "--name", "shell", "--scopes", "read,dial,admin"))[0] == 0
    unlike = []
    async with working(api):
        for line in SCRIPT:
            words = line.format(**given).split(" ")
            if line.endswith(("--blacklist", "--codecs")):
                words.append("")
            here, there = await deferToThread(both.here, *words), await deferToThread(both.there, *words)
            if alike(here) != alike(there):
                unlike.append((line, alike(here), alike(there)))
    assert unlike == []


@pytest_twisted.ensureDeferred
async def test_a_webhook_is_tried_by_the_dialer(api: World) -> None:
    root = await shell(api, "root", "read", "dial", "admin")
    await root.run("webhook", "add", "https://erp.example.com/dialer", "--user", "root", "--kinds", "*")
    api.management.sender = sent = Sent()
    assert (await root.run("webhook", "test", "1"))[0].endswith(": arrived, 204 after 12 ms\n")
    sent.answer = ReceiverAnswer(status=500, milliseconds=7)
    _, errors = await root.run("webhook", "test", "1", status=1)
    assert errors == "dialer: webhook 1: the answer was 500, after 7 ms\n"
    assert [url for url, _, _ in sent.requests] == ["https://erp.example.com/dialer"] * 2


@pytest_twisted.ensureDeferred
async def test_events_are_told_as_they_happen(api: World) -> None:
    await api.campaign()
    ann = await shell(api, "ann", "read")
    for kind, name in (("campaign.started", "spring"), ("campaign.paused", "spring")):
        api.sql(
            "INSERT INTO event (kind, at, user_id, campaign_id, call_uuid, sequence, version, data) "
            f"VALUES ('{kind}', '2026-11-23 10:00:00.000000', 1, 1, '', 0, 1, '{{\"name\": \"{name}\"}}')"
        )
    first = f"evt_{api.database.installation_id}_0"
    words = ("tail", "--kinds", "campaign.started,campaign.paused", "--campaign", "1", "--after", first, "--count")
    out, _ = await ann.run(*words, "2")
    assert [line.split()[1:] for line in out.splitlines()] == [
        ["campaign.started", "campaign", "1", "spring"],
        ["campaign.paused", "campaign", "1", "spring"],
    ]
    told = (await ann.run(*words, "1", "--json"))[0]
    assert json.loads(told)["type"] == "campaign.started"
    _, errors = await ann.run("tail", "--after", "nonsense", status=2)
    assert errors.startswith("dialer: after: expected the id of an event")
