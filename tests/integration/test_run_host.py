"""The whole process as one object: what starts, what a changed configuration does, what a stop leaves behind."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager, closing

import pytest
import pytest_twisted
from attrs import define, evolve
from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater

from dialer.config import parse_config
from dialer.errors import BadValue, CannotListen, DialerError, StoreError
from dialer.host import Api, Host
from dialer.model import AttemptState, Contact, VoipAppType
from dialer.settings import Config, DatabaseSettings, HttpSettings
from dialer.wall_clock import utc_now
from tests.grounds import new_database, on_sqlite, rows
from tests.seeding import Seeds

pytestmark = pytest.mark.usefixtures("database_kind")


OWN_ROW = """
[[row]]
place = "FR"
name = "France, our own"
weekday = ["{opens}-18:00"]
saturday = []
sunday = []
source = "our counsel"
read_on = 2026-11-27
confidence = "high"
note = ""
"""


class Site(Factory):
    """Serves nobody; remembers its limits. With `busy`, it is never drained but by force."""

    busy = False

    def __init__(self, limits: HttpSettings) -> None:
        self.limits = limits
        self.cut_off = False

    def use(self, settings: HttpSettings) -> None:
        self.limits = settings

    def drain(self) -> Deferred[None]:
        return Deferred(self._cut) if self.busy else succeed(None)

    def _cut(self, waiter: Deferred[None]) -> None:
        self.cut_off = True
        waiter.callback(None)


def config(**sections: object) -> Config:
    values = {
        "database": {"url": "sqlite:///dialer.db"},
        "http": {"endpoint": "tcp:0:interface=127.0.0.1"},
        "outbound": {"endpoint": "tcp:0:interface=127.0.0.1"},
        "simulator": {"callees": ["*=answers:ring=0.1,talk=60"]},
        "rules": {"apply": "none"},
        **sections,
    }
    return parse_config(values)


def build(folder, settings: Config) -> Host:
    from twisted.internet import reactor

    api = Api(
        build_site=lambda backend, limits, clock: Site(limits),
        build_record_site=None,
        build_monitoring_site=None,
        watch_api=lambda *_: None,
    )
    return Host(reactor, settings, folder, api)


def on_new_database(folder, settings: Config) -> Config:
    return evolve(settings, database=DatabaseSettings(url=new_database(folder)))


@define
class Here:
    host: Host

    async def call(self, contacts: int = 2) -> None:
        """A campaign, all of whose contacts are in a call when this is over."""
        seeds = Seeds(self.host.service.database, utc_now())
        await seeds.user(username="ann")
        await seeds.gateway(name="carrier", dial_string="sofia/gateway/carrier/{number}")
        await seeds.voip_app(name="hello", type=VoipAppType.PLAY_AUDIO, data="silence_stream://60000")
        await seeds.campaign(name="spring", frequency=6000)
        await seeds.add(1, [Contact(number=f"1555{index:04}") for index in range(contacts)])
        while self.host.service.lifecycle.register.states() != {AttemptState.CONNECTED: contacts}:
            await deferLater(self.host.reactor, 0.02)

    def sql(self, statement: str) -> list[tuple]:
        return rows(self.host.service.database.url, statement)

    def states(self) -> list[str]:
        return [state for (state,) in self.sql("SELECT state FROM attempt ORDER BY id")]


@asynccontextmanager
async def running(folder, settings: Config):
    host = build(folder, on_new_database(folder, settings))
    await host.start()
    try:
        yield Here(host)
    finally:
        if host.up:
            await host.stop()


@pytest_twisted.ensureDeferred
async def test_live_calls_stay_on_the_switch_and_open_in_the_database(tmp_path):
    async with running(tmp_path, config()) as here:
        await here.call()
        await here.host.stop()
        assert not here.host.up
        assert here.states() == ["adrift", "adrift"]


@pytest_twisted.ensureDeferred
async def test_live_calls_may_end_when_the_configuration_says_so(tmp_path):
    settings = config(simulator={"callees": ["*=answers:ring=0.1,talk=1"]}, stop={"wait_for_calls": 20})
    async with running(tmp_path, settings) as here:
        await here.call()
        await here.host.stop()
        assert here.states() == ["ended", "ended"]


@pytest_twisted.ensureDeferred
async def test_live_calls_may_go_on_only_for_so_long(tmp_path):
    async with running(tmp_path, config(stop={"wait_for_calls": 0.2})) as here:
        await here.call()
        await here.host.stop()
        assert here.states() == ["adrift", "adrift"]


@pytest_twisted.ensureDeferred
async def test_requests_that_do_not_end_are_cut_off_before_the_time_is_up(tmp_path):
    async with running(tmp_path, config(stop={"timeout": 2.0})) as here:
        here.host.web.site.busy = True
        await here.host.stop()
        assert here.host.web.site.cut_off
        assert not here.host.up


@pytest_twisted.ensureDeferred
async def test_a_stop_that_takes_too_long_fails(tmp_path, monkeypatch):
    async with running(tmp_path, config(stop={"timeout": 0.2})) as here:
        stop, blocked = here.host.service.stop, Deferred()
        monkeypatch.setattr(here.host.service, "stop", lambda: blocked)
        with pytest.raises(DialerError, match=r"not everything was done within 0\.2 s"):
            await here.host.stop()
        await stop()


@pytest_twisted.ensureDeferred
async def test_live_settings_act_at_once_and_the_rest_is_named(tmp_path):
    async with running(tmp_path, config()) as here:
        simulator = {"callees": ["*=answers:ring=0.1,talk=60"], "calls_per_second": 1}
        after = config(
            database={"url": here.host.config.database.url},
            simulator=simulator,
            http={"endpoint": "tcp:0:interface=127.0.0.1", "max_body": 5000},
            stop={"timeout": 3},
        )
        assert here.host.reload(after) == (["http.max_body", "simulator.calls_per_second", "stop.timeout"], [])
        assert here.host.web.site.limits.max_body == 5000
        assert here.host.config.stop.timeout == 3
        while not here.host.service.fleet.ready:
            await deferLater(here.host.reactor, 0.02)
        assert here.host.service.switches[0].headroom(2) == 3
        moved = config(simulator=simulator, database={"url": "sqlite:///other.db"})
        assert here.host.reload(moved)[1] == ["database.url"]
        assert here.host.reload(moved) == ([], ["database.url"])


def of_switches(url: str, *switches: dict[str, object]) -> Config:
    given = [{"port": 1 + number, "password": "x", **switch} for number, switch in enumerate(switches)]
    endpoint = {"endpoint": "tcp:0:interface=127.0.0.1"}
    return parse_config({"database": {"url": url}, "http": endpoint, "outbound": endpoint, "switch": given})


@pytest_twisted.ensureDeferred
async def test_live_settings_of_a_switch_are_those_of_its_name_wherever_it_stands(tmp_path):
    async with running(tmp_path, of_switches("sqlite://", {"name": "a"}, {"name": "b", "max_calls": 7})) as here:
        url = here.host.config.database.url
        changed = of_switches(url, {"name": "b", "max_calls": 9, "drain": True}, {"name": "c", "max_calls": 1})
        here.host.reload(changed)
        told = [(member.name, member.max_calls, member.drain) for member in here.host.service.fleet]
        assert told == [("a", 0, False), ("b", 9, True)]
        here.host.reload(of_switches(url, {"name": "a"}, {"name": "b", "max_calls": 9}))
        assert [member.drain for member in here.host.service.fleet] == [False, False]


@pytest_twisted.ensureDeferred
async def test_calling_rules_are_read_again_with_their_file_and_wrong_ones_change_nothing(tmp_path):
    place = tmp_path / "rules.toml"
    place.write_text(OWN_ROW.format(opens="08:00"))
    rules = {"apply": "file", "file": str(place)}
    async with running(tmp_path, config(rules=rules)) as here:
        service, management = here.host.service, here.host.management
        before = service.store.rules
        same = config(database={"url": here.host.config.database.url}, rules=rules)
        assert here.host.reload(same) == ([], [])
        assert service.store.rules is before
        place.write_text(OWN_ROW.format(opens="09:30"))
        assert rows(service.database.url, "SELECT rule_book FROM installation") == [(before.fingerprint,)]
        assert here.host.reload(same) == ([], [])
        assert [row.weekday for row in service.store.rules.rows] == [((570, 1080),)]
        assert service.store.rules is service.lifecycle.rules is management.rules
        kept = service.store.rules
        place.write_text(OWN_ROW.format(opens="25:00"))
        with pytest.raises(BadValue, match="25:00"):
            here.host.reload(evolve(same, stop=evolve(same.stop, timeout=3)))
        assert service.store.rules is kept
        assert here.host.config.stop.timeout != 3
        off = config(database={"url": here.host.config.database.url}, rules={"apply": "none"})
        assert here.host.reload(off) == (["rules.apply", "rules.file"], [])
        assert not service.store.rules.rows
        await service.store.snapshot()  # behind the writing
        assert rows(service.database.url, "SELECT rule_book FROM installation") == [("",)]


@pytest_twisted.ensureDeferred
async def test_the_times_of_recovery_are_those_that_are_configured(tmp_path):
    async with running(tmp_path, config()) as here:
        flow = here.host.service.lifecycle.settings.recovery
        assert (flow.grace, flow.originate_window) == (10.0, 10.0)
    other = tmp_path / "other"
    other.mkdir()
    async with running(other, config(recovery={"grace": 3, "originate_window": 4})) as here:
        flow = here.host.service.lifecycle.settings.recovery
        assert (flow.grace, flow.originate_window) == (3.0, 4.0)


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_locked_database_is_told_and_nothing_is_left_running(tmp_path, monkeypatch):
    monkeypatch.setattr("dialer.store.sqlite.BUSY_SECONDS", 0.05)
    new_database(tmp_path)
    host = build(tmp_path, config())
    with closing(sqlite3.connect(tmp_path / "dialer.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="is locked by another program"):
            await host.start()
    assert not host.up
    again = build(tmp_path, config())
    await again.start()
    await again.stop()


@pytest_twisted.ensureDeferred
async def test_a_port_in_use_leaves_nothing_running(tmp_path):
    async with running(tmp_path, config()) as first:
        port = first.host.web.address.rpartition(":")[2]
        other = tmp_path / "other"
        other.mkdir()
        settings = on_new_database(other, config())
        taken = {"endpoint": f"tcp:{port}:interface=127.0.0.1"}
        second = build(other, config(database={"url": settings.database.url}, http=taken))
        with pytest.raises(CannotListen, match=r"http\.endpoint: cannot listen on 127\.0\.0\.1"):
            await second.start()
        assert not second.up
        again = build(other, settings)
        await again.start()
        await again.stop()
