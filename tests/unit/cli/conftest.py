from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.support import Commands


@pytest.fixture
def commands(tmp_path: Path, capsys: pytest.CaptureFixture[str], database_kind: str) -> Commands:
    """On a configuration with an empty database, of each kind."""
    here = Commands(tmp_path, capsys)
    here.furnish()
    return here
