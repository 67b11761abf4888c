"""A process of the world, seen as the reactor that runs in it. Once it is killed, nothing that it does has any effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import define, field
from twisted.internet.base import DelayedCall
from twisted.internet.interfaces import IReactorFromThreads, IReactorTCP, IReactorTime
from zope.interface import implementer

from tests.crash.network import Connector, Fate, Port

if TYPE_CHECKING:
    from tests.crash.world import World


@define(eq=False)
class _Owned:
    """A timer that goes with its process."""

    process: Process
    function: Callable[..., Any]

    def __call__(self, *arguments: Any, **named: Any) -> None:
        if self.process.alive:
            self.function(*arguments, **named)


@implementer(IReactorTime, IReactorTCP, IReactorFromThreads)
@define(eq=False)
class Process:
    """`numbered` tells whether each of its effects on the outside is a kill point."""

    world: World
    name: str
    numbered: bool = False
    alive: bool = True
    when_killed: list[Callable[[], None]] = field(factory=list)

    def effect(self, what: str) -> bool:
        """The process is about to do something that others can see. False when it is dead: then it did not."""
        if self.alive and self.numbered:
            self.world.point(f"{self.name} {what}")
        return self.alive

    def kill(self, fate: Fate) -> None:
        """`kill -9`."""
        if not self.alive:
            return
        self.alive = False
        for call in self.world.clock.getDelayedCalls():
            if isinstance(call.func, _Owned) and call.func.process is self:
                call.cancel()
        self.world.network.died(self, fate)
        for clean in self.when_killed:
            clean()

    # --- the reactor --------------------------------------------------------------------------------------------------------

    def seconds(self) -> float:
        return self.world.clock.seconds()

    def callLater(self, delay: float, function: Callable[..., Any], *arguments: Any, **named: Any) -> DelayedCall:
        if not self.alive:
            return DelayedCall(self.seconds(), function, arguments, named, lambda _: None, lambda _: None)
        call: Any = self.world.clock.callLater(delay, _Owned(self, function), *arguments, **named)
        return call

    def getDelayedCalls(self) -> list[DelayedCall]:
        return []

    def callFromThread(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        if self.effect("committed"):
            self.callLater(self.world.rng.uniform(0.0002, 0.004), function, *arguments, **named)

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> Port:
        return self.world.network.listen(self, port, factory)

    def connectTCP(self, host: str, port: int, factory: Any, timeout: float = 30, **_: Any) -> Connector:
        return self.world.network.connect(self, port, factory, timeout)
