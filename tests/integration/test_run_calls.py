"""Calls without a campaign, made by a dialer on the simulator, by commands beside it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from dialer.cli.blocking import database_url
from dialer.store.connection import Dialect
from tests.grounds import new_database, rows
from tests.integration.run_support import change, good, move_to, new_folder, started, until

OPTIONS = ("--user", "admin", "--gateway", "Default_Gateway", "--voip-app", "Default_VoIP_App", "--voip-app-data", "2000")


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


def call(folder: Path, number: str) -> int:
    return int(json.loads(good(folder, "call", "add", number, *OPTIONS, "--json"))["id"])


def shown(folder: Path, key: int) -> Any:
    return json.loads(good(folder, "call", "show", key, "--json"))


def test_calls_are_made_once_end_and_are_no_campaigns(folder):
    change(folder, callees='["*1=busy", "*2=answers:ring=0,talk=0.2"]')
    url = database_url(folder / "dialer.toml")
    with started(folder) as running:
        busy, answered = call(folder, "+15551230001"), call(folder, "+1 (555) 123-0002")
        until(url, "SELECT count(*) FROM subscriber WHERE status IN (4, 5)", 2)
        found = shown(folder, busy)
        assert (found["state"], found["disposition"], found["attempts"]) == ("failed", "BUSY", 1)
        assert shown(folder, answered)["answered_at"] is not None
        until(url, "SELECT count(*) FROM campaign WHERE single = 1 AND status = 4", 2)
        assert json.loads(good(folder, "campaign", "list", "--json")) == []
        assert [each["id"] for each in json.loads(good(folder, "call", "list", "--json"))] == [answered, busy]
        assert not [line for line in running.lines if "campaign finished" in line]
    assert rows(url, "SELECT count(*) FROM attempt") == [(2,)]
    good(folder, "check")


def test_a_call_that_rings_is_hung_up_when_it_is_cancelled(folder):
    change(folder, callees='["*=answers:ring=600"]')
    url = database_url(folder / "dialer.toml")
    with started(folder):
        key = call(folder, "+15551230001")
        until(url, "SELECT count(*) FROM attempt WHERE rang_at IS NOT NULL AND ended_at IS NULL", 1)
        assert shown(folder, key)["state"] == "ringing"
        assert good(folder, "call", "cancel", key) == f"call {key} to +15551230001: cancelled\n"
        until(url, "SELECT count(*) FROM attempt WHERE ended_at IS NULL", 0)
        found = shown(folder, key)
        assert (found["state"], found["attempts"]) == ("cancelled", rows(url, "SELECT count_attempt FROM subscriber")[0][0])


def test_a_call_survives_the_death_of_the_dialer_and_is_not_made_twice(folder):
    change(folder, callees='["*=answers:ring=0,talk=600"]')
    url = database_url(folder / "dialer.toml")
    with started(folder) as running:
        key = call(folder, "+15551230001")
        until(url, "SELECT count(*) FROM attempt WHERE answered_at IS NOT NULL AND ended_at IS NULL", 1)
        running.process.kill()
        running.process.wait()
    with started(folder):
        until(url, "SELECT count(*) FROM attempt WHERE ended_at IS NULL", 0)
        assert shown(folder, key)["state"] in ("completed", "failed")
    assert rows(url, "SELECT count(*) FROM attempt") == [(1,)]
