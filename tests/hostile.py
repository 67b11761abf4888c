"""Somebody else on the machine: his folder, and a file that he must not reach."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

ROOT = os.geteuid() == 0
OTHER = 65_533
"""A user who is neither root nor this one."""

as_root = pytest.mark.skipif(not ROOT, reason="only root can give files to others, and works in their folders")

_CONTENT = "root:secret\n"


def folder_of_another(path: Path) -> Path:
    """A new folder; where root tests, it is somebody else's."""
    path.mkdir()
    if ROOT:
        os.chown(path, OTHER, OTHER)
    return path


def secret_of_ours(tmp_path: Path) -> Path:
    """Of no use for anybody else."""
    path = tmp_path / "elsewhere" / "shadow"
    path.parent.mkdir()
    path.write_text(_CONTENT)
    path.chmod(0o600)
    return path


def untouched(secret: Path) -> bool:
    """Whether it stands alone, as it was made."""
    status = secret.stat()
    alone = [path.name for path in secret.parent.iterdir()] == [secret.name]
    kept = (stat.S_IMODE(status.st_mode), status.st_uid) == (0o600, os.geteuid())
    return alone and kept and secret.read_text() == _CONTENT
