"""The answers of the switch, judged: its dialplan, its SIP gateways, its limits against those of the dialer."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Collection, Iterator, Sequence

from attrs import frozen

from dialer.doctor.diagnosis import Diagnosis, failure, ok, warning
from dialer.freeswitch.content import session_limits
from dialer.model import Campaign, Gateway

DIALPLAN = "dialplan"
CONTEXT = "dialer"
EXTENSION = "dialer"
_INSTALL = "dialer freeswitch install, then reloadxml; or do without a dialplan: inline = true in [outbound]"
GATEWAYS = "gateways"
_GATEWAY = re.compile(r"sofia/gateway/([^/]+)/")
_PROFILE = re.compile(r"sofia/([^/]+)/")
_FIELD = re.compile(r"^(\w+)\s+(\S+)\s*$", re.MULTILINE)
_REGISTERED = frozenset({"NOREG", "REGED"})
SESSIONS = "sessions"
PACE = "pace"
_NUMBER = re.compile(r": (\d+)\s*$")


def judge_context(located: str, outbound: str) -> Diagnosis:
    """`located` is the answer to `xml_locate dialplan context name dialer`; `outbound` is where this dialer listens."""
    try:
        context = ET.fromstring(located)  # noqa: S314 (the switch has read it already)
    except ET.ParseError:
        return failure(DIALPLAN, f"the switch has no context {CONTEXT}: answered calls would be lost", _INSTALL)
    actions = list(_actions(context))
    sockets = [data for name, data in actions if name == "socket"]
    if not sockets:
        return failure(DIALPLAN, f"the context {CONTEXT} does not hand its calls to the dialer (socket)", _INSTALL)
    for data in sockets:
        address, *flags = data.split() or [""]
        if address not in ("${dialer_socket}", outbound):
            return failure(
                DIALPLAN, f"the context {CONTEXT} hands its calls to {address}, not to this dialer ({outbound})", _INSTALL
            )
        if not {"async", "full"} <= set(flags):
            return failure(DIALPLAN, f"the context {CONTEXT} must say 'async full' to its socket application", _INSTALL)
    if len(sockets) < 2:
        return warning(DIALPLAN, f"the context {CONTEXT} gives a call back to no restarted dialer (one socket only)", _INSTALL)
    if not any(name == "sched_hangup" for name, _ in actions):
        return warning(DIALPLAN, f"the context {CONTEXT} is not the shipped one: it has no time limit of its own", _INSTALL)
    return ok(DIALPLAN, f"the context {CONTEXT} hands its calls to the dialer that placed them")


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


@frozen
class SipRoute:
    """The SIP gateway or profile that a dial string goes through; `kind` is gateway or profile, as `sofia status` calls it."""

    kind: str
    name: str

    @property
    def question(self) -> str:
        """The argument of `sofia`."""
        return f"status {self.kind} {self.name}"


def route_of(dial_string: str) -> SipRoute | None:
    """None when it is none of SIP's."""
    if found := _GATEWAY.match(dial_string):
        return SipRoute("gateway", found[1])
    if found := _PROFILE.match(dial_string):
        return SipRoute("profile", found[1])
    return None


def judge_route(ours: str, route: SipRoute, status: str) -> Diagnosis:
    """`status` is the switch's answer; `ours` the gateway's name in the dialer."""
    said = f"{ours}: SIP {route.kind} {route.name}"
    if status.startswith("-ERR"):
        return failure(GATEWAYS, f"{said}: the switch cannot tell ({status.strip()})", "load mod_sofia")
    if status.startswith("Invalid"):
        return failure(
            GATEWAYS,
            f"{said} does not exist on the switch",
            f"define it in sip_profiles, then sofia profile external rescan; or dialer gateway set {ours} --dial-string ...",
        )
    if route.kind == "profile":
        return ok(GATEWAYS, f"{said} runs")
    fields = dict(_FIELD.findall(status))
    state, up = fields.get("State", "?"), fields.get("Status", "?")
    if up != "UP":
        return failure(
            GATEWAYS, f"{said} is {up} ({state})", "it does not answer the switch's pings, or its registration fails"
        )
    if state not in _REGISTERED:
        return warning(GATEWAYS, f"{said} is {up}, but not registered ({state})", "look at its user name, password and realm")
    if fields.get("PingFreq", "0") == "0":
        return warning(GATEWAYS, f"{said} is {up}, which nobody has tried", 'have it pinged: <param name="ping" value="15"/>')
    return ok(GATEWAYS, f"{said} is {up} ({state})")


