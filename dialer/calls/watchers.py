"""The parts that find out about calls that fell through: for each switch its reconciler and its sweeper, and one that looks
at the calls of switches that are away."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from dialer.calls.away import AwaySweeper
from dialer.calls.corrections import CorrectionLog
from dialer.calls.fleet import Fleet, FleetMember
from dialer.calls.live import LiveAttempt
from dialer.calls.recovery import Reconciler
from dialer.calls.register import OpenAttempts
from dialer.calls.sweeper import Sweeper
from dialer.interfaces import Now
from dialer.model import Signal
from dialer.rules.book import RuleBook


@define(eq=False, kw_only=True)
class Watchers:
    """Of the attempts of one process. `account_code` marks our channels; `grace` are the seconds that a switch may take to
    begin a call or to end it; `tell` takes a signal to the flow, `known` is `FlowStore.known`, `calling_rules` gives
    those of the moment."""

    clock: IReactorTime
    now: Now
    fleet: Fleet
    attempts: OpenAttempts
    account_code: str
    grace: float
    tell: Callable[[Signal], None]
    known: Callable[[Collection[str]], Deferred[set[str]]]
    corrections: CorrectionLog
    calling_rules: Callable[[], RuleBook]
    _reconcilers: dict[FleetMember, Reconciler] = field(factory=dict, init=False)
    _sweepers: list[Sweeper | AwaySweeper] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        for member in self.fleet:
            self._watch(member)
        away = AwaySweeper(
            clock=self.clock,
            now=self.now,
            fleet=self.fleet,
            attempts=self.attempts,
            grace=self.grace,
            tell=self.tell,
            corrections=self.corrections,
            calling_rules=self.calling_rules,
        )
        self._sweepers.append(away)

    def _watch(self, member: FleetMember) -> None:
        is_here = partial(self.fleet.has_call, member)
        reconciler = Reconciler(
            clock=self.clock,
            now=self.now,
            switch=member.switch,
            account_code=self.account_code,
            grace=self.grace,
            attempts=self.attempts,
            is_here=is_here,
            tell=self.tell,
            known=self.known,
            corrections=self.corrections,
        )
        sweeper = Sweeper(
            clock=self.clock,
            now=self.now,
            switch=member.switch,
            attempts=self.attempts,
            is_here=is_here,
            tell=self.tell,
            look_for_orphans=reconciler.look_soon,
            corrections=self.corrections,
            calling_rules=self.calling_rules,
        )
        self._reconcilers[member] = reconciler
        self._sweepers.append(sweeper)

    def start(self) -> None:
        """Begin to sweep."""
        for sweeper in self._sweepers:
            sweeper.start()

    async def stop(self) -> None:
        """Sweep no more."""
        for sweeper in self._sweepers:
            await sweeper.stop()

    def switch_up(self, member: FleetMember) -> None:
        """Compare the attempts of that switch with the calls that live on it."""
        self._reconcilers[member].start()

    def switch_down(self, member: FleetMember) -> None:
        """Nothing can be compared there."""
        self._reconcilers[member].stop()

    def look_soon(self) -> None:
        """There is something new to compare."""
        for reconciler in self._reconcilers.values():
            reconciler.look_soon()

    def doubts(self, live: LiveAttempt, signal: Signal) -> bool:
        """Whether the word of its switch, that the job of a call has failed, is not believed for now (`Reconciler.doubts`)."""
        member = self.fleet.of(live)
        return member is not None and self._reconcilers[member].doubts(live, signal)
