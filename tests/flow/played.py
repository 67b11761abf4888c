"""A dialer on the real SQL and a stepped clock: what the use cases tell of a campaign, and what is dialled."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Awaitable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from dialer.calls.fleet import Fleet
from dialer.calls.flow_settings import FlowSettings
from dialer.calls.lifecycle import Lifecycle
from dialer.campaigns.scheduler import Scheduler
from dialer.management import Management
from dialer.model import (
    Account,
    Campaign,
    Hangup,
    IdleReason,
    Origination,
    Progress,
    Signal,
    SignalKind,
)
from dialer.numbering import numbering
from dialer.rules.book import NO_RULES, RuleBook
from dialer.store.flow import Store
from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade
from dialer.store.times import to_column, to_column_or_none
from tests.fakes.database import ClockedDatabase, Rows
from tests.fakes.flow import nothing
from tests.fakes.switch import MemorySwitch
from tests.seeding import SEED

T = TypeVar("T")

ANN = Account(id=1, username="ann")
STEP = 0.02


@cache
def template() -> sqlite3.Connection:
    """An empty campaign of ann's, through the gateway `g`."""
    connection = sqlite3.connect(":memory:")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dialer.db"
        upgrade(sqlite_url(path))
        with closing(sqlite3.connect(path)) as made:
            made.backup(connection)
    connection.executescript(
        SEED + "DELETE FROM attempt; DELETE FROM subscriber; DELETE FROM contact; DELETE FROM do_not_call"
    )
    connection.execute("UPDATE gateway SET dial_string = 'sofia/gateway/g/{number}', hostname = ''")
    connection.execute("UPDATE campaign SET frequency = 60")
    connection.commit()
    return connection


class LocalDatabase(ClockedDatabase):
    """One whose numbers are of no region, and for which nothing waits."""

    region = ""
    backlog = 0


