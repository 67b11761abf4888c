"""Who asks where a proxy stands between: by `X-Forwarded-For`, to which each proxy adds the address that it was asked from.
What stands before that, anybody may have written: of the list, only what a proxy that is known has added counts."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from api.connections import LOCAL
from dialer.settings import Network


def client_of(peer: str, forwarded: str | None, proxies: Sequence[Network]) -> str:
    """The address of the client: of the connection, whose other end is `peer`, or the last one of the header that is none of
    the `proxies`. Whoever may open a Unix socket (`peer` is "local") is a proxy."""
    found = peer
    for text in reversed((forwarded or "").split(",")):
        if found != LOCAL and not _is_one(found, proxies):
            break
        try:
            found = str(ipaddress.ip_address(text.strip()))
        except ValueError:
            break
    return found


def _is_one(address: str, proxies: Sequence[Network]) -> bool:
    if not proxies:
        return False
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found.version == network.version and found in network for network in proxies)
