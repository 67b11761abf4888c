"""Settings for every test: deterministic Hypothesis in CI, and no failed Deferred or delayed call may go unnoticed. And the
PostgreSQL server that the tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

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
