"""The explanation of a contact is right: who changes exactly what it names has it called, and nobody before."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from dialer.gateways import Backoff
from dialer.management import contact_explanation, why
from dialer.management.contact_explanation import obstacles as told
from dialer.model import IdleCode
from dialer.model.contact_obstacle import ContactCode, ContactObstacle
from dialer.model.sip_gateway import SipGateway
from dialer.store.held import RELEASE_CONTACT, recheck_all
from dialer.store.times import to_column
from tests.flow.played import ANN, Played, playing
from tests.unit.rules.cases import SHIPPED, local

NOON = local("2026-11-24 12:00:00", "America/New_York")
MORNING = local("2026-11-24 07:59:30", "America/New_York")
NUMBER = "12125550100"
CONTACT = 1

Harm = Callable[[Played], None]
Mend = Callable[[Played, ContactObstacle], None]


def wait(played: Played, obstacle: ContactObstacle) -> None:
    assert obstacle.until is not None
    played.run((obstacle.until - played.now()).total_seconds() + 0.1)


def sql(statement: str, *values: object) -> Callable[..., None]:
    return lambda played, *_: played.rows.sql(statement, *values) and None


def pending(played: Played, _: ContactObstacle) -> None:
    played.rows.sql("UPDATE subscriber SET status = 1, ready_at = ? WHERE id = 1", to_column(played.now()))


def permit(played: Played, obstacle: ContactObstacle) -> None:
    """Wait for an entry to expire, as far as it does."""
    if obstacle.until is not None:
        wait(played, obstacle)
    else:
        like = "9%" if obstacle.code is ContactCode.DIALLED_FORM else NUMBER
        played.rows.sql("DELETE FROM do_not_call WHERE identity LIKE ?", like)


def agree(played: Played, obstacle: ContactObstacle) -> None:
    """Wait for a consent that begins later, or give one."""
    if obstacle.until is not None:
        wait(played, obstacle)
        return
    played.change("contact", consent_basis="written", consent_given_at=played.now())
    played.rows.sql(RELEASE_CONTACT, CONTACT)


def others(played: Played) -> None:
    for index in range(3):
        played.contact(f"4420794610{index:02}", priority=9)


def elsewhere(played: Played) -> None:
    columns = [row[1] for row in played.rows.sql("PRAGMA table_info(campaign)") if row[1] not in ("id", "name")]
    named = ", ".join(map(str, columns))
    played.rows.sql(f"INSERT INTO campaign (id, name, {named}) SELECT 2, 'other', {named} FROM campaign WHERE id = 1")
    played.rows.sql("UPDATE campaign SET status = 2 WHERE id = 2")
    played.attempt(NUMBER, played.start - timedelta(days=1), ended=False, campaign_id=2)


END = (
    "UPDATE attempt SET state = 'ended', ended_at = planned_at, cause = 'X', disposition = 'FAILED', counts_as_attempt = 1, "
    "duration_ms = 0 WHERE ended_at IS NULL"
)


def drain(*, on: bool) -> Callable[..., None]:
    def change(played: Played, *_: object) -> None:
        (member,) = played.fleet
        member.drain = on

    return change


def drain_for_all(played: Played) -> None:
    played.rows.sql(
        "INSERT INTO switch_drain (switch, drained_by, drained_at) VALUES (?, 'root', ?)",
        played.switch.identity, to_column(played.now()),
    )  # fmt: skip


def taken_back(played: Played, *_: object) -> None:
    drain(on=False)(played)
    played.rows.sql("DELETE FROM switch_drain")


def backed_off(played: Played) -> None:
    (member,) = played.fleet
    member.health.gateways[1] = Backoff(faults=5, until=played.now() + timedelta(seconds=8), cause="GATEWAY_DOWN")


def switched(*, ready: bool) -> Callable[..., None]:
    def change(played: Played, *_: object) -> None:
        played.switch.ready = ready

    return change


def found_down(*, down: bool) -> Callable[..., None]:
    told = SipGateway(name="g", profile="external", state="FAIL_WAIT", status="DOWN")

    def change(played: Played, *_: object) -> None:
        (member,) = played.fleet
        member.told([told] if down else [])

    return change


def carried(played: Played, _: ContactObstacle) -> None:
    played.change("gateway", rules="{}")
    recheck_all(played.rows.connection)


HARMS: Mapping[str, Harm] = {
    "no-gateway": lambda played: played.change("gateway", rules='{"prefixes": "+12=refused,+44=0.01,+49=0.01"}'),
    "gateway-down": found_down(down=True),
    "paused-by-dialer": lambda played: played.change(status=2, pause_reason="gateway g refused 10 calls in a row"),
    "do-not-call": lambda played: played.forbid(NUMBER),
    "listed for a while": lambda played: played.forbid(NUMBER, played.start + timedelta(seconds=20.5)),
    "dialled-form for a while": lambda played: (
        played.change("gateway", addprefix="9"),
        played.forbid(f"9{NUMBER}", played.start + timedelta(seconds=15.5)),
    )[0],
    "consent": lambda played: played.change(consent="express"),
    "consent that begins later": lambda played: (
        played.change(consent="express"),
        played.change("contact", consent_basis="written", consent_given_at=played.start + timedelta(seconds=25.5)),
    )[0],
    "blacklist": lambda played: played.pattern("blacklist", "1212", "1212%"),
    "whitelist": lambda played: played.pattern("whitelist", "49", "49%"),
    "dialled-form": lambda played: (played.change("gateway", addprefix="9"), played.forbid(f"9{NUMBER}"))[0],
    "elsewhere": elsewhere,
    "paused": lambda played: played.change("subscriber", status=2, ready_at=None),
    "failed": lambda played: played.change("subscriber", status=4, ready_at=None),
    "complete": lambda played: played.change("subscriber", status=5, ready_at=None),
    "not-authorised": lambda played: played.change("subscriber", status=7, ready_at=None),
    "retry": lambda played: played.change("subscriber", ready_at=played.start + timedelta(seconds=50)),
    "others": others,
    "campaign-paused": lambda played: played.change(status=2),
    "expired": lambda played: played.change(expires_at=played.start - timedelta(hours=1)),
    "not-started": lambda played: played.change(starting_at=played.start + timedelta(seconds=40)),
    "hours": lambda played: played.rule(daily_start="15:00:20", daily_stop="20:00:00"),
    "caller-id": lambda played: (
        played.rule(caller_id="+15550100"),
        played.rows.sql("UPDATE user_account SET rules = json_set(rules, '$.caller_ids', '+15550199')"),
    )[0],
    "inactive": lambda played: played.change("gateway", status=0),
    "drained": drain(on=True),
    "drained for all": drain_for_all,
    "no-switch": switched(ready=False),
    "backed-off": backed_off,
}

OF_CONTACT: Mapping[str, Mend] = {
    ContactCode.DO_NOT_CALL: permit,
    ContactCode.BLACKLIST: sql("DELETE FROM number_pattern WHERE kind = 'blacklist'"),
    ContactCode.WHITELIST: sql("DELETE FROM number_pattern WHERE kind = 'whitelist'"),
    ContactCode.CONSENT: agree,
    ContactCode.DIALLED_FORM: permit,
    ContactCode.NO_GATEWAY: carried,
    ContactCode.CALLED_ELSEWHERE: sql(END),
    ContactCode.CALLING_RULES: wait,
    ContactCode.PAUSED: pending,
    ContactCode.FAILED: pending,
    ContactCode.COMPLETE: pending,
    ContactCode.NOT_AUTHORISED: pending,
    ContactCode.DUE_LATER: wait,
    ContactCode.BEHIND_OTHERS: lambda played, _: played.run(4),
}

OF_CAMPAIGN: Mapping[str, Mend] = {
    IdleCode.PAUSED: sql("UPDATE campaign SET status = 1 WHERE id = 1"),
    IdleCode.PAUSED_BY_DIALER: sql("UPDATE campaign SET status = 1, pause_reason = '' WHERE id = 1"),
    IdleCode.GATEWAY_DOWN: found_down(down=False),
    IdleCode.EXPIRED: lambda played, _: played.change(expires_at=played.now() + timedelta(days=9)),
    IdleCode.EXPIRES_BEFORE_START: lambda played, _: played.change(expires_at=played.now() + timedelta(days=9)),
    IdleCode.NOT_STARTED: wait,
    IdleCode.OUTSIDE_HOURS: wait,
    IdleCode.CALLER_ID: sql("UPDATE user_account SET rules = '{}'"),
    IdleCode.GATEWAY_INACTIVE: sql("UPDATE gateway SET status = 1"),
    IdleCode.SWITCH_DRAINED: taken_back,
    IdleCode.GATEWAY_PAUSED: wait,
    IdleCode.NO_SWITCH: switched(ready=True),
    IdleCode.NEXT_CALL_LATER: wait,
}


@contextmanager
def explaining(*given: Any) -> Iterator[Played]:
    """A dialer that has looked once at what there is."""
    with playing(*given) as played:
        played.ask(played.scheduler.tick())
        yield played


def obstacles(played: Played) -> tuple[ContactObstacle, ...]:
    return played.ask(contact_explanation.explain(played.management, ANN, 1, CONTACT)).obstacles


def called(played: Played) -> bool:
    return NUMBER in [number.removeprefix("9") if len(number) > 11 else number for _, number in played.sent]


def follow(played: Played) -> list[str]:
    """Change what is named, one after the other, until nothing is. Returns the words."""
    named: list[str] = []
    played.run(1)
    while not called(played):
        found = obstacles(played)
        if not found:
            played.run(3)
            break
        first = found[0]
        word = first.campaign_code or first.code
        assert len(named) < 20, named
        named.append(str(word))
        mend = OF_CAMPAIGN[first.campaign_code] if first.campaign_code else OF_CONTACT[first.code]
        mend(played, first)
        played.run(0.7)
    assert called(played), named
    return named


def test_what_is_not_hindered_is_called_and_needs_no_change() -> None:
    with explaining(MORNING + timedelta(hours=2), SHIPPED) as played:
        played.contact(NUMBER)
        assert obstacles(played) == ()
        assert follow(played) == []


@pytest.mark.parametrize("harm", list(HARMS))
def test_each_obstacle_is_named_and_without_it_the_contact_is_called(harm: str) -> None:
    with explaining(MORNING + timedelta(hours=2), SHIPPED) as played:
        played.contact(NUMBER)
        HARMS[harm](played)
        played.run(0.5)
        assert not called(played)
        assert obstacles(played)
        assert follow(played), harm


ELSEWHERE_TRIED = {
    ContactCode.CALLING_RULES,  # by the time of the day
    ContactCode.CAMPAIGN,  # by each reason of campaigns
    ContactCode.NOT_IN_CAMPAIGN,
    ContactCode.EMERGENCY,
    ContactCode.IN_PROCESS,
    ContactCode.ABORTED,
}


def test_every_reason_is_tried() -> None:
    assert {*map(ContactCode, OF_CONTACT)} | ELSEWHERE_TRIED == {*ContactCode}


def test_an_emergency_number_is_named_and_another_number_is_called() -> None:
    with explaining(NOON) as played:
        played.contact("911")
        played.run(2)
        assert obstacles(played)[0].code is ContactCode.EMERGENCY
        assert played.sent == []
        for table in ("subscriber", "contact"):
            played.rows.sql(f"DELETE FROM {table}")
        played.contact(NUMBER)
        assert obstacles(played) == ()
        assert follow(played) == []


def test_a_contact_that_the_campaign_does_not_have_is_named_and_called_once_it_has_it() -> None:
    with explaining(NOON) as played:
        played.contact(NUMBER)
        kept = played.rows.sql("SELECT * FROM subscriber")[0]
        played.rows.sql("DELETE FROM subscriber")
        found = played.ask(played.management.ask(why.contact, 1, NUMBER))
        assert [each.code for each in told(found, None, played.now())] == [ContactCode.NOT_IN_CAMPAIGN]
        played.run(2)
        assert not called(played)
        played.rows.sql(f"INSERT INTO subscriber VALUES ({', '.join('?' * len(kept))})", *kept)
        assert follow(played) == []


def test_a_contact_that_is_being_called_is_named_and_called_again_once_that_call_is_over() -> None:
    with explaining(NOON) as played:
        played.change(max_retry=1)
        played.call_seconds = 10.0
        played.contact(NUMBER)
        played.run(2)
        assert called(played)
        assert [each.code for each in obstacles(played)] == [ContactCode.IN_PROCESS]
        played.sent.clear()
        played.run(6)
        assert not called(played)
        played.run(4)
        assert [each.code for each in obstacles(played)] == [ContactCode.COMPLETE]
        assert follow(played) == ["complete"]


def test_an_aborted_contact_is_named_and_called_once_it_is_pending() -> None:
    with explaining(NOON) as played:
        played.contact(NUMBER)
        played.change("subscriber", status=3, ready_at=None)
        played.run(2)
        (found,) = obstacles(played)
        assert found.code is ContactCode.ABORTED
        pending(played, found)
        assert follow(played) == []


def test_the_hours_of_the_place_are_named_and_then_it_is_called() -> None:
    with explaining(MORNING, SHIPPED) as played:
        played.contact(NUMBER)
        (found,) = obstacles(played)
        assert (found.code, found.until) == (ContactCode.CALLING_RULES, MORNING + timedelta(seconds=30))
        assert "opens 08:00 America/New_York" in found.text
        played.run(27)
        assert not called(played)
        assert follow(played) == ["calling-rules"]


def test_how_many_are_called_before_it_is_told() -> None:
    with explaining(MORNING + timedelta(hours=2)) as played:
        played.contact(NUMBER)
        others(played)
        for index in range(4):
            played.contact(f"4930123456{index:02}", count_attempt=1)
        (found,) = obstacles(played)
        assert found.text.startswith("7 others are called before it")
        played.run(6.5)
        assert not called(played)
        played.run(1.5)
        assert called(played)


def test_an_entry_with_an_end_is_named_until_then_alone_and_waits() -> None:
    end = NOON + timedelta(seconds=20.5)
    with explaining(NOON) as played:
        played.contact(NUMBER)
        played.forbid(NUMBER, end)
        played.run(2)
        (found,) = obstacles(played)
        assert (found.code, found.until) == (ContactCode.DO_NOT_CALL, end)
        played.rows.sql("DELETE FROM do_not_call")
        (found,) = obstacles(played)
        assert (found.code, found.until) == (ContactCode.DUE_LATER, end)
        played.run(16)
        assert not called(played)
        assert follow(played) == ["due-later"]


def test_what_has_no_consent_is_called_once_it_has() -> None:
    with explaining(NOON) as played:
        played.contact(NUMBER)
        played.change(consent="express")
        assert [each.code for each in obstacles(played)] == [ContactCode.CONSENT]
        played.run(2)
        told = obstacles(played)
        assert [each.code for each in told] == [ContactCode.CONSENT, ContactCode.NOT_AUTHORISED]
        assert told[1].text == "it may not be called: it was blocked when its turn came (consent)"
        assert follow(played) == ["consent"]


@pytest.mark.parametrize("seed", range(8))
def test_however_many_obstacles_there_are_each_is_named_until_it_is_called(seed: int) -> None:
    chance = random.Random(seed)
    with explaining(MORNING, SHIPPED) as played:
        played.contact(NUMBER)
        for harm in chance.sample([*HARMS], 4):
            HARMS[harm](played)
        follow(played)
