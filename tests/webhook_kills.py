"""Dialers are killed while they tell a webhook what happens, and its receiver is the judge: no event is lost, none is told
that did not happen, and those of each attempt come in their order.

`python -m tests.webhook_kills` kills fifty times on each database, on PostgreSQL one of two nodes, and prints the figures.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater, react

from dialer.hooks.addresses import AddressRules
from dialer.management import Management, users, webhooks
from dialer.model import Contact
from dialer.store.connection import Dialect
from dialer.store.database import Database
from dialer.store.location import dialect_of
from dialer.wall_clock import utc_now
from tests import receiver as answers
from tests.grounds import KINDS, new_database, rows, standing_on
from tests.harness.campaign import CampaignRules, seed
from tests.harness.node import Node
from tests.postgresql import Server
from tests.receiver import Receiver, in_order
from tests.seeding import Seeds

KILLS = 50
"""Of the long form."""

CONTACTS = 150
"""For each kill: they last until a survivor has taken over."""

WISHED: Final = "attempt.* contact.*"
"""Events of which the webhook is told; others happen, too."""
ASKED_FOR: Final = "kind LIKE 'attempt.%' OR kind LIKE 'contact.%'"
RULES = CampaignRules(frequency=1200, max_retry=0, interval=1, call_timeout=20, max_duration=60)
REQUESTS = 60
"""That a process makes at least before it is killed."""

LEASE = 3
"""Seconds for which a node that is not heard of is left alone: the shortest that can be configured."""

PATIENCE = 90.0
"""Seconds in which anything must happen that is waited for."""

IN_REQUEST: Final = "in the middle of a request"
AT_CHANCE: Final = "at a moment of chance"
TAKEN_OVER: Final = "in the middle of a request, until another node has taken over"


@frozen(kw_only=True)
class Told:
    """What the receiver has seen when everything is over, beside what happened."""

    kills: Counter[str]
    events: int
    requests: int
    repeated: int
    """Arrivals of what had arrived before."""
    lost: frozenset[int]
    invented: frozenset[int]
    is_in_order: bool
    problems: Sequence[str]
    longest_silence: float
    """Seconds from a kill to the next request."""

    @property
    def broken(self) -> list[str]:
        """The promises that were not kept."""
        found = [f"event {number} never arrived" for number in sorted(self.lost)]
        found += [f"event {number} arrived and never happened" for number in sorted(self.invented)]
        if not self.is_in_order:
            found.append("events of an attempt came in another order")
        return [*found, *self.problems]

    def lines(self) -> list[str]:
        """For a reader."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.kills.items())
        return [
            f"kills {self.kills.total()}: {kinds}",
            f"events {self.events}, lost {len(self.lost)}, in order: {'yes' if self.is_in_order else 'no'}, "
            f"told again {self.repeated}, requests {self.requests}",
            f"longest time from a kill to the next request {self.longest_silence:.1f} s",
            *self.broken[:20],
        ]


