"""A whole world on one stepped clock: the dialer as it is wired in production, a FreeSWITCH, the network between, a disk.

Every step (a piece that arrives, a timer, a transaction, the news of a COMMIT) and, within a step, every effect of the dialer
on the outside (a write, a close, a transaction, its COMMIT) has a number. A plan says what goes wrong at which number.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.python.failure import Failure

import dialer.campaigns.scheduler
import dialer.esl.inbound
import dialer.fleet_wiring
import dialer.hooks.consumer
import dialer.hooks.interests
import dialer.hooks.webhooks
import dialer.service
import dialer.store.sqlite
import dialer.telling
from dialer.errors import StoreError
from dialer.esl.inbound import SwitchConfig
from dialer.model import AttemptState, EventKind, VoipAppType
from dialer.model.event import Told
from dialer.service import DialerService
from dialer.service_settings import ServiceSettings
from dialer.settings import OutboundSettings, RecoverySettings
from dialer.simulator.callees import NumberPlan, parse_pattern
from dialer.simulator.config import SimulatorConfig, uuid_factory
from dialer.simulator.oracle import CalledSide, Oracle
from dialer.simulator.service import Simulator
from dialer.store.location import sqlite_url
from dialer.store.times import to_column
from tests.crash.clock import SteppedClock
from tests.crash.database import NoEntities, SteppedDatabase, prepare
from tests.crash.logs import Complaints
from tests.crash.network import Fate, Network
from tests.crash.process import Process
from tests.crash.scenarios import Away, Cut, Fault, Kill, Plan, Restart, Scenario, Silence, Slow, Stall
from tests.crash.template import database_for, number_of

SWITCH_PORT, OUTBOUND_PORT = 8021, 8084
GRACE = 2.0
WINDOW = 2.0
WAIT = 8
"""Seconds for which an answered call waits for a dialer."""
AFTERWARDS = 1.5
"""Seconds that the world goes on after that, and after the last packet on its way: nothing may happen any more."""

IN_THE_RUN = "in the run"
"""The source of an entry of a do-not-call list."""

_STANDING = (
    "SELECT state, count(*) FROM attempt GROUP BY 1 ORDER BY 1",
    "SELECT status, count(*) FROM subscriber GROUP BY 1 ORDER BY 1",
)

Counts = dict[tuple[Any, ...], tuple[int, int, int]]
"""Attempts, those that count, and milliseconds of talk, by hour, gateway, number of the attempt, disposition and cause."""


@frozen
class Traced:
    """A kill point by its name, with how many attempts were in each state then, and contacts in each status."""

    name: str
    attempts: tuple[tuple[str, int], ...]
    contacts: tuple[tuple[int, int], ...]

    @property
    def is_busy(self) -> bool:
        """Whether an attempt was open."""
        return any(state != AttemptState.ENDED for state, _ in self.attempts)

    @property
    def kind(self) -> object:
        """The same for points at which a dialer does the same, with attempts and contacts that stand alike."""
        return self.name, frozenset(state for state, _ in self.attempts), frozenset(status for status, _ in self.contacts)


@frozen(kw_only=True)
class Invite:
    """An INVITE, and what the database said of its attempt at that moment: "none", "open" or "ended"."""

    call: CalledSide
    attempt: str
    others_live: int


@define(eq=False)
class WatchedOracle(Oracle):
    """The called side's log, with what was true at the moment of each INVITE."""

    invites: list[Invite] = field(factory=list)
    attempt_of: Callable[[str], str] = lambda _: ""

    def invited(self, call: CalledSide) -> None:
        live = sum(1 for one in self.by_number(call.number) if one.ended_at is None)
        self.invites.append(Invite(call=call, attempt=self.attempt_of(call.call_uuid), others_live=live))
        Oracle.invited(self, call)


