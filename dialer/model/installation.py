"""An installation: its name, its nodes, the numbers that it never calls."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from attrs import Factory, frozen

from dialer.declare import key, noun, setting, stamp
from dialer.kinds import Kind


@frozen
class Figures(Kind):
    """Numbers by their names, as a JSON object."""

    takes = "a JSON object of whole numbers"

    def parse(self, value: Any) -> Mapping[str, int]:
        """From the object, or its text."""
        found = orjson.loads(value) if isinstance(value, str) else value
        return {str(name): int(figure) for name, figure in found.items()}

    def stored(self, value: Mapping[str, int]) -> str:
        """Its text."""
        return orjson.dumps(dict(value)).decode()

    def schema(self) -> dict[str, Any]:
        """An object."""
        return {"type": "object", "additionalProperties": {"type": "integer"}}


@frozen
class Processes(Kind):
    """Texts by their names, as a JSON object."""

    takes = "a JSON object of texts"

    def parse(self, value: Any) -> Mapping[str, str]:
        """From the object, or its text."""
        found = orjson.loads(value) if isinstance(value, str) else value
        return {str(name): str(text) for name, text in found.items()}

    def stored(self, value: Mapping[str, str]) -> str:
        """Its text."""
        return orjson.dumps(dict(value)).decode()

    def schema(self) -> dict[str, Any]:
        """An object."""
        return {"type": "object", "additionalProperties": {"type": "string"}}


@frozen(kw_only=True)
class OwnSwitch:
    """A switch of this process, and whether it is given no more calls by the configuration (`drains`)."""

    name: str
    drains: bool = False


@noun("installation")
@frozen(kw_only=True)
class Installation:
    """One database, however many nodes: channels carry its id."""

    id: int = key()
    region: str = setting("", doc="the region of national numbers, for which the identities are made")
    rule_book: str = setting("", doc="the fingerprint of the calling rules that the last dialer had")
    installation_id: str = setting(longest=16, shortest=16, doc="generated with the schema")


@noun("node")
@frozen(kw_only=True)
class NodeRecord:
    """A dialling process. `session` and `commits` are how a server tells whether a transaction of it was committed."""

    id: int = key()
    name: str = setting(shortest=1, longest=64, doc="its name, unique")
    epoch: int = setting(doc="grows each time that others take it for dead")
    host: str = setting(doc="the host on which it runs")
    pid: int = setting(doc="its process")
    version: str = setting(doc="of the dialer")
    switches: Mapping[str, str] = setting(
        Factory(dict), kind=Processes(), doc="its switches, each with its FreeSWITCH process; empty for one that is away"
    )
    ready: bool = setting(doc="whether it is connected to any of them")
    started_at: datetime = setting(doc="when it started")
    seen_at: datetime = setting(doc="its last heartbeat")
    lease_until: datetime = setting(doc="others leave its calls alone until then")
    stopped_at: datetime | None = setting(None, doc="when it was stopped")
    session: int | None = setting(None, doc="its session on the server")
    commits: int = setting(0, doc="transactions of this session")
    figures: Mapping[str, int] = setting(Factory(dict), kind=Figures(), doc="what it put right, what waits")


@noun("switch drain")
@frozen(kw_only=True)
class SwitchDrain:
    """A switch on which no dialer begins calls until somebody takes it back; those that it has go on. It names the switch as
    nodes do."""

    id: int = key()
    switch: str = setting(shortest=1, longest=255, doc="its name")
    drained_by: str = setting(doc="who has drained it")
    drained_at: datetime = stamp("since when it is drained")

    @property
    def text(self) -> str:
        """A sentence about it."""
        return f"switch {self.switch} is drained by {self.drained_by} since {self.drained_at:%Y-%m-%d %H:%M:%S} UTC"
