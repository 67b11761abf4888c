"""What goes wrong. Each is a small value that acts on an arena; afterwards everything runs again, or is about to."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final, Literal

from attrs import frozen

from tests.chaos.arena import Arena
from tests.chaos.grounds import Postgresql
from tests.chaos.node import LinkedNode
from tests.harness.campaign import seconds

ORIGINATE: Final = re.compile(rb"originate '\{origination_uuid=([0-9a-f-]{36})")
"""An originate on the wire, with the call's UUID."""

Disturbance = Callable[[Arena], None]

TURN: Final = 40.0
"""Seconds in which what is waited for must happen."""


@frozen
class KillDialer:
    """`kill -9` at any moment of its life, from the start of the process on, and another process after `pause` seconds at
    most."""

    pause: float = 0.4

    def __call__(self, arena: Arena) -> None:
        node, rng = arena.pick(), arena.rng
        moment = rng.random()
        if moment < 0.15:
            arena.wait(rng.uniform(0.05, 0.5))  # while it starts, or takes over
        else:
            arena.until_ready(node)
            arena.wait(rng.uniform(0.0, 0.3) if moment < 0.5 else rng.uniform(0.3, 1.2))
        arena.kill(node)
        arena.wait(rng.uniform(0.0, self.pause))
        node.start()


@frozen
class Calling:
    """Nothing happens until so many more attempts were begun: a busy machine needs longer for them."""

    count: int

    def __call__(self, arena: Arena) -> None:
        wanted = self._begun(arena) + self.count
        arena.until(lambda: self._begun(arena) >= wanted, 2 * TURN, f"not even {self.count} attempts were begun")

    def _begun(self, arena: Arena) -> int:
        ((count,),) = arena.ground.rows("SELECT count(*) FROM attempt")
        return int(count)


@frozen
class KillSwitch:
    """The switch dies with all its calls, and another process serves after `down` seconds at most."""

    down: float = 1.0

    def __call__(self, arena: Arena) -> None:
        calling(arena)
        arena.note("switch killed")
        arena.switch.kill()
        arena.wait(arena.rng.uniform(0.0, self.down))
        arena.switch.start()
        arena.note("switch back")


@frozen
class SlowOther:
    """For so many seconds, the second switch stands still most of the time; `meanwhile`, something happens to the first."""

    seconds: float = 6.0
    meanwhile: Disturbance | None = None

    def __call__(self, arena: Arena) -> None:
        assert arena.other is not None
        calling(arena)
        arena.note("slow")
        self._slow(arena, self.seconds / 2)
        if self.meanwhile is not None:
            self.meanwhile(arena)
        self._slow(arena, self.seconds / 2)
        arena.note("fast again")

    def _slow(self, arena: Arena, seconds: float) -> None:
        assert arena.other is not None
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            arena.other.stand_still(arena.rng.uniform(0.2, 0.6))
            arena.wait(0.1)


@frozen
class KillBoth:
    """The switch dies, and a dialer before it has got over that."""

    def __call__(self, arena: Arena) -> None:
        calling(arena)
        node = arena.pick()
        arena.note("switch killed")
        arena.switch.kill()
        arena.wait(arena.rng.uniform(0.0, 0.3))
        arena.kill(node)
        node.start()
        arena.wait(arena.rng.uniform(0.0, 1.0))
        arena.switch.start()
        arena.note("switch back")


@frozen
class ListNumbers:
    """Somebody puts so many numbers on a do-not-call list, of which half are to be called again."""

    count: int = 12

    def __call__(self, arena: Arena) -> None:
        calling(arena)
        arena.forbid(self.count)


@frozen
class CutLink:
    """Every connection of a dialer breaks."""

    def __call__(self, arena: Arena) -> None:
        node = calling(arena)
        arena.note("cut", node)
        node.link.reset()


