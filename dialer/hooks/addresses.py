"""To which addresses the dialer may connect for its users, who choose the receivers: to public ones, and to the networks that
the configuration allows."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from attrs import frozen

from dialer.errors import BadValue
from dialer.settings import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NEVER: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4",
            "::/96", "64:ff9b:1::/48", "100::/64", "fec0::/10",
        ),
    )
)  # fmt: skip
"""What Python's `is_global` does not tell, or not in every version: this network, carrier-grade NAT, protocol assignments,
6to4 relays, benchmarking, reserved; and of IPv6 the compatible addresses, local NAT64, discard, site-local."""

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


def inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for (mapped, NAT64, 6to4, Teredo), or itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.sixtofour is not None:
        return address.sixtofour
    return address.teredo[1] if address.teredo is not None else address


def is_public(address: Address) -> bool:
    """Whether everybody may reach it, and nobody else is meant by it."""
    found = inner(address)
    if any(found.version == network.version and found in network for network in _NEVER):
        return False
    return found.is_global and not found.is_multicast and not found.is_reserved


@frozen
class AddressRules:
    """The networks that are allowed beside the public addresses, and whether http is spoken with public ones."""

    allow: Sequence[Network] = ()
    http: bool = False

    def is_allowed(self, address: Address) -> bool:
        """Whether it is in a network that the configuration names."""
        found = inner(address)
        return any(found.version == network.version and found in network for network in self.allow)

    def refusal(self, host: str, *, secure: bool) -> str:
        """Why the dialer does not connect to this address, a literal; "" when it does."""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return f"{host} is no address"
        if self.is_allowed(address):
            return ""
        if not is_public(address):
            return f"{host} is no public address, and in no network of webhooks.allow"
        return "" if secure or self.http else f"http is spoken with networks of webhooks.allow only, and {host} is in none"

    def check_url(self, url: str, field: str = "url") -> None:
        """Refuse what cannot be connected to, as far as the URL tells it. Raises `BadValue`."""
        parts = urlsplit(url)
        host, secure = parts.hostname or "", parts.scheme == "https"
        if not secure and not self.http and not self.allow:
            raise BadValue(field, "expected https://; http:// needs webhooks.http or webhooks.allow in the configuration")
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return
        if reason := self.refusal(host, secure=secure):
            raise BadValue(field, reason)
