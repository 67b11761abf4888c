"""Networks in the configuration."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable

from dialer.errors import BadValue

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(setting: str) -> Callable[[Iterable[str | Network]], tuple[Network, ...]]:
    """Reads the networks of that setting, which the `BadValue` names that is raised for what is none."""

    def read(texts: Iterable[str | Network]) -> tuple[Network, ...]:
        try:
            return tuple(ipaddress.ip_network(text) for text in texts)
        except ValueError as error:
            raise BadValue(setting, f"{error}; expected networks such as 10.20.0.0/16") from None

    return read
