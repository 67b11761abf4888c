"""The store of the flow: `dialer.interfaces.FlowStore` on a database.

Moves are written behind: at the latest 50 ms after they were noted, and always before open attempts are read or an attempt of
theirs is finished. So a finish finds the moves of its attempt written, by a job of their own: a finish that cannot be written
does not take them with it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from attrs import define, evolve, field, frozen
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from dialer.gateways import Backoff
from dialer.model import (
    Attempt,
    AttemptResult,
    AttemptState,
    Block,
    Campaign,
    CampaignStatus,
    Candidate,
    EventKind,
    Gateway,
    GatewayStatus,
    ObeyedRefusals,
    Others,
    PausedCampaign,
    Plan,
    Progress,
    Refusals,
    RefusedContact,
    Signal,
    Snapshot,
    SubscriberStatus,
)
from dialer.model.campaign import CallOrder
from dialer.periodic import DegradedLog
from dialer.rules.book import NO_RULES, RuleBook
from dialer.store import events, mapping, statements, told_state
from dialer.store.begin import Beginning, begin
from dialer.store.blocked import Blocking, set_aside
from dialer.store.caller_ids import ANY_CALLER_ID, CallerIdRules
from dialer.store.connection import Connection, Dialect
from dialer.store.corrections import pending_cdr
from dialer.store.database import Database
from dialer.store.drains import drains
from dialer.store.finish import finish
from dialer.store.held import allowed, release_some, use_book
from dialer.store.moves import MoveBuffer, Waiting, write_moves
from dialer.store.nodes import others
from dialer.store.ready import Mixer, candidates
from dialer.store.refused import pause_refused, tell_paused
from dialer.store.second_legs import LegToBegin, begin_leg, end_leg
from dialer.store.times import to_column

log = structlog.get_logger()

MOVE_DELAY = 0.05
"""Seconds that a move may wait for company."""
MOVE_RETRY = 1.0
"""Seconds after which moves that could not be written are tried again."""
LOOKED_AT = 200
MOST_LOOKS = 4
"""Contacts that are looked at together, and how often, while the calling rules keep most waiting: some milliseconds."""
MOST_AT_ONCE = 500
"""Parameters of one statement: databases have limits."""


@frozen
class _Asked:
    """Whose contacts are asked for, why now, behind how many of them, and in which order."""

    campaign_id: int
    why: Blocking
    skip: int
    order: CallOrder
    share: int


@define(eq=False)
class Store:
    """The flow's store for the node named `node`. It tells of what happens by the kinds of events in `wanted`, for which
    others ask, and beside calls by those in `shown`, too. `caller_ids` is what the installation says of these."""

    database: Database
    clock: IReactorTime
    node: str
    wanted: frozenset[EventKind] = frozenset()
    shown: frozenset[EventKind] = field(default=frozenset(), init=False)
    rules: RuleBook = NO_RULES
    _cut_short: set[int] = field(factory=set, init=False)
    caller_ids: CallerIdRules = ANY_CALLER_ID
    _moves: MoveBuffer = field(factory=MoveBuffer, init=False)
    _mixer: Mixer = field(factory=Mixer, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)
    _degraded: DegradedLog = field(factory=lambda: DegradedLog("moves are not stored yet"), init=False)
    _damaged: dict[int, tuple[str, ...]] = field(factory=dict, init=False)
    """The settings of gateways of which it was logged that they are damaged, by id. For the database's thread."""

    def snapshot(self, now: datetime | None = None, also: Collection[int] = ()) -> Deferred[Snapshot]:
        """The started campaigns and all gateways. With `now`, only the campaigns that have somebody to call, and those of
        `also`: it costs as much as there are of these. One whose settings are damaged is paused on the way."""
        return self.database.run(lambda connection: self._snapshot(connection, now, also))

    def candidates(
        self,
        campaign_id: int,
        now: datetime,
        limit: int,
        skip: int = 0,
        order: CallOrder = CallOrder.RETRIES_FIRST,
        share: int = 50,
    ) -> Deferred[list[Candidate]]:
        """Ready subscribers whose retry time has come. Those that may not be called by now (`dialer.store.may_call`, the
        calling rules) are set aside on the way: to NOT_AUTHORISED, lest they stay pending for ever, or until they may."""
        asked = _Asked(campaign_id, Blocking(at=now, wanted=self.wanted), skip, order, share)
        if not self.rules.rows:
            return self.database.run(lambda connection: self._ready(connection, asked, limit))
        return self.database.run(lambda connection: self._allowed(connection, asked, limit))

    def is_cut_short(self, campaign_id: int) -> bool:
        """Whether the last answer about a campaign's candidates was given before all that are ready were looked at."""
        return campaign_id in self._cut_short

    def begin(self, plans: Sequence[Plan], now: datetime, until: datetime, deadline: datetime) -> Deferred[list[Attempt]]:
        """Write the attempts of these plans, as far as the limits admit them. On a server it has its transaction for itself:
        others wait for the rows that it locks."""
        if not plans:
            return succeed([])
        wanted = Beginning(
            plans=plans,
            owner=self.node,
            now=now,
            until=until,
            deadline=deadline,
            wanted=self.wanted,
            rules=self.rules,
            caller_ids=self.caller_ids.assigning(self.database.region, now),
        )
        begun = self.database.run(lambda connection: begin(connection, wanted), alone=True)
        return begun.addCallback(self._note_turns)

    def _note_turns(self, attempts: list[Attempt]) -> list[Attempt]:
        """In a mix, a contact uses up a turn of its lane once its call is begun, not when it may not be called."""
        for campaign in {each.plan.campaign.id: each.plan.campaign for each in attempts}.values():
            if campaign.order is CallOrder.MIX:
                own = (each.plan.candidate.is_retry for each in attempts if each.plan.campaign.id == campaign.id)
                self._mixer.begun(campaign.id, campaign.retry_share, own)
        return attempts

    @property
    def backlog(self) -> int:
        return self.database.backlog

    def refuse(self, refused: Sequence[RefusedContact], now: datetime) -> Deferred[None]:
        found = {
            each.candidate.subscriber_id: Block(reason=each.block, text=each.reason, until=each.until) for each in refused
        }
        blocking = Blocking(at=now, wanted=self.wanted)
        return self.database.run(lambda connection: set_aside(connection, found, blocking))

    def pause_refused(self, refusals: Mapping[int, Refusals], now: datetime) -> Deferred[ObeyedRefusals]:
        """Pause campaigns without another way out; on a server in a transaction for itself, since it locks their rows."""
        wanted = self.told
        return self.database.run(lambda connection: pause_refused(connection, refusals, now, wanted), alone=True)

    def move(self, attempt: Attempt, to: AttemptState, at: datetime, core_uuid: str = "") -> None:
        self._moves.add(attempt, to, at, core_uuid)
        self._write_soon()

    def pressed(self, attempt: Attempt, digits: str, at: datetime) -> None:
        if EventKind.ATTEMPT_DIGITS in self.wanted:
            self._moves.press(attempt, digits, at)
            self._write_soon()

    def _write_soon(self) -> None:
        if self._timer is None:
            self._timer = self.clock.callLater(MOVE_DELAY, self._time_is_up)

    def finish(self, end: AttemptResult, *, unless_recorded: bool = False) -> Deferred[bool]:
        """End the attempt, settle its subscriber and write the events, in one transaction."""
        if end.attempt.id in self._moves:
            self._write_moves()
        write = partial(finish, end=end, owner=self.node, wanted=self.wanted, unless_recorded=unless_recorded)
        return self.database.run(write, may_wait=True)

    def begin_leg(self, call_uuid: str, gateway: Gateway, now: datetime, wanted: datetime) -> Deferred[datetime]:
        """Write the gateway of a call's second leg, as far as the limits admit it; on a server in a transaction for itself."""
        leg = LegToBegin(call_uuid=call_uuid, gateway=gateway, owner=self.node, now=now, wanted=wanted)
        return self.database.run(lambda connection: begin_leg(connection, leg), alone=True)

    def end_leg(self, call_uuid: str) -> Deferred[None]:
        return self.database.run(lambda connection: end_leg(connection, call_uuid, self.node), may_wait=True)

    def pending_cdr(self, attempt: Attempt) -> Deferred[Signal | None]:
        """The end that a record tells which came to another process."""
        return self.database.run(lambda connection: pending_cdr(connection, attempt, self.node))

    @property
    def told(self) -> frozenset[EventKind]:
        """The kinds of events that are written of what is no call's."""
        return self.wanted | self.shown

    def tell(self, kind: EventKind, at: datetime, facts: Mapping[str, object]) -> Deferred[None]:
        """An event of the installation, when somebody asks for its kind."""
        if kind not in self.told:
            return succeed(None)
        return self.database.run(partial(events.add, kind=kind, at=at, about=events.About(), data=facts))

    def tell_of_gateway(self, gateway: Gateway, backoff: Backoff | None, at: datetime) -> Deferred[None]:
        """A gateway is backed off from, or serves again (None): noted for all nodes, and told when somebody asks for it,
        unless it is known."""
        facts: dict[str, object] = {"gateway_id": gateway.id, "gateway": gateway.name, "node": self.node}

        def tell(connection: Connection) -> None:
            if backoff is None:
                told_state.tell_up(connection, gateway, at, facts, tell=EventKind.GATEWAY_UP in self.told)
            else:
                facts.update(reason=backoff.cause, until=backoff.until)
                told_state.tell_down(connection, gateway, at, facts, tell=EventKind.GATEWAY_DOWN in self.told)

        return self.database.run(tell, may_wait=True)

    def gateways_down(self) -> Deferred[set[str]]:
        """The names of the gateways that are down, as far as any node has told."""
        return self.database.run(lambda connection: {row[0] for row in connection.execute(told_state.DOWN)})

    def open_attempts(self) -> Deferred[list[Attempt]]:
        """The attempts of this node that have not ended. Only one process dials with a SQLite file, so whatever is open there
        is this node's, even if the node had another name before. On a server, each node has its own."""
        self._write_moves()
        return self.database.run(lambda connection: _open_attempts(connection, self.node))

    def known(self, call_uuids: Collection[str]) -> Deferred[set[str]]:
        return self.database.run(lambda connection: _known(connection, list(call_uuids)))

    def progress(self, campaign_id: int) -> Deferred[Progress]:
        return self.database.run(lambda connection: _progress(connection, campaign_id))

    def statuses(self, campaign_ids: Collection[int]) -> Deferred[dict[int, CampaignStatus]]:
        ids = list(campaign_ids)
        statement = statements.statuses_of(len(ids))
        return self.database.run(
            lambda connection: {key: CampaignStatus(status) for key, status in connection.execute(statement, ids)}
        )

    def flush(self) -> Deferred[None]:
        """Write the moves that wait. Fires when they are durable; to be awaited before the database stops."""
        self._write_moves()
        return self.database.run(lambda _: None)

    def _ready(self, connection: Connection, asked: _Asked, limit: int) -> list[Candidate]:
        return candidates(connection, self._mixer, asked.campaign_id, asked.why, limit, asked.skip, asked.order, asked.share)

    def _allowed(self, connection: Connection, asked: _Asked, limit: int) -> list[Candidate]:
        """Contacts that may be called now. Where many have to wait, more are looked at: those behind them have their turn."""
        row = connection.execute(statements.started_among(1), (asked.campaign_id,)).fetchone()
        if row is None:
            return []
        campaign, size = mapping.started(tuple(row))[0], limit
        self._cut_short.discard(asked.campaign_id)
        for _ in range(MOST_LOOKS):
            ready = self._ready(connection, asked, size)
            found = allowed(connection, self.rules, ready, campaign, asked.why)
            if len(found) == len(ready) or (len(found) >= limit and asked.order is not CallOrder.MIX):
                return found[:limit]  # of a mix, those who are next in the lane of whoever has to wait have their turn
            size = max(size, LOOKED_AT)
        self._cut_short.add(asked.campaign_id)
        return found[:limit]

    def use_rules(self, book: RuleBook) -> Deferred[bool]:
        """These calling rules hold from now on: what was set aside by others, by an earlier run too, is looked at again. Fires
        once that is durable, with whether there were others."""
        self.rules = book
        fingerprint = book.fingerprint

        def told(others: bool) -> bool:
            if others:
                log.info("the calling rules are others than before: held contacts are looked at again", rows=len(book.rows))
            return others

        return self.database.run(lambda connection: use_book(connection, fingerprint), may_wait=True).addCallback(told)

    def _snapshot(self, connection: Connection, now: datetime | None, also: Collection[int]) -> Snapshot:
        release_some(connection)
        gateways = [self._gateway(row) for row in connection.execute(statements.GATEWAYS)]
        started = list(_undamaged(connection, _started_rows(connection, now, also), partial(self._paused, now)))
        campaigns = [campaign for campaign, _ in started]
        elsewhere = Others()
        if connection.dialect is Dialect.POSTGRESQL:
            limits = [gateway.maximum_call for gateway in gateways] + [campaign.max_concurrent for campaign in campaigns]
            elsewhere = others(connection, self.node, count=any(limit is not None for limit in limits))
        return Snapshot(
            campaigns=tuple(campaigns),
            gateways={gateway.id: gateway for gateway in gateways},
            others=elsewhere,
            caller_ids={campaign.id: listed for campaign, listed in started if listed},
            drained=drains(connection),
        )

    def _gateway(self, row: Sequence[Any]) -> Gateway:
        """One whose settings are damaged is not used: they may say which numbers it must not carry."""
        gateway = mapping.read_gateway(row)
        damaged = mapping.read_gateway.damage(row)
        if damaged != self._damaged.get(gateway.id, ()):
            self._damaged[gateway.id] = damaged
            if damaged:
                log.error("gateway not used: its settings are damaged", gateway=gateway.name, id=gateway.id, settings=damaged)
        return evolve(gateway, status=GatewayStatus.INACTIVE) if damaged else gateway

    def _paused(self, now: datetime | None, connection: Connection, campaign: Campaign) -> None:
        if now is not None:
            paused = PausedCampaign(id=campaign.id, name=campaign.name, reason=campaign.pause_reason)
            tell_paused(connection, paused, campaign.user_id, now, self.told)

    def _time_is_up(self) -> None:
        self._timer = None
        self._write_moves()

    def _write_moves(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._moves:
            return
        waiting = self._moves.take()
        write = partial(write_moves, waiting=waiting, owner=self.node, wanted=self.wanted)
        written = self.database.run(write, may_wait=True)
        written.addCallbacks(lambda _: self._degraded.worked(), self._not_written, errbackArgs=(waiting,))

    def _not_written(self, failure: Failure, waiting: Waiting) -> None:
        self._degraded.failed(failure.getErrorMessage(), attempts=len(waiting.rows.keys() | waiting.pressed.keys()))
        self._moves.put_back(waiting)
        if self._timer is None:
            self._timer = self.clock.callLater(MOVE_RETRY, self._time_is_up)


def _started_rows(connection: Connection, now: datetime | None, also: Collection[int]) -> Iterator[tuple[Any, ...]]:
    if now is None:
        yield from connection.execute(statements.STARTED_CAMPAIGNS).fetchall()
        return
    ready = {row[0] for row in connection.execute(statements.READY_CAMPAIGNS, (to_column(now),))}
    wanted = sorted(ready.union(also))
    for first in range(0, len(wanted), MOST_AT_ONCE):
        some = wanted[first : first + MOST_AT_ONCE]
        yield from connection.execute(statements.started_among(len(some)), some).fetchall()


def _undamaged(
    connection: Connection, rows: Iterable[tuple[Any, ...]], paused: Callable[[Connection, Campaign], None]
) -> Iterator[tuple[Campaign, str]]:
    """The campaigns of rows, and the caller ids of their users. One whose settings are damaged is `paused`, and does not keep
    the others from calling."""
    for row in rows:
        campaign, caller_ids = mapping.started(tuple(row))
        damaged = mapping.read_campaign.damage(row)
        if not damaged:
            yield campaign, caller_ids
            continue
        reason = f"its settings are damaged in the database: {', '.join(damaged)}"
        if connection.execute(statements.PAUSE_CAMPAIGN, (reason, campaign.id)).rowcount:
            paused(connection, evolve(campaign, pause_reason=reason))
        log.error("campaign paused: its settings are damaged", campaign=campaign.name, id=campaign.id, settings=damaged)


def _progress(connection: Connection, campaign_id: int) -> Progress:
    counts = connection.execute(statements.COUNTS, (campaign_id,))
    return Progress(subscribers={SubscriberStatus(status): subscribers for status, subscribers in counts if subscribers})


def _open_attempts(connection: Connection, node: str) -> list[Attempt]:
    if connection.dialect is Dialect.SQLITE:
        connection.execute(statements.ADOPT_OPEN, (node, node))
    return [mapping.attempt(row) for row in connection.execute(statements.OPEN_ATTEMPTS, (node,))]


def _known(connection: Connection, call_uuids: list[str]) -> set[str]:
    known: set[str] = set()
    for first in range(0, len(call_uuids), MOST_AT_ONCE):
        some = call_uuids[first : first + MOST_AT_ONCE]
        known.update(row[0] for row in connection.execute(statements.open_among(len(some)), some))
    return known
