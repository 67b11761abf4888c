"""Hooks in a whole dialer that calls through the simulator."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from queue import SimpleQueue
from typing import Any

import pytest
import pytest_twisted
from structlog.testing import capture_logs
from twisted.internet.task import deferLater

from dialer.errors import BadValue
from dialer.model import AttemptState, Contact, VoipAppType
from dialer.wall_clock import utc_now
from tests.integration.test_run_host import Here, build, config, on_new_database, running
from tests.seeding import Seeds

PATIENCE = 30.0
"""Seconds."""

TALKING = {"callees": ["*=answers:ring=0.1,talk=60"]}
SHORT = {"callees": ["*=answers:ring=0.05,talk=0.3"], "calls_per_second": 100}


@asynccontextmanager
async def hooked(folder: Any, *names: str, simulator: Any = TALKING, **hooks: Any):
    apps = [f"tests.hooked:{name}" for name in names]
    async with running(folder, config(simulator=simulator, hooks={"apps": apps, **hooks})) as here:
        await until(here, lambda: all(worker.made or worker.off for worker in here.host.service.hub.workers))
        yield here


async def until(here: Here, done: Callable[[], Any]) -> None:
    last = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < last, "it does not happen"
        await deferLater(here.host.reactor, 0.02)


async def next_of(here: Here, heard: SimpleQueue[Any]) -> Any:
    await until(here, lambda: not heard.empty())
    return heard.get()


def app(here: Here, number: int = 0) -> Any:
    return here.host.service.hub.workers[number].made


async def dial(here: Here, contacts: int, forbidden: tuple[str, ...] = (), frequency: int = 6000) -> None:
    """Start a campaign."""
    seeds = Seeds(here.host.service.database, utc_now())
    await seeds.user(username="ann")
    await seeds.gateway(name="carrier", dial_string="sofia/gateway/carrier/{number}")
    await seeds.voip_app(name="hello", type=VoipAppType.PLAY_AUDIO, data="silence_stream://60000")
    if forbidden:
        await seeds.forbid(*forbidden)
    await seeds.campaign(name="spring", frequency=frequency)
    await seeds.add(1, [Contact(number=f"1555{index:04}") for index in range(contacts)])


async def ends(here: Here, contacts: int) -> None:
    ended = "SELECT count(*) FROM attempt WHERE state = 'ended'"
    await until(here, lambda: here.sql(ended) == [(contacts,)])


@pytest_twisted.ensureDeferred
async def test_an_app_hears_the_calls_of_the_dialer_from_their_begin_to_their_end(tmp_path):
    async with hooked(tmp_path, "Listens", simulator=SHORT) as here:
        await dial(here, 1)
        told = []
        while not told or told[-1][1] != "CHANNEL_HANGUP_COMPLETE":
            told.append(await next_of(here, app(here).heard))
        assert len({uuid for uuid, _, _ in told}) == 1
        names = [name for _, name, _ in told if name != "CHANNEL_EXECUTE"]
        assert names == ["CHANNEL_CREATE", "CHANNEL_ANSWER", "CHANNEL_HANGUP_COMPLETE"]
        proofs = {fields.get("variable_dialer_proof") for _, _, fields in told}
        assert proofs <= {None, "********"}
        assert "********" in proofs
        await ends(here, 1)


@pytest_twisted.ensureDeferred
async def test_what_nobody_asks_for_is_not_subscribed_to(tmp_path):
    async with hooked(tmp_path, "HangsUp") as here:
        await until(here, lambda: here.host.service.fleet.ready)
        subscribed = [protocol.listener.subscription for protocol in here.host.simulator.inbound.protocols]
        names = set().union(*(each.names for each in subscribed if each is not None))
        own = {"CHANNEL_PROGRESS", "CHANNEL_PROGRESS_MEDIA", "BACKGROUND_JOB", "HEARTBEAT", "SHUTDOWN", "CUSTOM"}
        assert names == own | {"CHANNEL_ANSWER", "CHANNEL_HANGUP_COMPLETE"}


@pytest_twisted.ensureDeferred
async def test_a_session_can_end_its_call(tmp_path):
    async with hooked(tmp_path, "HangsUp") as here:
        await dial(here, 2)
        await ends(here, 2)
        assert here.sql("SELECT DISTINCT cause FROM attempt") == [("USER_BUSY",)]


@pytest_twisted.ensureDeferred
async def test_a_number_that_a_rule_forbids_is_not_dialled_by_a_hook_and_another_one_is(tmp_path):
    async with hooked(tmp_path, "Connects") as here:
        with capture_logs() as logs:
            await dial(here, 1, forbidden=("15559999",))
            refused = await next_of(here, app(here).heard)
            assert refused == ("15559999", "transfer: 15559999 is on the do-not-call list")
            target, leg = await next_of(here, app(here).heard)
        assert (target, leg in here.host.simulator.switch.channels) == ("15551111", True)
        assert {channel.number for channel in here.host.simulator.switch.channels.values()} == {"15550000", "15551111"}
        (line,) = [line for line in logs if line["event"] == "a command of a hook was refused"]
        assert line["app"] == "tests.hooked:Connects"


@pytest_twisted.ensureDeferred
async def test_apps_that_raise_block_or_never_end_are_switched_off_and_the_calls_go_on(tmp_path):
    """Twenty calls a second, with an app that raises, one that blocks, and one that computes for ever."""
    contacts = 60
    limits = {"time_limit": 0.2, "failures": 5}
    async with hooked(tmp_path, "Raises", "Blocks", "Endless", "Listens", simulator=SHORT, **limits) as here:
        hub = here.host.service.hub
        with capture_logs() as logs:
            await dial(here, contacts, frequency=1200)
            await ends(here, contacts)
            await until(here, lambda: hub.figures["hooks-off"] == 3)
        assert here.sql("SELECT DISTINCT disposition FROM attempt") == [("ANSWERED",)]
        pace = here.host.service.pace.pace()
        assert pace.achieved > 0.8 * 1200, pace
        off = {line["app"]: line["reason"] for line in logs if line["event"] == "a hook is switched off"}
        assert off["tests.hooked:Raises"] == "failures in a row: 5, the last: RuntimeError: broken"
        for name in ("Blocks", "Endless"):
            assert off[f"tests.hooked:{name}"].startswith("on_event has not returned for")
        heard = app(here, 3).heard
        answers = 0
        while answers < contacts:
            answers += (await next_of(here, heard))[1] == "CHANNEL_ANSWER"
        blocked = app(here, 1)
        blocked.go_on.set()
        await until(here, lambda: not hub.workers[1].alive and not hub.workers[2].alive)
        blocked.go_on.clear()


@pytest_twisted.ensureDeferred
async def test_events_go_on_after_the_connection_was_lost(tmp_path):
    async with hooked(tmp_path, "Listens") as here:
        await dial(here, 1)
        await until(here, lambda: here.host.service.lifecycle.register.states() == {AttemptState.CONNECTED: 1})
        heard = app(here).heard
        here.host.simulator.drop_connections(outbound=False)
        await until(here, lambda: not here.host.service.fleet.ready)
        await until(here, lambda: here.host.service.fleet.ready)
        while not heard.empty():
            heard.get()
        here.host.service.hang_up(1)
        names = {(await next_of(here, heard))[1] for _ in range(2)}
        assert names <= {"CHANNEL_HANGUP_COMPLETE", "CHANNEL_EXECUTE", "CHANNEL_DESTROY"}
        await ends(here, 1)


@pytest_twisted.ensureDeferred
async def test_a_session_of_a_call_that_was_lost_with_its_switch_is_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr("dialer.marks.hub.LINGER", 0.1)
    async with hooked(tmp_path, "Recorder") as here:
        await dial(here, 1)
        await next_of(here, app(here).heard)
        listener = app(here).listener
        assert listener.count_sessions() == 1
        here.host.simulator.restart()  # the call is gone with the process that had it
        await ends(here, 1)
        await until(here, lambda: listener.count_sessions() == 0)


@pytest_twisted.ensureDeferred
async def test_limits_are_live_and_apps_need_a_restart(tmp_path):
    async with hooked(tmp_path, "Raises") as here:
        after = config(
            database={"url": here.host.config.database.url},
            simulator=TALKING,
            hooks={"apps": ["tests.hooked:Blocks"], "time_limit": 3, "failures": 2},
        )
        assert here.host.reload(after) == (["hooks.time_limit", "hooks.failures"], ["hooks.apps"])
        limits = here.host.service.hub.workers[0].limits
        assert (limits.seconds, limits.failures) == (3.0, 2)


@pytest_twisted.ensureDeferred
async def test_an_app_that_cannot_be_loaded_keeps_the_dialer_from_starting(tmp_path):
    host = build(tmp_path, on_new_database(tmp_path, config(hooks={"apps": ["tests.hooked:Misspelt"]})))
    with pytest.raises(BadValue, match=r"hooks\.apps: .*did you mean CHANNEL_ANSWER"):
        await host.start()
    assert not host.up


@pytest_twisted.ensureDeferred
async def test_the_apps_finish_when_the_dialer_stops(tmp_path):
    async with hooked(tmp_path, "Recorder") as here:
        there = app(here)
        await here.host.stop()
        assert there.finished
        assert not here.host.service.hub.workers[0].alive


def test_nothing_of_an_app_is_left_behind():
    gc.collect()
    assert [worker for worker in gc.get_objects() if type(worker).__name__ == "Worker" and worker.alive] == []