@define(eq=False)
class Played:
    """A dialer. Each call is answered at once and lasts for `call_seconds`; `sent` are seconds and numbers."""

    start: datetime
    book: RuleBook = NO_RULES
    call_seconds: float = 5.0
    clock: Clock = field(factory=Clock)
    switch: MemorySwitch = field(factory=MemorySwitch)
    rows: Rows = field(factory=lambda: Rows.copy_of(template()))
    sent: list[tuple[float, str]] = field(factory=list)
    stepped: timedelta = timedelta()
    """By how much the clock of the machine was set since the start."""
    alone: bool = False
    """Whether the use cases know nothing of the flow, as in a command."""
    fleet: Fleet = field(init=False)
    store: Store = field(init=False)
    lifecycle: Lifecycle = field(init=False)
    scheduler: Scheduler = field(init=False)
    management: Management = field(init=False)
    database: LocalDatabase = field(init=False)
    _started: bool = field(default=False, init=False)
    _ids: Iterator[int] = field(factory=lambda: count(1), init=False)

    def __attrs_post_init__(self) -> None:
        self.rows.sql("UPDATE installation SET rule_book = ?", self.book.fingerprint)
        self.change(starting_at=self.start - timedelta(days=1), expires_at=self.start + timedelta(days=30))
        self.switch.on_submit = self._submitted
        self.begin_process()

    def begin_process(self) -> None:
        """A process, as it is when it starts."""
        self.database = LocalDatabase(self.rows, self.clock)
        database: Any = self.database
        self.store = Store(database, self.clock, node="here", rules=self.book)
        self.fleet = Fleet.of_one(self.switch)
        self.lifecycle = Lifecycle(
            clock=self.clock,
            now=self.now,
            store=self.store,
            fleet=self.fleet,
            settings=FlowSettings(installation="test", outbound="127.0.0.1:8084"),
            application=nothing,
            rules=self.book,
        )
        self.scheduler = Scheduler(
            clock=self.clock,
            now=self.now,
            store=self.store,
            fleet=self.fleet,
            lifecycle=self.lifecycle,
            new_id=lambda: f"call-{next(self._ids)}",
            numbering=numbering(),
        )
        self.management = Management(database, self.now, None if self.alone else self, rules=self.book)

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.clock.seconds()) + self.stepped

    # --- dialer.interfaces.FlowControl ------------------------------------------------------------------------------------

    def call_soon(self) -> None:
        self.scheduler.call_soon()

    def release(self, campaign_id: int) -> None:
        self.lifecycle.release_unsent(campaign_id)

    def hang_up(self, campaign_id: int) -> None:
        self.lifecycle.release_unsent(campaign_id)

    def live_calls(self, campaign_id: int) -> int:
        return self.scheduler.live_calls(campaign_id)

    def calls_per_second(self) -> float:
        return self.fleet.calls_per_second

    def explain(self, campaign: Campaign, progress: Progress | None) -> IdleReason | None:
        return self.scheduler.explain(campaign, progress)

    # --- what there is ----------------------------------------------------------------------------------------------------

    def contact(
        self, number: str, ready_at: datetime | None = None, *, time_zone: str = "", campaign_id: int = 1, **more: Any
    ) -> int:
        """Its id, which is that of its subscriber, too."""
        (key,) = self.rows.sql("SELECT coalesce(max(id), 0) + 1 FROM subscriber")[0]
        identity = numbering().identity(number)
        self.rows.sql(
            "INSERT INTO contact (id, phonebook_id, number, first_name, last_name, email, description, additional_vars, "
            "created_at, updated_at, identity, time_zone) VALUES (?, 1, ?, '', '', '', '', '{}', ?, ?, ?, ?)",
            key, number, to_column(self.start), to_column(self.start), identity, time_zone,
        )  # fmt: skip
        given = {"status": 1, "count_attempt": 0, "free_retries": 0, "priority": 5, **more}
        if given["status"] == 1:
            given["ready_at"] = to_column(ready_at or self.start - timedelta(hours=1))
        names = "".join(f", {name}" for name in given)
        self.rows.sql(
            f"INSERT INTO subscriber (id, campaign_id, contact_id, number, identity{names}) "
            f"VALUES (?, ?, ?, ?, ?{', ?' * len(given)})",
            key, campaign_id, key, number, identity, *given.values(),
        )  # fmt: skip
        return int(str(key))

    def forbid(self, number: str, until: datetime | None = None) -> None:
        self.rows.sql(
            "INSERT INTO do_not_call (list_id, number, identity, reason, created_at, expires_at) "
            "VALUES (1, ?, ?, 'asked', ?, ?)",
            number, numbering().identity(number), to_column(self.start), to_column_or_none(until),
        )  # fmt: skip

    def pattern(self, kind: str, pattern: str, matcher: str) -> None:
        self.rows.sql(
            "INSERT INTO number_pattern (user_id, kind, pattern, matcher) VALUES (1, ?, ?, ?)", kind, pattern, matcher
        )

    def change(self, table: str = "campaign", **values: Any) -> None:
        for name, value in values.items():
            stored = to_column(value) if isinstance(value, datetime) else value
            self.rows.sql(f"UPDATE {table} SET {name} = ?", stored)

    def rule(self, **values: str) -> None:
        """Settings that stand in the column `rules`."""
        for name, value in values.items():
            self.rows.sql(f"UPDATE campaign SET rules = json_set(rules, '$.{name}', ?)", value)

    def attempt(self, number: str, at: datetime, *, ended: bool = True, campaign_id: int = 1) -> None:
        """An earlier call to a number."""
        (key,) = self.rows.sql("SELECT coalesce(max(id), 0) + 1 FROM attempt")[0]
        moment = to_column(at)
        self.rows.sql(
            "INSERT INTO attempt (id, call_uuid, campaign_id, subscriber_id, gateway_id, number, identity, dial_string, "
            "number_of_attempt, state, owner, epoch, core_uuid, planned_at, due_at, deadline, ended_at, cause, disposition, "
            "counts_as_attempt, duration_ms) "
            "SELECT ?, ?, ?, s.id, 1, ?, s.identity, 'x', 1, ?, 'here', 1, '', ?, ?, ?, ?, ?, ?, ?, ? FROM subscriber s "
            "WHERE s.identity = ? LIMIT 1",
            key, f"earlier-{key}", campaign_id, number, "ended" if ended else "planned", moment, moment, moment,
            *((moment, "NO_ANSWER", "NO_ANSWER", 1, 5000) if ended else (None,) * 5), numbering().identity(number),
        )  # fmt: skip

    # --- time -------------------------------------------------------------------------------------------------------------

    def ask(self, work: Awaitable[T]) -> T:
        """What comes of it, some milliseconds later."""
        results: list[Any] = []
        found = work if isinstance(work, Deferred) else Deferred.fromCoroutine(work)  # type: ignore[arg-type]
        found.addBoth(results.append)
        for _ in range(5000):
            if results:
                break
            self.clock.advance(0.001)
        (result,) = results
        if isinstance(result, Failure):
            result.raiseException()
        return result  # type: ignore[no-any-return]

    def run(self, seconds: float) -> None:
        """Let it call."""
        if not self._started:
            self._started = True
            self.scheduler.start()
        self.clock.pump([STEP] * round(seconds / STEP))

    def end(self) -> None:
        """Nothing happens any more."""
        for call in self.clock.getDelayedCalls():
            call.cancel()
        self.rows.connection.close()

    def _submitted(self, call: Origination) -> None:
        self.sent.append((self.clock.seconds(), call.dial_string.rpartition("/")[2]))
        self.clock.callLater(0, self._tell, call.call_uuid, SignalKind.ANSWERED)
        self.clock.callLater(self.call_seconds, self._tell, call.call_uuid, SignalKind.HUNG_UP)

    def _tell(self, call_uuid: str, kind: SignalKind) -> None:
        cause = "NORMAL_CLEARING" if kind is SignalKind.HUNG_UP else ""
        hangup = Hangup(cause=cause, q850=16, answered=True, talk_ms=3000, duration_ms=5000) if cause else None
        self.lifecycle.signal_received(Signal(kind=kind, call_uuid=call_uuid, at=self.now(), cause=cause, hangup=hangup))


@contextmanager
def playing(*given: Any, **more: Any) -> Iterator[Played]:
    """One that ends with the test."""
    played = Played(*given, **more)
    try:
        yield played
    finally:
        played.end()
