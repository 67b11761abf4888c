"""The explanation of a campaign is right, for each reason that there is: who changes exactly what it names has a contact
called, and nobody before."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import pytest

from dialer.gateways import Backoff
from dialer.management import idleness, why
from dialer.model import IdleCode, IdleReason
from dialer.model.sip_gateway import SipGateway
from dialer.rules.book import NO_RULES, RuleBook
from dialer.store import mapping, statements
from tests.flow.played import Played, playing
from tests.flow.test_contact_explanation import MORNING, NOON, NUMBER, drain, sql, switched, taken_back
from tests.unit.rules.cases import SHIPPED

Harm = Callable[[Played], object]
Mend = Callable[[Played, IdleReason], object]

OTHER = "442079460958"
STARTED = sql("UPDATE campaign SET status = 1 WHERE id = 1")


def change(**values: Any) -> Harm:
    return lambda played: played.change(**values)


def wait(played: Played, reason: IdleReason) -> None:
    assert reason.until is not None, reason
    played.run((reason.until - played.now()).total_seconds() + 0.1)


def later(**moments: timedelta) -> Callable[..., None]:
    return lambda played, *_: played.change(**{name: played.now() + ahead for name, ahead in moments.items()})


def add_contact(played: Played, _: IdleReason) -> None:
    played.contact(NUMBER)


def drop_contact(played: Played) -> None:
    played.rows.sql("DELETE FROM subscriber")
    played.rows.sql("DELETE FROM contact")


def call_another(played: Played) -> None:
    """Somebody else is being called, for a long time."""
    played.call_seconds = 60.0
    played.contact(OTHER, priority=9)
    played.run(1.5)
    played.sent.clear()


def call_this(played: Played) -> None:
    """The contact is being called."""
    played.call_seconds = 60.0
    played.run(1.5)
    assert NUMBER in [number for _, number in played.sent]
    played.sent.clear()


def one_call(table: str, column: str) -> Harm:
    def limited(played: Played) -> None:
        played.change(table, **{column: 1})
        call_another(played)

    return limited


def at_no_frequency(played: Played) -> None:
    """Nothing that is entered makes it so."""
    played.rows.sql("PRAGMA ignore_check_constraints = ON")
    played.change(frequency=0)


def weekdays(*off: int) -> Callable[..., None]:
    """Every day but these, Monday being 0."""
    days = json.dumps([day not in off for day in range(7)])
    return sql("UPDATE campaign SET rules = json_set(rules, '$.weekdays', json(?))", days)


def full(played: Played) -> None:
    (member,) = played.fleet
    member.health.switch = Backoff(faults=5, until=played.now() + timedelta(seconds=8), cause="full")


def backed_off(played: Played) -> None:
    (member,) = played.fleet
    member.health.gateways[1] = Backoff(faults=5, until=played.now() + timedelta(seconds=8), cause="GATEWAY_DOWN")


def only_with(*gateways: str) -> Callable[..., None]:
    """The switch has these gateways; without any, all."""

    def change(played: Played, *_: object) -> None:
        (member,) = played.fleet
        member.gateways = frozenset(gateways)

    return change


def sip_gateway(status: str) -> Callable[..., None]:
    """The switch tells how the gateway is."""

    def tell(played: Played, *_: object) -> None:
        played.change("gateway", dial_string="sofia/gateway/carrier/{number}")
        (member,) = played.fleet
        member.told([SipGateway(name="carrier", profile="external", state="NOREG", status=status)])

    return tell


def busy_carrier(played: Played) -> None:
    """The only gateway that carries the number is full, beside one that is not."""
    played.rows.sql(
        "INSERT INTO gateway (id, name, description, protocol, hostname, dial_string, removeprefix, addprefix, addparameter, "
        "status, created_at, updated_at, rules) SELECT 2, 'h', description, protocol, hostname, dial_string, removeprefix, "
        "addprefix, addparameter, status, created_at, updated_at, json_set(rules, '$.prefixes', '+49=allowed') "
        "FROM gateway WHERE id = 1"
    )
    carried = "+1=allowed,+44=allowed"
    played.rows.sql(
        "UPDATE gateway SET failover_id = 2, maximum_call = 1, rules = json_set(rules, '$.prefixes', ?) WHERE id = 1", carried
    )
    call_another(played)


def room_at_the_carrier(played: Played, reason: IdleReason) -> None:
    played.rows.sql("UPDATE gateway SET maximum_call = 2 WHERE id = 1")
    wait(played, reason)


def away(*, is_away: bool) -> Callable[..., None]:
    def set_away(played: Played, *_: object) -> None:
        played.rows.away = is_away
        played.run(0.5)

    return set_away


def listed_for_a_while(played: Played) -> None:
    played.forbid(NUMBER, played.start + timedelta(seconds=20.5))
    played.run(1)


def agreed_later(played: Played) -> None:
    played.change(consent="express")
    played.change("contact", consent_basis="written", consent_given_at=played.start + timedelta(seconds=20.5))
    played.run(1)


def empty_pool(played: Played) -> None:
    at = played.start.isoformat(" ", "microseconds")[:26]
    played.rows.sql(
        "INSERT INTO caller_id_pool (id, user_id, name, description, strategy, foreign_callees, time_zone, turn, created_at, "
        "updated_at) VALUES (1, 1, 'p', '', 'sticky', 'allow', 'UTC', 0, ?, ?)",
        at, at,
    )  # fmt: skip
    played.change(caller_id_pool_id=1)


def fill_pool(played: Played, _: IdleReason) -> None:
    at = played.start.isoformat(" ", "microseconds")[:26]
    played.rows.sql(
        "INSERT INTO caller_id (pool_id, number, identity, country, name, note, warm_up_start, warm_up_days, active, "
        "created_at, updated_at) VALUES (1, '+12125550001', '12125550001', 'US', '', '', 1, 0, 1, ?, ?)",
        at, at,
    )  # fmt: skip


HARMS: Mapping[IdleCode, Harm] = {
    IdleCode.PAUSED: change(status=2),
    IdleCode.PAUSED_BY_DIALER: change(status=2, pause_reason="gateway g refused 10 calls in a row"),
    IdleCode.ABORTED: change(status=3),
    IdleCode.ENDED: change(status=4),
    IdleCode.CALLER_ID: lambda played: (
        played.rule(caller_id="+15550100"),
        played.rows.sql("UPDATE user_account SET rules = json_set(rules, '$.caller_ids', '+15550199')"),
    ),
    IdleCode.EXPIRES_BEFORE_START: later(starting_at=timedelta(seconds=20), expires_at=timedelta(seconds=10)),
    IdleCode.EXPIRED: later(expires_at=timedelta(hours=-1)),
    IdleCode.NOT_STARTED: later(starting_at=timedelta(seconds=20)),
    IdleCode.NO_WEEKDAYS: weekdays(*range(7)),
    IdleCode.WEEKDAY_OFF: weekdays(1),
    IdleCode.OUTSIDE_HOURS: lambda played: played.rule(daily_start="15:00:20", daily_stop="20:00:00"),
    IdleCode.FREQUENCY_ZERO: at_no_frequency,
    IdleCode.NO_CONTACTS: drop_contact,
    IdleCode.ALL_DONE: lambda played: played.change("subscriber", status=5, ready_at=None),
    IdleCode.LAST_CALLS: call_this,
    IdleCode.RETRIES_LATER: lambda played: played.change("subscriber", ready_at=played.start + timedelta(seconds=20)),
    IdleCode.CALLING_RULES: lambda played: played.run(1),
    IdleCode.DO_NOT_CALL: listed_for_a_while,
    IdleCode.CONSENT: agreed_later,
    IdleCode.NO_GATEWAY: busy_carrier,
    IdleCode.NO_DIALER: lambda _: None,
    IdleCode.NO_SWITCH: switched(ready=False),
    IdleCode.SWITCH_DRAINED: drain(on=True),
    IdleCode.SWITCH_FULL: full,
    IdleCode.NO_DATABASE: away(is_away=True),
    IdleCode.GATEWAY_MISSING: change(gateway_id=99),
    IdleCode.GATEWAY_INACTIVE: lambda played: played.change("gateway", status=0),
    IdleCode.GATEWAY_PAUSED: backed_off,
    IdleCode.GATEWAY_DOWN: sip_gateway("DOWN"),
    IdleCode.GATEWAY_FULL: one_call("gateway", "maximum_call"),
    IdleCode.GATEWAY_UNREACHABLE: only_with("other"),
    IdleCode.CAMPAIGN_FULL: one_call("campaign", "max_concurrent"),
    IdleCode.NEXT_CALL_LATER: lambda played: (played.change(frequency=4), call_another(played)),
    IdleCode.NO_CALLER_ID: empty_pool,
}
"""What is done to a campaign that would call its one contact, by the reason that is told then."""

MENDS: Mapping[IdleCode, Mend] = {
    IdleCode.PAUSED: STARTED,
    IdleCode.PAUSED_BY_DIALER: STARTED,
    IdleCode.ABORTED: STARTED,
    IdleCode.ENDED: STARTED,
    IdleCode.CALLER_ID: sql("UPDATE user_account SET rules = '{}'"),
    IdleCode.EXPIRES_BEFORE_START: later(expires_at=timedelta(days=9)),
    IdleCode.EXPIRED: later(expires_at=timedelta(days=9)),
    IdleCode.NOT_STARTED: wait,
    IdleCode.NO_WEEKDAYS: weekdays(),
    IdleCode.WEEKDAY_OFF: weekdays(),
    IdleCode.OUTSIDE_HOURS: wait,
    IdleCode.FREQUENCY_ZERO: lambda played, _: played.change(frequency=60),
    IdleCode.NO_CONTACTS: add_contact,
    IdleCode.ALL_DONE: lambda played, _: (drop_contact(played), played.contact(NUMBER)),
    IdleCode.LAST_CALLS: lambda played, _: played.contact(OTHER),
    IdleCode.RETRIES_LATER: wait,
    IdleCode.CALLING_RULES: wait,
    IdleCode.DO_NOT_CALL: wait,
    IdleCode.CONSENT: wait,
    IdleCode.NO_GATEWAY: room_at_the_carrier,
    IdleCode.NO_DIALER: lambda played, _: played.run(2),
    IdleCode.NO_SWITCH: switched(ready=True),
    IdleCode.SWITCH_DRAINED: taken_back,
    IdleCode.SWITCH_FULL: wait,
    IdleCode.NO_DATABASE: away(is_away=False),
    IdleCode.GATEWAY_MISSING: lambda played, _: played.change(gateway_id=1),
    IdleCode.GATEWAY_INACTIVE: sql("UPDATE gateway SET status = 1"),
    IdleCode.GATEWAY_PAUSED: wait,
    IdleCode.GATEWAY_DOWN: sip_gateway("UP"),
    IdleCode.GATEWAY_FULL: lambda played, _: played.change("gateway", maximum_call=2),
    IdleCode.GATEWAY_UNREACHABLE: only_with(),
    IdleCode.CAMPAIGN_FULL: lambda played, _: played.change(max_concurrent=2),
    IdleCode.NEXT_CALL_LATER: wait,
    IdleCode.NO_CALLER_ID: fill_pool,
}


def explained(played: Played) -> IdleReason | None:
    campaign = mapping.read_campaign(played.rows.connection.execute(statements.CAMPAIGN, (1,)).fetchone())
    if played.rows.away:
        return played.explain(campaign, None)
    if played.alone:
        with mock.patch.object(why, "entries", lambda *_: []):  # a database in memory knows of no process
            return played.ask(played.management.ask(why.why_idle, 1))
    page, _ = played.ask(played.management.ask(idleness.started, 0))
    return played.explain(campaign, next((progress for each, progress in page if each.id == 1), None))


def test_every_reason_is_tried() -> None:
    assert {*HARMS} == {*MENDS} == {*IdleCode}


@pytest.mark.parametrize("code", IdleCode)
def test_each_reason_is_told_and_without_it_a_contact_is_called(code: IdleCode) -> None:
    start, book = told_by(code)
    with playing(start, book) as played:
        played.alone = code is IdleCode.NO_DIALER
        if not played.alone:
            played.ask(played.scheduler.tick())
        played.contact(NUMBER)
        HARMS[code](played)
        played.run(0.0 if played.alone else 0.3)
        reason = explained(played)
        assert reason is not None
        assert reason.code is code, reason
        played.run(0.0 if played.alone else 1.0)
        assert played.sent == []
        for _ in range(5):
            if reason is None:
                break
            MENDS[reason.code](played, reason)
            played.run(0.7)
            if played.sent:
                break
            reason = explained(played)
        assert played.sent, reason


def told_by(code: IdleCode) -> tuple[datetime, RuleBook]:
    if code is IdleCode.CALLING_RULES:
        return MORNING, SHIPPED
    return NOON - timedelta(hours=2), NO_RULES
