"""`dialer run` is killed while it tells a webhook what happens: no event is lost, and those of each attempt stay in order.

The short form of `python -m tests.webhook_kills`: one kill of each kind.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import pytest_twisted

from dialer.store.connection import Dialect
from tests.grounds import new_database
from tests.webhook_kills import REQUESTS, Play

pytestmark = pytest.mark.timeout(240)


@pytest_twisted.ensureDeferred
async def test_no_event_is_lost_when_the_dialer_is_killed(tmp_path: Path, database_kind: Dialect) -> None:
    kills = 2 if database_kind is Dialect.SQLITE else 3
    told = await Play(tmp_path, new_database(tmp_path), kills, random.Random(1)).run()
    assert told.broken == []
    assert set(told.kills.values()) == {1}
    assert told.repeated >= kills - 1, "no dialer died in the middle of a request"
    assert told.events > REQUESTS * kills
