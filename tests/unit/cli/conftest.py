from __future__ import annotations

from pathlib import Path

import pytest
from argon2 import PasswordHasher

from dialer import accounts
from tests.unit.cli.support import Commands


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id as always, with the least work: the tests of accounts look at the real parameters."""
    monkeypatch.setattr(accounts, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def unfurnished(tmp_path: Path, capsys: pytest.CaptureFixture[str], database_kind: str) -> Commands:
    """On each kind of database; `furnish` makes one."""
    return Commands(tmp_path, capsys)


@pytest.fixture
def commands(unfurnished: Commands) -> Commands:
    """On a configuration with an empty database, of each kind."""
    return unfurnished.furnish()
