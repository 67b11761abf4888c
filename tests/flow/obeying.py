"""A dialer on a stepped clock, and a witness on the other side: whatever is dialled is held against what may be dialled, by
the calendar, by the lists as they were, and by what was dialled before. The dialer's own reading of the rules counts for
nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from attrs import define, field, frozen
from twisted.internet.task import Clock

from dialer.model import Hangup, LiveChannel, Origination, Purpose, Signal, SignalKind
from dialer.numbering import numbering
from dialer.rules.places import whereabouts
from dialer.store.times import from_column, to_column, to_column_or_none
from tests.flow.played import Played
from tests.unit.rules.cases import RAW, SHIPPED
from tests.unit.rules.test_decide import said_by_the_file

TURN: Final = 0.05
"""Seconds from one look at the clocks to the next."""
GATEWAY_CALLS, GATEWAY_RATE, SWITCH_CALLS, CAMPAIGN_CALLS = 3, 2, 4, 2
"""The limits: calls at once through a gateway, calls a second through it, calls at once on the switch, and of a campaign."""
HEARD_OF: Final = 0.4
"""Seconds after which a dialer knows of changed hours of a campaign."""
TRIES: Final = 3
DAY_CAP: Final = 4
CALLER_IDS: Final = ("+12125550001", "+12125550002", "+12125550003")
POOL_ZONE: Final = "America/Denver"
OUTCOMES: Final[Mapping[str, tuple[float, str, int]]] = {
    "answers": (3.0, "NORMAL_CLEARING", 16),
    "is busy": (0.5, "USER_BUSY", 17),
    "does not answer": (6.0, "NO_ANSWER", 19),
}
"""Seconds that a call lasts, and how it ends."""


@frozen(kw_only=True)
class DialledCall:
    """What the switch was told to dial, `at` by the clock of the machine, `passed` seconds since the start."""

    at: datetime
    passed: float
    number: str
    campaign_id: int
    gateway_id: int
    subscriber_id: int
    caller: str
    day: str


@frozen(kw_only=True)
class ListedNumber:
    """An entry of a do-not-call list, which was durable when `behind` was the last attempt."""

    number: str
    behind: int
    until: datetime | None


@define(eq=False)
class Obeying(Played):
    """Two campaigns of one user with the shipped rules. `broken` are the rules that a call did not obey, in words."""

    world: Clock = field(factory=Clock)
    outcomes: dict[str, str] = field(factory=dict)
    zones: dict[str, str] = field(factory=dict)
    hours: tuple[time, time, str] = (time(0), time(23, 59, 59), "UTC")
    dialled: list[DialledCall] = field(factory=list)
    live: dict[str, DialledCall] = field(factory=dict)
    listed: list[ListedNumber] = field(factory=list)
    rests: dict[str, tuple[datetime, int]] = field(factory=dict)
    """Until when numbers rest, and the last attempt that was begun before."""
    broken: list[str] = field(factory=list)
    stepped_at: float = -1e9
    narrowed_at: float = -1e9

    @classmethod
    def begin(cls, start: datetime) -> Obeying:
        """With nobody to call."""
        here = cls(start, SHIPPED)
        here.change("voip_app", type=2)
        here.change("gateway", maximum_call=GATEWAY_CALLS, calls_per_second=GATEWAY_RATE)
        known = [str(row[1]) for row in here.rows.sql("PRAGMA table_info(campaign)")]
        columns = ", ".join(name for name in known if name not in ("id", "name"))
        here.rows.sql(f"INSERT INTO campaign (id, name, {columns}) SELECT 2, 'other', {columns} FROM campaign WHERE id = 1")
        moment = to_column(start)
        here.rows.sql(
            "INSERT INTO caller_id_pool (id, user_id, name, description, strategy, foreign_callees, time_zone, turn, "
            "created_at, updated_at) VALUES (1, 1, 'p', '', 'sticky', 'allow', ?, 0, ?, ?)",
            POOL_ZONE, moment, moment,
        )  # fmt: skip
        for number in CALLER_IDS:
            here.rows.sql(
                "INSERT INTO caller_id (pool_id, number, identity, country, name, note, daily_cap, warm_up_start, "
                "warm_up_days, active, created_at, updated_at) VALUES (1, ?, ?, 'US', '', '', ?, 1, 0, 1, ?, ?)",
                number, number[1:], DAY_CAP, moment, moment,
            )  # fmt: skip
        ever = timedelta(days=2000)
        here.change(
            starting_at=start - ever, expires_at=start + ever, caller_id_pool_id=1, max_retry=TRIES - 1,
            frequency=120, max_concurrent=CAMPAIGN_CALLS,
        )  # fmt: skip
        here.rows.sql("UPDATE campaign SET rules = json_set(rules, '$.interval_retry', 4)")
        return here

    def begin_process(self) -> None:
        super().begin_process()
        (member,) = self.fleet
        member.max_calls = SWITCH_CALLS

    # --- what happens -----------------------------------------------------------------------------------------------------

    def add(self, number: str, zone: str, outcome: str, campaign_id: int) -> None:
        """A contact of a campaign that does not have it yet."""
        if self.rows.sql("SELECT 1 FROM subscriber WHERE number = ? AND campaign_id = ?", number, campaign_id):
            return
        self.zones.setdefault(number, zone)
        self.outcomes.setdefault(number, outcome)
        if not self.rows.sql("SELECT 1 FROM contact WHERE number = ?", number):
            self.contact(number, self.now(), time_zone=zone, campaign_id=campaign_id)
        else:
            self.rows.sql(
                "INSERT INTO subscriber (campaign_id, contact_id, number, identity, status, ready_at, count_attempt, "
                "free_retries, priority) SELECT ?, id, number, identity, 1, ?, 0, 0, 5 FROM contact WHERE number = ?",
                campaign_id, to_column(self.now()), number,
            )  # fmt: skip

    def put_on_list(self, number: str, until: datetime | None) -> None:
        """As another program does: at once."""
        if self.rows.sql("SELECT 1 FROM do_not_call WHERE number = ? AND removed_at IS NULL", number):
            return
        self.rows.sql(
            "INSERT INTO do_not_call (list_id, number, identity, reason, source, created_at, expires_at) "
            "VALUES (1, ?, ?, '', 'in the run', ?, ?)",
            number, numbering().identity(number), to_column(self.now()), to_column_or_none(until),
        )  # fmt: skip
        self.listed.append(ListedNumber(number=number, behind=self._last(), until=until))

    def _last(self) -> int:
        ((last,),) = self.rows.sql("SELECT coalesce(max(id), 0) FROM attempt")
        return int(str(last))

    def rest(self, caller: str, until: datetime) -> None:
        """No call that begins from now on shows that number before."""
        self.rows.sql("UPDATE caller_id SET rest_until = ? WHERE number = ?", to_column(until), caller)
        self.rests[caller] = (until, self._last())

    def narrow(self, first: time, last: time, zone: str) -> None:
        """The campaigns' own hours."""
        self.rule(daily_start=f"{first:%H:%M:%S}", daily_stop=f"{last:%H:%M:%S}", time_zone=zone)
        self.hours = (first, last, zone)
        self.narrowed_at = self.clock.seconds()

    def step_clock(self, by: timedelta) -> None:
        """Somebody sets the clock of the machine."""
        self.stepped += by
        self.stepped_at = self.clock.seconds()

    def crash(self) -> None:
        """The process is killed, and another one starts. The calls go on."""
        self.database.alive = False
        for call in self.clock.getDelayedCalls():
            call.cancel()
        self.begin_process()
        self._started = False
        left = self.ask(self.store.open_attempts())
        self.lifecycle.take_over(left)
        self.lifecycle.switch_up(self.switch)

    def run(self, seconds: float) -> None:
        if not self._started:
            self._started = True
            self.scheduler.start()
            self.lifecycle.watchers.start()
        for _ in range(round(seconds / TURN)):
            self.clock.advance(TURN)
            self.world.advance(TURN)

    # --- the other side ---------------------------------------------------------------------------------------------------

    def _submitted(self, call: Origination) -> None:
        ((key, number, campaign_id, gateway_id, subscriber_id, day),) = self.rows.sql(
            "SELECT id, number, campaign_id, gateway_id, subscriber_id, caller_day FROM attempt WHERE call_uuid = ?",
            call.call_uuid,
        )
        made = DialledCall(
            at=self.now(),
            passed=self.clock.seconds(),
            number=str(number),
            campaign_id=int(str(campaign_id)),
            gateway_id=int(str(gateway_id)),
            subscriber_id=int(str(subscriber_id)),
            caller=call.caller_id_number,
            day=str(day),
        )
        self.broken += [f"{made}: {text}" for text in self._judged(made, int(str(key)))]
        self.sent.append((made.passed, made.number))
        self.dialled.append(made)
        self.live[call.call_uuid] = made
        seconds, cause, q850 = OUTCOMES[self.outcomes[made.number]]
        answers = cause == "NORMAL_CLEARING"
        self.switch.channels[call.call_uuid] = LiveChannel(
            call_uuid=call.call_uuid, account_code=call.account_code, answered=answers
        )
        if answers:
            self.world.callLater(0.2, self._say, Signal(kind=SignalKind.ANSWERED, call_uuid=call.call_uuid, at=self.now()))
        self.world.callLater(seconds, self._ended, call.call_uuid, cause, q850, answers)

    def _say(self, signal: Signal) -> None:
        self.lifecycle.signal_received(signal)

    def _ended(self, call_uuid: str, cause: str, q850: int, answered: bool) -> None:
        del self.live[call_uuid]
        self.switch.channels.pop(call_uuid, None)  # a clock that was put forward lets the dialer hang a call up before
        hangup = Hangup(cause=cause, q850=q850, answered=answered, talk_ms=2800 if answered else 0, duration_ms=3000)
        self._say(Signal(kind=SignalKind.HUNG_UP, call_uuid=call_uuid, at=self.now(), cause=cause, hangup=hangup))

    def _judged(self, made: DialledCall, attempt_id: int) -> Iterator[str]:
        yield from self._hours(made)
        yield from self._lists(made, attempt_id)
        yield from self._attempts(made)
        yield from self._limits(made)
        yield from self._caller_ids(made, attempt_id)

    def _hours(self, made: DialledCall) -> Iterator[str]:
        known = self.zones[made.number]
        if not said_by_the_file(made.number, Purpose.SALES, "prerecorded", made.at, known):
            shown = [
                f"{made.at.astimezone(ZoneInfo(zone)):%a %H:%M:%S} {zone}" for zone in whereabouts(made.number, known).zones
            ]
            yield f"outside the hours of its place: {shown}"
        if made.passed < self.narrowed_at + HEARD_OF:
            return
        first, last, zone = self.hours
        local = made.at.astimezone(ZoneInfo(zone)).time()
        if not (first <= local and (local < last or last == time(23, 59, 59))):
            yield f"outside the hours of its campaign: {local} {zone}"

    def _lists(self, made: DialledCall, attempt_id: int) -> Iterator[str]:
        for entry in self.listed:
            if entry.number == made.number and attempt_id > entry.behind and (entry.until is None or made.at < entry.until):
                yield f"on a do-not-call list until {entry.until}"

    def _attempts(self, made: DialledCall) -> Iterator[str]:
        (place,) = whereabouts(made.number).places
        for row in RAW:
            if row["place"] not in (place, place.split("-")[0]) or row.get("technology", "prerecorded") != "prerecorded":
                continue
            if Purpose.SALES not in row.get("purposes", [Purpose.SALES]):
                continue
            for cap in row.get("attempts", []):
                since = made.at - timedelta(seconds=cap["seconds"])
                earlier = sum(each.number == made.number and since < each.at <= made.at for each in self.dialled)
                if earlier >= cap["most"]:
                    yield f"the cap of {row['name']} is passed: {earlier} calls in the last {cap['seconds']} s"
        if sum(each.subscriber_id == made.subscriber_id for each in self.dialled) >= TRIES:
            yield f"the contact has had its {TRIES} tries"

    def _limits(self, made: DialledCall) -> Iterator[str]:
        live = list(self.live.values())
        if any(each.number == made.number for each in live):
            yield "a call to it is live"
        if len(live) >= SWITCH_CALLS:
            yield f"the switch has {len(live)} calls"
        if (through := sum(each.gateway_id == made.gateway_id for each in live)) >= GATEWAY_CALLS:
            yield f"the gateway has {through} calls"
        if (own := sum(each.campaign_id == made.campaign_id for each in live)) >= CAMPAIGN_CALLS:
            yield f"the campaign has {own} calls"
        since = made.passed - 1.0 + 2 * TURN
        recent = [each for each in self.dialled if each.passed > since and each.gateway_id == made.gateway_id]
        if len(recent) > GATEWAY_RATE and self.stepped_at < since:
            yield f"the gateway had {len(recent)} calls in the second before"

    def _caller_ids(self, made: DialledCall, attempt_id: int) -> Iterator[str]:
        if made.caller not in CALLER_IDS:
            yield f"shows {made.caller!r}, which is none of the pool"
        ((planned,),) = self.rows.sql("SELECT planned_at FROM attempt WHERE id = ?", attempt_id)
        planned_at = from_column(str(planned))
        if planned_at.astimezone(ZoneInfo(POOL_ZONE)).date().isoformat() != made.day:
            yield f"counts for {made.day}, and was begun on {planned_at}"
        if sum(each.caller == made.caller and each.day == made.day for each in self.dialled) >= DAY_CAP:
            yield f"{made.caller} has its calls of {made.day}"
        until, behind = self.rests.get(made.caller, (made.at, 0))
        if attempt_id > behind and max(planned_at, made.at) < until:
            yield f"{made.caller} rests until {until}"


@contextmanager
def obeying(start: datetime) -> Iterator[Obeying]:
    """One that ends with the test."""
    here = Obeying.begin(start)
    try:
        yield here
    finally:
        here.end()


def at(text: str, zone: str) -> datetime:
    """A moment as a clock there shows it, the first of two."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
