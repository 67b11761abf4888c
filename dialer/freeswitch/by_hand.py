"""The steps that are left to an administrator after an installation, told from the files that are in the folder already."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping

from dialer.freeswitch.content import EVENT_SOCKET, SESSION_LIMITS, is_loopback, missing_modules, session_limits
from dialer.settings import SwitchSettings

MODULES = "autoload_configs/modules.conf.xml"
SWITCH = "autoload_configs/switch.conf.xml"
READ = (MODULES, SWITCH, EVENT_SOCKET)
"""The files that are looked into."""
INCLUDE_LIMITS = f'<X-PRE-PROCESS cmd="include" data="$${{conf_dir}}/{SESSION_LIMITS}"/>'
EVERYWHERE = ("::", "0.0.0.0")  # noqa: S104


def remains(present: Mapping[str, bytes | None], switch: SwitchSettings) -> list[str]:
    """The steps without which it does not work, a sentence each. `present` holds the files of `READ`."""
    return [
        *_event_socket(present.get(EVENT_SOCKET), switch),
        *_modules(present.get(MODULES)),
        *_limits(present.get(SWITCH), switch, math.ceil(switch.calls_per_second) + 1, "calls per second"),
    ]


def hints(present: Mapping[str, bytes | None], switch: SwitchSettings) -> list[str]:
    """The steps that make it safer or faster, a sentence each, beside those of `remains`."""
    found = list(_open_to_all(present.get(EVENT_SOCKET)))
    limits = present.get(SWITCH)
    if not any(SWITCH in sentence for sentence in remains(present, switch)):
        needed, _ = session_limits(switch.calls_per_second)
        found += _limits(limits, switch, needed, "calls per second that may be put through")
    return found


def parameters(data: bytes | None) -> dict[str, str] | None:
    """The `param`s of a configuration file, the last one of a name counts; None when it cannot be read as XML."""
    pairs = read_parameters(data)
    return None if pairs is None else dict(pairs)


def read_parameters(data: bytes | None) -> list[tuple[str, str]] | None:
    """All of them, in order."""
    root = _parsed(data)
    return None if root is None else [(one.get("name", ""), one.get("value", "")) for one in root.iter("param")]


def _event_socket(data: bytes | None, switch: SwitchSettings) -> Iterator[str]:
    if data is None:
        return
    found = parameters(data)
    if found is None:
        yield f"{EVENT_SOCKET} cannot be read as XML: look at it, or let it be replaced (--replace)"
        return
    wrong = []
    if found.get("password") != switch.password:
        wrong.append("password is not that of dialer.toml (switch.password)")
    if found.get("listen-port", "8021") != str(switch.port):
        wrong.append(f"listen-port is {found.get('listen-port')}, and switch.port {switch.port}")
    listens = found.get("listen-ip", "127.0.0.1")
    if not is_loopback(switch.host) and is_loopback(listens):
        wrong.append(f"listen-ip is {listens}, and the dialer connects to {switch.host}")
    if "$${" in "".join(found.values()):
        wrong.append("it uses variables, which are not looked into here")
    if wrong:
        yield f"{EVENT_SOCKET}: {'; '.join(wrong)}. Change the one or the other, or let the file be replaced (--replace)"


def _open_to_all(data: bytes | None) -> Iterator[str]:
    found = parameters(data) or {}
    listens = found.get("listen-ip", "127.0.0.1")
    if listens in EVERYWHERE and not found.get("apply-inbound-acl"):
        yield f"{EVENT_SOCKET} listens on all addresses ({listens}); --replace closes that"


def _modules(data: bytes | None) -> Iterator[str]:
    root = _parsed(data)
    if root is None:
        yield f"{MODULES} cannot be read: see that it loads the modules of freeswitch_conf/modules.txt"
        return
    loaded = {one.get("module", "") for one in root.iter("load")}
    for module in missing_modules(loaded, ("sip",)):
        yield f'{MODULES}: add <load module="{module.name}"/> ({module.purpose})'


def _limits(data: bytes | None, switch: SwitchSettings, needed: int, calls: str) -> Iterator[str]:
    if data is not None and SESSION_LIMITS.encode() in data:
        return
    found = (parameters(data) or {}).get("sessions-per-second", "30")
    if found.isdigit() and int(found) < needed:
        yield (
            f"{SWITCH}: sessions-per-second is {found}; {switch.calls_per_second:g} {calls} "
            f"need {needed}. Write {INCLUDE_LIMITS} as the last line of its <settings>"
        )


def _parsed(data: bytes | None) -> ET.Element | None:
    """The document in a file: without lines for the preprocessor and `<include>`; None when there is none."""
    if data is None:
        return None
    lines = data.decode("utf-8", "replace").splitlines()
    skipped = ("<include>", "</include>", "<?")
    text = "\n".join(line for line in lines if not any(mark in line for mark in skipped))
    try:
        return ET.fromstring(f"<include>{text}</include>")  # noqa: S314 (the administrator's own files)
    except ET.ParseError:
        return None
