"""Commands at the database of a dialer that serves the API beside them: both see the same campaigns and nodes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest_twisted
from twisted.internet.threads import deferToThread

from dialer.model import IdleCode, IdleReason
from dialer.settings_file import settings_file
from dialer.wall_clock import utc_now
from tests.unit.api.v2.support import furnish
from tests.unit.api.v2.test_remote_commands import shell
from tests.unit.api.v2.test_remote_parity import Both, alike
from tests.unit.api.world import World


def beside(api: World, folder: Path, token: str) -> Both:
    """Runs commands at its database, and over its API."""
    config = folder / "dialer.toml"
    config.write_text(settings_file({"database": {"url": api.database.url}, "rules": {"apply": "none"}, "simulator": {}}))
    return Both(config, api.address, token)


@pytest_twisted.ensureDeferred
async def test_the_nodes_are_the_same_ones(api: World, tmp_path: Path) -> None:
    api.sql(
        "INSERT INTO node (name, epoch, host, pid, version, switches, ready, started_at, seen_at, lease_until, commits, "
        "figures) VALUES ('elsewhere', 3, 'host', 99, '1.0', '{\"fs1:8021\": \"core\"}', 1, '2020-01-01 00:00:00.000000', "
        "'2020-01-01 00:00:00.000000', '2020-01-01 00:00:00.000000', 0, '{\"adopted-ringing\": 3}')"
    )
    api.management.now = utc_now
    root = await shell(api, "root", "read", "admin")
    both = beside(api, tmp_path, root.token)
    for words in (("nodes",), ("nodes", "--json")):
        here, there = await deferToThread(both.here, *words), await deferToThread(both.there, *words)
        assert "elsewhere" in here[1]
        assert alike(here) == alike(there)
    assert (await root.run("nodes", "remove", "elsewhere"))[0] == "node elsewhere removed\n"


@pytest_twisted.ensureDeferred
async def test_a_campaign_that_the_dialer_has_paused_says_why(api: World, tmp_path: Path) -> None:
    await api.campaign()
    reason = "gateway carrier refused 10 calls in a row"
    api.sql(f"UPDATE campaign SET status = 2, pause_reason = '{reason}'")
    told = f"the dialer has paused the campaign: {reason}; resume it once that is mended"
    api.management.now, api.flow.reason = utc_now, IdleReason(IdleCode.PAUSED_BY_DIALER, told)
    both = beside(api, tmp_path, (await shell(api, "ann", "read")).token)
    for words in (("campaign", "show", "spring"), ("campaign", "show", "spring", "--json")):
        here, there = await deferToThread(both.here, *words), await deferToThread(both.there, *words)
        assert reason in here[1]
        assert alike(here) == alike(there)


@pytest_twisted.ensureDeferred
async def test_who_waits_for_a_retry_is_counted_as_such(api: World, tmp_path: Path) -> None:
    await furnish(api)
    api.sql("UPDATE subscriber SET status = 1, count_attempt = 1, ready_at = '2026-11-23 09:00:00.000000'")
    both = beside(api, tmp_path, (await shell(api, "ann", "read")).token)
    for words in (("campaign", "preview", "spring", "--list", "called"), ("campaign", "preview", "spring", "--json")):
        here, there = await deferToThread(both.here, *words), await deferToThread(both.there, *words)
        assert alike(here) == alike(there)
    (reason,) = json.loads(here[1])["reasons"]
    assert (reason["contacts"], reason["retries"]) == (1, 1)