@frozen
class SilentLink:
    """Packets are lost for so many seconds, without a word; then they arrive after all, or the connections break. With
    something that happens `meanwhile`, they are lost for so long before it and after it."""

    seconds: float
    then: Literal["heal", "reset"]
    meanwhile: Disturbance | None = None

    def __call__(self, arena: Arena) -> None:
        node = calling(arena)
        arena.note("silence", node)
        node.link.silence()
        arena.wait(self.seconds)
        if self.meanwhile is not None:
            self.meanwhile(arena)
            arena.wait(self.seconds)
        if self.then == "heal":
            node.link.heal()
        else:
            node.link.reset()
        arena.note("heard again", node)


@frozen
class Freeze:
    """A dialer stands still for so many seconds (SIGSTOP)."""

    seconds: float

    def __call__(self, arena: Arena) -> None:
        node = calling(arena)
        arena.note("frozen", node)
        node.freeze()
        arena.wait(self.seconds)
        node.thaw()
        arena.note("woken", node)


@frozen
class KillDatabase:
    """The database's server dies with all its processes, and serves again after `down` seconds at most."""

    down: float = 2.0

    def __call__(self, arena: Arena) -> None:
        assert isinstance(arena.ground, Postgresql), "SQLite has no server"
        calling(arena)
        arena.note("database killed")
        arena.ground.restart(arena.rng.uniform(0.0, self.down))
        arena.note("database back")


@frozen
class LateOriginates:
    """Originates are still in their socket when their deadline passes; they arrive afterwards. Meanwhile the dialer has been
    killed, another process has ended the attempts as unknown and may have begun others; or it was frozen, and wakes
    before or after they arrive; or it was frozen past its lease, another node has ended its attempts, and it wakes."""

    meanwhile: Literal["killed", "woken before", "woken after", "rescued"]

    def __call__(self, arena: Arena) -> None:
        node = calling(arena)
        arena.note("held", node)
        node.link.hold()
        arena.until(lambda: len(originates(node.link.held())) >= 3, TURN, "nothing was sent")
        if self.meanwhile == "killed":
            arena.kill(node)
            node.start()
        else:
            node.freeze()
        late = originates(node.link.held())
        deadline = max(moment or 0.0 for moment in _stored(arena, "deadline", late))
        arena.wait(deadline - time.time() + 0.1)
        if self.meanwhile in ("killed", "rescued"):
            arena.until(
                lambda: None not in _stored(arena, "ended_at", late), TURN, "attempts that may have been sent are still open"
            )
        if self.meanwhile == "woken before":
            node.thaw()
            arena.wait(arena.rng.uniform(0.0, 0.5))
        node.link.heal()
        if self.meanwhile in ("woken after", "rescued"):
            arena.wait(arena.rng.uniform(0.0, 0.5))
            node.thaw()
        arena.note("heard again", node)


@frozen
class Restart:
    """An administrator restarts every dialer, one after the other."""

    def __call__(self, arena: Arena) -> None:
        for node in arena.nodes:
            arena.until_ready(node)
            arena.note("stopped", node)
            status = node.stop()
            assert status == 0, f"node {node.name} stopped with status {status}: {node.last_words()}"
            node.start()
            arena.until_ready(node)


def calling(arena: Arena) -> LinkedNode:
    """Wait until all call, and a little until there are many calls; any node."""
    arena.until_ready()
    arena.until_calling()
    arena.wait(arena.rng.uniform(0.3, 0.8))
    return arena.pick()


def originates(data: bytes) -> set[str]:
    """The UUIDs of the originates in some bytes."""
    return {uuid.decode() for uuid in ORIGINATE.findall(data)}


def _stored(arena: Arena, column: str, uuids: set[str]) -> list[float | None]:
    """A time of these attempts, in seconds since 1970."""
    rows = arena.ground.rows(f"SELECT call_uuid, {column} FROM attempt")
    return [seconds(moment) for uuid, moment in rows if uuid in uuids]
