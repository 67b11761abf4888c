"""Connections of strangers: idle ones, many of them, from one address; what is left for those who have a login."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import pytest_twisted
import structlog
from attrs import evolve
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock, deferLater
from twisted.internet.testing import StringTransport

from api import build_site
from api.records import build_record_site
from dialer.cli.run import take_open_files
from dialer.open_files import API_SHARE, KEPT_APART, files_for, files_needed, raise_most_open_files
from dialer.settings import Config, DatabaseSettings, HttpSettings, SwitchSettings
from tests.unit.api.raw import RawClient, connect
from tests.unit.api.world import MANY, World, world

MOST = 264
"""Open files that a process may have, as far as the dialer is told."""


@pytest.fixture
def few_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (MOST, 4096))


@pytest.fixture
def told() -> Any:
    with structlog.testing.capture_logs() as lines:
        yield lines


async def strangers(api: World, number: int) -> list[RawClient]:
    return [await connect(api) for _ in range(number)]


@pytest_twisted.ensureDeferred
async def test_idle_strangers_take_a_quarter_of_the_files_and_keep_no_user_out(
    tmp_path: Path, few_files: None, told: Any
) -> None:
    async with world(tmp_path) as api:
        share = int((MOST - KEPT_APART) * API_SHARE)
        clients = await strangers(api, 3 * share)
        assert len(api.site._channels) == share
        assert (await api.get("campaign/")).status == 200
        assert not clients[-1].closed.called
    lines = [line for line in told if line["event"] == "too many connections over HTTP"]
    assert len(lines) == 1
    assert "RLIMIT_NOFILE" in lines[0]["see"]


@pytest_twisted.ensureDeferred
async def test_an_address_has_its_limit_and_the_log_names_the_setting_once(tmp_path: Path, told: Any) -> None:
    async with world(tmp_path, evolve(MANY, max_connections_per_address=3)) as api:
        first, *_ = await strangers(api, 6)
        await first.closed
        assert len(api.site._channels) == 3
        assert (await api.get("campaign/")).status == 200
    lines = [line["see"] for line in told if line["event"] == "too many connections over HTTP"]
    assert lines == ["http.max_connections_per_address"]


@pytest_twisted.ensureDeferred
async def test_the_connection_of_a_user_does_not_give_way(tmp_path: Path) -> None:
    async with world(tmp_path, evolve(MANY, max_connections=2)) as api:
        assert (await api.get("campaign/")).status == 200
        (kept,) = api.site._channels
        await strangers(api, 5)
        assert kept in list(api.site._channels)
        assert (await api.get("campaign/")).status == 200


@pytest_twisted.ensureDeferred
async def test_requests_that_come_together_are_answered_one_in_a_turn_of_the_reactor() -> None:
    from twisted.internet import reactor

    site = build_site(Mock(), HttpSettings(), reactor)
    channel, transport = site.buildProtocol(None), StringTransport()
    channel.makeConnection(transport)
    try:
        channel.dataReceived(b"GET /api/dialer_campaign/campaign/ HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        counts = []
        for _ in range(5):
            counts.append(transport.value().count(b"HTTP/1.1 401 "))
            await deferLater(reactor, 0)
    finally:
        channel.connectionLost()
    assert counts == [1, 2, 3, 4, 5]
    await deferLater(reactor, 0)
    assert transport.value().count(b"HTTP/1.1 401 ") <= 6


def test_idle_strangers_at_the_port_for_records_leave_room_for_the_switch(few_files: None) -> None:
    site = build_record_site(lambda _: None, ("freeswitch", "secret word"), 20_000, Clock())  # type: ignore[arg-type,return-value]
    transports = []
    for port in range(300):
        protocol = site.buildProtocol(IPv4Address("TCP", "127.0.0.1", port))
        transports.append(StringTransport())
        protocol.makeConnection(transports[-1])
    assert sum(not transport.disconnected for transport in transports) <= 20
    assert not transports[-1].disconnected


def test_the_limit_of_files_is_raised_to_what_the_administrator_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = [(256, 4096)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, wanted: limits.append(wanted))
    assert raise_most_open_files() == 4096
    assert files_for(API_SHARE) == (4096 - KEPT_APART) * API_SHARE


def test_too_few_files_are_told_at_the_start_as_the_doctor_does(monkeypatch: pytest.MonkeyPatch, told: Any) -> None:
    config = Config(database=DatabaseSettings(url="sqlite:///x.db"), switch=(SwitchSettings(password="secret"),))
    for hard, lines in ((MOST, 1), (files_needed(config), 0)):
        limits = [(MOST, hard)]
        monkeypatch.setattr(resource, "getrlimit", lambda _, limits=limits: limits[-1])
        monkeypatch.setattr(resource, "setrlimit", lambda _, wanted, limits=limits: limits.append(wanted))
        told.clear()
        take_open_files(config)
        assert len(told) == lines
    assert limits[-1] == (hard, hard)
