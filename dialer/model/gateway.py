"""A way out of the switch, and what its settings may be."""

from __future__ import annotations

import enum
import re
from collections.abc import Collection
from datetime import datetime
from functools import lru_cache
from typing import Final

from attrs import frozen

from dialer.declare import key, noun, reference, rule, setting, stamp
from dialer.errors import BadValue
from dialer.kinds import Nullable, Whole
from dialer.model.codecs import VARIABLE, codec_list
from dialer.model.masking import MASK, joined, masked, unmasked
from dialer.model.prefixes import CARRIES_NONE, PrefixTable, prefix_list, prefix_table
from dialer.variables import check_value

NUMBER: Final = "{number}"
"""The place of the number in a dial string."""

LONGEST_TEXT: Final = 4096

# What an address may hold: the characters of SIP URIs without those that are syntax for `originate` (blank, quotes, brackets,
# `$`, and `,` and `|`, which would make several calls of one attempt).
_NOT_ADDRESS = re.compile(r"[^A-Za-z0-9_./@:;=+*#%&?!~-]")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_NEXT_PARAMETER = re.compile(r"[\r\n]+|,(?=\s*(?:[A-Za-z0-9_-]+\s*=|\Z|[\r\n]))")
_SYNTAX_IN_VALUE = re.compile(r"[\x00-\x1f\x7f${}\[\]<>'\"\\|^]")


def parse_dial_string(text: str, field: str = "dial_string") -> str:
    """A dial string as an administrator enters it, such as `sofia/gateway/carrier/{number}`.

    One address, so that one attempt is one ring; variables have their own place. Raises `BadValue`."""
    value = text.strip()
    if value.count(NUMBER) != 1:
        raise BadValue(field, f"must hold {NUMBER} once, where the number goes")
    address = value.replace(NUMBER, "")
    if bad := _NOT_ADDRESS.findall(address):
        raise BadValue(field, f"may not contain {_listed(bad)}")
    endpoint, slash, _ = value.partition("/")
    if not slash or not endpoint.isalnum() or ":_:" in value:
        raise BadValue(field, f"must be one address such as sofia/gateway/carrier/{NUMBER}")
    return value


def dial_string_from(protocol: str, hostname: str) -> str:
    """The dial string of a gateway that is described by `protocol` (SIP or LOCAL) and `hostname` (host or host:port, for SIP).
    Raises `BadValue`."""
    match protocol.strip().upper():
        case "SIP":
            host = hostname.strip()
            if not _HOST.fullmatch(host):
                raise BadValue("hostname", f"{hostname[:80]!r} is not a host or host:port")
            return f"sofia/external/{NUMBER}@{host}"
        case "LOCAL":
            return f"loopback/{NUMBER}"
        case _:
            raise BadValue("protocol", f"{protocol[:40]!r} is not known; expected SIP or LOCAL, or a dial string instead")


def parse_prefix(text: str, field: str) -> str:
    """A prefix to take off or to put before a number: digits, `+`, `*` and `#`. Raises `BadValue`."""
    value = text.strip()
    if not re.fullmatch(r"[0-9+*#]{0,32}", value):
        raise BadValue(field, f"{value[:40]!r} is not a prefix; expected at most 32 digits, +, * or #")
    return value


