"""A site for each test, on each kind of database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_twisted

from tests.unit.api.world import World, world


@pytest_twisted.async_yield_fixture
async def api(tmp_path: Path, database_kind: str) -> AsyncIterator[World]:
    async with world(tmp_path) as here:
        yield here
