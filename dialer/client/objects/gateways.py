"""Objects of the API v2: gateways.

Written by docs/write.py from the OpenAPI document.
"""

# fmt: off

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class GatewayObject(TypedDict):
    """A way out of the switch."""

    id: int
    """its number, given by the database"""
    name: str
    """its name, unique"""
    description: str
    """for people"""
    protocol: str
    """SIP or LOCAL: how it is dialled without a dial string"""
    hostname: str
    """where SIP calls without a dial string go, as host or host:port"""
    dial_string: str
    """what is dialled, such as sofia/gateway/carrier/{number}; empty: as protocol and hostname say"""
    status: Literal["inactive", "active"]
    """whether it is used: active or inactive"""
    removeprefix: str
    """taken off the number when it begins with it"""
    addprefix: str
    """put before the number, after that"""
    addparameter: str
    """channel variables of each call, as name=value separated by commas; those that the dialer sets itself are refused"""
    maximum_call: int | None
    """calls at the same time (calls)"""
    calls_per_second: int | None
    """calls that are started (calls per second)"""
    codecs: str
    """the codecs that its calls offer, the first one preferred, such as PCMA,PCMU or opus@48000h,PCMU@20i; empty: those of
    the SIP profile"""
    prefixes: str
    """the numbers that it carries, by the prefixes of their international form, with the price of a minute:
    +1=0.0085,+44=allowed,+882=refused,*=0.05; what is not named is carried where all rows are refusals; of several
    gateways that can take a call, the cheapest does; empty: all numbers"""
    group: str
    """gateways of one group stand for each other: the calls through one are shared by those of its group"""
    weight: int
    """its share of the calls of its group, beside the weights of the others"""
    pause_after: int | None
    """after so many calls in a row that it refused for reasons of ours (account, password, caller id, codecs), campaigns
    without another way out are paused; none: never (refusals in a row)"""
    failover_id: int | None
    """the gateway that takes over what it cannot carry"""
    created_at: str
    """when it was created"""
    updated_at: str
    """when it was last changed"""


class NewGatewayObject(TypedDict):
    """What is sent."""

    name: str
    """its name, unique"""
    description: NotRequired[str]
    """for people"""
    protocol: NotRequired[str]
    """SIP or LOCAL: how it is dialled without a dial string"""
    hostname: NotRequired[str]
    """where SIP calls without a dial string go, as host or host:port"""
    dial_string: NotRequired[str]
    """what is dialled, such as sofia/gateway/carrier/{number}; empty: as protocol and hostname say"""
    status: NotRequired[Literal["inactive", "active"]]
    """whether it is used: active or inactive"""
    removeprefix: NotRequired[str]
    """taken off the number when it begins with it"""
    addprefix: NotRequired[str]
    """put before the number, after that"""
    addparameter: NotRequired[str]
    """channel variables of each call, as name=value separated by commas; those that the dialer sets itself are refused"""
    maximum_call: NotRequired[int | None]
    """calls at the same time (calls)"""
    calls_per_second: NotRequired[int | None]
    """calls that are started (calls per second)"""
    codecs: NotRequired[str]
    """the codecs that its calls offer, the first one preferred, such as PCMA,PCMU or opus@48000h,PCMU@20i; empty: those of
    the SIP profile"""
    prefixes: NotRequired[str]
    """the numbers that it carries, by the prefixes of their international form, with the price of a minute:
    +1=0.0085,+44=allowed,+882=refused,*=0.05; what is not named is carried where all rows are refusals; of several
    gateways that can take a call, the cheapest does; empty: all numbers"""
    group: NotRequired[str]
    """gateways of one group stand for each other: the calls through one are shared by those of its group"""
    weight: NotRequired[int]
    """its share of the calls of its group, beside the weights of the others"""
    pause_after: NotRequired[int | None]
    """after so many calls in a row that it refused for reasons of ours (account, password, caller id, codecs), campaigns
    without another way out are paused; none: never (refusals in a row)"""
    failover_id: NotRequired[int | None]
    """the gateway that takes over what it cannot carry"""


class ChangedGatewayObject(TypedDict, total=False):
    """What is sent."""

    name: str
    """its name, unique"""
    description: str | None
    protocol: str | None
    hostname: str | None
    dial_string: str | None
    status: Literal["inactive", "active"] | None
    removeprefix: str | None
    addprefix: str | None
    addparameter: str | None
    maximum_call: int | None
    """calls at the same time (calls)"""
    calls_per_second: int | None
    """calls that are started (calls per second)"""
    codecs: str | None
    prefixes: str | None
    group: str | None
    weight: int | None
    pause_after: int | None
    """after so many calls in a row that it refused for reasons of ours (account, password, caller id, codecs), campaigns
    without another way out are paused; none: never (refusals in a row)"""
    failover_id: int | None
    """the gateway that takes over what it cannot carry"""


class GatewayHealthObject(TypedDict):
    """How a gateway is now. Faults are those that the dialer which answers has met with."""

    gateway_id: int
    state: Literal["serving", "paused", "down", "full", "inactive"]
    """whether it takes a call now"""
    is_down: bool
    """a dialer has found it down, and none has seen it serve since"""
    faults: int
    """in a row"""
    cause: str
    """of the last of them"""
    until: str | None
    """until when it is backed off from"""
    trouble: str
    """what the switch says against its SIP gateway, such as DOWN, FAIL_WAIT: no call is made then"""
    open_calls: int
    """through it, of all dialers"""
    maximum_call: int | None
    calls_per_second: int | None
