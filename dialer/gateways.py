"""Ways out of the switch: what is dialled through a gateway, whether it has room, and how long it is spared after faults."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, frozen

from dialer.errors import BadValue
from dialer.model import Gateway

NUMBER: Final = "{number}"
"""What stands in a dial string where the number goes."""

FAULTS_BEFORE_PAUSE: Final = 3
"""Faults in a row. One in a hundred calls that a carrier cannot take is daily business and must not stop the rest."""

FIRST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(seconds=60)

# What an address may hold: the characters of SIP URIs without those that are syntax for `originate` (blank, quotes, brackets,
# `$`, and `,` and `|`, which would make several calls of one attempt).
_NOT_ADDRESS = re.compile(r"[^A-Za-z0-9_./@:;=+*#%&?!~-]")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_NEXT_PARAMETER = re.compile(r"[\r\n]+|,(?=\s*(?:[A-Za-z0-9_-]+\s*=|\Z|[\r\n]))")
_SYNTAX_IN_VALUE = re.compile(r"[\x00-\x1f\x7f${}\[\]<>'\"\\|^]")


# --- what is dialled ------------------------------------------------------------------------------------------------------


def dialled_number(gateway: Gateway, number: str) -> str:
    """The number as it goes out: without the gateway's `removeprefix` when it begins with it, then behind its `addprefix`."""
    return gateway.addprefix + number.removeprefix(gateway.removeprefix)


def dial_string(gateway: Gateway, number: str) -> str:
    """The address that is dialled for `number`."""
    return gateway.dial_string.replace(NUMBER, dialled_number(gateway, number))


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
        if not equals or not _NAME.fullmatch(name):
            raise BadValue(field, f"{item.strip()[:80]!r} is not name=value with a name of letters, digits, _ and -")
        if bad := _SYNTAX_IN_VALUE.findall(value):
            raise BadValue(field, f"the value of {name} may not contain {_listed(bad)}")
        if name.lower() in reserved:
            raise BadValue(field, f"{name} is set by the dialer itself")
        if name.lower() in seen:
            raise BadValue(field, f"{name} is given twice")
        seen.add(name.lower())
        pairs.append((name, value))
    return tuple(pairs)


def _listed(characters: list[str]) -> str:
    return " ".join(sorted({repr(character) for character in characters}))


# --- whether it can serve -------------------------------------------------------------------------------------------------


def room(gateway: Gateway, live: int) -> int | None:
    """How many calls more it takes beside `live` ones; None for any number."""
    return None if gateway.maximum_call is None else max(gateway.maximum_call - live, 0)


def chain(gateways: Mapping[int, Gateway], gateway_id: int) -> Iterator[Gateway]:
    """The gateway and those that stand in for it, in the order in which they are tried; each once, also when they refer to
    each other in a circle. Ends at one that does not exist."""
    seen: set[int] = set()
    current: int | None = gateway_id
    while current is not None and current not in seen and current in gateways:
        seen.add(current)
        yield gateways[current]
        current = gateways[current].failover_id


@frozen
class Backoff:
    """How a gateway, or the switch, fared of late: faults in a row, and until when it is spared.

    Faults that come in while it is spared are those of calls that were on their way: they lengthen nothing. After the pause
    it is tried again, and each further fault doubles the pause, from 1 s to `longest`, until a call gets through. The end of a
    call that got through before the last fault (`fault_at`) proves nothing: calls of a gateway that has just died go on ending
    well.
    """

    faults: int = 0
    until: datetime | None = None
    fault_at: datetime | None = None
    longest: timedelta = LONGEST_PAUSE

    def blocks(self, now: datetime) -> bool:
        """Whether it is spared at `now`."""
        return self.until is not None and now < self.until

    def after_fault(self, now: datetime, sent_at: datetime | None = None) -> Backoff:
        """After a call that failed by its fault. With `sent_at`, what was sent before the pause ended was on its way."""
        if self.blocks(sent_at or now):
            return evolve(self, fault_at=now)
        faults = self.faults + 1
        if faults < FAULTS_BEFORE_PAUSE:
            return evolve(self, faults=faults, until=None, fault_at=now)
        doublings = min(faults - FAULTS_BEFORE_PAUSE, 10)  # 2**10 s is far beyond the longest pause
        return evolve(self, faults=faults, until=now + min(FIRST_PAUSE * 2**doublings, self.longest), fault_at=now)

    def after_success(self, at: datetime) -> Backoff:
        """After a call that got through to the contact's network at `at` (see `verdict.got_through_at`)."""
        return self if self.fault_at is not None and at <= self.fault_at else Backoff(longest=self.longest)
