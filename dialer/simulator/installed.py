"""How the simulated switch is set up, as its API tells it: modules, the XML of its configuration, SIP gateways.

The answers are those of FreeSWITCH 1.10.12.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from xml.sax.saxutils import quoteattr

from attrs import define

from dialer.simulator.config import SimulatorConfig
from dialer.simulator.dialplan import shipped_context

RULE = "=" * 97 + "\n"
NOTHING = "can't find anything\n"
SIP = "mod_sofia"
PROFILES = ("external", "internal")

_ELEMENTS = """  <gateway>
    <name>{name}</name>
    <profile>external</profile>
    <scheme>Digest</scheme>
    <realm>127.0.0.1</realm>
    <username>{name}</username>
    <password>yes</password>
    <from>&lt;sip:{name}@127.0.0.1:5090&gt;</from>
    <contact>&lt;sip:gw+{name}@127.0.0.1:5080;transport=udp;gw={name}&gt;</contact>
    <exten>{name}</exten>
    <to>sip:{name}@127.0.0.1:5090</to>
    <proxy>sip:127.0.0.1:5090</proxy>
    <context>public</context>
    <expires>3600</expires>
    <freq>3600</freq>
    <ping>0</ping>
    <pingfreq>15</pingfreq>
    <pingmin>1</pingmin>
    <pingcount>1</pingcount>
    <pingmax>1</pingmax>
    <pingtime>0.00</pingtime>
    <pinging>0</pinging>
    <state>NOREG</state>
    <status>{status}</status>
    <uptime-usec>0</uptime-usec>
    <calls-in>0</calls-in>
    <calls-out>0</calls-out>
    <failed-calls-in>0</failed-calls-in>
    <failed-calls-out>0</failed-calls-out>
  </gateway>
"""


@define
class Installed:
    """A switch that is set up like that."""

    config: SimulatorConfig

    def commands(self) -> Mapping[str, Callable[[str], str]]:
        """The API commands, by name."""
        told = {"module_exists": self.module_exists, "xml_locate": self.xml_locate}
        return told | {"sofia": self.sofia} if SIP in self.config.modules else told

    def module_exists(self, name: str) -> str:
        """NAME."""
        return ("true" if name in self.config.modules else "false") if name else "-ERR no reply\n"

    def xml_locate(self, text: str) -> str:
        """SECTION TAG ATTRIBUTE VALUE."""
        match text.split(" "):
            case ["dialplan", "context", "name", "dialer"] if self.config.dialer_context:
                return ET.tostring(shipped_context(), encoding="unicode", short_empty_elements=False)
            case ["configuration", "configuration", "name", "json_cdr.conf"] if self.config.json_cdr:
                return self._json_cdr()
            case [_] | [_, _, _, _]:
                return NOTHING
            case _:
                return "-ERR bad args\n"

    def _json_cdr(self) -> str:
        params = "".join(
            f"    <param name={quoteattr(name)} value={quoteattr(value)}></param>\n\n" for name, value in self.config.json_cdr
        )
        return f'<configuration name="json_cdr.conf">\n  <settings>\n{params}  </settings>\n\n</configuration>\n'

    def sofia(self, text: str) -> str:
        """status [gateway NAME | profile NAME], xmlstatus gateway."""
        words = text.split(" ")
        if words == ["xmlstatus", "gateway"]:
            return self._all_gateways()
        if words[:2] == ["status", "gateway"] and len(words) > 2:
            return self._gateway(words[2])
        if words[:2] == ["status", "profile"] and len(words) > 2:
            if words[2] not in PROFILES:
                return "Invalid Profile!\n"
            return f"{RULE}Name             \t{words[2]}\nURL              \tsip:mod_sofia@127.0.0.1:5080\n{RULE}"
        return (
            f"{'Name':>25}\t   Type\t{'Data':>42}\tState\n{RULE}"
            + "".join(f"{name:>25}\tprofile\t{'sip:mod_sofia@127.0.0.1:5080':>42}\tRUNNING (0)\n" for name in PROFILES)
            + f"{RULE}2 profiles 0 aliases\n"
        )

    def _all_gateways(self) -> str:
        """As FreeSWITCH 1.11.2 writes it."""
        names = sorted(self.config.gateways | self.config.gateways_down)
        listed = "".join(_ELEMENTS.format(name=name, status=self._status(name)) for name in names)
        return f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<gateways>\n{listed}</gateways>\n'

    def _status(self, name: str) -> str:
        return "DOWN" if name in self.config.gateways_down else "UP"

    def _gateway(self, name: str) -> str:
        if name in self.config.invalid_gateways:
            return "Invalid Gateway!\n"
        return (
            f"{RULE}Name    \t{name}\nProfile \texternal\nScheme  \tDigest\nRealm   \t127.0.0.1\nUsername\t{name}\n"
            "Password\tno\nProxy   \tsip:127.0.0.1:5090\nContext \tpublic\nPingFreq\t15\n"
            f"State   \tNOREG\nStatus  \t{self._status(name)}\n{RULE}"
        )