def judge_names(wanted: Collection[str], known: Collection[str]) -> Iterator[Diagnosis]:
    """The names of gateways that a switch is said to have, against those that there are."""
    there = ", ".join(sorted(known)) or "none"
    for name in sorted(set(wanted).difference(known)):
        text = f"switch.gateways names {name}, and there is no gateway of that name (there are: {there})"
        yield failure(GATEWAYS, text, f"dialer gateway add {name}, or correct the name")


_EXAMPLE = re.compile(r"sofia/[^/]+/\{number\}@localhost")


def judge_example(gateway: Gateway) -> Diagnosis | None:
    """A warning about the gateway that `dialer init` makes when none is named: nobody has said where calls go."""
    if not _EXAMPLE.fullmatch(gateway.address):
        return None
    return warning(
        GATEWAYS,
        f"{gateway.name}: {gateway.address} is the example of dialer init, which leads to no carrier",
        f"dialer gateway set {gateway.name} --dial-string sofia/gateway/CARRIER/{{number}}",
    )


def limit_in(reply: str) -> int | None:
    """The number in an answer of `fsctl sps` or `fsctl max_sessions`; None when there is none."""
    found = _NUMBER.search(reply)
    return int(found[1]) if found else None


def judge_sessions(
    per_second: int | None, most: int | None, calls_per_second: float, campaigns: Sequence[Campaign]
) -> Diagnosis:
    """`per_second` and `most` are the switch's sessions-per-second and max-sessions, of which the first lets one less
    through. A call that rings until its timeout is a session all that time."""
    if per_second is None or most is None:
        return failure(SESSIONS, "the switch does not tell its limits", "load mod_commands")
    said = f"{per_second} sessions per second, {most} at the same time; at most {calls_per_second:g} calls per second"
    needed, _ = session_limits(calls_per_second)
    if per_second - 1 < calls_per_second:
        return failure(
            SESSIONS,
            f"{said}: the switch refuses what is beyond {per_second - 1}",
            f"fsctl sps {needed}, and sessions-per-second in switch.conf.xml; or lower switch.calls_per_second",
        )
    ringing = math.ceil(sum(_calls_at_once(campaign) for campaign in campaigns))
    if most < ringing:
        return warning(
            SESSIONS,
            f"{said}: when nobody answers, the started campaigns have {ringing} calls at the same time",
            f"fsctl max_sessions {2 * ringing}, and max-sessions in switch.conf.xml",
        )
    return ok(SESSIONS, said)


def judge_pace(calls_per_second: float, campaigns: Sequence[Campaign]) -> Diagnosis:
    """The started campaigns' frequencies, which are calls per minute, against the cap."""
    wanted = sum(campaign.frequency for campaign in campaigns) / 60
    said = f"{len(campaigns)} started campaigns want {wanted:.3g} calls per second of {calls_per_second:g}"
    if wanted > calls_per_second:
        return warning(PACE, said, "they will be slower than they say: raise switch.calls_per_second, or lower a frequency")
    return ok(PACE, said)


def _calls_at_once(campaign: Campaign) -> float:
    calls = campaign.frequency / 60 * campaign.call_timeout
    return calls if campaign.max_concurrent is None else min(calls, campaign.max_concurrent)