@define(eq=False)
class World:
    """One run of a scenario; `folder` holds its database. `trace` gets, when it is a list, each kill point."""

    scenario: Scenario
    plan: Plan
    folder: Path
    trace: list[Traced] | None = None
    clock: SteppedClock = field(factory=SteppedClock, init=False)
    rng: random.Random = field(init=False)
    network: Network = field(init=False)
    oracle: WatchedOracle = field(factory=WatchedOracle, init=False)
    complaints: Complaints = field(factory=Complaints, init=False)
    delivered: list[Told] = field(factory=list, init=False)
    kills: int = field(default=0, init=False)
    counts: list[tuple[str, Counts, Counts]] = field(factory=list, init=False)
    """At each kill: which one, the statistics, and the rows counted."""
    away_until: float = field(default=0.0, init=False)
    restarts: list[float] = field(factory=list, init=False)
    """When switches died, and when they were back."""
    points: int = field(default=0, init=False)
    began: float = field(init=False)
    finished_at: float | None = field(default=None, init=False)
    listed_behind: int | None = field(default=None, init=False)
    """The last attempt that was begun before a number was put on a do-not-call list in the run."""
    dialer: Process = field(init=False)
    service: DialerService = field(init=False)
    switches: list[Process] = field(factory=list, init=False)
    simulators: list[Simulator] = field(factory=list, init=False)
    reader: sqlite3.Connection = field(init=False)
    _path: Path = field(init=False)
    _started_at: float = field(default=0.0, init=False)
    _pending: list[Fault] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self.rng = random.Random(self.plan.seed)
        self.network = Network(self)
        self.began = self.clock.rightNow = self.scenario.begins.timestamp()
        self._path = self.folder / "dialer.db"
        for leftover in self.folder.glob("dialer.db*"):
            leftover.unlink()
        shutil.copyfile(database_for(self.scenario, self.folder), self._path)
        self.reader = sqlite3.connect(self._path, isolation_level=None)
        self.oracle.attempt_of = self._attempt_of
        for index in range(self.scenario.switches):
            self._start_switch(index)

    # --- the run ------------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Play the scenario to its end, and a little longer."""
        look_at = self.began
        if self.scenario.listed_after is not None:
            self.clock.callLater(self.scenario.listed_after, self._list_last)
        if self.scenario.down:
            self._take_down("carrier")
            self.clock.callLater(self.scenario.down, self._take_down)
        with self._wired():
            self._start_dialer()
            while self.clock.calls:
                now = self.clock.seconds()
                if now >= look_at:
                    look_at = now + 0.5
                    if self._over(now):
                        break
                self.point("step")
                self._apply_pending()
                if self.clock.calls:
                    self.clock.step()
            self.dialer.kill(Fate.LOST)
        for switch in self.switches:
            switch.kill(Fate.LOST)

    def point(self, name: str) -> None:
        """A kill point is reached."""
        self.points += 1
        if self.trace is not None:
            self.trace.append(Traced(name, *(tuple(self.rows(statement)) for statement in _STANDING)))
        fault = self.plan.faults.get(self.points)
        if isinstance(fault, Kill):
            self._kill(fault)
        elif fault is not None:
            self._pending.append(fault)

    @property
    def serves(self) -> bool:
        """Whether the database does."""
        return self.clock.seconds() >= self.away_until

    def now(self) -> datetime:
        """The clock of every process."""
        return datetime.fromtimestamp(self.clock.seconds(), UTC)

    def split(self, data: bytes) -> list[bytes]:
        """The pieces in which some bytes arrive."""
        cuts = min(self.rng.randrange(self.plan.pieces), len(data) - 1)
        if not cuts:
            return [data]
        some = range(1, len(data))
        at = [0, *([self.rng.choice(some)] if cuts == 1 else sorted(self.rng.sample(some, cuts))), len(data)]
        return [data[begin:end] for begin, end in pairwise(at)]

    def rows(self, statement: str) -> list[Any]:
        """What another program sees in the database."""
        return self.reader.execute(statement).fetchall()

    def count(self) -> tuple[Counts, Counts]:
        """The statistics, and the rows of ended attempts counted here, at one moment."""
        self.reader.execute("BEGIN")
        kept = self.rows(
            "SELECT hour, gateway_id, number_of_attempt, disposition, cause, attempts, counted, talk_ms FROM attempt_count "
            "WHERE attempts + counted + talk_ms <> 0"
        )
        there = self.rows(
            "SELECT planned_at, gateway_id, number_of_attempt, disposition, cause, counts_as_attempt, talk_ms FROM attempt "
            "WHERE ended_at IS NOT NULL"
        )
        self.reader.execute("COMMIT")
        counted: Counts = {}
        for planned_at, *key, counts, talk_ms in there:
            bucket = (f"{planned_at[:13]}:00:00.000000", *key)
            before = counted.get(bucket, (0, 0, 0))
            counted[bucket] = (before[0] + 1, before[1] + counts, before[2] + talk_ms)
        return {tuple(row[:5]): tuple(row[5:]) for row in kept}, counted

    def close(self) -> None:
        """Give the file back."""
        self.reader.close()

    @property
    def listed_number(self) -> str:
        """The number that is put on a list in the run, where one is."""
        return number_of(len(self.scenario.callees) - 1)

    @property
    def is_listed_forbidden(self) -> bool:
        """Whether its contact is not called any more because of that."""
        status = f"SELECT 1 FROM subscriber WHERE number = '{self.listed_number}' AND status = 7"
        return self.listed_behind is not None and bool(self.rows(status))

    def _take_down(self, *gateways: str) -> None:
        """These, and no others, do not answer from now on."""
        for simulator in self.simulators:
            simulator.take_down(*gateways)

    def _list_last(self) -> None:
        """Another program puts a number on the list that holds for everybody."""
        number, moment = self.listed_number, to_column(self.now())
        self.reader.execute("BEGIN IMMEDIATE")
        self.reader.execute(
            "INSERT INTO do_not_call (list_id, number, identity, reason, source, created_at, added_by) "
            "VALUES (1, ?, ?, 'asked', ?, ?, 'ann')",
            (number, number, IN_THE_RUN, moment),
        )
        ((self.listed_behind,),) = self.rows("SELECT coalesce(max(id), 0) FROM attempt")
        self.reader.execute("COMMIT")

    def _over(self, now: float) -> bool:
        if not self.dialer.alive:
            return False
        if self.finished_at is None and not self.rows("SELECT 1 FROM subscriber WHERE status IN (1, 6) LIMIT 1"):
            self.finished_at = now
        if self.finished_at is None:
            return now > self.began + self.scenario.patience
        return now > max(self.finished_at, self.network.held_until, self.away_until, self._started_at) + AFTERWARDS

    def _attempt_of(self, call_uuid: str) -> str:
        row = self.reader.execute("SELECT ended_at FROM attempt WHERE call_uuid = ?", (call_uuid,)).fetchone()
        return "none" if row is None else "open" if row[0] is None else "ended"

    # --- the processes ------------------------------------------------------------------------------------------------------

    def _start_switch(self, index: int) -> None:
        patterns = tuple(parse_pattern(f"{number_of(index)}={callee}") for index, callee in enumerate(self.scenario.callees))
        config = SimulatorConfig(plan=NumberPlan(patterns), heartbeat=0, default_playback=self.scenario.message, list_lag=0.2)
        switch = Process(self, f"switch {index}")
        simulator = Simulator(switch, config, random.Random(self.plan.seed + 1000 * index))
        simulator.oracle = simulator.switch.oracle = self.oracle
        simulator.start(SWITCH_PORT + index)
        self.switches.append(switch)
        self.simulators.append(simulator)

    def _switch_config(self, index: int) -> SwitchConfig:
        return SwitchConfig(
            name=f"switch{index}" if self.scenario.switches > 1 else "",
            port=SWITCH_PORT + index,
            handshake=2.0,
            ping_interval=1.0,
            silence=2.0,
            retry_initial=0.2,
            retry_max=1.0,
            gateway_interval=0.0,
        )

    def _start_dialer(self) -> None:
        self.dialer = Process(self, "dialer", numbered=True)
        self._started_at = self.clock.seconds()
        settings = ServiceSettings(
            database=sqlite_url(self._path),
            switches=tuple(map(self._switch_config, range(self.scenario.switches))),
            outbound=OutboundSettings(
                endpoint=f"tcp:{OUTBOUND_PORT}:interface=127.0.0.1",
                wait_for_dialer=WAIT,
                inline=self.scenario.inline,
            ),
            outcomes=self.folder / "outcomes",
            applications={VoipAppType.PLAY_AUDIO: play},
            recovery=RecoverySettings(grace=GRACE, originate_window=WINDOW),
            rules=self.scenario.book,
        )
        self.service = DialerService(self.dialer, settings)
        Deferred.fromCoroutine(self.service.start()).addErrback(self._not_started, self.dialer)

    def _not_started(self, failure: Failure, dialer: Process) -> None:
        """The process ends, and who watches over it starts another."""
        failure.trap(StoreError)
        if dialer.alive:
            dialer.kill(Fate.LOST)
            self.clock.callLater(1.0, self._start_dialer)

    @contextmanager
    def _wired(self) -> Iterator[None]:
        """The dialer's own wiring, with this world's clock, disk, chance and, to be quick, shorter times."""
        with (
            self.complaints,
            mock.patch.object(dialer.esl.inbound, "HostnameEndpoint", TCP4ClientEndpoint),
            mock.patch.object(dialer.campaigns.scheduler, "TICK", 0.5),
            mock.patch.object(dialer.hooks.consumer, "LOOK_EVERY", 1.0),
            mock.patch.object(dialer.hooks.interests, "LOOK_EVERY", 5.0),
            mock.patch.object(dialer.hooks.webhooks, "LOOK_EVERY", 5.0),
            mock.patch.multiple(dialer.store.sqlite, prepare=prepare, make_entities=NoEntities),
            mock.patch.multiple(
                dialer.service,
                Database=SteppedDatabase,
                utc_now=self.now,
                new_id=uuid_factory(random.Random(self.plan.seed)),
            ),
            mock.patch.object(dialer.fleet_wiring, "random", SimpleNamespace(Random=lambda: random.Random(self.plan.seed))),
            mock.patch.multiple(
                dialer.telling,
                JsonLines=lambda _: self._hook,
                OUTCOME_KINDS=frozenset(EventKind),
                random=SimpleNamespace(Random=lambda: random.Random(self.plan.seed)),
            ),
        ):
            yield

    async def _hook(self, events: Sequence[Told]) -> None:
        self.delivered += events

    # --- what goes wrong ----------------------------------------------------------------------------------------------------

    def _kill(self, fault: Kill) -> None:
        if self.dialer.alive:
            self.kills += 1
            self.dialer.kill(fault.fate)
            self.counts.append((f"after kill {self.kills} at point {self.points}", *self.count()))
            self.clock.callLater(fault.restart, self._start_dialer)

    def _apply_pending(self) -> None:
        """What does not happen in the middle of the dialer's instructions."""
        pending, self._pending = self._pending, []
        for fault in pending:
            if isinstance(fault, Restart):
                index = fault.which % self.scenario.switches
                self.restarts += [self.clock.seconds(), self.clock.seconds() + fault.down]
                self.network.refused_until[SWITCH_PORT + index] = self.clock.seconds() + fault.down
                self.network.abort(self.switches[index])
                self.simulators[index].restart()
            elif isinstance(fault, Slow):
                simulator = self.simulators[fault.which % self.scenario.switches]
                simulator.reply_late(fault.late)
                self.clock.callLater(fault.seconds, simulator.reply_late, 0.0)
            elif isinstance(fault, Cut):
                self.network.cut()
            elif isinstance(fault, Silence):
                self.network.silence(fault.seconds)
            elif isinstance(fault, Away):
                self.away_until = self.clock.seconds() + fault.seconds
            elif isinstance(fault, Stall):
                self.network.stall(self.dialer, fault.seconds)


async def play(call: Any, context: Any) -> dict[str, str]:
    """A voice application that plays the message."""
    await call.execute("playback", "hello.wav")
    return {"played": "1"}
