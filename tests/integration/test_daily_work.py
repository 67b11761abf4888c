"""An admin's commands beside a dialer that calls, and beside two that share a database."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from dialer.cli.blocking import database_url
from dialer.store.connection import Dialect
from tests.forks import Forked
from tests.grounds import new_database, rows
from tests.integration.run_support import change, good, move_to, new_folder, started, until
from tests.processes import command


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return new_folder(tmp_path_factory.mktemp("template") / "dialer")


@pytest.fixture
def folder(template, tmp_path, database_kind):
    copy = tmp_path / "dialer"
    shutil.copytree(template, copy)
    if database_kind is Dialect.POSTGRESQL:
        move_to(copy, new_database(tmp_path))
    return copy


def furnish(folder: Path, *numbers: str) -> None:
    good(folder, "campaign", "add", "spring", "--user", "admin", "--gateway", "Default_Gateway", "--voip-app",
         "Default_VoIP_App", "--voip-app-data", "2000", "--frequency", "600",
         "--max-retry", "0", "--status", "pause")  # fmt: skip
    (folder / "list.csv").write_text("contact\n" + "\n".join(numbers) + "\n")
    good(folder, "contact", "import", folder / "list.csv", "--phonebook", "spring")


def test_commands_beside_a_dialer_that_calls(folder):
    change(folder, callees='["*=busy"]')
    furnish(folder, "15551230001", "15551230002", "15551230003")
    with started(folder):
        assert good(folder, "why", "spring") == "campaign spring: the campaign is paused\n"
        good(folder, "dnc", "add", "+1 (555) 123-0002")
        good(folder, "campaign", "start", "spring")
        until(database_url(folder / "dialer.toml"), "SELECT count(*) FROM subscriber WHERE status IN (4, 7)", 3)
        shown = json.loads(good(folder, "campaign", "show", "spring", "--json"))
        assert shown["contacts_by_state"] == {"fail": 2, "not-authorised": 1}
        assert shown["idle"]["code"] == "all-done"
        assert shown["finished_at"] is not None
        why = good(folder, "why", "spring", "0015551230001")
        assert "it failed" in why
        assert "BUSY, USER_BUSY" in why
        assert "on the do-not-call list as +15551230002" in good(folder, "why", "spring", "15551230002")
        good(folder, "campaign", "export", "spring", folder / "out.csv")
        with (folder / "out.csv").open() as file:
            assert [(row["contact"], row["state"], row["tries"]) for row in csv.DictReader(file)] == [
                ("15551230001", "fail", "1"),
                ("15551230002", "not-authorised", "0"),
                ("15551230003", "fail", "1"),
            ]
        good(folder, "campaign", "remove", "spring")
        assert json.loads(good(folder, "campaign", "list", "--json")) == []
    assert rows(database_url(folder / "dialer.toml"), "SELECT count(*) FROM attempt") == [(2,)]


def test_a_campaign_that_is_aborted_by_command_is_called_no_more_and_its_live_call_ends(folder):
    change(folder, callees='["*=answers:ring=0,talk=600"]')
    furnish(folder, "15551230001")
    with started(folder):
        good(folder, "campaign", "start", "spring")
        until(
            database_url(folder / "dialer.toml"),
            "SELECT count(*) FROM attempt WHERE answered_at IS NOT NULL AND ended_at IS NULL",
            1,
        )
        assert json.loads(good(folder, "campaign", "show", "spring", "--json"))["live_calls"] == 1
        assert "it is being called now" in good(folder, "why", "spring", "+15551230001")
        good(folder, "campaign", "abort", "spring")
        until(database_url(folder / "dialer.toml"), "SELECT count(*) FROM attempt WHERE ended_at IS NULL", 0)


def test_events_are_told_as_they_happen(folder):
    change(folder, callees='["*=busy"]')
    furnish(folder)
    (folder / "more.csv").write_text("contact,reference\n15551230001,crm-77\n")
    kinds = ("--kinds", "attempt.ended,contact.*,campaign.*,import.*,switch.up")
    arguments = command("tail", "--json", "--count", "5", *kinds, "-c", folder / "dialer.toml")
    tail = Forked(arguments, stdout=subprocess.PIPE)
    try:
        until(database_url(folder / "dialer.toml"), "SELECT count(*) FROM event_consumer", 1)
        good(folder, "contact", "import", folder / "more.csv", "--phonebook", "spring")
        with started(folder):
            until(database_url(folder / "dialer.toml"), "SELECT count(*) FROM event WHERE kind = 'switch.up'", 1)
            good(folder, "campaign", "start", "spring")
            out, _ = tail.communicate(timeout=60)
    finally:
        tail.kill()
        tail.wait()
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["type"] for event in events] == [
        "import.finished",
        "switch.up",
        "campaign.started",
        "attempt.ended",
        "contact.failed",
    ]
    told = {event["type"]: event for event in events}
    assert (told["import.finished"]["data"]["taken"], told["import.finished"]["data"]["phonebook"]) == (1, "spring")
    assert told["switch.up"]["attempt_id"] is None
    assert told["attempt.ended"]["data"]["disposition"] == "BUSY"
    assert (told["contact.failed"]["reference"], told["contact.failed"]["sequence"]) == ("crm-77", 8)
    assert told["contact.failed"]["attempt_id"] == told["attempt.ended"]["attempt_id"]
    assert [event["id"] for event in events] == sorted(
        (event["id"] for event in events), key=lambda text: int(text.rpartition("_")[2])
    )
