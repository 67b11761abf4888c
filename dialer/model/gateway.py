"""A way out of the switch."""

from __future__ import annotations

import enum

from attrs import frozen


class GatewayStatus(enum.IntEnum):
    """Whether a gateway may be used."""

    INACTIVE = 0
    ACTIVE = 1


@frozen(kw_only=True)
class Gateway:
    """A way out of the switch. `dial_string` holds `{number}` where the number goes, after `removeprefix` was taken off
    and `addprefix` put before it. `parameters` are channel variables. `maximum_call` is the highest number of calls at the
    same time, `calls_per_second` how many may be started in one; None for no limit. `failover_id` is the gateway to take when
    this one cannot serve."""

    id: int
    name: str
    dial_string: str
    status: GatewayStatus = GatewayStatus.ACTIVE
    removeprefix: str = ""
    addprefix: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    maximum_call: int | None = None
    calls_per_second: int | None = None
    failover_id: int | None = None
