"""Commands that ask the API of a dialer: `dialer --server URL`."""

from __future__ import annotations

import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

import pytest_twisted
from attrs import define
from twisted.internet.threads import deferToThread

from dialer.cli.main import main
from tests.unit.api.v2.support import Client, furnish
from tests.unit.api.v2.test_imports import until, working
from tests.unit.api.world import World


@define
class Shell:
    """Runs commands of a user, each with its token."""

    address: str
    token: str

    async def run(self, *words: str, status: int = 0) -> tuple[str, str]:
        """Output and errors."""

        def run() -> int:
            with redirect_stdout(output), redirect_stderr(errors), mock.patch.dict(os.environ, {"DIALER_TOKEN": self.token}):
                return main(["--server", self.address, *words])

        output, errors = io.StringIO(), io.StringIO()
        found = await deferToThread(run)
        assert found == status, (output.getvalue(), errors.getvalue())
        return output.getvalue(), errors.getvalue()

    async def json(self, *words: str) -> Any:
        return json.loads((await self.run(*words, "--json"))[0])


async def shell(api: World, user: str = "ann", *scopes: str) -> Shell:
    made = await Client(api, user).post("tokens", {"name": "shell", "scopes": scopes or ["read", "dial"]})
    return Shell(api.address, made.json["token"])


@pytest_twisted.ensureDeferred
async def test_campaigns_are_kept_at_a_distance(api: World) -> None:
    ann = await shell(api)
    words = ("--user", "ann", "--gateway", "Default_Gateway", "--voip-app", "Default_VoIP_App", "--weekdays", "monday,friday")
    assert (await ann.json("campaign", "add", "spring", *words)) == {"id": 1}
    await ann.run("campaign", "set", "spring", "--frequency", "7")
    await ann.run("campaign", "pause", "spring")
    (listed,) = await ann.json("campaign", "list")
    assert (listed["name"], listed["status"], listed["frequency"], listed["gateway"], listed["user"]) == (
        "spring", "pause", 7, "Default_Gateway", "ann",
    )  # fmt: skip
    assert listed["weekdays"] == [True, False, False, False, True, False, False]
    await ann.run("campaign", "start", "1")
    shown = await ann.json("campaign", "show", "spring")
    assert (shown["status"], shown["idle"]["code"], shown["contacts"]) == ("start", "no-switch", 0)
    await ann.run("contact", "add", "+15551230001", "--phonebook", "spring")
    api.sql("UPDATE subscriber SET status = 4, ready_at = NULL")
    assert (await ann.run("campaign", "redial", "spring", "--dry-run"))[0].endswith(
        ": 1 of 1 contacts would be called again\n"
    )
    assert (await ann.json("campaign", "redial", "spring", "--state", "failed"))["changed"] == 1
    await ann.run("campaign", "pause", "spring")
    assert (await ann.run("campaign", "resume", "spring"))[0] == "campaign spring: start\n"
    await ann.run("campaign", "remove", "spring")
    assert await ann.json("campaign", "list") == []


@pytest_twisted.ensureDeferred
async def test_contacts_are_kept_at_a_distance(api: World) -> None:
    await api.campaign()
    ann = await shell(api)
    book = ("--phonebook", "spring")
    await ann.run("contact", "add", "+15551230001", *book, "--reference", "A", "--var", "city=Lima", "--var", "x=1")
    await ann.run("contact", "set", "0015551230001", *book, "--last-name", "B", "--var", "x=")
    (listed,) = await ann.json("contact", "list", *book)
    assert (listed["number"], listed["reference"], listed["last_name"], listed["additional_vars"]) == (
        "+15551230001", "A", "B", {"city": "Lima"},
    )  # fmt: skip
    shown = await ann.json("contact", "show", "15551230001", *book)
    assert [(each["campaign"], each["status"]) for each in shown["campaigns"]] == [("spring", "start")]
    await ann.run("contact", "remove", "1", *book)
    assert await ann.json("contact", "list", *book) == []


@pytest_twisted.ensureDeferred
async def test_what_is_wrong_is_told_as_at_the_database(api: World) -> None:
    await api.campaign()
    ann = await shell(api)
    _, errors = await ann.run("contact", "add", "+15551230001", "--phonebook", "nobodys", status=2)
    assert errors == "dialer: --phonebook: there is no phonebook nobodys\n"
    _, errors = await ann.run("contact", "add", "112", "--phonebook", "spring", status=2)
    assert "emergency number" in errors
    words = ("--gateway", "Default_Gateway", "--voip-app", "Default_VoIP_App", "--user")
    _, errors = await ann.run("campaign", "add", "autumn", *words, "bob", status=2)
    assert errors.startswith("dialer: --user: over --server")
    assert await ann.json("campaign", "add", "autumn", *words[:-1]) == {"id": 2}, "that of the login"
    _, errors = await ann.run("campaign", "add", "spring", *words, "ann", status=2)
    assert errors == "dialer: name: spring exists already\n"
    _, errors = await ann.run("check", status=2)
    told = "this command works where the dialer is: it reads the database itself, row by row"
    assert errors == f"dialer: --server: {told}\n"
    _, errors = await ann.run("gateway", "remove", "Default_Gateway", status=1)
    assert errors == "dialer: the login lacks the scope admin\n"
    ann.token = ann.token[:-1] + ("A" if ann.token[-1] != "A" else "B")
    _, errors = await ann.run("campaign", "list", status=1)
    assert errors == "dialer: Authorization Required\n"
    ann.token = ""
    _, errors = await ann.run("campaign", "list", status=2)
    assert errors.startswith("dialer: --token-file: holds no token")


