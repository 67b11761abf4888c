"""Switches that are drained: no dialer begins calls on them, whoever was told so, until they are taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from dialer.model import SwitchDrain
from dialer.store.connection import Connection
from dialer.store.times import to_column
from dialer.stored import reader

_READ: Final = reader(SwitchDrain, "d")
_ALL: Final = f"SELECT {_READ.columns} FROM switch_drain d"  # noqa: S608
_ADD: Final = "INSERT INTO switch_drain (switch, drained_by, drained_at) VALUES (?, ?, ?) ON CONFLICT (switch) DO NOTHING"
_REMOVE: Final = "DELETE FROM switch_drain WHERE switch = ?"


def drains(connection: Connection) -> dict[str, SwitchDrain]:
    """All of them, by the names of the switches."""
    return {each.switch: each for each in map(_READ, connection.execute(_ALL).fetchall())}


def add(connection: Connection, switch: str, by: str, now: datetime) -> None:
    """A switch is drained from now on; one that is already stays as it is."""
    connection.execute(_ADD, (switch, by, to_column(now)))


def remove(connection: Connection, switch: str) -> None:
    """It is drained no more."""
    connection.execute(_REMOVE, (switch,))
