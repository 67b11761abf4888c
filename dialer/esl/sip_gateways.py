"""The states of a switch's SIP gateways, as `sofia xmlstatus gateway` tells them: all with one command.

Its names are not escaped (xml_gateway_status of mod_sofia.c), so it is no XML to be relied on: it is read by its lines, each
of which has one element.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from dialer.esl.commands import Command, api
from dialer.esl.connection import CommandReply
from dialer.model.sip_gateway import SipGateway

CHANGED: Final = "sofia::gateway_state"
"""The subclass of the CUSTOM event that a gateway's registration, or the answer to its pings, is another one."""

_LIST: Final = "<gateways>"
_GATEWAY = re.compile(r"^  <gateway>$(.*?)^  </gateway>$", re.MULTILINE | re.DOTALL)
_ELEMENT = re.compile(r"^    <(name|profile|state|status)>(.*)</\1>$", re.MULTILINE)


def ask() -> Command:
    """For the states of all."""
    return api("sofia", "xmlstatus gateway")


def read(reply: CommandReply) -> Sequence[SipGateway] | None:
    """All that it has; None when it cannot tell, for want of mod_sofia."""
    if _LIST not in reply.text:
        return None
    found = []
    for part in _GATEWAY.findall(reply.text):
        told = dict(_ELEMENT.findall(part))
        if told.keys() == {"name", "profile", "state", "status"}:
            found.append(SipGateway(**told))
    return found
