"""What a dial string points at: which gateway or profile, which number, or why there is none."""

from __future__ import annotations

from collections.abc import Container

from attrs import frozen

from dialer.simulator.causes import named


@frozen
class Endpoint:
    """A leg's destination. `problem` is the cause with which FreeSWITCH refuses it without dialling; with `session` it had
    begun a session for it, whose CHANNEL_DESTROY is seen."""

    family: str = ""
    number: str = ""
    name: str = ""
    gateway: str = ""
    profile: str = ""
    host: str = "127.0.0.1:5090"
    problem: str = ""
    session: bool = False


def parse_endpoint(text: str, invalid_gateways: Container[str]) -> Endpoint:
    """The endpoint of a leg, such as `sofia/gateway/carrier/5551000`, `sofia/external/5551000@192.0.2.1:5060`,
    `loopback/5551000/default` or `error/USER_BUSY`. Causes as recording 30 shows them."""
    kind, slash, rest = text.partition("/")
    if kind == "error":
        return Endpoint(problem=named(rest) or "NORMAL_CLEARING")
    if kind == "user":
        return Endpoint(problem="SUBSCRIBER_ABSENT")
    if kind == "loopback" and rest:
        number = rest.partition("/")[0]
        return Endpoint(family="loopback-a", number=number, name=f"loopback/{number}-a")
    if kind == "null" and slash:
        return Endpoint(family="sofia", number=rest, name=f"null/{rest}")
    if kind == "sofia":
        return _sofia(rest, invalid_gateways)
    return Endpoint(problem="CHAN_NOT_IMPLEMENTED")


def _sofia(text: str, invalid_gateways: Container[str]) -> Endpoint:
    profile, slash, destination = text.partition("/")
    if not slash:
        return Endpoint(problem="INVALID_URL", session=True)
    if profile == "gateway":
        gateway, _, number = destination.partition("/")
        if gateway in invalid_gateways or not gateway:
            return Endpoint(problem="INVALID_GATEWAY", session=True)
        if not number:
            return Endpoint(problem="INVALID_URL", session=True)
        return Endpoint(family="sofia", number=number, name=f"sofia/internal/{number}", gateway=gateway, profile="gateway")
    if profile not in ("internal", "external"):
        return Endpoint(problem="INVALID_PROFILE", session=True)
    target = destination.removeprefix("sip:")
    number, _, host = target.partition("@")
    if not number:
        return Endpoint(problem="INVALID_URL", session=True)
    return Endpoint(family="sofia", number=number, name=f"sofia/{profile}/{target}", profile=profile, host=host or "127.0.0.1")
