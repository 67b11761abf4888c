"""Settings for every test: deterministic Hypothesis in CI, and no failed Deferred or delayed call may go unnoticed. And the
databases that the tests stand on."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Generator, Iterator
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings

from dialer.periodic import RepeatedLog
from dialer.store.connection import Dialect
from tests import kept_entities
from tests.grounds import KINDS, standing_on
from tests.postgresql import Server
from tests.postgresql_programs import MEMORY, has_room_in_memory

settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


TOGETHER = ("tests/chaos/test_chaos.py", "tests/integration/test_demo.py", "tests/integration/test_postgresql_server.py")
"""Modules whose tests share what takes long to make: side by side with others, but all in one process. The marks `xdist_group`
have no effect with pytest 9.2 and pytest-xdist 3.8 (https://github.com/pytest-dev/pytest-xdist/issues/1386)."""


def pytest_configure() -> None:
    """Processes that tests start find the product compiled: to compile it takes them longer than the rest of their start."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    # As a dialer starts: the steps of each call are told at debug only.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    kept_entities.keep()
    gc.disable()
    if has_room_in_memory():
        # Nothing of what is tested survives a loss of power anyway, and a disk lets each COMMIT wait.
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What was collected stays to the end. To look through it for garbage, again and again, took a quarter of the suite, and
    to look through what tests leave took another: seldom is often enough."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 50)
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Side by side, each test is for the next process that is free, but for those of `TOGETHER`."""
    from xdist.scheduler import LoadScopeScheduling

    class ByTest(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            module = nodeid.partition("::")[0]
            return module if module in TOGETHER else nodeid

        def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
            """What is done is forgotten: xdist counts what is pending among all that a process ever had, after each test."""
            super().mark_test_complete(node, item_index, duration)
            work, scope = self.assigned_work[node], self._split_scope(self.registered_collections[node][item_index])
            if all(work[scope].values()):
                del work[scope]

    return ByTest(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Keep the error of an asynchronous fixture, as pytest does for any other. pytest-twisted does not: pytest then takes the
    fixture for one that was never set up, and every later test that asks for it ends as an error of pytest's own."""
    try:
        return (yield)
    except BaseException as error:
        if fixturedef.cached_result is None:
            fixturedef.cached_result = (None, fixturedef.cache_key(request), (error, error.__traceback__))
        raise


@pytest.fixture(autouse=True)
def own_log_settings() -> Iterator[None]:
    """A command that runs in this process sets up its log, which is not to last: the next test may be any."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(autouse=True)
def nothing_told_later() -> Iterator[None]:
    """A line that sums up a minute of a test's log must not come in another test's output."""
    yield
    reactor = sys.modules.get("twisted.internet.reactor")
    for call in reactor.getDelayedCalls() if reactor is not None else ():
        if isinstance(getattr(call.func, "__self__", None), RepeatedLog):
            call.cancel()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """Started for the first test that asks for it. Each test makes a database of its own and drops it; one that stops or kills
    the server may leave it so, the next new database starts it."""
    with Server.running() as server:
        yield server


@pytest.fixture(params=KINDS)
def database_kind(request: pytest.FixtureRequest) -> Iterator[Dialect]:
    """The kind of the databases that a test makes (`tests.grounds`): it runs once for each."""
    server = request.getfixturevalue("postgres_server") if request.param is Dialect.POSTGRESQL else None
    with standing_on(server):
        yield request.param
