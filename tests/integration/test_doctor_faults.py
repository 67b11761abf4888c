"""The doctor on the simulator, over real sockets: each fault, switched on by itself, is named."""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.web.resource import Resource
from twisted.web.server import Site

from dialer.config import parse_config
from dialer.doctor.diagnosis import Diagnosis, Level, as_text
from dialer.doctor.diagnostics import Diagnostics
from dialer.esl.outbound import OutboundServer
from dialer.model import CampaignStatus, VoipAppType
from dialer.simulator.config import MODULES, SimulatorConfig
from dialer.simulator.service import Simulator
from dialer.store.database import Database
from dialer.store.lock import DiallingLock
from tests.grounds import new_database
from tests.seeding import Seeds

PASSWORD = "not the stock one"


def now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    return str(uuid.uuid4())


class Bed:
    """An installation on its own folder and its own simulator, and what the doctor says of it."""

    def __init__(self, folder: Path, **switch: Any) -> None:
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.folder = folder
        self.path = folder / "dialer.toml"
        self.path.touch(0o600)
        settings = {"password": PASSWORD, "sps": 60} | switch
        self.simulator = Simulator(reactor, SimulatorConfig(**settings), random.Random(3))
        self.switch: dict[str, object] = {"password": PASSWORD}
        self.others: list[dict[str, object]] = []
        self.outbound: dict[str, object] = {"endpoint": "tcp:0:interface=127.0.0.1"}
        self.more: dict[str, object] = {"http": {"endpoint": "tcp:0:interface=127.0.0.1"}}
        self.campaigns: list[dict[str, Any]] = []
        self.gateways = [{"name": "carrier", "dial_string": "sofia/gateway/carrier/{number}"}]
        self.app = VoipAppType.PLAY_AUDIO
        self.patience = 10.0

    async def examine(self, during: Callable[[], object] = lambda: None) -> list[Diagnosis]:
        await self.seed()
        port = await self.simulator.start()
        during()
        raw = {
            "database": {"url": "sqlite:///dialer.db"},
            "switch": [{"port": port, **self.switch}, *self.others],
            "outbound": self.outbound,
            **self.more,
        }
        config = parse_config(raw)
        try:
            return await Diagnostics(self.reactor, config, self.path, now, new_id, self.patience).run()
        finally:
            assert not self.simulator.switch.channels, "the loopback check's call was left behind"
            await self.simulator.stop()

    async def seed(self) -> None:
        database = Database(new_database(self.folder), self.reactor)
        await database.start()
        seeds = Seeds(database, now())
        for gateway in self.gateways:
            key = await seeds.gateway(**gateway)
            app = await seeds.voip_app(name=gateway["name"], type=self.app, gateway_id=key)
        if self.campaigns:
            await seeds.user(username="user 1")
        for number, campaign in enumerate(self.campaigns):
            await seeds.campaign(user_id=1, gateway_id=key, voip_app_id=app, name=f"c{number}", **campaign)
        await database.stop()


def bad(findings: list[Diagnosis]) -> list[tuple[str, Level]]:
    return [(one.check, one.level) for one in findings if one.level is not Level.OK]


def on_the_reactor(function: Callable[[Path], Any]) -> Callable[[Path], Any]:
    @pytest_twisted.inlineCallbacks
    def run(tmp_path: Path) -> Any:
        yield ensureDeferred(function(tmp_path))

    run.__name__ = function.__name__
    return run


@on_the_reactor
async def test_of_an_installation_that_works_every_check_is_well(tmp_path: Path) -> None:
    findings = await Bed(tmp_path).examine()
    assert bad(findings) == []
    assert [one.check for one in findings] == [
        *("permissions", "database", "records", "disk", "files", "switch", "password", "version", "modules", "clock"),
        *("sessions", "pace", "dialplan", "outbound", "gateways", "cdr"),
    ]
    assert len(list(as_text(findings))) == len(findings)


