"""Where the dialer connects to for its users: nowhere that only it can reach, unless the configuration says so."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from dialer.errors import BadValue
from dialer.hooks.addresses import AddressRules
from dialer.model.webhook import parse_url

PUBLIC = ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "64:ff9b::808:808"]
REFUSED = [
    "127.0.0.1", "127.8.9.10", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1",
    "2002:7f00:1::", "2002:a00:1::1", "fe80::1", "fec0::1", "fc00::1", "fd12::1", "ff02::1", "100::1", "2001:db8::1",
    "2001:0:0:0:0:0:80ff:fffe", "fe80::1%lo", "nonsense",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_connected_to(address: str) -> None:
    assert AddressRules().refusal(address, secure=True) == ""


@pytest.mark.parametrize("address", REFUSED)
def test_others_are_refused(address: str) -> None:
    assert address in AddressRules().refusal(address, secure=True)


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1"])
def test_networks_of_the_configuration_are_allowed_with_http_too(address: str) -> None:
    rules = AddressRules((ip_network("127.0.0.0/8"),))
    assert rules.refusal(address, secure=False) == ""
    assert rules.refusal("10.0.0.1", secure=True)


def test_http_to_a_public_address_needs_a_setting() -> None:
    assert "http" in AddressRules((ip_network("127.0.0.0/8"),)).refusal("8.8.8.8", secure=False)
    assert AddressRules(http=True).refusal("8.8.8.8", secure=False) == ""
    with pytest.raises(BadValue, match=r"webhooks\.http"):
        AddressRules().check_url("http://example.com/")
    AddressRules(http=True).check_url("http://example.com/")


@pytest.mark.parametrize(
    "url",
    ["https://example.com", "https://example.com:8443/a?b=%20c", "http://crm.example.com./x", "https://[2606:4700::1111]/",
     "https://xn--bcher-kva.example/", "https://8.8.8.8/"],
)  # fmt: skip
def test_a_url_is_kept_as_it_is(url: str) -> None:
    assert parse_url(url) == url


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "absolute"),
        ("example.com/x", "absolute"),
        ("//example.com/x", "absolute"),
        ("file:///etc/passwd", "absolute"),
        ("gopher://example.com/", "absolute"),
        ("https://", "absolute"),
        ("https:///x", "absolute"),
        ("https://user:pass@example.com/", "user"),
        ("https://example.com@127.0.0.1/", "user"),
        ("https://example.com/#x", "fragment"),
        ("https://bücher.example/", "ASCII"),
        ("https://example.com/a b", "ASCII"),
        ("https://example.com/\r\nX: y", "ASCII"),
        ("https://example.com\\@evil.example/", "ASCII"),
        ("https://127.1/", "no IPv4"),
        ("https://2130706433/", "no IPv4"),
        ("https://0x7f000001/", "no IPv4"),
        ("https://0177.0.0.1/", "no IPv4"),
        ("https://1.2.3.4.5/", "no IPv4"),
        ("https://256.1.1.1/", "no IPv4"),
        ("https://exa mple/", "ASCII"),
        ("https://-x.example/", "host name"),
        ("https://a..b/", "host name"),
        ("https://%6c%6f/", "host name"),
        ("https://[::1/", "URL"),
        ("https://[zz]/", "URL"),
        ("https://example.com:22/", "port"),
        ("https://example.com:0/", "port"),
        ("https://example.com:/", "port"),
        ("https://example.com:65536/", "URL"),
        ("https://example.com:x/", "URL"),
    ],
)
def test_a_hostile_url_is_refused_and_told_why(url: str, problem: str) -> None:
    with pytest.raises(BadValue, match=problem):
        parse_url(url)
