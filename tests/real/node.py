"""A dialer for a real FreeSWITCH."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.harness.network import LOCAL
from tests.harness.node import Node
from tests.processes import lasting_port
from tests.real.switch import RealSwitch

LEASE = 3.0
"""Seconds for which the others of several dialers wait for one of which nothing is heard."""


def node_for(
    switch: RealSwitch,
    name: str,
    parent: Path,
    url: str,
    port: int,
    records: Mapping[str, object] | None = None,
    outbound: Mapping[str, object] | None = None,
    gateway_interval: float = 5.0,
) -> Node:
    """A dialer with the database at `url`, which is not started. The Event Socket is reached on this machine's `port`;
    `records` are the settings for FreeSWITCH's call detail records, `outbound` those of the port for sessions beside its
    address; FreeSWITCH is asked for its gateways every `gateway_interval` seconds."""
    sections = {
        "database": {"url": url},
        "node": {"name": name, "lease": LEASE},
        "switch": {"name": "real", "port": port, "password": switch.password, "gateway_interval": gateway_interval},
        "http": {"endpoint": f"tcp:0:interface={LOCAL}"},
        "outbound": {"endpoint": f"tcp:{lasting_port()}:interface={LOCAL}", **(outbound or {})},
        **({"cdr": records} if records else {}),
    }
    return Node.create(name, parent, sections)
