"""Do-not-call lists, consents and rests, on disk: who is called by whom, who changed what, and who may."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from attrs import evolve

from dialer.errors import AlreadyExists, BadValue, Forbidden, NotFound, StoreError
from dialer.interfaces import OPT_OUT, UNSERVED
from dialer.management import (
    campaigns,
    contact_explanation,
    contact_list,
    do_not_call,
    do_not_call_lists,
    removals,
    subscribers,
    users,
    why,
)
from dialer.model import Account, CampaignStatus, Contact, Disposition, EventKind, IdleCode, Scope, SubscriberStatus
from dialer.model.consent import ConsentBasis, ConsentPolicy
from dialer.model.contact_obstacle import ContactCode
from dialer.model.do_not_call import EVERYBODYS
from dialer.model.user import ADMINISTRATOR
from dialer.store.answered import AnsweredCalls
from tests.unit.store.support import LATER, NOW, World, ended, world

pytestmark = pytest.mark.usefixtures("database_kind")

ANN, BEN = Account(id=1, username="ann"), Account(id=2, username="ben")
ROOT = Account(id=3, username="root", is_superuser=True)
HOUR = timedelta(hours=1)


async def made(w: World, who: Account = ADMINISTRATOR, name: str = "none", **given: Any) -> int:
    return int((await w.seeds.ask(do_not_call_lists.create, who, {"name": name, **given})).id)


async def put(w: World, list_id: int, *numbers: str, who: Account = ADMINISTRATOR, **given: Any) -> do_not_call.Changed:
    entries = do_not_call.entries_of(numbers, w.seeds.management.numbering, given)
    found: do_not_call.Changed = await w.seeds.ask(do_not_call.add, who, list_id, entries)
    return found


async def ready(w: World, campaign_id: int = 1, now: Any = NOW) -> list[str]:
    await w.store.snapshot(now)  # as the scheduler does: those that are to be looked at again are
    return [candidate.number for candidate in await w.store.candidates(campaign_id, now, 10)]


async def ben(w: World) -> int:
    """A campaign of another user with the same numbers."""
    await w.seeds.user(username="ben")
    await w.seeds.grant(2, gateways=[1], voip_apps=[1])
    details = await w.seeds.campaign(2, name="autumn", frequency=60)
    await w.seeds.add(details.phonebooks[0].id, [Contact(number=number) for number in ("1000", "1001", "1002")])
    return int(details.campaign.id)


# --- for whom a list holds ------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_a_list_holds_for_those_that_it_is_for(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        other, bens = await w.add_campaign("summer", 3), await ben(w)
        of_user, of_campaign = await made(w, user_id=1), await made(w, name="one", campaign_id=1)
        await put(w, of_user, "1000")
        await put(w, of_campaign, "1001")
        await put(w, EVERYBODYS, "1002")
        assert [await ready(w, key) for key in (1, other, bens)] == [[], ["1001"], ["1000", "1001"]]


@pytest_twisted.ensureDeferred
async def test_a_list_that_is_removed_holds_no_more_and_its_name_is_free(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        key = await made(w, ANN)
        await put(w, key, "1000", who=ANN, expires_at=NOW + HOUR)
        assert await ready(w) == ["1001", "1002"]
        await w.seeds.ask(do_not_call_lists.remove, ANN, key)
        assert await ready(w) == ["1000", "1001", "1002"]
        with pytest.raises(NotFound, match=f"there is no do-not-call list {key}"):
            await put(w, key, "1001")
        assert await made(w, ANN) != key
        with pytest.raises(AlreadyExists, match="name: none exists already"):
            await made(w, ANN)


@pytest_twisted.ensureDeferred
async def test_a_campaign_and_a_user_with_lists_are_removed_all_the_same(tmp_path: Path) -> None:
    async with world(tmp_path, contacts=0) as w:
        await made(w, user_id=1)
        await put(w, await made(w, name="one", campaign_id=1), "1000")
        await removals.campaign(w.seeds.management, ADMINISTRATOR, 1)
        assert [each.name for each in await w.seeds.ask(do_not_call_lists.listed, ADMINISTRATOR)] == ["do not call", "none"]
        await removals.user(w.seeds.management, 1)
        assert [each.name for each in await w.seeds.ask(do_not_call_lists.listed, ADMINISTRATOR)] == ["do not call"]


@pytest_twisted.ensureDeferred
async def test_second_legs_obey_the_lists_of_their_campaign_at_that_moment(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await put(w, await made(w, campaign_id=1), "4930")
        await put(w, await made(w, name="two", user_id=1), "4931", expires_at=NOW + HOUR)
        early, late = (AnsweredCalls(w.database, lambda now=now: now) for now in (NOW, NOW + HOUR))
        assert (await early.call_rules(1, ["4930", "4931"], 1)).do_not_call == {"4930", "4931"}
        assert (await early.call_rules(1, ["4930", "4931"])).do_not_call == {"4931"}
        assert (await late.call_rules(1, ["4930", "4931"], 1)).do_not_call == {"4930"}


# --- who may, and who did -------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_users_keep_their_own_lists_and_superusers_those_of_everybody(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        bens = await ben(w)
        await w.seeds.user(username="root", is_superuser=True)
        key = await made(w, ANN, user_id=1)
        for use_case, *more in ((do_not_call.page,), (do_not_call.remove, ["1"]), (do_not_call_lists.remove,)):
            with pytest.raises(NotFound):
                await w.seeds.ask(use_case, BEN, key, *more)
            with pytest.raises(Forbidden, match="superusers"):
                await w.seeds.ask(use_case, ANN, EVERYBODYS, *more)
        without = Account(id=3, username="root", is_superuser=True, scopes=frozenset({Scope.READ, Scope.DIAL}))
        with pytest.raises(Forbidden, match="the login lacks the scope admin"):
            await put(w, EVERYBODYS, "1", who=without)
        with pytest.raises(Forbidden, match="this list stays"):
            await w.seeds.ask(do_not_call_lists.remove, ROOT, EVERYBODYS)
        with pytest.raises(NotFound, match="there is no campaign"):
            await made(w, ANN, name="x", campaign_id=bens)
        for given in ({"user_id": 2}, {"user_id": 2, "campaign_id": 1}):
            with pytest.raises(BadValue, match="user_id: is"):
                await made(w, ANN, name="x", **given)
        with pytest.raises(BadValue, match="user_id: is no user"):
            await made(w, ROOT, name="x", user_id=99)
        seen = [[each.name for each in await w.seeds.ask(do_not_call_lists.listed, who)] for who in (ANN, BEN, ROOT, without)]
        assert seen == [["none"], [], ["do not call", "none"], ["none"]]


@pytest_twisted.ensureDeferred
async def test_numbers_that_are_added_together_keep_their_order_and_those_that_are_there_stay(tmp_path: Path) -> None:
    async with world(tmp_path, contacts=0) as w:
        key = await made(w)
        await put(w, key, "+442079460003", reason="asked", expires_at=NOW + HOUR)
        found = await put(w, key, "+442079460005", "+442079460003", "00442079460005", "+442079460001", reason="again")
        assert (found.changed, found.unchanged) == (3, 1)
        rows = w.sql("SELECT number, identity, reason, removed_at IS NULL FROM do_not_call WHERE list_id = ? ORDER BY id", key)
        assert [row[0] for row in rows if row[3]] == ["+442079460005", "+442079460001", "+442079460003"]
        assert [row[2] for row in rows] == ["asked", "again", "again", "again"]
        assert (await put(w, key)).changed == 0
        entries = do_not_call.entries_of(["+442079460001"], w.seeds.management.numbering, {"reason": "one"})
        entries += do_not_call.entries_of(["+442079460009", "+442079460007"], w.seeds.management.numbering, {"reason": "two"})
        assert (await w.seeds.ask(do_not_call.add, ADMINISTRATOR, key, entries)).changed == 2
        assert w.sql("SELECT number FROM do_not_call WHERE reason = 'two' ORDER BY id") == ["+442079460009", "+442079460007"]


@pytest_twisted.ensureDeferred
async def test_no_entry_is_of_a_list_that_is_not_there(tmp_path: Path) -> None:
    entry = (
        "INSERT INTO do_not_call (list_id, number, identity, created_at) VALUES (?, '1', '1', '2026-11-23 10:00:00.000000')"
    )
    async with world(tmp_path, contacts=0) as w:
        key = await made(w)
        await w.database.run(lambda connection: connection.execute(entry, (key,)))
        for statement, values in (
            (entry, (99,)),
            ("DELETE FROM do_not_call_list WHERE id = ?", (key,)),
            ("UPDATE do_not_call SET list_id = ?", (99,)),
            ("UPDATE do_not_call_list SET id = 98 WHERE id = ?", (key,)),
        ):
            with pytest.raises(StoreError):
                await w.database.run(partial(_execute, statement=statement, values=values))


def _execute(connection: Any, statement: str, values: Any) -> None:
    connection.execute(statement, values)


@pytest_twisted.ensureDeferred
async def test_every_change_is_known_by_whom_and_when(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        key = await made(w, ANN)
        first = await put(w, key, "+1 555 000 1000", "1001", who=ANN, reason="asked", source="letter", expires_at=NOW + HOUR)
        again = await put(w, key, "0015550001000", who=ADMINISTRATOR, reason="asked again")
        assert (first.changed, first.unchanged, again.changed) == (2, 0, 1)
        w.seeds.now = LATER
        removed = await w.seeds.ask(do_not_call.remove, ROOT, key, ["15550001000", "77"])
        assert (removed.changed, removed.unchanged) == (1, 1)
        history = await w.seeds.ask(do_not_call.history, ANN, key)
        assert [
            (each.number, each.reason, each.source, each.expires_at, each.added_by, each.removed_by) for each in history
        ] == [
            ("+15550001000", "asked", "letter", NOW + HOUR, "ann", "command line"),
            ("1001", "asked", "letter", NOW + HOUR, "ann", ""),
            ("0015550001000", "asked again", "", None, "command line", "root"),
        ]
        assert [each.removed_at for each in history] == [NOW, None, LATER]
        of_one = await w.seeds.ask(do_not_call.history, ANN, key, 0, 10, "001 555 000 1000")
        assert [each.id for each in of_one] == [history[0].id, history[2].id]
        assert [each.id for each in await w.seeds.ask(do_not_call.history, ANN, key, of_one[0].id, 1)] == [history[1].id]
        assert [each.number for each in await w.seeds.ask(do_not_call.page, ANN, key)] == ["1001"]


@pytest_twisted.ensureDeferred
async def test_what_has_expired_is_on_the_list_no_more(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await put(w, EVERYBODYS, "1000", expires_at=NOW + HOUR)
        with pytest.raises(BadValue, match="expires_at: lies in the past"):
            await put(w, EVERYBODYS, "1001", expires_at=NOW)
        w.seeds.now = NOW + HOUR
        assert await w.seeds.ask(do_not_call.page, ADMINISTRATOR, EVERYBODYS) == []
        assert await w.seeds.ask(do_not_call.check, ADMINISTRATOR, EVERYBODYS, ["1000"]) == [None]
        assert await w.seeds.ask(do_not_call.unknown, ADMINISTRATOR, EVERYBODYS, ["1000"]) == 1
        with pytest.raises(NotFound):
            await w.seeds.ask(do_not_call.remove_one, ADMINISTRATOR, EVERYBODYS, "1000")


def test_all_that_is_no_number_is_named_at_once() -> None:
    from dialer.numbering import numbering

    with pytest.raises(BadValue, match=r"'abc' is not a number.*; .*'x' is not a number"):
        do_not_call.entries_of(["1", "abc", "x"], numbering(), {})
    with pytest.raises(BadValue, match="numbers: are 10001; at most 10000"):
        do_not_call.entries_of(["1"] * 10_001, numbering(), {})


# --- consents -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("consent", "recorded", "express", "told"),
    [
        ({}, False, False, "none is recorded"),
        (
            {"consent_basis": ConsentBasis.OTHER, "consent_given_at": NOW - HOUR},
            True,
            False,
            "that (other) is no express",
        ),
        ({"consent_basis": ConsentBasis.EXPRESS, "consent_given_at": NOW}, True, True, ""),
        ({"consent_basis": ConsentBasis.WRITTEN, "consent_given_at": NOW, "consent_expires_at": LATER}, True, True, ""),
        ({"consent_basis": ConsentBasis.EXPRESS}, False, False, "that (express) has no date"),
        (
            {"consent_basis": ConsentBasis.EXPRESS, "consent_given_at": NOW - HOUR, "consent_expires_at": NOW},
            False,
            False,
            "that (express) expired on 2026-11-23 10:00:00 UTC",
        ),
        (
            {"consent_basis": ConsentBasis.OTHER, "consent_given_at": LATER, "consent_expires_at": LATER},
            False,
            False,
            "that (other) expires before it begins",
        ),
        ({"consent_given_at": NOW}, False, False, "none is recorded"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_contact_without_the_consent_that_a_campaign_asks_for_is_not_called_and_is_told_why(
    tmp_path: Path, consent: dict[str, Any], recorded: bool, express: bool, told: str
) -> None:
    async with world(tmp_path, contacts=0) as w:
        await w.seeds.add(1, [Contact(number="1000", **consent)])
        w.store.wanted = frozenset({EventKind.CONTACT_BLOCKED})
        expected = {ConsentPolicy.NOT_ASKED: True, ConsentPolicy.RECORDED: recorded, ConsentPolicy.EXPRESS: express}
        for policy, called in expected.items():
            await w.seeds.change_campaign(1, consent=policy)
            assert await ready(w) == (["1000"] if called else []), policy
            assert w.subscriber(1)["blocked_by"] == (None if called else "consent")
        found = await w.seeds.ask(why.contact, 1, "1000")
        assert [told in line for line in list(contact_explanation.sentences(found, None, NOW))[:1]] == [True]
        events = w.sql("SELECT data FROM event")
        assert len(events) == [recorded, express].count(False)
        assert all(told in each and '"reason":"consent"' in each for each in events)


@pytest.mark.parametrize(
    ("basis", "policy", "waits"),
    [
        (ConsentBasis.WRITTEN, ConsentPolicy.EXPRESS, True),
        (ConsentBasis.OTHER, ConsentPolicy.RECORDED, True),
        (ConsentBasis.OTHER, ConsentPolicy.EXPRESS, False),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_contact_waits_for_a_consent_that_begins_later_if_that_is_what_the_campaign_asks_for(
    tmp_path: Path, basis: ConsentBasis, policy: ConsentPolicy, waits: bool
) -> None:
    async with world(tmp_path, contacts=0) as w:
        await w.seeds.add(1, [Contact(number="1000", consent_basis=basis, consent_given_at=LATER)])
        w.store.wanted = frozenset({EventKind.CONTACT_HELD, EventKind.CONTACT_BLOCKED})
        await w.seeds.change_campaign(1, consent=policy)
        assert await ready(w) == []
        ((kind, data),) = w.sql("SELECT kind, data FROM event")
        assert (kind, '"reason":"consent"' in data) == ("contact.held" if waits else "contact.blocked", True)
        found = await w.seeds.ask(why.contact, 1, "1000")
        (told,) = (each for each in contact_explanation.obstacles(found, None, NOW) if each.code is ContactCode.CONSENT)
        assert (told.until, "does not hold before 2026-" in told.text) == ((LATER, True) if waits else (None, False))
        report = await w.seeds.ask(why.campaign, ADMINISTRATOR, 1)
        assert (report.reason.code, report.reason.until) == ((IdleCode.CONSENT, LATER) if waits else (IdleCode.ALL_DONE, None))
        assert await ready(w, now=LATER - timedelta(microseconds=1)) == []
        assert await ready(w, now=LATER) == (["1000"] if waits else [])


@pytest_twisted.ensureDeferred
async def test_a_contact_that_waits_for_a_consent_is_looked_at_again_when_that_begins_earlier(tmp_path: Path) -> None:
    async with world(tmp_path, contacts=1) as w:
        await w.seeds.change_campaign(1, consent="recorded")
        given = {"consent_basis": "other", "consent_given_at": LATER}
        await w.seeds.ask(contact_list.change, ADMINISTRATOR, 1, given)
        assert await ready(w) == []
        assert w.subscriber(1)["status"] == 1
        await w.seeds.ask(contact_list.change, ADMINISTRATOR, 1, given | {"consent_given_at": NOW})
        assert await ready(w) == ["1000"]


@pytest_twisted.ensureDeferred
async def test_a_consent_that_ends_between_the_plan_and_its_begin_counts(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.seeds.change_campaign(1, consent="express")
        given = {"consent_basis": "written", "consent_given_at": NOW, "consent_expires_at": LATER, "consent_proof": "call 17"}
        await w.seeds.ask(contact_list.change, ADMINISTRATOR, 1, given)
        plans = await w.plans(3)
        assert [plan.candidate.number for plan in plans] == ["1000"]
        assert await w.begin(plans, now=LATER) == []
        assert w.sql("SELECT status, blocked_by FROM subscriber") == [(7, "consent")] * 3


@pytest_twisted.ensureDeferred
async def test_who_gives_a_consent_later_is_called_then(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await put(w, EVERYBODYS, "1002")
        await w.seeds.change_campaign(1, consent="recorded")
        assert await ready(w) == []
        given = {"consent_basis": "relationship", "consent_given_at": NOW}
        await w.seeds.ask(contact_list.change, ADMINISTRATOR, 1, given)
        assert await ready(w) == ["1000"]
        explained = await w.seeds.ask(campaigns.blocked, ADMINISTRATOR, 1)
        assert [(each.reason, each.blocked, each.waiting) for each in explained] == [("consent", 1, 0), ("do-not-call", 1, 0)]
        await w.seeds.change_campaign(1, consent="not-asked")
        assert await ready(w) == ["1000", "1001"]


@pytest_twisted.ensureDeferred
async def test_who_waits_for_an_entry_is_told_of_once_and_the_campaign_tells_why_it_is_idle(tmp_path: Path) -> None:
    async with world(tmp_path, contacts=1) as w:
        w.store.wanted = frozenset({EventKind.CONTACT_HELD, EventKind.CONTACT_BLOCKED})
        await put(w, EVERYBODYS, "1000", reason="rests", expires_at=LATER)
        assert await ready(w) == []
        ((kind, data),) = w.sql("SELECT kind, data FROM event")
        assert kind == "contact.held"
        assert '"reason":"do-not-call"' in data
        assert ': rests"' in data
        (row,) = w.sql("SELECT held_from, held_by, blocked_by FROM subscriber")
        assert row[1].startswith("1000 is on the do-not-call list since ")
        assert row[2] == "do-not-call"
        report = await w.seeds.ask(why.campaign, ADMINISTRATOR, 1)
        assert report.reason.code is IdleCode.DO_NOT_CALL
        assert report.reason.until == LATER
        assert report.reason.text.startswith(
            "do-not-call lists keep the contacts left (1) waiting, the first of them: 1000 is"
        )
        await w.seeds.ask(do_not_call.remove, ADMINISTRATOR, EVERYBODYS, ["1000"])
        assert w.sql("SELECT ready_at, held_from, held_by, blocked_by FROM subscriber") == [(row[0], None, None, None)]
        assert await ready(w) == ["1000"]
        assert w.sql("SELECT count(*) FROM event") == [1]


@pytest_twisted.ensureDeferred
async def test_who_was_refused_for_good_and_is_started_again_is_pending_also_when_the_entry_goes(tmp_path: Path) -> None:
    async with world(tmp_path, contacts=1) as w:
        await put(w, EVERYBODYS, "1000")
        assert await ready(w) == []
        assert w.sql("SELECT status, held_from, blocked_by FROM subscriber") == [(7, None, "do-not-call")]
        await w.seeds.ask(subscribers.set_status, ANN, 1, "1000", SubscriberStatus.START)
        assert w.sql("SELECT status, blocked_by FROM subscriber") == [(1, None)]
        await w.seeds.ask(do_not_call.remove, ADMINISTRATOR, EVERYBODYS, ["1000"])
        assert await ready(w) == ["1000"]


# --- rests, and wishes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rests", "end", "hours"),
    [
        ("ABANDONED=72", {"session": {UNSERVED: "no agent"}}, 72),
        ("ABANDONED=72", {}, None),
        ("ABANDONED=72", {"session": {UNSERVED: "no agent", OPT_OUT: "9"}}, None),
        ("ANSWERED=5,ABANDONED=2", {"session": {UNSERVED: "no agent"}}, 5),
        ("ANSWERED=5", {"counts": False}, None),
        ("BUSY=5", {}, None),
        ("", {"session": {UNSERVED: "no agent"}}, None),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_number_rests_after_a_call_that_ended_so(
    tmp_path: Path, rests: str, end: dict[str, Any], hours: int | None
) -> None:
    async with world(tmp_path) as w:
        other, bens = await w.add_campaign("summer", 3), await ben(w)
        await w.seeds.change_campaign(1, rests=rests)
        [attempt] = await w.begun()
        await w.store.finish(ended(attempt, SubscriberStatus.START, ready_at=LATER, at=NOW, **end))
        resting = [] if hours is None else [("rests", 1, "1000", f"rests after attempt {attempt.id}")]
        found = w.sql(
            "SELECT l.name, l.user_id, d.number, d.reason FROM do_not_call d JOIN do_not_call_list l ON l.id = d.list_id "
            "WHERE l.id <> 1"
        )
        assert [(*row[:3], row[3].partition(" (")[0]) for row in found] == resting
        opted_out = OPT_OUT in end.get("session", {})
        if hours is None:
            assert ("1000" in await ready(w, 1, LATER)) is not opted_out
            return
        until = NOW + timedelta(hours=hours)
        for campaign_id in (1, other):
            assert "1000" not in await ready(w, campaign_id, until - timedelta(microseconds=1))
            assert "1000" in await ready(w, campaign_id, until)
        assert "1000" in await ready(w, bens, LATER)


@pytest_twisted.ensureDeferred
async def test_a_wish_holds_at_once_for_everybody_and_in_every_spelling(tmp_path: Path) -> None:
    async with world(tmp_path, contacts=0) as w:
        bens = await ben(w)
        await w.seeds.add(1, [Contact(number="+15552340001")])
        await w.seeds.add(2, [Contact(number="0015552340001")])
        [attempt] = await w.begun()
        planned = [plan for plan in await w.plans(9, bens) if plan.candidate.number == "0015552340001"]
        # Nobody may call it while a call is live; the wish is there before that call is over.
        await AnsweredCalls(w.database, lambda: NOW).never_call(attempt.plan.candidate, NOW, "pressed 9")
        await w.store.finish(ended(attempt, session={OPT_OUT: "9"}))
        assert await w.begin(planned) == []
        assert "0015552340001" not in await ready(w, bens)
        entry = await w.seeds.ask(do_not_call.read, ADMINISTRATOR, EVERYBODYS, "15552340001")
        assert (entry.added_by, entry.source, entry.reason, entry.expires_at) == ("callee", "call", "pressed 9", None)


@pytest.mark.parametrize(
    ("text", "kept"),
    [("abandoned=72, no-answer=1", "ABANDONED=72,NO_ANSWER=1"), ("", ""), (" , ", "")],
)
def test_rests_have_one_spelling(text: str, kept: str) -> None:
    from dialer.model.rests import rest_list

    assert rest_list(text, "rests") == kept


@pytest.mark.parametrize("text", ["72", "LOST=1", "BUSY", "BUSY=0", "BUSY=8761", "BUSY=1,busy=2", "BUSY=1.5", "BUSY=٣"])
def test_other_rests_are_refused(text: str) -> None:
    from dialer.model.rests import rest_list

    with pytest.raises(BadValue, match=r"rests: .*such as"):
        rest_list(text, "rests")


# --- why ------------------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_a_contact_is_explained_by_all_that_keeps_it_from_being_called(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        key = await made(w, user_id=1, name="letters")
        await put(w, key, "001000", "1000", reason="asked", expires_at=NOW + HOUR)
        await w.seeds.ask(users.change, 1, {"blacklist": ("1000",)})
        await w.seeds.change_campaign(1, consent="express")
        found = await w.seeds.ask(why.contact, 1, "1000")
        assert list(contact_explanation.sentences(found, None, NOW))[:3] == [
            "1000 is on the do-not-call list letters since 2026-11-23 10:00:00 UTC until 2026-11-23 11:00:00 UTC: asked",
            "1000 is on the blacklist of this user",
            "1000 has not got the consent that the campaign asks for: none is recorded",
        ]
        await ready(w)
        report = await w.seeds.ask(why.campaign, ADMINISTRATOR, 1)
        assert [(each.reason, each.blocked, each.waiting) for each in report.blocked] == [
            ("consent", 2, 0),
            ("do-not-call", 0, 1),
        ]


@pytest_twisted.ensureDeferred
async def test_exactly_what_is_named_has_to_go_for_a_call(tmp_path: Path) -> None:
    async with world(tmp_path, contacts=1) as w:
        await put(w, EVERYBODYS, "1000", expires_at=NOW + 9 * HOUR)
        await put(w, await made(w, campaign_id=1), "1000", expires_at=NOW + HOUR)
        assert await ready(w) == []
        await w.seeds.ask(do_not_call.remove, ADMINISTRATOR, EVERYBODYS, ["1000"])
        assert await ready(w) == []
        found = await w.seeds.ask(why.contact, 1, "1000")
        (named,) = found.blocks
        assert named.until == NOW + HOUR
        assert await ready(w, now=NOW + HOUR) == ["1000"]


@pytest_twisted.ensureDeferred
async def test_what_a_gateway_makes_of_a_number_waits_for_its_entry_too(tmp_path: Path) -> None:
    async with world(tmp_path, contacts=1) as w:
        await put(w, await made(w, user_id=1), "5000", expires_at=NOW + HOUR)
        (plan,) = await w.plans(1)
        assert await w.begin([evolve(plan, also=("5000",))]) == []
        assert w.sql("SELECT status, blocked_by FROM subscriber") == [(SubscriberStatus.START, "dialled-form")]
        assert await ready(w, now=NOW + HOUR) == ["1000"]
        assert [len(await w.begin([evolve(plan, also=("5000",))], now=NOW + HOUR))] == [1]


@pytest.mark.parametrize("whose", [{"user_id": 1}, {"campaign_id": 1}, {}])
@pytest.mark.parametrize("how", ["entry", "list"])
@pytest_twisted.ensureDeferred
async def test_what_a_gateway_makes_of_a_number_is_looked_at_again_when_its_entry_goes(
    tmp_path: Path, how: str, whose: dict[str, int]
) -> None:
    async with world(tmp_path, contacts=1) as w:
        await w.seeds.user(username="ben")
        key, other = await made(w, **whose), await made(w, name="other", user_id=2)
        for each in (key, other):
            await put(w, each, "5000", expires_at=LATER)
        (plan,) = await w.plans(1)
        assert await w.begin([evolve(plan, also=("5000",))]) == []
        await w.seeds.ask(do_not_call.remove, ADMINISTRATOR, other, ["5000"])
        assert await ready(w) == [], "the list is nothing to that campaign"
        if how == "entry":
            await w.seeds.ask(do_not_call.remove, ADMINISTRATOR, key, ["5000"])
        else:
            await w.seeds.ask(do_not_call_lists.remove, ADMINISTRATOR, key)
        assert await ready(w) == ["1000"]
        assert len(await w.begin([evolve(plan, also=("5000",))])) == 1


@pytest_twisted.ensureDeferred
async def test_the_blocked_of_a_campaign_are_counted_when_all_are_done(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await put(w, EVERYBODYS, "1000", "1001", "1002")
        assert await ready(w) == []
        report = await w.seeds.ask(why.campaign, ADMINISTRATOR, 1)
        assert report.reason is not None
        assert report.reason.text == "every contact is done; 3 of them may not be called"
        await w.seeds.set_campaign_status(1, CampaignStatus.PAUSE)


@pytest_twisted.ensureDeferred
async def test_a_busy_number_that_rests_is_no_less_called_by_others(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        bens = await ben(w)
        await w.seeds.change_campaign(1, rests="BUSY=1")
        [attempt] = await w.begun()
        end = ended(attempt, SubscriberStatus.FAIL, at=NOW)

        await w.store.finish(evolve(end, disposition=Disposition.BUSY))
        assert "1000" in await ready(w, bens, NOW)
