"""The FreeSWITCH servers of a dialer, and which of them has a call: nothing outside holds "the" switch.

An attempt names its switch (`Plan.switch`, the identity of one). What one of them does, or does not do any more, is about the
attempts that name it, and about no others. With one member, every attempt is that one's, whatever its name was before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import structlog
from attrs import define, evolve, field

from dialer.calls.live import LiveAttempt
from dialer.calls.register import OpenAttempts
from dialer.calls.verdict import Health
from dialer.gateways import Backoff, sip_gateway_of
from dialer.interfaces import Switch
from dialer.model import Gateway, GatewayHealth, Refusals, SwitchDrain
from dialer.model.sip_gateway import SipGateway

log = structlog.get_logger()

CALLS_OF_A_RATE: Final = 40
"""Calls at the same time that go with one call per second, where a switch has no limit to them: a stock FreeSWITCH admits
1,000 sessions, and is given 25 calls per second."""


@define(eq=False, kw_only=True)
class FleetMember:
    """A FreeSWITCH of the fleet. `gateways` are the names of those that it has, none for all; `max_calls` is how many calls
    it may have at the same time, 0 for any number; one that is to `drain`, by the configuration, is given no more, and
    neither is one that somebody has `drained`, for all dialers; `health` tells how it, and the gateways through it, fared of
    late; `sip_gateways` are those that it has itself, as it told last, every `gateway_interval` seconds (0: never); None
    while that is not known."""

    switch: Switch
    gateways: frozenset[str] = frozenset()
    max_calls: int = 0
    drain: bool = False
    gateway_interval: float = 0.0
    drained: SwitchDrain | None = None
    health: Health = field(factory=Health, init=False)
    sip_gateways: Sequence[SipGateway] | None = field(default=None, init=False)
    _down: Mapping[str, SipGateway] = field(factory=dict, init=False)
    """Those that are down, by every name that a dial string may have for them."""

    @property
    def name(self) -> str:
        """The identity by which attempts name it; "" as long as that is not known."""
        return self.switch.identity

    def has(self, gateway: Gateway) -> bool:
        """Whether calls through that gateway can be made here."""
        return not self.gateways or gateway.name in self.gateways

    def told(self, sip_gateways: Sequence[SipGateway] | None) -> None:
        """It has told how its SIP gateways are; None when it cannot tell."""
        self.sip_gateways = sip_gateways
        down = [each for each in sip_gateways or () if each.is_down]
        self._down = {name: each for each in down for name in (each.name, f"{each.profile}::{each.name}")}

    def trouble(self, gateway: Gateway) -> str:
        """Why calls through that gateway fail here for now, in the words of the switch; "" as far as it knows of nothing."""
        if not self._down:
            return ""
        found = self._down.get(sip_gateway_of(gateway.address))
        return "" if found is None else found.text

    @property
    def has_trouble(self) -> bool:
        """Whether it knows of any gateway that is down."""
        return bool(self._down)

    def carries(self, gateway: Gateway) -> bool:
        """Whether it has that gateway, and knows of nothing against it."""
        return self.has(gateway) and not self.trouble(gateway)

    @property
    def is_drained(self) -> bool:
        """Whether no more calls are begun on it, be it there or not."""
        return self.drain or self.drained is not None

    @property
    def drain_text(self) -> str:
        """By whom it is drained, if it is."""
        return self.drained.text if self.drained is not None else f"switch {self.name} is drained by the configuration"

    @property
    def admits(self) -> bool:
        """Whether it is there, and is to be given calls."""
        return self.switch.ready and not self.is_drained

    def serves(self, now: datetime) -> bool:
        """Whether it is there, and takes calls as far as is known."""
        return self.admits and not self.health.switch.blocks(now)

    def blocks(self, gateway_id: int, now: datetime) -> bool:
        """Whether a gateway is backed off from here."""
        backoff = self.health.gateways.get(gateway_id)
        return backoff is not None and backoff.blocks(now)

    def is_on_trial(self, gateway_id: int, now: datetime) -> bool:
        """Whether a gateway gets one call from here now, and not more."""
        backoff = self.health.gateways.get(gateway_id)
        return backoff is not None and backoff.is_on_trial(now)

    def room(self, attempts: OpenAttempts) -> int | None:
        """How many calls more it may have, second legs included; None for any number."""
        return self.max_calls - attempts.switches.get(self.name, 0) if self.max_calls else None

    @property
    def size(self) -> float:
        """How many calls it is meant for, to compare it with the others."""
        return self.max_calls or self.switch.calls_per_second * CALLS_OF_A_RATE


@define(eq=False)
class Fleet:
    """All members, in the order of the configuration; at least one, and none of them twice."""

    members: Sequence[FleetMember]

    @classmethod
    def of_one(cls, switch: Switch) -> Fleet:
        """Of a single FreeSWITCH without limits of its own."""
        return cls((FleetMember(switch=switch),))

    def __iter__(self) -> Iterator[FleetMember]:
        return iter(self.members)

    @property
    def ready(self) -> bool:
        """Whether any of them is there."""
        return any(member.switch.ready for member in self.members)

    @property
    def calls_per_second(self) -> float:
        """How many calls those take together that admit some."""
        return sum(member.switch.calls_per_second for member in self.members if member.admits)

    # --- whose a call is --------------------------------------------------------------------------------------------------

    def of(self, live: LiveAttempt) -> FleetMember | None:
        """The one that has the call of an attempt; None when it is none of these. One that bears another name by now is known
        by the process that was told to make the call."""
        if len(self.members) == 1:
            return self.members[0]
        name = live.attempt.plan.switch
        if name and (member := self.named(name)) is not None:
            return member
        core = live.core_uuid
        return next((member for member in self.members if core and member.switch.core_uuid == core), None)

    def named(self, name: str) -> FleetMember | None:
        """The one of that identity."""
        return next((member for member in self.members if member.name == name), None)

    def has_call(self, member: FleetMember, live: LiveAttempt) -> bool:
        """Whether the call of an attempt is on that one."""
        return self.of(live) is member

    def member(self, switch: Switch) -> FleetMember:
        """The one that a switch belongs to."""
        return next(member for member in self.members if member.switch is switch)

    def second_leg_refusal(self, live: LiveAttempt, gateway: Gateway, attempts: OpenAttempts) -> str:
        """Why no second leg of a call is dialled through a gateway, as far as its switch goes; "" when one may be."""
        member = self.of(live)
        if member is None:
            return ""
        if not member.has(gateway):
            return f"gateway {gateway.name} is not one of the switch that has the call"
        room = member.room(attempts)
        if room is not None and room <= 0:
            return f"{self.title(member)} is full: it takes {member.max_calls} calls at a time"
        return ""

    def title(self, member: FleetMember) -> str:
        """What people call it."""
        return "the switch" if len(self.members) == 1 else f"switch {member.name}"

    # --- which are drained ------------------------------------------------------------------------------------------------

    def obey(self, drains: Mapping[str, SwitchDrain]) -> None:
        """Somebody has drained the switches of these names, and no others."""
        for member in self.members:
            drained = drains.get(member.name)
            if drained is not None and member.drained is None:
                log.warning("no more calls are begun on a switch", switch=member.name, by=drained.drained_by)
            elif drained is None and member.drained is not None:
                log.warning("a switch is taken back", switch=member.name)
            member.drained = drained

    @property
    def drained(self) -> str:
        """Why none of those that are there is given calls: by whom they are drained; "" as long as one is given some, or none
        is there."""
        there = [member for member in self.members if member.switch.ready]
        return "" if any(member.admits for member in there) else ", ".join(member.drain_text for member in there)

    def drained_for(self, gateway: Gateway) -> str:
        """By whom those are drained that are there and have that gateway; "" for none."""
        return ", ".join(
            member.drain_text for member in self.members if member.switch.ready and member.is_drained and member.has(gateway)
        )

    # --- how they fare ----------------------------------------------------------------------------------------------------

    def backoff(self, now: datetime) -> Backoff:
        """How the fleet fares: as the one of those that are there which is to be asked again first; without faults as long as
        one of them has none."""
        fared = [member.health.switch for member in self.members if member.switch.ready] or [
            member.health.switch for member in self.members
        ]
        return min(fared, key=lambda backoff: (max(backoff.until or now, now), backoff.faults))

    def backoff_of(self, gateway: Gateway, now: datetime) -> Backoff | None:
        """How a gateway fares: None as long as it serves on one of those that are there and have it."""
        if len(self.members) == 1:
            return self.members[0].health.gateways.get(gateway.id)
        there = [member for member in self.members if member.admits and member.has(gateway)]
        fared = [member.health.gateways.get(gateway.id) for member in there]
        blocked = [backoff for backoff in fared if backoff is not None and backoff.blocks(now)]
        if not blocked or len(blocked) < len(there):
            return None
        return min(blocked, key=lambda backoff: backoff.next_try or now)

    def is_up(self, gateway: Gateway) -> bool:
        """Whether a switch that is there has told how its SIP gateways are, and says nothing against this one."""
        there = [member for member in self.members if member.admits and member.sip_gateways is not None]
        return any(member.carries(gateway) for member in there)

    def trouble(self, gateway: Gateway) -> str:
        """Why a gateway takes no calls, in the words of the switches that have it; "" as long as one knows of nothing."""
        if not any(member.has_trouble for member in self.members):
            return ""
        told = [member.trouble(gateway) for member in self.members if member.admits and member.has(gateway)]
        return "; ".join(dict.fromkeys(told)) if told and all(told) else ""

    def gateway_health(self, gateway: Gateway, now: datetime) -> GatewayHealth:
        """How a gateway fared of late, on the switch that had the most faults of it."""
        found = (member.health.of_gateway(gateway.id, now) for member in self.members)
        return evolve(max(found, key=lambda health: health.faults), trouble=self.trouble(gateway))

    def backed_off(self, now: datetime) -> int:
        """How many gateways are not called through for the moment, each counted once for each switch."""
        return sum(backoff.blocks(now) for member in self.members for backoff in member.health.gateways.values())

    def refusals(self, gateways: Mapping[int, Gateway]) -> dict[int, Refusals]:
        """Those of the gateways that refuse us on every switch that has them, as often as they may (`pause_after`), by id. One
        that is away may reach the carrier from elsewhere once it is back."""
        found: dict[int, Refusals] = {}
        for key in {key for member in self.members for key in member.health.refusals}:
            gateway = gateways.get(key)
            if gateway is None or gateway.pause_after is None:
                continue
            there = [member for member in self.members if not member.is_drained and member.has(gateway)]
            told = [member.health.refuses(key, gateway.pause_after) for member in there]
            refusing = [each for each in told if each is not None]
            if refusing and len(refusing) == len(told):
                found[key] = max(refusing, key=lambda each: each.first_attempt)
        return found

    def forget_refusals(self, gateway_ids: Iterable[int]) -> None:
        """What they refused was acted upon: they are counted anew."""
        for member in self.members:
            for key in gateway_ids:
                member.health.refusals.pop(key, None)

    def reaches(self, gateway: Gateway) -> bool:
        """Whether one that admits calls has that gateway."""
        return any(member.admits and member.has(gateway) for member in self.members)


@define(eq=False)
class GatewayBackoffs(Mapping[int, Backoff]):
    """How each gateway fares on the fleet, by its id, looked up when it is asked for; those that serve are not in it."""

    fleet: Fleet
    gateways: Mapping[int, Gateway]
    now: datetime

    def __getitem__(self, gateway_id: int) -> Backoff:
        backoff = self.fleet.backoff_of(self.gateways[gateway_id], self.now)
        if backoff is None:
            raise KeyError(gateway_id)
        return backoff

    def __iter__(self) -> Iterator[int]:
        return (key for key in self.gateways if key in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


# --- how many calls, and where ----------------------------------------------------------------------------------------------


@define(eq=False)
class _Room:
    """What one member can take at this moment: `free` calls, beside `calls` that it has. `tried` are the gateways, by id,
    that got the one call by which they are tried again."""

    member: FleetMember
    free: int
    calls: int
    tried: set[int] = field(factory=set, init=False)

    @property
    def share(self) -> float:
        return self.calls / self.member.size


@define(eq=False)
class Capacity:
    """The room on the members that serve, while calls are planned into it. The one that is used least, for its size, gets the
    next call."""

    _rooms: list[_Room]
    _now: datetime

    @classmethod
    def of(cls, fleet: Fleet, attempts: OpenAttempts, now: datetime, within: float) -> Capacity:
        """The room for calls that are due within so many seconds."""
        rooms = []
        for member in fleet:
            if not member.serves(now):
                continue
            free = member.switch.headroom(within) - attempts.unsent_on(member.name)
            if (room := member.room(attempts)) is not None:
                free = min(free, room)
            if free > 0:
                rooms.append(_Room(member, free, attempts.switches.get(member.name, 0)))
        return cls(rooms, now)

    def total(self, gateways: Iterable[Gateway]) -> int:
        """How many calls can be made through any of these gateways."""
        wanted = list(gateways)
        return sum(room.free for room in self._rooms if any(room.member.carries(gateway) for gateway in wanted))

    def take_beside(self, name: str, gateway: Gateway) -> str | None:
        """The name of the switch for a call that was given room on the one of that name, should it go through another
        gateway: the same one if it has that, else another one with room; None when there is none now."""
        for room in self._rooms:
            if room.member.name == name and self._can_use(room, gateway):
                self._try(room, gateway)
                return name
        return self.take(gateway)

    def take(self, gateway: Gateway) -> str | None:
        """The name of the switch for one more call through a gateway; None when there is no room for it now."""
        able = [room for room in self._rooms if room.free > 0 and self._can_use(room, gateway)]
        if not able:
            return None
        chosen = min(able, key=lambda room: room.share)
        self._try(chosen, gateway)
        chosen.free -= 1
        chosen.calls += 1
        return chosen.member.name

    def _can_use(self, room: _Room, gateway: Gateway) -> bool:
        member = room.member
        return member.carries(gateway) and not member.blocks(gateway.id, self._now) and gateway.id not in room.tried

    def _try(self, room: _Room, gateway: Gateway) -> None:
        if room.member.is_on_trial(gateway.id, self._now):
            room.tried.add(gateway.id)