@pytest_twisted.ensureDeferred
async def test_new_things_are_those_of_the_login(api: World) -> None:
    await api.campaign()
    ann = await shell(api)
    ways = ("--gateway", "Default_Gateway", "--voip-app", "Default_VoIP_App")
    for words in (
        ("phonebook", "add", "winter"),
        ("campaign", "add", "autumn", *ways, "--phonebook", "winter"),
        ("callerpool", "add", "sales"),
        ("webhook", "add", "https://crm.example.com/", "--kinds", "*"),
        ("call", "add", "+15551230077", *ways, "--starting-at", "2999-01-01", "--expires-at", "2999-01-02"),
    ):
        await ann.run(*words)
    for table, name in (
        ("phonebook", "name = 'winter'"),
        ("campaign", "name = 'autumn'"),
        ("caller_id_pool", "name = 'sales'"),
    ):
        assert api.sql(f"SELECT user_id FROM {table} WHERE {name}") == [(1,)]
    assert api.sql("SELECT user_id FROM webhook") == [(1,)]
    assert [each["number"] for each in await ann.json("call", "list")] == ["+15551230077"]
    root = await shell(api, "root", "read", "dial", "admin")
    assert (await root.json("token", "add", "--name", "mine"))["user"] == "root"
    _, errors = await ann.run("webhook", "add", "https://crm.example.com/", "--kinds", "*", "--user", "bob", status=2)
    assert errors.startswith("dialer: --user: over --server, new things belong to the user of the login: ann")


@pytest_twisted.ensureDeferred
async def test_switches_are_drained_at_a_distance(api: World) -> None:
    await furnish(api)
    root = await shell(api, "root", "read", "dial", "admin")
    out, _ = await root.run("switch", "drain", "far")
    assert out.startswith("switch far is drained by root since 2026-11-23 10:00:00 UTC: no calls are begun on it, 0 attempts")
    (found,) = await root.json("switch", "list")
    assert (found["name"], found["drained_by"], found["nodes"]) == ("far", "root", ["elsewhere"])
    assert "root" in (await root.run("switch", "list"))[0]
    assert (await root.run("switch", "resume", "far"))[0] == "switch far: calls are begun on it\n"
    assert (await root.json("switch", "list"))[0]["drained_at"] is None
    _, errors = await root.run("switch", "drain", "nowhere", status=1)
    assert errors == "dialer: there is no switch nowhere\n"
    ann = await shell(api)
    assert (await ann.run("switch", "drain", "far", status=1))[1] == "dialer: the login lacks the scope admin\n"


@pytest_twisted.ensureDeferred
async def test_drafts_of_imports_are_started_at_a_distance(api: World, tmp_path: Path) -> None:
    await furnish(api)
    ann = await shell(api)
    (listed,) = await ann.json("import", "list")
    assert (listed["id"], listed["state"], listed["user"], listed["phonebook_id"]) == (1, "draft", "ann", 1)
    _, errors = await ann.run("import", "start", "1", "--map", "contact=nowhere", status=2)
    assert errors == "dialer: --map: there is no column 'nowhere' for contact\n"
    words = ("--map", "contact=contact", "--region", "US", "--doubles", "change", "--no-header", "--encoding", "utf-8")
    assert (await ann.run("import", "start", "1", "--dry-run", "--region", "XX", status=2))[1].startswith("dialer: --region: ")
    assert (await ann.run("import", "start", "1", *words, status=2))[1].startswith(
        "dialer: --map: there is no column 'contact'"
    )
    assert (await ann.run("import", "start", "1", "--dry-run"))[0] == "import 1: queued, which writes nothing\n"
    async with working(api):
        await until(lambda: api.sql("SELECT state FROM import_job") == [("draft",)])
        await ann.run("import", "start", "1", "--map", "contact=contact", "--map", "last_name=first_name")
        await until(lambda: api.sql("SELECT state FROM import_job") == [("finished",)])
    assert api.sql("SELECT last_name FROM contact WHERE number = '+15551230077'") in ([("Ana",)], [])
    shown = await ann.json("import", "show", "1")
    assert (shown["state"], shown["rows"], shown["taken"]) == ("finished", 1, 1)
    assert shown["mapping"] == {"contact": "contact", "last_name": "first_name"}
    _, errors = await ann.run("import", "start", "1", status=1)
    assert errors == "dialer: import 1 is finished; only a draft is started\n"
    assert (await ann.run("import", "cancel", "1"))[0] == "import 1: finished\n"
    await ann.run("import", "errors", "1", str(tmp_path / "errors.csv"))
    assert (tmp_path / "errors.csv").read_bytes() == b""
