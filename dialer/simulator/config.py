"""How a simulated switch is set up."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable

from attrs import Factory, frozen

from dialer.simulator.callees import NumberPlan

STOCK = "ClueCon"  # the password that FreeSWITCH ships with
MODULES = frozenset(
    {
        "mod_commands",
        "mod_conference",
        "mod_dialplan_xml",
        "mod_dptools",
        "mod_expr",
        "mod_event_socket",
        "mod_flite",
        "mod_hash",
        "mod_loopback",
        "mod_native_file",
        "mod_sndfile",
        "mod_sofia",
        "mod_tone_stream",
    }
)


@frozen(kw_only=True)
class SimulatorConfig:
    """`sps` and `max_sessions` are a stock FreeSWITCH's limits (0: none); `time_scale` stretches the callees' times;
    `outbound_socket` is what `${dialer_socket}` stands for when a call does not set it; `invalid_gateways` do not exist,
    `gateways_down` do not answer, and they are listed with `gateways`; calls go through any other one, too.
    `poll` is how long events wait to be sent (0.02 s in FreeSWITCH, 0 is at once); `list_lag`, how long a channel is listed
    that is no more (up to 0.2 s in FreeSWITCH); `orphan_window` are the seconds after the
    `connect` reply in which a listener that closes leaves its call parked for ever (about 0.005 s in FreeSWITCH).
    `clock_offset` moves the switch's clock; `log_path` is the oracle's file, "" for none. `modules` are loaded; without
    `dialer_context`, the dialplan context that is shipped for FreeSWITCH is missing; `json_cdr` are the parameters of
    json_cdr.conf.xml, none when there is no such file."""

    password: str = STOCK
    plan: NumberPlan = Factory(NumberPlan)
    sps: int = 30
    max_sessions: int = 1000
    time_scale: float = 1.0
    default_playback: float = 3.0  # seconds a sound file lasts that does not tell its length
    outbound_socket: str = ""
    invalid_gateways: frozenset[str] = frozenset({"nope"})
    gateways: frozenset[str] = frozenset()
    gateways_down: frozenset[str] = frozenset()
    modules: frozenset[str] = MODULES
    dialer_context: bool = True
    json_cdr: tuple[tuple[str, str], ...] = ()
    heartbeat: float = 20.0
    poll: float = 0.0
    list_lag: float = 0.0
    orphan_window: float = 0.0
    clock_offset: float = 0.0
    version: str = "1.11.2-release"
    log_path: str = ""


def uuid_factory(rng: random.Random) -> Callable[[], str]:
    """Random UUIDs (version 4) from a seeded generator."""
    return lambda: str(uuid.UUID(int=rng.getrandbits(128), version=4))
