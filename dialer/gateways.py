"""Ways out of the switch: what is dialled through a gateway, whether it has headroom, and its pauses after faults."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, frozen

from dialer.model import Gateway
from dialer.model.gateway import NUMBER

FAULTS_BEFORE_PAUSE: Final = 3
"""Faults in a row. One in a hundred calls that a carrier cannot take is daily business and must not stop the rest."""

FIRST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(seconds=60)
TRIAL: Final = timedelta(seconds=40)
"""How long the one call is waited for that tries a gateway again: more than the 32 s after which SIP gives up (RFC 3261)."""

# --- what is dialled ------------------------------------------------------------------------------------------------------


def dialled_number(gateway: Gateway, number: str) -> str:
    """The number as it goes out: without the gateway's `removeprefix` when it begins with it, then behind its `addprefix`."""
    return gateway.addprefix + number.removeprefix(gateway.removeprefix)


def dialled_forms(gateway: Gateway, number: str) -> tuple[str, str, str]:
    """The number as it is stored, without the gateway's `removeprefix`, and as it goes out."""
    return number, number.removeprefix(gateway.removeprefix), dialled_number(gateway, number)


def dial_string(gateway: Gateway, number: str) -> str:
    """The address that is dialled for `number`."""
    return gateway.address.replace(NUMBER, dialled_number(gateway, number))


_SIP_GATEWAY: Final = re.compile(r"sofia/gateway/([^/]+)/", re.IGNORECASE)


def sip_gateway_of(address: str) -> str:
    """The SIP gateway of the switch that calls to an address go through, by its name there; "" when they go through none."""
    found = _SIP_GATEWAY.match(address)
    return "" if found is None else found[1]


def through(gateways: Iterable[Gateway], address: str) -> Gateway | None:
    """The gateway whose dial string an address was made of, by whomever; of several, the one that has the most in common with
    it. None when it is no gateway's. Names of endpoints have no case, and nobody has two gateways that differ in theirs."""
    best: tuple[int, Gateway] | None = None
    for gateway in gateways:
        before, _, behind = gateway.address.casefold().partition(NUMBER)
        found = address.casefold()
        if not (found.startswith(before) and found.endswith(behind) and len(found) > len(before) + len(behind)):
            continue
        prefixed = before + gateway.addprefix
        common = len(prefixed if found.startswith(prefixed) else before) + len(behind)
        if best is None or common > best[0]:
            best = common, gateway
    return None if best is None else best[1]


# --- whether it can serve -------------------------------------------------------------------------------------------------


def headroom(gateway: Gateway, live: int) -> int | None:
    """How many calls more it takes beside `live` ones; None for any number."""
    return None if gateway.maximum_call is None else max(gateway.maximum_call - live, 0)


def chain(gateways: Mapping[int, Gateway], gateway_id: int) -> Iterator[Gateway]:
    """The gateway and those that stand in for it, in the order in which they are tried; each once, also when they refer to
    each other in a circle. Ends at one that does not exist."""
    for stage in stages(gateways, gateway_id):
        yield from stage


def stages(gateways: Mapping[int, Gateway], gateway_id: int) -> Iterator[tuple[Gateway, ...]]:
    """The same in steps: the gateway with the others of its group, which share its calls; then those that take over when none
    of them can serve, with the others of theirs."""
    seen: set[int] = set()
    waiting: deque[int] = deque((gateway_id,))
    while waiting:
        head = gateways.get(waiting.popleft())
        if head is None or head.id in seen:
            continue
        stage: tuple[Gateway, ...] = (head,)
        if head.group:
            stage += tuple(each for each in gateways.values() if each.group == head.group and each.id not in {head.id, *seen})
        seen.update(each.id for each in stage)
        waiting.extend(each.failover_id for each in stage if each.failover_id is not None)
        yield stage


@frozen
class Backoff:
    """How a gateway, or the switch, fared of late: faults in a row, the cause of the last one that counted, and until when it
    is backed off from. A circuit breaker: after the pause, a gateway is tried with one call, for which is waited until
    `trial_until`; so one that refuses everything, whatever the reason, does not burn through a phonebook.

    Faults that come in meanwhile are those of calls that were on their way: they lengthen nothing. After the pause
    it is tried again, and each further fault doubles the pause, from 1 s to `longest`, until a call gets through. The end of a
    call that got through before the last fault (`fault_at`) proves nothing: calls of a gateway that has just died go on ending
    well.
    """

    faults: int = 0
    until: datetime | None = None
    fault_at: datetime | None = None
    longest: timedelta = LONGEST_PAUSE
    cause: str = ""
    trial_until: datetime | None = None

    def blocks(self, now: datetime) -> bool:
        """Whether it is backed off from at `now`, or waited for the call that tries it."""
        return self.next_try is not None and now < self.next_try

    @property
    def next_try(self) -> datetime | None:
        """When it may be tried (again); None when nothing was the matter."""
        return self.until if self.until is None or self.trial_until is None else max(self.until, self.trial_until)

    def is_on_trial(self, now: datetime) -> bool:
        """Whether it gets one call now, and not more."""
        return self.until is not None and not self.blocks(now)

    def tried(self, now: datetime) -> Backoff:
        """After that call was begun."""
        return evolve(self, trial_until=now + TRIAL)

    def untried(self, sent_at: datetime) -> Backoff:
        """After a call that was sent then and showed nothing of the way out, since its switch was restarted, say: when it was
        the one that tries it, another one may."""
        was_trial = self.trial_until is not None and self.until is not None and sent_at >= self.until
        return evolve(self, trial_until=None) if was_trial else self

    def after_fault(self, now: datetime, sent_at: datetime | None = None, cause: str = "") -> Backoff:
        """After a call that failed by its fault. With `sent_at`, what was sent before the pause ended was on its way."""
        if self.until is not None and (sent_at or now) < self.until:
            return evolve(self, fault_at=now)
        faults = self.faults + 1
        if faults < FAULTS_BEFORE_PAUSE:
            return evolve(self, faults=faults, until=None, trial_until=None, fault_at=now, cause=cause)
        doublings = min(faults - FAULTS_BEFORE_PAUSE, 10)  # 2**10 s is far beyond the longest pause
        until = now + min(FIRST_PAUSE * 2**doublings, self.longest)
        return evolve(self, faults=faults, until=until, trial_until=None, fault_at=now, cause=cause)

    @property
    def text(self) -> str:
        """The faults, for a sentence: `3 faults in a row (GATEWAY_DOWN)`."""
        return f"{self.faults} faults in a row" + (f" ({self.cause})" if self.cause else "")

    def after_success(self, at: datetime) -> Backoff:
        """After a call that got through to the contact's network at `at` (see `verdict.got_through_at`)."""
        return self if self.fault_at is not None and at <= self.fault_at else Backoff(longest=self.longest)
