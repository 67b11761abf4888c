"""A dialer that is watched: what a scrape has of real calls, and that what is shipped asks for nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import pytest_twisted
import structlog
import treq
from attrs import define
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from dialer import host as host_module
from dialer.cli.run import API
from dialer.hooks import line
from dialer.host import Host
from dialer.management import users, webhooks
from dialer.model import EventKind, IdleCode
from dialer.model.event import kinds_of
from dialer.model.readiness import Unready
from dialer.monitoring.declarations import EVENT_AGE, METRICS
from dialer.monitoring.figures import figures
from dialer.monitoring.shipped import Shipped
from dialer.store import events
from dialer.store.events import About
from tests import receiver as answers
from tests.grounds import rows
from tests.integration.test_run_host import Here, config, on_new_database
from tests.receiver import Receiver
from tests.unit.api.world import cheap_hash

pytestmark = pytest.mark.usefixtures("database_kind")

OWN = {"endpoint": "tcp:0:interface=127.0.0.1", "password": "scrape it well"}
ACCEPT = {"Accept": "application/openmetrics-text"}


@define(eq=False)
class Watching(Here):
    async def ask(self, path: str) -> tuple[int, bytes]:
        url = f"http://{self.host.watched.address}{path}"
        answer = await treq.get(url, headers=ACCEPT, auth=("prometheus", OWN["password"]), persistent=False)
        return answer.code, await answer.content()

    async def scrape(self) -> dict[str, Family]:
        status, text = await self.ask("/metrics")
        assert status == 200
        return {family.name: family for family in text_string_to_metric_families(text.decode())}

    async def until_ready(self, status: int) -> object:
        while (answer := await self.ask("/health/ready"))[0] != status:
            await deferLater(self.host.reactor, 0.02)
        return json.loads(answer[1])


@asynccontextmanager
async def watching(folder, **sections: object):
    from twisted.internet import reactor

    host = Host(reactor, on_new_database(folder, config(**{"metrics": OWN, **sections})), folder, API)
    await host.start()
    try:
        yield Watching(host)
    finally:
        if host.up:
            await host.stop()


def samples(family: Family) -> dict[tuple[str, ...], float]:
    """The values of a family that is no histogram, by the values of its labels."""
    return {tuple(sample.labels.values()): sample.value for sample in family.samples}


def observations(family: Family, **labels: str) -> float:
    """How often a histogram was observed."""
    wanted = labels.items()
    return sum(each.value for each in family.samples if each.name.endswith("_count") and each.labels.items() >= wanted)


@pytest_twisted.ensureDeferred
async def test_a_scrape_tells_of_the_calls_that_are_made(tmp_path):
    async with watching(tmp_path) as here:
        await here.call(2)
        found = await here.scrape()
        switch = here.host.service.switches[0].name
        assert samples(found["dialer_attempts_open"])["connected",] == 2
        assert samples(found["dialer_calls_originated"]) == {(switch,): 2}
        assert samples(found["dialer_calls_per_second_allowed"]) == {(switch,): 25}
        assert samples(found["dialer_switch_up"]) == {(switch,): 1}
        assert samples(found["dialer_switch_reconnects"]) == {(switch,): 0}
        assert samples(found["dialer_switch_drained"]) == {(switch,): 0}
        assert samples(found["dialer_database_up"]) == {(): 1}
        assert sum(samples(found["dialer_attempts_ended"]).values()) == 0
        assert observations(found["dialer_esl_round_trip_seconds"], command="originate") == 2
        assert observations(found["dialer_event_lag_seconds"]) >= 4  # ringing and answered, of both
        assert (
            observations(found["dialer_database_queue_seconds"]) >= observations(found["dialer_database_commit_seconds"]) > 0
        )
        assert samples(found["dialer_campaigns_idle"])[str(IdleCode.LAST_CALLS),] == 1
        assert samples(found["dialer_campaigns_calling"]) == {(): 0}
        shown = {value for family in found.values() for sample in family.samples for value in sample.labels.values()}
        assert [value for value in shown if re.search("1555|spring|carrier|hello|ann$", value)] == []
        lag = found["dialer_event_lag_seconds"].samples
        assert next(each.value for each in lag if each.name.endswith("_sum")) < 60


@pytest_twisted.ensureDeferred
async def test_ends_are_counted_by_their_disposition_once_they_are_stored(tmp_path):
    async with watching(tmp_path, simulator={"callees": ["*=answers:ring=0.1,talk=1"]}) as here:
        await here.call(2)
        await here.host.service.lifecycle.register.when_idle()
        ended = {labels: count for labels, count in samples((await here.scrape())["dialer_attempts_ended"]).items() if count}
        assert ended == {("ANSWERED",): 2}


@pytest_twisted.ensureDeferred
async def test_a_dialer_is_ready_while_its_database_serves_and_a_switch_is_there(tmp_path):
    async with watching(tmp_path) as here:
        assert await here.until_ready(200) == {"status": "ready"}
        await here.host.simulator.stop()
        told = await here.until_ready(503)
        assert [reason["code"] for reason in told["reasons"]] == ["no-switch"]
        assert (await here.ask("/health/live"))[0] == 200
        assert samples((await here.scrape())["dialer_switch_up"]) == {(here.host.service.switches[0].name,): 0}


@pytest_twisted.ensureDeferred
async def test_before_its_first_heartbeat_and_once_it_stops_a_dialer_is_not_ready(tmp_path):
    async with watching(tmp_path) as here:
        assert here.host.unready() == [Unready.NO_DATABASE, Unready.NO_SWITCH]
        await here.until_ready(200)
        stopping = Deferred.fromCoroutine(here.host.stop())
        assert here.host.unready() == [Unready.STOPPING]
        await stopping


@pytest_twisted.ensureDeferred
async def test_a_reconnect_is_counted(tmp_path):
    async with watching(tmp_path) as here:
        await here.until_ready(200)
        for link in here.host.service.switches[0]._links():
            link.drop("as a test")
        await here.until_ready(503)
        await here.until_ready(200)
        assert samples((await here.scrape())["dialer_switch_reconnects"]) == {(here.host.service.switches[0].name,): 1}


@pytest_twisted.ensureDeferred
async def test_requests_and_connections_are_told_for_each_port(tmp_path):
    async with watching(tmp_path, cdr={"endpoint": "tcp:0:interface=127.0.0.1", "password": "secret word"}) as here:
        for port, user in ((here.host.web, "nobody"), (here.host.records, "somebody")):
            answer = await treq.get(f"http://{port.address}/api/dialer_campaign/campaign/", auth=(user, "x"), persistent=False)
            await answer.content()
        answer = await treq.post(f"http://{here.host.records.address}/cdr/", b"{}", auth=("x", "y"), persistent=False)
        await answer.content()
        found = await here.scrape()
        assert samples(found["dialer_http_failed_logins"]) == {("api",): 1, ("records",): 1, ("metrics",): 0}
        assert samples(found["dialer_http_connections"])["metrics",] == 1
        requests = samples(found["dialer_http_requests"])
        assert requests["api", "GET /api/dialer_campaign/campaign/", "4xx"] == 1
        assert requests["records", "none", "4xx"] == 2


async def age(here: Watching) -> float:
    """As a scrape has it: one that comes soon after another gets the same answer."""
    await here.host.service.telling.undelivered.look()
    for metric, found in figures(here.host.service, {}, None, here.host.service.now()):
        if metric is EVENT_AGE:
            return found[0][1]
    raise AssertionError("absent")


async def happens(here: Watching, before: timedelta) -> None:
    """An event of so long ago."""
    at = here.host.service.now() - before
    await here.host.service.database.run(lambda connection: events.add(connection, EventKind.SWITCH_UP, at, About(), {}))


@pytest_twisted.ensureDeferred
async def test_the_age_of_the_oldest_undelivered_event_rises_while_a_receiver_is_dead(tmp_path, monkeypatch):
    monkeypatch.setattr(line, "pause_after", lambda tries, _: timedelta(seconds=0.1))
    receiver = Receiver(answer=lambda *_: answers.status("500 No")).start()
    async with watching(tmp_path, webhooks={"allow": ["127.0.0.0/8"]}) as here:
        await here.until_ready(200)  # that is an event, too
        assert await age(here) == 0, "nobody is told anything"
        management = here.host.management
        given = {"url": receiver.url, "kinds": "switch.*"}
        await management.ask(users.create, {"username": "root", "password_hash": cheap_hash("root"), "is_superuser": True})
        root = await management.ask(users.account, "root")
        receiver.secret = (await management.ask(webhooks.add, root, given, management.receivers)).secret
        assert await age(here) == 0, "nothing has happened"
        await happens(here, timedelta(hours=1))
        await happens(here, timedelta(minutes=1))
        assert 3600 <= await age(here) < 3660
        (told,) = samples((await here.scrape())["dialer_event_undelivered_age_seconds"]).values()
        assert 3600 <= told < 3660
        while not receiver.requests:
            await deferLater(here.host.reactor, 0.02)
        await deferLater(here.host.reactor, 0.5)
        assert await age(here) > 0.4, "it is set aside for its next try, and waits"
        receiver.answer = lambda *_: answers.good
        while await age(here):
            await deferLater(here.host.reactor, 0.05)
        assert len(set(receiver.ids)) == 2
    await receiver.stop()


@pytest_twisted.ensureDeferred
async def test_a_reader_that_does_not_come_on_is_one_that_waits(tmp_path):
    async with watching(tmp_path) as here:
        await here.until_ready(200)  # that is an event, too
        readers = here.host.service.telling.consumers
        await readers.enter("file", frozenset({EventKind.SWITCH_UP}), here.host.service.now())
        await happens(here, timedelta(hours=2))
        assert 7200 <= await age(here) < 7260
        await readers.leave("file")
        assert await age(here) == 0
        await readers.enter("tail", frozenset({EventKind.SWITCH_UP}), here.host.service.now(), timedelta(hours=1))
        await happens(here, timedelta(hours=2))
        assert await age(here) == 0, "one that is gone in a while is nobody to wait for"


async def told_of_the_switch(here: Watching, go: Callable[[], Awaitable[object]]) -> list[str]:
    """The events of the switch that are written while something is done."""
    service = here.host.service
    await service.telling.consumers.enter("test", kinds_of("switch.*"), service.now())
    await service.telling.interests.load()
    url = service.database.url
    ((before,),) = rows(url, "SELECT coalesce(max(id), 0) FROM event")
    await go()
    return [kind for (kind,) in rows(url, f"SELECT kind FROM event WHERE id > {before} ORDER BY id")]


@pytest_twisted.ensureDeferred
async def test_a_dialer_that_stops_does_not_say_that_the_switch_went_away(tmp_path):
    async with watching(tmp_path) as here:
        await here.until_ready(200)
        assert await told_of_the_switch(here, here.host.stop) == []


@pytest_twisted.ensureDeferred
async def test_a_switch_that_goes_and_comes_is_told(tmp_path):
    async with watching(tmp_path) as here:
        await here.until_ready(200)

        async def restart() -> None:
            here.host.simulator.restart()
            await here.until_ready(503)
            await here.until_ready(200)
            await here.host.service.store.flush()

        assert await told_of_the_switch(here, restart) == ["switch.down", "switch.up"]


@pytest_twisted.ensureDeferred
async def test_without_a_setting_metrics_are_served_nowhere_and_health_with_the_api(tmp_path):
    from twisted.internet import reactor

    host = Host(reactor, on_new_database(tmp_path, config()), tmp_path, API)
    await host.start()
    try:
        assert host.watched is None
        for path, status in (("/metrics", 404), ("/health/live", 200)):
            answer = await treq.get(f"http://{host.web.address}{path}", persistent=False)
            await answer.content()
            assert answer.code == status
    finally:
        await host.stop()


@pytest.mark.parametrize(("password", "told"), [("", 1), (OWN["password"], 0)])
@pytest_twisted.ensureDeferred
async def test_a_port_without_a_login_that_others_reach_is_told_in_the_log(tmp_path, monkeypatch, password, told):
    monkeypatch.setattr(host_module, "_OF_THIS_MACHINE", ("192.0.2.",))
    with structlog.testing.capture_logs() as lines:
        async with watching(tmp_path, metrics={**OWN, "password": password}):
            pass
    assert [line["see"] for line in lines if "see" in line] == ["metrics.password"] * told


# --- what is shipped --------------------------------------------------------------------------------------------------------

SELECTOR = re.compile(r"\b(dialer_\w+|process_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)(=~|=|!=|!~)"([^"]*)"')
GROUPING = re.compile(r"\b(?:by|on|without) ?\(([^)]*)\)")
OF_PROMETHEUS = {"instance", "job", "le"}


def expressions() -> Iterator[tuple[str, str]]:
    """Every expression that is shipped, with what it belongs to."""
    for group in json.loads(Shipped.RULES.text())["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    for panel in json.loads(Shipped.DASHBOARD.text())["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def complaints(expression: str, found: dict[str, Family]) -> Iterator[str]:
    """What an expression names that a scrape has not."""
    values: dict[str, dict[str, set[str]]] = {}
    for family in found.values():
        for sample in family.samples:
            labels = values.setdefault(sample.name, {})
            for label, value in sample.labels.items():
                labels.setdefault(label, set()).add(value)
    selected: set[str] = set()
    for name, matchers in SELECTOR.findall(expression):
        if name not in values:
            yield f"{name} is in no scrape"
            continue
        selected |= values[name].keys()
        for label, operator, wanted in MATCHER.findall(matchers):
            if label in OF_PROMETHEUS:
                continue
            for each in wanted.split("|") if "~" in operator else [wanted]:
                if not any(re.fullmatch(each, value) for value in values[name].get(label, ())):
                    yield f"{name} has no {label} like {each}"
    for names in GROUPING.findall(expression):
        for label in filter(None, map(str.strip, names.split(","))):
            if label not in selected | OF_PROMETHEUS:
                yield f"no metric here has a label {label}"


@pytest_twisted.ensureDeferred
async def test_every_metric_and_label_of_the_rules_and_the_dashboard_is_in_a_scrape_and_every_metric_is_declared(tmp_path):
    async with watching(tmp_path) as here:
        here.host.web.site.note_answer("GET /x", 503)
        (member,) = here.host.service.fleet
        while member.sip_gateways is None:
            await deferLater(here.host.reactor, 0.02)
        found = await here.scrape()
        assert samples(found["dialer_sip_gateway_up"]) == {("simulator", member.switch.name): 1}
    wrong = [(where, complaint) for where, expression in expressions() for complaint in complaints(expression, found)]
    assert wrong == []
    assert {name for name in found if name.startswith("dialer_")} == {metric.name for metric in METRICS}
    for metric in METRICS:
        labels = {name for sample in found[metric.name].samples for name in sample.labels} - {"le"}
        assert labels == set(metric.labels), metric.name


def test_what_is_wrong_in_an_expression_would_be_seen() -> None:
    text = '# TYPE dialer_x gauge\ndialer_x{kind="a"} 1\n# EOF\n'
    found = {family.name: family for family in text_string_to_metric_families(text)}
    assert list(complaints('sum by (kind) (dialer_x{kind=~"a|[a-b]"})', found)) == []
    assert list(complaints('sum by (sort) (dialer_x{kind=~"a|c",state="b"}) + dialer_y', found)) == [
        "dialer_x has no kind like c",
        "dialer_x has no state like b",
        "dialer_y is in no scrape",
        "no metric here has a label sort",
    ]
