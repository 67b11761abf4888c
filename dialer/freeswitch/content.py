"""The shipped files (`freeswitch_conf/`), with the values of a configuration in those to install; the list of modules."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Collection, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from xml.sax.saxutils import escape

from attrs import frozen

from dialer.errors import BadValue
from dialer.esl import quoting
from dialer.settings import Config, SwitchSettings

MARKER = "Installed by dialer freeswitch install, which replaces and removes it as long as nobody has changed it."
SESSION_LIMITS = "dialer/session_limits.xml"
EVENT_SOCKET = "autoload_configs/event_socket.conf.xml"
DIALPLAN = "dialplan/dialer.xml"
FILES = (
    DIALPLAN,
    EVENT_SOCKET,
    "autoload_configs/json_cdr.conf.xml",
    "sip_profiles/external/dialer_carrier.xml.example",
    SESSION_LIMITS,
)
"""The files to install, relative to FreeSWITCH's configuration folder."""

NEEDED = "needed"
WITH_SECRETS = frozenset({EVENT_SOCKET})
SESSIONS_PER_CALL = 2
"""The call, and the one to whom it may be put through."""
ROOM_FOR = 60
"""Seconds' worth of sessions that max-sessions has room for."""


@frozen(kw_only=True)
class ConfFile:
    """A file to install. `path` is relative to FreeSWITCH's configuration folder, with slashes; `secret`: it holds a
    password."""

    path: str
    text: str
    secret: bool = False


def shipped() -> Traversable:
    """The folder with the files as they are shipped: inside the installed package, or beside it in a checkout."""
    package = resources.files("dialer")
    inside = package / "freeswitch_conf"
    return inside if inside.is_dir() else Path(str(package)).parent / "freeswitch_conf"


def render(config: Config, name: str | None = None) -> list[ConfFile]:
    """The files for this configuration, of several switches for the one of that name. Raises `BadValue` for one that no
    FreeSWITCH can be set up for: it has a simulator, does not say where the dialer is, or has no switch of that name."""
    values = _values(config, name)
    return [ConfFile(path=path, text=_filled(path, values), secret=path in WITH_SECRETS) for path in FILES]


def session_limits(calls_per_second: float) -> tuple[int, int]:
    """Sessions per second and max sessions that FreeSWITCH needs for so many calls per second. Of N sessions per second it
    lets N-1 through (switch_core_session_request_uuid)."""
    per_second = SESSIONS_PER_CALL * math.ceil(calls_per_second) + 2
    return per_second, max(1000, ROOM_FOR * per_second)


def _filled(path: str, values: Mapping[str, str]) -> str:
    text = shipped().joinpath(*path.split("/")).read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", escape(value, {'"': "&quot;"}))
    return text


def chosen(config: Config, name: str | None = None) -> SwitchSettings:
    """The switch of that name; without one, the only one. Raises `BadValue`."""
    if not config.switch:
        raise BadValue("simulator", "stands in the place of a FreeSWITCH: write [[switch]] into the configuration instead")
    if name is None and len(config.switch) == 1:
        return config.switch[0]
    found = next((switch for switch in config.switch if switch.name == name), None)
    if found is None:
        names = ", ".join(switch.name for switch in config.switch)
        problem = "is needed to tell which one" if name is None else f"{name} is none of them"
        raise BadValue("--switch", f"{problem}: the configuration has {names or 'one without a name'}")
    return found


def _values(config: Config, name: str | None) -> dict[str, str]:
    switch = chosen(config, name)
    listen, allowed = _addresses(switch, config.outbound.advertise)
    per_second, most = session_limits(switch.calls_per_second)
    return {
        "MARKER": MARKER,
        "LISTEN_IP": listen,
        "LISTEN_PORT": str(switch.port),
        "INBOUND_ACL": allowed,
        "MAX_SESSIONS": str(most),
        "SESSIONS_PER_SECOND": str(per_second),
        # The last one: no value is looked into for the names of others.
        "PASSWORD": _password(switch.password),
    }


def _password(password: str) -> str:
    """One that the file and the `auth` command can carry."""
    quoting.argument("switch.password", password)
    if not password.isprintable() or password != password.strip():
        raise BadValue("switch.password", "may not hold control characters, nor begin or end with a space")
    return password


def _addresses(switch: SwitchSettings, advertise: str) -> tuple[str, str]:
    """Where the Event Socket has to listen, and the addresses that may connect to it."""
    if is_loopback(switch.host):
        return ("::1" if switch.host == "::1" else "127.0.0.1"), "loopback.auto"
    host = advertise.rpartition(":")[0].strip("[]")
    dialer = _ip(host)
    if dialer is None or dialer.is_loopback or dialer.is_unspecified:
        raise BadValue(
            "outbound.advertise",
            f"must name the dialer's IP address and port, because FreeSWITCH ({switch.host}) is another machine",
        )
    return (switch.host if _ip(switch.host) else "0.0.0.0"), f"{dialer}/{dialer.max_prefixlen}"  # noqa: S104


def is_loopback(host: str) -> bool:
    """Whether it names this very machine."""
    address = _ip(host)
    return host == "localhost" if address is None else address.is_loopback


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


@frozen
class Module:
    """`need` is `needed`, or what needs it: sip, conference, speak, cdr."""

    name: str
    need: str
    purpose: str


def known_modules() -> list[Module]:
    """The list."""
    lines = shipped().joinpath("modules.txt").read_text(encoding="utf-8").splitlines()
    return [Module(*line.split(None, 2)) for line in lines if line and not line.startswith("#")]


def missing_modules(loaded: Collection[str], needs: Collection[str]) -> list[Module]:
    """Those that are needed, in general or by one of `needs`, and not loaded."""
    return [module for module in known_modules() if module.need in (NEEDED, *needs) and module.name not in loaded]
