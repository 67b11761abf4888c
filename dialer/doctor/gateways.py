"""The gateways that campaigns dial through, as the switch sees them."""

from __future__ import annotations

import re

from attrs import frozen

from dialer.doctor.findings import Finding, failure, ok, warning

CHECK = "gateways"
_GATEWAY = re.compile(r"sofia/gateway/([^/]+)/")
_PROFILE = re.compile(r"sofia/([^/]+)/")
_FIELD = re.compile(r"^(\w+)\s+(\S+)\s*$", re.MULTILINE)
_REGISTERED = frozenset({"NOREG", "REGED"})


@frozen
class Route:
    """What a dial string goes through: `kind` is gateway or profile, as `sofia status` calls it."""

    kind: str
    name: str

    @property
    def question(self) -> str:
        """What to ask `sofia`."""
        return f"status {self.kind} {self.name}"


def route_of(dial_string: str) -> Route | None:
    """None when it is none of SIP's."""
    if found := _GATEWAY.match(dial_string):
        return Route("gateway", found[1])
    if found := _PROFILE.match(dial_string):
        return Route("profile", found[1])
    return None


def judge_route(ours: str, route: Route, status: str) -> Finding:
    """`status` is the switch's answer; `ours` the gateway's name in the dialer."""
    said = f"{ours}: SIP {route.kind} {route.name}"
    if status.startswith("-ERR"):
        return failure(CHECK, f"{said}: the switch cannot tell ({status.strip()})", "load mod_sofia")
    if status.startswith("Invalid"):
        return failure(
            CHECK,
            f"{said} does not exist on the switch",
            f"define it in sip_profiles, then sofia profile external rescan; or dialer gateway set {ours} --dial-string ...",
        )
    if route.kind == "profile":
        return ok(CHECK, f"{said} runs")
    fields = dict(_FIELD.findall(status))
    state, up = fields.get("State", "?"), fields.get("Status", "?")
    if up != "UP":
        return failure(CHECK, f"{said} is {up} ({state})", "it does not answer the switch's pings, or its registration fails")
    if state not in _REGISTERED:
        return warning(CHECK, f"{said} is {up}, but not registered ({state})", "look at its user name, password and realm")
    if fields.get("PingFreq", "0") == "0":
        return warning(CHECK, f"{said} is {up}, which nobody has tried", 'have it pinged: <param name="ping" value="15"/>')
    return ok(CHECK, f"{said} is {up} ({state})")