def parse_parameters(
    text: str, field: str = "addparameter", reserved: Collection[str] = frozenset()
) -> tuple[tuple[str, str], ...]:
    """Channel variables from `name=value` pairs, separated by commas or lines: "a=b,c=d" is (("a", "b"), ("c", "d")).

    A comma that no `name=` follows belongs to the value ("absolute_codec_string=PCMA,PCMU"). Blanks around names and values do
    not count. `reserved` are names (lower case) that the dialer sets itself. Raises `BadValue` for names and values that could
    be syntax for the switch, and for a name that occurs twice: the switch ignores case and would keep one of them.
    """
    pairs: list[tuple[str, str]] = []
    seen: set[str] = set()
    for item in _NEXT_PARAMETER.split(text.strip()):
        if not item.strip(" \t,"):
            continue
        name, equals, value = (part.strip(" \t") for part in item.partition("="))
        value = value.rstrip(" \t,")  # a comma that nothing follows separates from nothing
        if not equals or not _NAME.fullmatch(name):
            shown = repr(name[:80]) + ("" if not equals else " before the equals sign")  # behind it, a password may stand
            raise BadValue(field, f"{shown} is not name=value with a name of letters, digits, _ and -")
        if bad := _SYNTAX_IN_VALUE.findall(value):
            raise BadValue(field, f"the value of {name} may not contain {_listed(bad)}")
        try:
            check_value(value, field)
        except BadValue as error:
            raise BadValue(field, f"the value of {name} {error.problem}") from None
        if name.lower() in reserved:
            raise BadValue(field, f"{name} is set by the dialer itself")
        if name.lower() in seen:
            raise BadValue(field, f"{name} is given twice")
        seen.add(name.lower())
        pairs.append((name, value))
    return tuple(pairs)


def _listed(characters: list[str]) -> str:
    return " ".join(sorted({repr(character) for character in characters}))


def group_name(text: str, field: str) -> str:
    """The name of a group, or none. Raises `BadValue`."""
    if text and not _NAME.fullmatch(text):
        raise BadValue(field, f"{text[:40]!r} is not a name of letters, digits, _ and -")
    return text


def _protocol(text: str, field: str) -> str:
    protocol = text.strip().upper()
    if protocol not in ("SIP", "LOCAL"):
        raise BadValue(field, f"expected SIP or LOCAL, got {text[:40]!r}")
    return protocol


def _dial_string(text: str, field: str) -> str:
    return parse_dial_string(text, field) if text.strip() else ""


@lru_cache(maxsize=256)
def _parameters(text: str) -> tuple[tuple[str, str], ...]:
    return parse_parameters(text)


def _parameters_text(text: str, field: str) -> str:
    return joined(parse_parameters(text, field))


def _parameters_shown(text: str) -> str:
    try:
        return masked(_parameters(text))
    except BadValue:
        return MASK  # damaged in the database: nobody can tell the secrets apart


def with_secrets(text: str, before: str) -> str:
    """Parameters as they were entered, with the secrets of `before` where these were masked. Raises `BadValue`."""
    try:
        known = _parameters(before)
    except BadValue:
        known = ()
    return unmasked(parse_parameters(text), known, "addparameter")


class GatewayStatus(enum.IntEnum):
    """Whether a gateway may be used."""

    INACTIVE = 0
    ACTIVE = 1


