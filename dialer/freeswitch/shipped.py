"""Where the files for FreeSWITCH are that are shipped with the dialer."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path


def shipped() -> Traversable:
    """The folder with the files as they are shipped: inside the installed package, or beside it in a checkout."""
    package = resources.files("dialer")
    inside = package / "freeswitch_conf"
    return inside if inside.is_dir() else Path(str(package)).parent / "freeswitch_conf"