@define(eq=False)
class Play:
    """A campaign, its webhook, and the dialers: two on a server, one on a file. Reactor thread only."""

    folder: Path
    url: str
    kills_wanted: int
    rng: random.Random
    receiver: Receiver = field(factory=Receiver)
    nodes: list[Node] = field(factory=list, init=False)
    kills: Counter[str] = field(factory=Counter, init=False)
    _to_kill: Node | None = field(default=None, init=False)
    _silent_since: float | None = field(default=None, init=False)
    _silence: float = field(default=0.0, init=False)

    async def run(self) -> Told:
        """To the end: everything that happened has been told, or never will be."""
        self.receiver.start().answer = self._answer
        try:
            await self._furnish()
            self.nodes = [self._node(name) for name in (("one", "two") if self._shared else ("one",))]
            for node in self.nodes:
                node.start()
            for number in range(self.kills_wanted):
                await self._requests(REQUESTS)
                await self._strike(number)
            await self._requests(REQUESTS)
            await self._settle()
            return self._told()
        finally:
            for node in self.nodes:
                if node.died_by_itself():
                    node.buried()
                elif node.alive:
                    node.kill()
            await self.receiver.stop()

    @property
    def _shared(self) -> bool:
        return dialect_of(self.url) is Dialect.POSTGRESQL

    async def _furnish(self) -> None:
        from twisted.internet import reactor

        database = Database(self.url, reactor)
        await database.start()
        seeded = await seed(database, RULES, utc_now())
        contacts = [Contact(number=str(5_550_000 + number)) for number in range(CONTACTS * (self.kills_wanted + 1))]
        await Seeds(database, utc_now()).add(seeded.phonebook_id, contacts)
        management = Management(database, utc_now, receivers=AddressRules((ip_network("127.0.0.0/8"),)))
        admin = await management.ask(users.account, "admin")
        wish = {"url": self.receiver.url, "kinds": WISHED}
        made = await management.ask(webhooks.add, admin, wish, management.receivers)
        self.receiver.secret = made.secret
        await database.stop()

    def _node(self, name: str) -> Node:
        """Each has a switch of its own."""
        sections: dict[str, dict[str, object]] = {
            "database": {"url": self.url},
            "http": {"endpoint": "tcp:0:interface=127.0.0.1"},
            "simulator": {"callees": ["*=answers:ring=0.2,talk=0.3"], "calls_per_second": 100.0},
            "outbound": {"endpoint": "tcp:0:interface=127.0.0.1"},
            "webhooks": {"allow": ["127.0.0.0/8"]},
            "recovery": {"grace": 2.0, "originate_window": 2.0},
        }
        if self._shared:
            sections["node"] = {"name": name, "lease": LEASE}
        return Node.create(name, self.folder, sections)

    def _answer(self, receiver: Receiver, request: Any) -> Any:
        """Some requests fail at first, so that there always are some to be made again; the one in the middle of which a dialer
        is killed has arrived."""
        if self._silent_since is not None:
            self._silence = max(self._silence, time.monotonic() - self._silent_since)
            self._silent_since = None
        if self._to_kill is not None:
            self._kill(self._to_kill)
            return answers.good
        number = int(request.events[0]["id"].rpartition("_")[2])
        if receiver.tries[request.headers["webhook-id"]] == 1:
            if number % 29 == 0:
                return answers.status("503 Later")
            if number % 31 == 0:
                return answers.reset
        return answers.good

    async def _strike(self, number: int) -> None:
        """Kill the node that tells, and let it come back: at once, or after another one has told in its place."""
        kind = (IN_REQUEST, AT_CHANCE, TAKEN_OVER)[number % (3 if self._shared else 2)]
        node = self._telling()
        if kind is AT_CHANCE:
            await _sleep(self.rng.uniform(0, 0.3))
            self._kill(node)
        else:
            self._to_kill = node
            await self._until(lambda: not node.alive)
        self.kills[kind] += 1
        if kind is TAKEN_OVER:
            await self._requests(REQUESTS)
        node.start()

    def _telling(self) -> Node:
        ((holder,),) = rows(self.url, "SELECT holder FROM event_consumer WHERE name = 'webhooks'")
        return next((node for node in self.nodes if node.name == holder), self.nodes[0])

    def _kill(self, node: Node) -> None:
        node.kill()
        self._to_kill = None
        self._silent_since = time.monotonic()

    async def _requests(self, count: int) -> None:
        """Wait for so many more."""
        before = len(self.receiver.requests)
        await self._until(lambda: len(self.receiver.requests) >= before + count)

    async def _settle(self) -> None:
        """No more calls; what happened is told."""
        rows(self.url, "UPDATE campaign SET status = 2")
        for statement in (
            "SELECT 1 FROM attempt WHERE ended_at IS NULL",
            "SELECT 1 FROM webhook WHERE position < (SELECT max(id) FROM event)",
            "SELECT 1 FROM webhook_delivery WHERE status = 'due'",
        ):
            await self._until(lambda statement=statement: not rows(self.url, statement))

    async def _until(self, condition: Callable[[], bool]) -> None:
        last = time.monotonic() + PATIENCE
        while not condition():
            for node in self.nodes:
                assert not node.died_by_itself(), node.last_words()
            assert time.monotonic() < last, "\n".join(node.last_words() for node in self.nodes)
            await _sleep(0.05)

    def _told(self) -> Told:
        happened = {number for (number,) in rows(self.url, f"SELECT id FROM event WHERE {ASKED_FOR}")}
        arrived = [int(id_.rpartition("_")[2]) for id_ in self.receiver.ids]
        return Told(
            kills=self.kills,
            events=len(happened),
            requests=len(self.receiver.requests),
            repeated=len(arrived) - len(set(arrived)),
            lost=frozenset(happened - set(arrived)),
            invented=frozenset(set(arrived) - happened),
            is_in_order=in_order(self.receiver.arrived),
            problems=tuple(self.receiver.problems),
            longest_silence=self._silence,
        )


def _sleep(seconds: float) -> Deferred[None]:
    from twisted.internet import reactor

    return deferLater(reactor, seconds)  # type: ignore[arg-type]


async def _long(options: argparse.Namespace) -> None:
    broken = False
    for kind in KINDS if options.database == "all" else (Dialect(options.database),):
        with Server.running() if kind is Dialect.POSTGRESQL else nullcontext() as server, standing_on(server):
            folder = Path(tempfile.mkdtemp(prefix=f"dialer-webhook-kills-{kind}-"))
            told = await Play(folder, new_database(folder), options.kills, random.Random(options.seed)).run()
        say(f"--- {kind}", *told.lines())
        if told.broken:
            say(f"the logs are in {folder}")
        broken = broken or bool(told.broken)
    if broken:
        raise SystemExit(1)


def say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Exit status: 0 when every promise was kept, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.webhook_kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS, help="on each database (default: %(default)s)")
    parser.add_argument("--database", choices=[*KINDS, "all"], default="all", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="of the moments of chance (default: %(default)s)")
    options = parser.parse_args()
    react(lambda _: Deferred.fromCoroutine(_long(options)))


if __name__ == "__main__":
    main()
