"""Settings for every test: deterministic Hypothesis in CI, and no failed Deferred or delayed call may go unnoticed. And the
databases that the tests stand on."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from dialer.store.connection import Dialect
from tests.grounds import KINDS, standing_on
from tests.postgresql import Server

settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


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
