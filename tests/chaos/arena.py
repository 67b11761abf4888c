"""The place where everything runs: a database, one or two switches, one to three dialers, the network between them."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from attrs import Factory, define, evolve, field, frozen

from tests.chaos.called_side import CalledSideLog
from tests.chaos.campaign import CALLING_RULES, PlayedCampaign, Rules, calling_rules
from tests.chaos.grounds import Ground
from tests.chaos.node import LinkedNode
from tests.chaos.switch import Switch
from tests.harness.campaign import stored_attempts, stored_contacts
from tests.harness.dialer_log import errors
from tests.harness.judge import Broken, Evidence, Kind, judge
from tests.harness.network import LOCAL, Network
from tests.harness.node import START
from tests.processes import lasting_port

OTHER = "other"
"""The second switch's name."""

FRESH = 50
"""Contacts that are never called yet, below which more are added."""

SETTLED = 60.0
"""Seconds in which every open attempt must have ended after the last disturbance."""

FINISHED = 400.0
"""Seconds in which every contact must be finished: the longest pauses of one that could not be dialled add up to so much."""


@frozen
class Happening:
    """Something that keeps dialers from calling, and whom: "" for all of them."""

    at: float
    name: str
    node: str = ""


@define(eq=False)
class Arena:
    """A run. A context manager, after which nothing of it is left running. `expected` are beginnings of log lines which are no
    errors in this run; `defect` is one of `tests.crash.defects`. With a `second` switch, the dialers have two; it is
    never killed, and there is no link before it."""

    folder: Path
    ground: Ground
    seed: int
    nodes_wanted: int = 1
    rules: Rules = Factory(Rules)
    expected: tuple[str, ...] = ()
    defect: str = ""
    second: bool = False
    rng: random.Random = field(init=False)
    campaign: PlayedCampaign = field(init=False)
    switch: Switch = field(init=False)
    other: Switch | None = field(default=None, init=False)
    nodes: list[LinkedNode] = field(factory=list, init=False)
    listed: dict[str, float] = field(factory=dict, init=False)
    """When numbers were put on a do-not-call list."""
    happenings: list[Happening] = field(factory=list, init=False)
    open_at_kills: list[int] = field(factory=list, init=False)
    durations: dict[str, list[float]] = field(factory=dict, init=False)
    paused_at: float | None = field(default=None, init=False)
    elapsed: float = field(default=0.0, init=False)
    cpu: float = field(default=0.0, init=False)
    _broken: list[Broken] = field(factory=list, init=False)
    _stack: ExitStack = field(factory=ExitStack, init=False)
    _looked_at: float = field(default=0.0, init=False)
    _began: tuple[float, float] = field(default=(0.0, 0.0), init=False)

    def __attrs_post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.campaign = PlayedCampaign(self.ground, self.rules)
        self.switch = Switch(self.folder, self.seed)
        if self.second:
            (self.folder / OTHER).mkdir()
            self.other = Switch(self.folder / OTHER, self.seed + 500)

    def __enter__(self) -> Arena:
        self._began = (time.monotonic(), _cpu())
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise
        return self

    def _open(self) -> None:
        network = self._stack.enter_context(Network())
        self._stack.callback(self._end_processes)
        self.campaign.create()
        self.campaign.add(2 * FRESH)
        for switch in self._switches():
            switch.start()
        for name in "abc"[: self.nodes_wanted]:
            node = self._node(name, network)
            self.nodes.append(node)
            node.start()

    def _node(self, name: str, network: Network) -> LinkedNode:
        """One of its own folder, and behind its own link."""
        rules, outbound = self.rules, lasting_port()
        link = network.link(self.switch.port, outbound)
        switch = {
            "name": "switch",
            "port": link.switch_port,
            "password": "ClueCon",
            "calls_per_second": rules.frequency / 60 * 2,
            "silence": rules.silence,
        }
        sections = {
            "switch": switch,
            "http": {"endpoint": f"tcp:0:interface={LOCAL}"},
            "outbound": {"endpoint": f"tcp:{outbound}:interface={LOCAL}", "advertise": f"{LOCAL}:{link.outbound_port}"},
            "recovery": {"grace": rules.grace, "originate_window": rules.window},
            **self.ground.sections(name),
            **({} if rules.attempts is None else {"rules": CALLING_RULES}),
        }
        node = LinkedNode.create(name, self.folder, sections)
        (node.folder / CALLING_RULES["file"]).write_text(calling_rules(rules), encoding="utf-8")
        if self.other is not None:
            node.configure("switch", {**switch, "name": OTHER, "port": self.other.port})
        node.link, node.defect = link, self.defect
        return node

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def _end_processes(self) -> None:
        for node in self.nodes:
            if node.alive:
                node.kill()
        for switch in self._switches():
            if switch.alive:
                switch.kill()
        self.elapsed = time.monotonic() - self._began[0]
        self.cpu = _cpu() - self._began[1]

    # --- what disturbances use ----------------------------------------------------------------------------------------------

    def strike(self, disturbance: Callable[[Arena], None]) -> None:
        """Let something happen, and note how long that took."""
        began = time.monotonic()
        disturbance(self)
        self.durations.setdefault(type(disturbance).__name__, []).append(time.monotonic() - began)

    def forbid(self, count: int) -> None:
        """Put so many numbers on a do-not-call list that are to be called, half of them again."""
        waiting = self.campaign.waiting()
        numbers = [*waiting[: count // 2], *waiting[-(count - count // 2) :]]
        at = self.campaign.forbid(numbers)
        self.listed |= dict.fromkeys(numbers, at)

    def pick(self) -> LinkedNode:
        """Any node."""
        return self.rng.choice(self.nodes)

    def note(self, name: str, node: LinkedNode | None = None) -> None:
        """From now on, the node, or all of them, may be unable to call."""
        self.happenings.append(Happening(time.time(), name, node.name if node is not None else ""))

    def kill(self, node: LinkedNode) -> None:
        """`kill -9`, and note how many attempts were open."""
        self.note("kill", node)
        node.kill()
        self.open_at_kills.append(self._count("attempt WHERE ended_at IS NULL"))

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._look()
            time.sleep(min(left, 0.05))

    def until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Let time pass until `condition` holds. It is a broken promise when that takes longer than `seconds`."""
        until = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > until:
                raise AssertionError(f"after {seconds:g} s, {what}; {self.nodes[0].last_words()}")
            self._look()
            time.sleep(0.05)

    def until_ready(self, *nodes: LinkedNode) -> None:
        """Wait until these nodes, or all of them, serve."""
        for node in nodes or self.nodes:
            self.until(node.is_ready, START, f"node {node.name} is not ready")

    def until_calling(self, *nodes: LinkedNode) -> None:
        """Wait until these nodes, or all of them, have begun another attempt: they are connected. An attempt that was begun
        just before a connection broke does not tell, so a connection is waited for first."""
        for node in nodes or self.nodes:
            self.until(node.link.is_open, START, f"node {node.name} is not connected")
            before = self._begun(node)
            self.until(lambda node=node, before=before: self._begun(node) > before, START, f"node {node.name} is not calling")

    def _begun(self, node: LinkedNode) -> int:
        mine = f"attempt WHERE owner = '{node.name}'" if len(self.nodes) > 1 else "attempt"
        return self._count(mine)

    def _look(self) -> None:
        """From time to time: has anybody died, are there enough contacts?"""
        if time.monotonic() < self._looked_at + 0.5:
            return
        self._looked_at = time.monotonic()
        for node in self.nodes:
            if node.died_by_itself():
                self._complain(f"node {node.name} ended by itself, status {node.buried()}: {node.last_words()}")
                node.start()
        if any(switch.died_by_itself() for switch in self._switches()):
            raise AssertionError("the simulator has died by itself")
        # A frozen dialer may hold the write lock of its file.
        if self.paused_at is None and not any(node.frozen for node in self.nodes) and self.campaign.fresh() < FRESH:
            self.campaign.add(2 * FRESH)

    # --- the end ------------------------------------------------------------------------------------------------------------

    def settle(self, *, finish: bool = False) -> list[Broken]:
        """Mend everything, let every attempt come to its end, with `finish` every contact; stop, and judge."""
        for node in self.nodes:
            if node.frozen:
                node.thaw()
            node.link.heal()
        if not self.switch.alive:
            self.switch.start()
        for node in self.nodes:
            if not node.alive:
                node.start()
        self.until_ready()
        self.paused_at = time.time()
        if finish:
            self.until(lambda: not self._count("subscriber WHERE status IN (1, 6)"), FINISHED, "contacts are not finished")
        else:
            self.until(self._paused, SETTLED, "the campaign was not paused")
        self._end_attempts()
        for node in self.nodes:
            if (status := node.stop()) != 0:
                self._complain(f"node {node.name} stopped with status {status}: {node.last_words()}")
        seen = self.seen()
        for switch in self._switches():
            switch.kill(signal.SIGTERM)
        broken = judge(evolve(self.evidence(seen), at=time.time()))
        return [*broken, *self._untouched(), *self._audit(), *self._complaints(), *self._broken]

    def _paused(self) -> bool:
        """Asked for; 503 is the answer of a dialer that has too much to do."""
        status = self.nodes[0].request("PUT", f"campaign/{self.campaign.id}/", "status=2")
        assert status in (200, 503), f"the campaign was not paused: {status}"
        return status == 200

    def seen(self) -> CalledSideLog:
        """What the called side has seen so far."""
        logs = [switch.seen() for switch in self._switches()]
        return CalledSideLog(
            sorted((call for log in logs for call in log.calls), key=lambda call: call.invited_at),
            sorted((refusal for log in logs for refusal in log.refusals), key=lambda refusal: refusal.at),
        )

    def _switches(self) -> list[Switch]:
        return [self.switch] if self.other is None else [self.switch, self.other]

    def _untouched(self) -> list[Broken]:
        """Nothing of the second switch is lost with the first one, as long as no dialer dies."""
        if self.other is None or self.open_at_kills:
            return []
        statement = f"SELECT call_uuid, cause FROM attempt WHERE switch = '{OTHER}' AND cause IN ('UNKNOWN', 'LOST_SWITCH')"
        return [
            Broken(Kind.LOST, f"{uuid} on the other switch ended as {cause}") for uuid, cause in self.ground.rows(statement)
        ]

    def evidence(self, seen: CalledSideLog) -> Evidence:
        """What is known when everything has ended."""
        return Evidence(
            rules=self.rules,
            calls=seen.calls,
            attempts=stored_attempts(self.ground.rows),
            contacts=stored_contacts(self.ground.rows),
            expected=self.campaign.contacts,
            listed=self.listed,
            deaths=[life.died_at for life in self.switch.lives if life.died_at is not None],
        )

    def _end_attempts(self) -> None:
        try:
            self.until(lambda: not self._count("attempt WHERE ended_at IS NULL"), SETTLED, "attempts are still open")
        except AssertionError as error:
            self._broken.append(Broken(Kind.LOST, str(error)))

    def _complain(self, text: str) -> None:
        self._broken.append(Broken(Kind.OTHER, text))

    def _count(self, what: str) -> int:
        ((count,),) = self.ground.rows(f"SELECT count(*) FROM {what}")
        return int(count)

    def _audit(self) -> list[Broken]:
        done = self.nodes[0].command("check")
        return [Broken(Kind.OTHER, f"dialer check: {done.stdout}{done.stderr}")] if done.returncode else []

    def _complaints(self) -> list[Broken]:
        found = Counter(
            f"node {node.name} logged {text}"
            for node in self.nodes
            for text in errors(node.log())
            if not text.partition(": ")[2].startswith(self.expected or ("\0",))
        )
        return [Broken(Kind.OTHER, f"{text} ({count} times)") for text, count in found.items()]


def _cpu() -> float:
    """Seconds of CPU of this process, and of its children that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system
