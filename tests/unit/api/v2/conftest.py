"""The site of a test that furnishes it stands on a copy of a furnished database: to furnish takes longer than most tests."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from tests.unit.api.v2 import support
from tests.unit.api.world import World, world


@pytest_twisted.async_yield_fixture
async def api(request: pytest.FixtureRequest, tmp_path: Path, database_kind: str) -> AsyncIterator[World]:
    furnished = _furnishes(request.function)
    url = await support.furnished_database(tmp_path) if furnished else None
    async with world(tmp_path, url=url) as here:
        here.is_furnished = furnished
        yield here


def _furnishes(test: Any) -> bool:
    """Whether the test calls `furnish`. It does so before anything else."""
    function = inspect.unwrap(test)
    return "furnish" in function.__code__.co_names and function.__globals__.get("furnish") is support.furnish
