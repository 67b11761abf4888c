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
        """status [gateway NAME | profile NAME]."""
        words = text.split(" ")
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

    def _gateway(self, name: str) -> str:
        if name in self.config.invalid_gateways:
            return "Invalid Gateway!\n"
        status = "DOWN" if name in self.config.gateways_down else "UP"
        return (
            f"{RULE}Name    \t{name}\nProfile \texternal\nScheme  \tDigest\nRealm   \t127.0.0.1\nUsername\t{name}\n"
            "Password\tno\nProxy   \tsip:127.0.0.1:5090\nContext \tpublic\nPingFreq\t15\n"
            f"State   \tNOREG\nStatus  \t{status}\n{RULE}"
        )
