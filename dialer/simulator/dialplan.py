"""Where an answered call goes: the context `dialer` as it is shipped for FreeSWITCH, or steps that the call brings itself.

Read from `parse_exten` (mod_dialplan_xml.c), `inline_dialplan_hunt` (mod_dptools.c), `switch_core_standard_on_routing`
(switch_core_state_machine.c) and `switch_ivr_session_transfer` (switch_ivr.c).
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from functools import cache

from dialer.freeswitch.shipped import shipped
from dialer.simulator.channel import Action, CallTarget, Channel, Runner, Running
from dialer.simulator.dialstring import leading_int, separate

CONTEXT = "dialer"
MOST_TRANSFERS = 70
MOST_STEPS = 128
_LIMITS = ("max_session_transfers", "max_forwards")


@cache
def shipped_context() -> ET.Element:
    """The context."""
    whole = ET.fromstring(shipped().joinpath("dialplan", "dialer.xml").read_text(encoding="utf-8"))  # noqa: S314 (our own)
    (context,) = whole.iter("context")
    return context


def steps(channel: Channel) -> Sequence[Action]:
    """What runs on a channel whose route was set."""
    switch, route = channel.switch, channel.route
    for dialplan in separate(switch.expanded(route.dialplan, channel), ",", 25):
        name, _, argument = dialplan.partition(":")
        if name.lower() == "inline":
            return _inline(argument or route.destination)
    if route.context != CONTEXT:
        return [Action("park")]
    found = _xml(channel, route.destination) if switch.config.dialer_context else []
    return found or [Action("hangup", "NO_ROUTE_DESTINATION")]


def _inline(text: str) -> list[Action]:
    """`APPLICATION:ARGUMENT,...`, or `m:X:` and the same parted by X."""
    delimiter = ","
    if text.startswith("m:") and text[3:4] == ":":
        delimiter, text = text[2], text[4:]
    parted = [step.partition(":") for step in separate(text, delimiter, MOST_STEPS)]
    return [Action(application.lstrip(" "), argument) for application, _, argument in parted]


def _xml(channel: Channel, destination: str) -> list[Action]:
    """The actions of the extensions up to the first one of which all conditions hold; those of others are the anti-actions of
    the condition that does not."""
    found: list[Action] = []
    for extension in shipped_context().iter("extension"):
        matches = True
        for condition in extension.iter("condition"):
            holds = _holds(condition, channel, destination)
            found += [
                Action(one.get("application", ""), one.get("data", ""))
                for one in condition.iter("action" if holds else "anti-action")
            ]
            matches = holds or condition.get("break") == "never"
            if not matches:
                break
        if matches:
            break
    return found


def _holds(condition: ET.Element, channel: Channel, destination: str) -> bool:
    field = condition.get("field")
    if field is None:
        return True
    value = destination if field == "destination_number" else channel.switch.expanded(field, channel)
    return re.search(condition.get("expression", ""), value) is not None


def transfer(runner: Runner, running: Running) -> None:
    """DESTINATION [DIALPLAN [CONTEXT]]: begin anew there. The dialplan that the call has is kept, with its argument, unless it
    is just `inline`. The last of `MOST_TRANSFERS` ends the call; the first one was that of `originate`."""
    channel = runner.channel
    limit = next((name for name in _LIMITS if channel.variable(name)), _LIMITS[-1])
    left = leading_int(channel.variable(limit) or "", MOST_TRANSFERS) - 1
    if left <= 0:
        channel.switch.hang_up(channel, "EXCHANGE_ROUTING_ERROR")
        return
    channel.set_variable(limit, str(left))
    destination, dialplan, context = (*separate(running.action.argument, " ", 4), "", "", "")[:3]
    own = "" if channel.route.dialplan.lower() == "inline" else channel.route.dialplan
    channel.route = CallTarget(destination, dialplan or own or "XML", context or channel.route.context)
    channel.digits = ""
    channel.emit_state("CS_ROUTING")
    plan = steps(channel)
    channel.emit_state("CS_EXECUTE")
    runner.divert(plan)
    running.finish()