@on_the_reactor
async def test_the_loopback_check_calls_the_switch_itself_and_nobody_else(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    await bed.examine()
    assert [call.number.split(":")[0] for call in bed.simulator.calls] == ["m"]
    assert bed.simulator.calls[0].account_code.startswith("dialer-")
    assert bed.simulator.calls[0].account_code != "dialer-doctor"


@on_the_reactor
async def test_a_switch_that_is_not_there_is_named_and_nothing_else_is_said_of_it(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.switch |= {"port": 1}
    findings = await bed.examine()
    assert bad(findings) == [("switch", Level.FAILURE)]
    assert findings[-1].check == "switch"
    assert "127.0.0.1:1" in findings[-1].text


@on_the_reactor
async def test_a_wrong_password_is_named(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.switch |= {"password": "wrong"}
    findings = await bed.examine()
    assert bad(findings) == [("password", Level.FAILURE)]
    assert "wrong" not in findings[-1].text + findings[-1].advice


@on_the_reactor
async def test_the_stock_password_is_a_warning(tmp_path: Path) -> None:
    bed = Bed(tmp_path, password="ClueCon")
    bed.switch |= {"password": "ClueCon"}
    assert bad(await bed.examine()) == [("password", Level.WARNING)]


@on_the_reactor
async def test_an_address_that_the_switch_refuses_is_named(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    findings = await bed.examine(bed.simulator.reject_address)
    assert bad(findings) == [("address", Level.FAILURE)]


@on_the_reactor
async def test_something_that_is_no_event_socket_is_named(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.patience = 0.5
    assert bad(await bed.examine(bed.simulator.send_garbage)) == [("switch", Level.FAILURE)]


@on_the_reactor
async def test_an_old_switch_is_a_warning(tmp_path: Path) -> None:
    assert bad(await Bed(tmp_path, version="1.8.7-release").examine()) == [("version", Level.WARNING)]


@on_the_reactor
async def test_each_module_that_is_missing_is_named(tmp_path: Path) -> None:
    findings = await Bed(tmp_path, modules=MODULES - {"mod_sndfile", "mod_tone_stream"}).examine()
    assert bad(findings) == [("modules", Level.FAILURE)] * 2
    assert {one.text.split()[0] for one in findings if one.check == "modules"} == {"mod_sndfile", "mod_tone_stream"}


@on_the_reactor
async def test_without_sofia_both_the_module_and_the_gateway_are_named(tmp_path: Path) -> None:
    findings = await Bed(tmp_path, modules=MODULES - {"mod_sofia"}).examine()
    assert bad(findings) == [("modules", Level.FAILURE), ("gateways", Level.FAILURE)]


@on_the_reactor
async def test_a_module_that_no_application_uses_is_not_missed(tmp_path: Path) -> None:
    assert bad(await Bed(tmp_path, modules=MODULES - {"mod_conference", "mod_flite"}).examine()) == []


@on_the_reactor
async def test_the_module_of_an_application_that_exists_is_missed(tmp_path: Path) -> None:
    bed = Bed(tmp_path, modules=MODULES - {"mod_conference", "mod_flite"})
    bed.app = VoipAppType.CONFERENCE
    assert bad(await bed.examine()) == [("modules", Level.FAILURE)]


@on_the_reactor
async def test_a_switch_that_cannot_call_itself_is_named(tmp_path: Path) -> None:
    findings = await Bed(tmp_path, modules=MODULES - {"mod_loopback"}).examine()
    assert bad(findings) == [("modules", Level.FAILURE), ("outbound", Level.FAILURE)]
    assert "mod_loopback" in findings[-3].advice


@on_the_reactor
async def test_a_clock_that_differs_is_a_warning_and_the_loopback_check_works_all_the_same(tmp_path: Path) -> None:
    findings = await Bed(tmp_path, clock_offset=-90.0).examine()
    assert bad(findings) == [("clock", Level.WARNING)]
    assert next(one for one in findings if one.check == "clock").text.startswith("the switch's clock is 90.0 seconds behind")


@on_the_reactor
async def test_too_few_sessions_per_second_are_named(tmp_path: Path) -> None:
    bed = Bed(tmp_path, sps=25)
    assert bad(await bed.examine()) == [("sessions", Level.FAILURE)]


@on_the_reactor
async def test_a_missing_context_is_named_and_the_call_does_not_come_back(tmp_path: Path) -> None:
    findings = await Bed(tmp_path, dialer_context=False).examine()
    assert bad(findings) == [("dialplan", Level.FAILURE), ("outbound", Level.FAILURE)]
    assert "NO_ROUTE_DESTINATION" in next(one for one in findings if one.check == "outbound").text


@on_the_reactor
async def test_with_an_inline_dialplan_no_context_is_needed(tmp_path: Path) -> None:
    bed = Bed(tmp_path, dialer_context=False)
    bed.outbound |= {"inline": True}
    assert bad(await bed.examine()) == []


@on_the_reactor
async def test_a_switch_that_is_paused_is_named(tmp_path: Path) -> None:
    bed = Bed(tmp_path)

    def pause() -> None:
        bed.simulator.switch.paused = True

    findings = await bed.examine(pause)
    assert bad(findings) == [("outbound", Level.FAILURE)]
    assert "fsctl resume" in findings[-3].advice


@on_the_reactor
async def test_an_address_at_which_the_switch_does_not_find_the_dialer_is_named(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.patience = 0.5
    bed.outbound |= {"advertise": "127.0.0.1:9"}
    findings = await bed.examine()
    assert bad(findings) == [("outbound", Level.FAILURE)]
    assert "127.0.0.1:9" in next(one for one in findings if one.check == "outbound").text


@on_the_reactor
async def test_a_switch_whose_address_is_not_allowed_is_named_with_its_address(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.outbound |= {"allow": ["192.0.2.1"]}
    findings = await bed.examine()
    assert bad(findings) == [("outbound", Level.FAILURE)]
    assert 'allow = ["127.0.0.1"]' in next(one for one in findings if one.check == "outbound").advice


@on_the_reactor
async def test_beside_a_running_dialer_the_call_comes_back_elsewhere_and_that_one_is_reached(tmp_path: Path) -> None:
    bed = Bed(tmp_path)

    async def nobody(_call: object) -> None:
        raise AssertionError("a call that is not its own")

    running = OutboundServer(bed.reactor, nobody, lambda _: False, new_id)
    port = await TCP4ServerEndpoint(bed.reactor, 0, interface="127.0.0.1").listen(running)
    lock = DiallingLock(tmp_path / "dialer.db")
    lock.acquire()
    try:
        number = port.getHost().port
        bed.outbound |= {"endpoint": f"tcp:{number}:interface=127.0.0.1"}
        findings = await bed.examine()
    finally:
        lock.release()
        await running.stop()
        await port.stopListening()
    assert bad(findings) == []
    said = [one.text for one in findings if one.check in ("ports", "outbound")]
    assert len(said) == 3
    assert said[0].startswith(f"outbound.endpoint is the running dialer's, process {os.getpid()}")
    assert said[2] == f"the switch reaches the running dialer at 127.0.0.1:{number}"


@pytest.mark.parametrize(
    ("setting", "more"),
    [
        ("http.endpoint", lambda at: {"http": {"endpoint": at}}),
        ("outbound.endpoint", lambda at: {"outbound": {"endpoint": at}}),
        ("metrics.endpoint", lambda at: {"metrics": {"endpoint": at}}),
        ("cdr.endpoint", lambda at: {"cdr": {"endpoint": at, "password": "a long enough one"}}),
    ],
)
@pytest_twisted.inlineCallbacks
def test_a_port_of_another_program_is_named(tmp_path: Path, setting: str, more: Any) -> Any:
    """Be it another dialer: what matters is that this configuration's own does not run."""

    async def run() -> None:
        bed = Bed(tmp_path)
        port = await TCP4ServerEndpoint(bed.reactor, 0, interface="127.0.0.1").listen(Factory.forProtocol(Silent))
        try:
            endpoint = f"tcp:{port.getHost().port}:interface=127.0.0.1"
            bed.more |= more(endpoint)
            findings = await bed.examine()
        finally:
            await port.stopListening()
        assert bad(findings) == [("ports", Level.FAILURE)]
        (told,) = (one.text for one in findings if one.level is Level.FAILURE)
        assert told.startswith(f"{setting}: {endpoint} belongs to process {os.getpid()} (")
        assert "dialer run could not listen" in told

    yield ensureDeferred(run())


@on_the_reactor
async def test_a_port_that_the_simulator_needs_is_looked_at(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    await bed.seed()
    port = await TCP4ServerEndpoint(bed.reactor, 0, interface="127.0.0.1").listen(Factory.forProtocol(Silent))
    raw = {
        "database": {"url": "sqlite:///dialer.db"},
        "simulator": {"port": port.getHost().port},
        "outbound": bed.outbound,
        **bed.more,
    }
    try:
        findings = await Diagnostics(bed.reactor, parse_config(raw), bed.path, now, new_id).run()
    finally:
        await port.stopListening()
    assert bad(findings) == [("ports", Level.FAILURE)]
    assert any(one.text.startswith("simulator.port: ") for one in findings)


@on_the_reactor
async def test_a_sound_of_a_started_campaign_that_the_switch_has_not_got_is_named(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.more |= {"apps": {"sounds": "/srv/sounds"}}
    bed.campaigns = [
        {"voip_app_data": "hello.wav!nosuch.wav!tone_stream://%(100,0,440)"},
        {"voip_app_data": "nosuch.wav!silence_stream://1000!nosuch"},
        {"voip_app_data": "nosuch-too.wav", "status": CampaignStatus.PAUSE},
    ]
    findings = await bed.examine()
    assert bad(findings) == [("sounds", Level.WARNING)]
    (told,) = (one.text for one in findings if one.check == "sounds")
    assert told == "the switch has not got /srv/sounds/nosuch.wav, which c0, c1 plays"


@on_the_reactor
async def test_sounds_that_are_there_are_well(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.campaigns = [{"voip_app_data": "hello.wav!bye.wav"}, {"voip_app_data": "hello.wav"}]
    findings = await bed.examine()
    assert bad(findings) == []
    assert [one.text for one in findings if one.check == "sounds"] == [
        "the switch has the sounds of the started campaigns (2)"
    ]


@on_the_reactor
async def test_the_gateway_that_nobody_has_set_up_is_named(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.gateways = [{"name": "Default_Gateway", "hostname": "localhost"}]
    findings = await bed.examine()
    assert bad(findings) == [("gateways", Level.WARNING)]
    (told,) = (one for one in findings if one.check == "gateways")
    assert "is the example of dialer init" in told.text
    assert told.advice == "dialer gateway set Default_Gateway --dial-string sofia/gateway/CARRIER/{number}"


class Silent(Protocol):
    """Accepts and says nothing."""


@on_the_reactor
async def test_a_gateway_that_is_down_and_one_that_does_not_exist_are_named(tmp_path: Path) -> None:
    bed = Bed(tmp_path, gateways_down=frozenset({"carrier"}))
    bed.gateways += [
        {"name": "forgotten", "dial_string": "sofia/gateway/nope/{number}"},
        {"name": "profile", "dial_string": "sofia/strange/{number}@192.0.2.1"},
        {"name": "local", "protocol": "LOCAL"},
    ]
    findings = [one for one in await bed.examine() if one.check == "gateways"]
    assert [(one.text.split(":")[0], one.level) for one in findings] == [
        ("carrier", Level.FAILURE),
        ("forgotten", Level.FAILURE),
        ("profile", Level.FAILURE),
        ("local", Level.OK),
    ]


@on_the_reactor
async def test_a_configuration_that_others_can_read_is_named(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.path.chmod(0o644)
    assert bad(await bed.examine()) == [("permissions", Level.FAILURE)]


@on_the_reactor
async def test_a_file_of_a_secret_that_everybody_can_read_is_named(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    secret = bed.path.with_name("switch.password")
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    bed.path.write_text('[[switch]]\npassword = "file:switch.password"\n')
    findings = await bed.examine()
    assert bad(findings) == [("permissions", Level.FAILURE)]
    assert any(str(secret) in line for line in as_text(findings))


@on_the_reactor
async def test_a_database_that_is_not_there_is_named_and_the_switch_is_looked_at_all_the_same(tmp_path: Path) -> None:
    bed = Bed(tmp_path)

    def lose() -> None:
        (tmp_path / "dialer.db").unlink()

    findings = await bed.examine(lose)
    assert bad(findings) == [("database", Level.FAILURE)]
    assert "outbound" in [one.check for one in findings]
    assert bed.simulator.calls[0].account_code == "dialer-doctor"


@on_the_reactor
async def test_records_that_nobody_collects_are_a_warning(tmp_path: Path) -> None:
    bed = Bed(tmp_path, modules=MODULES | {"mod_json_cdr"}, json_cdr=(("log-dir", "dialer_cdr"),))
    assert bad(await bed.examine()) == [("cdr", Level.WARNING)]


class Records(Resource):
    """Knows its credentials, and likes no GET."""

    def render_GET(self, request: Any) -> bytes:
        known = (request.getUser(), request.getPassword()) == (b"cdr", b"secret")
        request.setResponseCode(405 if known else 401)
        return b""


async def posted_with(tmp_path: Path, credentials: str) -> list[Diagnosis]:
    bed = Bed(tmp_path, modules=MODULES | {"mod_json_cdr"})
    tree = Resource()
    tree.putChild(b"cdr", Records())
    port = await TCP4ServerEndpoint(bed.reactor, 0, interface="127.0.0.1").listen(Site(tree))
    params = (("url", f"http://127.0.0.1:{port.getHost().port}/cdr"), ("cred", credentials))
    bed = Bed(tmp_path, modules=MODULES | {"mod_json_cdr"}, json_cdr=params)
    try:
        return await bed.examine()
    finally:
        await port.stopListening()


@on_the_reactor
async def test_records_that_are_posted_to_somebody_who_takes_them_are_well(tmp_path: Path) -> None:
    assert bad(await posted_with(tmp_path, "cdr:secret")) == []


@on_the_reactor
async def test_credentials_of_records_that_are_refused_are_named_without_being_shown(tmp_path: Path) -> None:
    findings = await posted_with(tmp_path, "cdr:guess")
    assert bad(findings) == [("cdr", Level.FAILURE)]
    assert "guess" not in "".join(as_text(findings))


@on_the_reactor
async def test_records_that_nobody_takes_are_a_warning_because_they_are_kept_as_files(tmp_path: Path) -> None:
    bed = Bed(tmp_path, modules=MODULES | {"mod_json_cdr"}, json_cdr=(("url", "http://127.0.0.1:9/cdr"),))
    findings = await bed.examine()
    assert bad(findings) == [("cdr", Level.WARNING)]


@on_the_reactor
async def test_a_switch_that_falls_silent_is_named_and_the_diagnostics_end(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.patience = 0.5
    findings = await bed.examine(bed.simulator.go_silent)
    assert bad(findings) == [("switch", Level.FAILURE)]


@on_the_reactor
async def test_each_of_several_switches_is_looked_at_and_told_by_its_name(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.switch |= {"name": "a"}
    bed.others = [{"name": "b", "port": 1, "password": PASSWORD}]
    findings = await bed.examine()
    (missing,) = [one for one in findings if one.check == "switch" and one.level is Level.FAILURE]
    assert missing.text.startswith("b: 127.0.0.1:1: cannot connect")
    assert [one.text for one in findings if one.check == "version"] == ["a: FreeSWITCH 1.11.2"]


@on_the_reactor
async def test_a_gateway_that_a_switch_is_said_to_have_and_that_is_none_is_named(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.switch |= {"gateways": ["carrier", "carier"]}
    findings = await bed.examine()
    (wrong,) = [one for one in findings if "carier" in one.text]
    assert (wrong.check, wrong.level) == ("gateways", Level.FAILURE)
    assert wrong.text == "switch.gateways names carier, and there is no gateway of that name (there are: carrier)"


@on_the_reactor
async def test_two_switches_that_are_one_freeswitch_are_told(tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    bed.switch |= {"name": "a"}
    port = await bed.simulator.start()
    await bed.simulator.stop()
    bed.simulator.start = lambda start=bed.simulator.start: start(port)
    bed.others = [{"name": "b", "host": "localhost", "port": port, "password": PASSWORD}]
    findings = await bed.examine()
    assert "b: it is the same FreeSWITCH as a" in [one.text for one in findings]
