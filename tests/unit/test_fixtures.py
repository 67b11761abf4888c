"""The settings that every test has: an asynchronous fixture that fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.processes import ROOT

FAILS_ONCE = """
import pytest_twisted

failures = ["no"]

@pytest_twisted.async_yield_fixture
async def thing():
    if failures:
        raise ValueError(failures.pop())
    yield 1

def test_that_meets_the_failure(thing): ...

def test_after_it(thing): ...
"""


def test_an_asynchronous_fixture_that_fails_spoils_no_later_test(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_fixture_setup\n")
    (tmp_path / "test_it.py").write_text(FAILS_ONCE)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60
    )
    assert "1 passed, 1 error" in done.stdout, done.stdout
    assert "ValueError: no" in done.stdout
