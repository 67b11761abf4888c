from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.unit.marks.world import World


@pytest.fixture
def world() -> Iterator[Callable[..., World]]:
    """Makes one, and stops it at the end."""
    made: list[World] = []

    def make(*names: str, **settings: Any) -> World:
        made.append(World(names, **settings).start())
        return made[-1]

    with capture_logs():  # what is told of a failure for people takes long to be made nice
        yield make
        for each in made:
            each.stop()