@noun("gateway", links={"users": "user", "caller_ids": "caller id"})
@frozen(kw_only=True)
class Gateway:
    """A gateway as it was entered. None is no limit; `failover_id` is the gateway to take when this one cannot serve."""

    id: int = key()
    name: str = setting(shortest=1, v1="name", doc="its name, unique")
    description: str = setting("", longest=LONGEST_TEXT, lines=True, v1="description", doc="for people")
    protocol: str = setting("SIP", check=_protocol, v1="protocol", doc="SIP or LOCAL: how it is dialled without a dial string")
    hostname: str = setting("", v1="hostname", doc="where SIP calls without a dial string go, as host or host:port")
    dial_string: str = setting(
        "",
        longest=LONGEST_TEXT,
        check=_dial_string,
        doc="what is dialled, such as sofia/gateway/carrier/{number}; empty: as protocol and hostname say",
    )
    status: GatewayStatus = setting(GatewayStatus.ACTIVE, v1="status", doc="whether it is used: active or inactive")
    removeprefix: str = setting("", check=parse_prefix, v1="removeprefix", doc="taken off the number when it begins with it")
    addprefix: str = setting("", check=parse_prefix, v1="addprefix", doc="put before the number, after that")
    addparameter: str = setting(
        "",
        longest=LONGEST_TEXT,
        lines=True,
        check=_parameters_text,
        secret=True,
        shown=_parameters_shown,
        v1="addparameter",
        doc="channel variables of each call, as name=value separated by commas; those that the dialer sets itself are refused",
    )
    maximum_call: int | None = setting(None, v1="maximum_call", unit="calls", doc="calls at the same time")
    calls_per_second: int | None = setting(None, ge=1, unit="calls per second", doc="calls that are started")
    codecs: str = rule(
        "",
        longest=500,
        check=codec_list,
        doc="the codecs that its calls offer, the first one preferred, such as PCMA,PCMU or opus@48000h,PCMU@20i; empty: "
        "those of the SIP profile",
    )
    prefixes: str = rule(
        "",
        longest=20_000,
        lines=True,
        check=prefix_list,
        doc="the numbers that it carries, by the prefixes of their international form, with the price of a minute: "
        "+1=0.0085,+44=allowed,+882=refused,*=0.05; what is not named is carried where all rows are refusals; of several "
        "gateways that can take a call, the cheapest does; empty: all numbers",
    )
    group: str = rule(
        "",
        longest=100,
        check=group_name,
        doc="gateways of one group stand for each other: the calls through one are shared by those of its group",
    )
    weight: int = rule(1, ge=1, le=1000, doc="its share of the calls of its group, beside the weights of the others")
    pause_after: int | None = rule(
        10,
        kind=Nullable(Whole(3, 1000)),
        unit="refusals in a row",
        doc="after so many calls in a row that it refused for reasons of ours (account, password, caller id, codecs), "
        "campaigns without another way out are paused; none: never",
    )
    failover_id: int | None = reference(
        "gateway",
        reverse="fails_over_for",
        default=None,
        v1="failover_id",
        doc="the gateway that takes over what it cannot carry",
    )
    next_call_at: datetime | None = setting(None, read_only=True, doc="the earliest moment of the next call by the pacing")
    created_at: datetime = stamp("when it was created", v1="created_date")
    updated_at: datetime = stamp("when it was last changed", v1="updated_date")

    @property
    def address(self) -> str:
        """The dial string with `{number}` in it; when none was entered, the one that its fields of 2011 mean."""
        if self.dial_string:
            return self.dial_string
        return f"loopback/{NUMBER}" if self.protocol == "LOCAL" else f"sofia/external/{NUMBER}@{self.hostname}"

    @property
    def tariff(self) -> PrefixTable:
        """The numbers that it carries: none while they are damaged in the database."""
        try:
            return prefix_table(self.prefixes)
        except BadValue:
            return CARRIES_NONE

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """The channel variables, that of the codecs included. Raises `BadValue` when they are damaged."""
        given = _parameters(self.addparameter)
        return (*given, (VARIABLE, self.codecs)) if self.codecs else given


@frozen(kw_only=True)
class GatewayUse:
    """The calls through a gateway: all that were begun, those that are open now, and the seconds that they talked."""

    calls: int = 0
    open: int = 0
    talked: int = 0


@frozen(kw_only=True)
class GatewayHealth:
    """How a gateway fared of late at one dialer: its faults in a row, the cause of the last one, and until when it is backed
    off from; None when it is not. `trouble` is why it is not called through at all, in the words of the switch; "" when that
    knows of nothing."""

    faults: int = 0
    cause: str = ""
    until: datetime | None = None
    trouble: str = ""


@frozen(kw_only=True)
class Refusals:
    """Answers in a row by which the carrier behind a gateway refused us: our account, identity or settings. `first_attempt` is
    the id of the attempt that got the first of them, `cause` the words of the last; each of `doubtful` ones may have been
    about its number."""

    count: int
    first_attempt: int
    cause: str
    doubtful: bool = False

    @property
    def text(self) -> str:
        """For a sentence about the gateway: `refused 10 calls in a row (CALL_REJECTED, SIP 403: ...)`."""
        return f"refused {self.count} calls in a row ({self.cause})"

    def and_then(self, more: Refusals) -> Refusals:
        """With those that came after these."""
        return Refusals(
            count=self.count + more.count,
            first_attempt=self.first_attempt,
            cause=more.cause,
            doubtful=self.doubtful and more.doubtful,
        )
