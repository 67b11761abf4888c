"""Commands that ask the API of a dialer: `dialer --server URL`."""

from __future__ import annotations

import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from typing import Any
from unittest import mock

import pytest_twisted
from attrs import define
from twisted.internet.threads import deferToThread

from dialer.cli.main import main
from tests.unit.api.v2.support import Client
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
