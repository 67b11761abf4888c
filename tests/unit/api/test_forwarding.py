"""The address of a client behind proxies: of what they say, only what those say that are known."""

from __future__ import annotations

import ipaddress

import pytest

from api.forwarding import client_of

KNOWN = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.1", "198.51.100.1", "203.0.113.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "203.0.113.1", "203.0.113.1"),
        ("::ffff:10.0.0.1", "203.0.113.1", "203.0.113.1"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.1", "203.0.113.1"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.1, 10.0.0.2", "203.0.113.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("local", None, "local"),
        ("local", "198.51.100.1, 203.0.113.1", "203.0.113.1"),
        ("local", "203.0.113.1, 10.0.0.2", "203.0.113.1"),
    ],
)
def test_the_last_address_that_is_no_proxys_is_the_clients(peer: str, forwarded: str | None, client: str) -> None:
    assert client_of(peer, forwarded, KNOWN) == client


def test_without_proxies_nothing_that_is_said_counts() -> None:
    assert client_of("10.0.0.1", "203.0.113.1", ()) == "10.0.0.1"
    assert client_of("local", "203.0.113.1, 10.0.0.2", ()) == "10.0.0.2"
