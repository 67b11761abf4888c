"""The dialplan context in which answered calls run, as the switch has it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from dialer.doctor.findings import Finding, failure, ok, warning

CHECK = "dialplan"
CONTEXT = "dialer"
EXTENSION = "dialer"
_INSTALL = "dialer freeswitch install, then reloadxml"


def judge_context(located: str, outbound: str) -> Finding:
    """`located` is the answer to `xml_locate dialplan context name dialer`; `outbound` is where this dialer listens."""
    try:
        context = ET.fromstring(located)  # noqa: S314 (the switch has read it already)
    except ET.ParseError:
        return failure(CHECK, f"the switch has no context {CONTEXT}: answered calls would be lost", _INSTALL)
    actions = list(_actions(context))
    sockets = [data for name, data in actions if name == "socket"]
    if not sockets:
        return failure(CHECK, f"the context {CONTEXT} does not hand its calls to the dialer (socket)", _INSTALL)
    for data in sockets:
        address, *flags = data.split() or [""]
        if address not in ("${dialer_socket}", outbound):
            return failure(
                CHECK, f"the context {CONTEXT} hands its calls to {address}, not to this dialer ({outbound})", _INSTALL
            )
        if not {"async", "full"} <= set(flags):
            return failure(CHECK, f"the context {CONTEXT} must say 'async full' to its socket application", _INSTALL)
    if len(sockets) < 2:
        return warning(CHECK, f"the context {CONTEXT} gives a call back to no restarted dialer (one socket only)", _INSTALL)
    if not any(name == "sched_hangup" for name, _ in actions):
        return warning(CHECK, f"the context {CONTEXT} is not the shipped one: it has no time limit of its own", _INSTALL)
    return ok(CHECK, f"the context {CONTEXT} hands its calls to the dialer that placed them")


def _actions(context: ET.Element) -> Iterator[tuple[str, str]]:
    """The applications of the first extension that takes the calls."""
    for extension in context.iter("extension"):
        if all(_matches(condition) for condition in extension.iter("condition")):
            for action in extension.iter("action"):
                yield action.get("application", ""), action.get("data", "")
            return


def _matches(condition: ET.Element) -> bool:
    """Only where a call goes can be judged here; other conditions may hold."""
    if condition.get("field") != "destination_number":
        return True
    try:
        return re.search(condition.get("expression", ""), EXTENSION) is not None
    except re.error:
        return False
