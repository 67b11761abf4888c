"""The upgrade from which on a switch can be drained for all dialers."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.store.location import dialect_of
from dialer.store.schema import upgrade, upgrades
from tests.grounds import bare_database, rows, script

T = "2026-11-23 10:00:00.000000"
ADD = "INSERT INTO switch_drain (switch, drained_by, drained_at) VALUES ('{}', 'ann', '{}');"


def test_a_switch_is_drained_once_by_its_name(database_kind: str, tmp_path: Path) -> None:
    url = bare_database(tmp_path)
    steps = upgrades(dialect_of(url))
    upgrade(url, [step for step in steps if step.version <= 28])
    assert 29 in upgrade(url, steps)
    script(url, ADD.format("fs1", T))
    assert rows(url, "SELECT switch, drained_by FROM switch_drain") == [("fs1", "ann")]
    for wrong in (("fs1", T), ("", T)):
        with pytest.raises(Exception, match=r"(?i)constraint"):
            script(url, ADD.format(*wrong))
