"""Objects of the API v2: installation.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from typing import Literal, TypedDict


class NodeObject(TypedDict):
    """A dialling process."""

    id: int
    """its number, given by the database"""
    name: str
    """its name, unique"""
    epoch: int
    """grows each time that others take it for dead"""
    host: str
    """the host on which it runs"""
    pid: int
    """its process"""
    version: str
    """of the dialer"""
    switches: dict[str, str]
    """its switches, each with its FreeSWITCH process; empty for one that is away"""
    ready: bool
    """whether it is connected to any of them"""
    started_at: str
    """when it started"""
    seen_at: str
    """its last heartbeat"""
    lease_until: str
    """others leave its calls alone until then"""
    stopped_at: str | None
    """when it was stopped"""
    figures: dict[str, int]
    """what it put right, what waits"""
    state: Literal["dialling", "no_switch", "stopped", "dead"]
    is_alive: bool
    """others leave its calls alone"""
    leased: bool
    """its lease tells that; false where the lock of a database file does"""
    open_attempts: int


class SwitchObject(TypedDict):
    """A FreeSWITCH that dialers are, or were last, connected to."""

    name: str
    ready: bool
    """a dialer is connected to it"""
    core_uuid: str
    """its process, while it is ready"""
    nodes: list[str]
    """the names of these dialers"""
    open_attempts: int
    """of these dialers"""
    drained_at: str | None
    """since when no dialer begins calls on it, because somebody said so; null when they do"""
    drained_by: str | None
    """who said so"""
