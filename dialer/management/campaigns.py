"""Campaigns: created, changed, started and stopped; and the subscribers of a campaign."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import timedelta
from typing import Any, Final

import structlog

from dialer.appdata import GATEWAY, Data, check_task
from dialer.declare import entered, noun_of
from dialer.errors import AlreadyExists, BadValue, WrongState
from dialer.kinds import word_of
from dialer.management import grants, news, phonebooks, rows
from dialer.management.caller_ids import assigning
from dialer.management.listing import NEWEST_FIRST, Place, Slice, in_sql
from dialer.management.management import Management, Transaction, call_soon, reads, writes
from dialer.management.numbers import check_caller_id, refusals
from dialer.model import (
    Account,
    BlockedContacts,
    Campaign,
    CampaignDetails,
    CampaignStatus,
    Explanation,
    Gateway,
    Phonebook,
    Progress,
    Purpose,
    SubscriberStatus,
    VoipApp,
)
from dialer.model.campaign import EVERY_DAY
from dialer.rules.decide import least_ring_in
from dialer.store import campaign_list, held, reports, statements
from dialer.store.caller_ids import CallerIdWaits
from dialer.store.times import from_column_or_none, to_column
from dialer.stored import load_rules, value_of
from dialer.time_kinds import Weekdays
from dialer.variables import check_caller_name

log = structlog.get_logger()

PAGE: Final = 25
"""Campaigns that are read at once, with everything of them: some milliseconds on the database thread."""

RULED_BY: Final = frozenset({"purpose", "override", "voip_app_id", "time_zone", "consent", "gateway_id"})
"""Settings by which a contact may be called, or not."""

LIFETIME: Final = timedelta(days=7)
"""How long a campaign lasts whose expiry is not given, from the moment of its creation."""


@reads
def listed(
    t: Transaction,
    who: Account,
    statuses: Collection[CampaignStatus],
    part: Slice = NEWEST_FIRST,
    name: str | None = None,
    draft: bool | None = None,
) -> list[CampaignDetails]:
    """The user's campaigns in one of `statuses`, everybody's for a superuser: those of that name, and those that are drafts or
    that are none, where it is said."""
    wanted = {"c.name": name, "c.draft": draft, "c.user_id": None if who.is_superuser else who.id}
    return campaign_list.campaigns(t.connection, statuses, wanted, *in_sql(part, "c"))


async def read_pages(
    management: Management,
    who: Account,
    statuses: Collection[CampaignStatus],
    take: Callable[[list[CampaignDetails]], Awaitable[None]],
) -> None:
    """The same, given to `take` page by page, the newest first, so that the flow's transactions find their way between. Fails
    with `StoreError`, and `NotFound` for a user that may do nothing any more."""
    after: Place | None = None
    while True:
        found = await management.ask_in_turn(listed, who, statuses, Slice(sort="-id", after=after, limit=PAGE))
        await take(found)
        if len(found) < PAGE:
            return
        after = (found[-1].campaign.id, found[-1].campaign.id)


@reads
def read(t: Transaction, who: Account, campaign_id: int) -> CampaignDetails:
    """One of them. Raises `NotFound`."""
    return _details(rows.ours(who, t.entities.Campaign.get(id=campaign_id), "campaign", campaign_id))


@writes
def locked(t: Transaction, who: Account, campaign_id: int) -> CampaignDetails:
    """The same, which nobody changes until the end of the transaction."""
    return _details(rows.ours(who, t.entities.Campaign.get_for_update(id=campaign_id), "campaign", campaign_id))


@reads
def progress(t: Transaction, who: Account, campaign_id: int) -> tuple[Campaign, Progress]:
    """One of them, and how far it is. Raises `NotFound`."""
    campaign = value_of(Campaign, rows.ours(who, t.entities.Campaign.get(id=campaign_id), "campaign", campaign_id))
    counts = t.connection.execute(statements.COUNTS, (campaign_id,)).fetchall()
    waiting, next_ready_at = t.connection.execute(statements.WAITING, (campaign_id, to_column(t.now))).fetchone()
    held_by, blocked_by = t.connection.execute(statements.HELD, (campaign_id,)).fetchone() or ("", "")
    found = Progress(
        subscribers={SubscriberStatus(status): subscribers for status, subscribers in counts if subscribers},
        waiting=waiting,
        next_ready_at=from_column_or_none(next_ready_at),
        held_by=held_by or "",
        blocked_by=blocked_by or "",
        caller_id_wait=CallerIdWaits(t.connection, assigning(t), [campaign]).of(campaign),
    )
    return campaign, found


async def explain(management: Management, who: Account, campaign_id: int) -> Explanation:
    """How far one of them is, and why it is not calling now. Only a process that makes the calls knows: without a flow it
    is a mistake in the program. Fails with `NotFound`, `StoreError`."""
    campaign, found = await management.ask(progress, who, campaign_id)
    if management.flow is None:
        raise RuntimeError("no calls are made here, so nobody can tell why none are")
    some = await management.ask(blocked, who, campaign_id)
    return Explanation(campaign=campaign, progress=found, reason=management.flow.explain(campaign, found), blocked=some)


@reads
def blocked(t: Transaction, who: Account, campaign_id: int) -> tuple[BlockedContacts, ...]:
    """The contacts of one of them that may not be called, as far as their turn has come. Raises `NotFound`."""
    rows.ours(who, t.entities.Campaign.get(id=campaign_id), "campaign", campaign_id)
    found = t.connection.execute(reports.BLOCKED, (campaign_id,)).fetchall()
    return tuple(BlockedContacts(reason=reason, blocked=int(never), waiting=int(later)) for reason, never, later in found)


@reads
def unfinished(t: Transaction, who: Account) -> list[int]:
    """The ids of the user's campaigns in which a contact is left to call, the oldest first."""
    pending = [int(status) for status in (SubscriberStatus.START, SubscriberStatus.PAUSE, SubscriberStatus.IN_PROCESS)]
    query = t.entities.Campaign.select(lambda c: c.user.id == who.id and c.archived_at is None).order_by(lambda c: c.id)
    return [row.id for row in query if row.subscribers.select(lambda s: s.status in pending).exists()]


OWN_PHONEBOOK: Final = "made with its campaign"
"""The description of such a phonebook."""


@writes
def create(
    t: Transaction,
    who: Account,
    given: Mapping[str, Any],
    phonebook: str = "",
    *,
    granting: bool = False,
    draft: bool = False,
    phonebook_id: int | None = None,
) -> CampaignDetails:
    """A campaign with a phonebook of its name, which `phonebook` describes, or with one of the user that is there: the first
    of its contacts are subscribed, and `contacts.subscribe` does the rest. It is started unless another status is given, or
    it is a `draft`, which is paused until it is started.
    Without dates it starts now and lasts for `LIFETIME`. With `granting`, an administrator chose its gateway and its voice
    application, which grants them to the user. Raises `LimitExceeded` (campaigns, and what `Campaign` declares), `NotFound`
    (a gateway or voip app that is not granted, or not there), `AlreadyExists`, `BadValue`."""
    user = rows.asking(t, who)
    rows.check_limit("campaigns", user.campaigns.select(lambda c: c.archived_at is None).count() + 1, user.max_number_campaign)
    row = rows.create(t, Campaign, checked_new(t, who, given, granting=granting, draft=draft))
    if phonebook_id is None:
        phonebooks.add_own(t, row, phonebook)
    else:
        phonebooks.add_existing(t, who, row, phonebook_id)
    news.campaign_created(t, row)
    t.then(call_soon)
    return _details(row)


def checked_new(
    t: Transaction, who: Account, given: Mapping[str, Any], *, granting: bool = False, draft: bool = False
) -> dict[str, Any]:
    """The settings of a new campaign of a user, as they may be stored. Raises as `create`, but for the number of campaigns."""
    user = rows.asking(t, who)
    dates = {"starting_at": t.now, "expires_at": t.now + LIFETIME}
    checked = {**dates, **_entered(given, EVERY_DAY), "user_id": who.id}
    if draft:
        if checked.get("status", CampaignStatus.PAUSE) is not CampaignStatus.PAUSE:
            raise BadValue("status", "is that of a campaign that is no draft; leave it out")
        checked |= {"status": CampaignStatus.PAUSE, "draft": True}
    rows.check_limits(Campaign, checked, user)
    _check_references(t, user, who.id, checked, granting=granting)
    _refuse_taken(t, who.id, checked["name"])
    _check_task(t, t.entities.VoipApp.get(id=checked["voip_app_id"]), checked.get("voip_app_data", ""), who.id)
    check_caller_id(t, who.id, checked.get("caller_id", ""), checked.get("caller_id_pool_id"))
    _check_rules(t, who, checked, {"name": checked["name"]})
    return checked


@writes
def change(t: Transaction, who: Account, campaign_id: int, given: Mapping[str, Any]) -> CampaignDetails:
    """Change what is given. It acts at once: no attempt of a campaign that is not started is begun any more, those that wait
    for their moment are given back, and the live calls of one that is aborted are hung up. Raises as `create`."""
    row = rows.ours(who, t.entities.Campaign.get_for_update(id=campaign_id), "campaign", campaign_id)
    before = load_rules(Campaign, row.rules).values
    checked = _entered(given, before["weekdays"])
    user = rows.asking(t, who)
    rows.check_limits(Campaign, checked, user)
    _check_references(t, user, row.user.id, checked)
    if checked.get("name", row.name) != row.name:
        _refuse_taken(t, row.user.id, checked["name"])
    starts = checked.get("status") is CampaignStatus.START and row.status != CampaignStatus.START
    if starts or "voip_app_id" in checked or "voip_app_data" in checked:
        app = t.entities.VoipApp.get(id=checked.get("voip_app_id", row.voip_app.id))
        _check_task(t, app, checked.get("voip_app_data", before["voip_app_data"]), row.user.id)
    if starts or checked.keys() & {"caller_id", "caller_id_pool_id"}:
        pool = row.caller_id_pool.id if row.caller_id_pool else None
        number = checked.get("caller_id", before["caller_id"])
        check_caller_id(t, row.user.id, number, checked.get("caller_id_pool_id", pool))
    if starts:
        check_caller_name(checked.get("caller_name", before["caller_name"]), "caller_name")
    _check_rules(t, who, checked, {**before, "name": row.name})
    status = row.status
    if checked.get("status", CampaignStatus.PAUSE) is not CampaignStatus.PAUSE:
        checked["draft"] = False
    if checked.get("status", status) != status:
        checked["pause_reason"] = ""
    rows.change(t, Campaign, row, checked)
    if not RULED_BY.isdisjoint(checked):
        held.recheck(t.connection, row.id)
    news.campaign_status(t, row, status)
    _obey(t, row, checked.get("status"))
    return _details(row)


@writes
def resume(t: Transaction, who: Account, campaign_id: int) -> CampaignDetails:
    """Start a campaign that is paused; one that is started goes on. Raises `WrongState` for any other, and as `change`."""
    row = rows.ours(who, t.entities.Campaign.get_for_update(id=campaign_id), "campaign", campaign_id)
    if row.status not in (CampaignStatus.START, CampaignStatus.PAUSE) or row.draft:
        found = "a draft" if row.draft else f"in the state {word_of(CampaignStatus(row.status))}"
        raise WrongState(f"campaign {row.name} is {found}; only one that is paused is resumed")
    return change(t, who, campaign_id, {"status": CampaignStatus.START})


def _check_references(t: Transaction, user: Any, owner_id: int, checked: Mapping[str, Any], *, granting: bool = False) -> None:
    """Raise `NotFound` for a reference to what does not exist for the asking `user`, None for the administrator."""
    if user is None or user.is_superuser or granting:
        rows.references(t, Campaign, checked)
        grants.add(t, owner_id, checked)
    else:
        grants.check(t, user.id, checked)


def _entered(given: Mapping[str, Any], weekdays: Weekdays) -> dict[str, Any]:
    """The given settings, checked. A weekday that is None is as in `weekdays`."""
    days = given.get("weekdays")
    if isinstance(days, tuple) and len(days) == len(weekdays):
        given = {**given, "weekdays": [old if flag is None else flag for flag, old in zip(days, weekdays, strict=True)]}
    return entered(Campaign, given)


def _check_rules(t: Transaction, who: Account, checked: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    """Raise `BadValue` for a campaign whose calls would not ring for as long as its country asks, and `Forbidden` for somebody
    who may not override the calling rules; who may is logged."""
    override = checked.get("override", before.get("override", ""))
    if override != before.get("override", ""):
        rows.check_superuser(who)
        told = {"campaign": checked.get("name", before["name"]), "by": who.username or "an administrator"}
        if override:
            log.warning("the calling rules do not hold for a campaign", reason=override, **told)
        else:
            log.warning("the calling rules hold for a campaign again", **told)
    timeout = checked.get("call_timeout")
    if timeout is not None and not override and t.numbering.region:
        purpose = checked.get("purpose", before.get("purpose", Purpose.SALES))
        row = least_ring_in(t.rules, t.numbering.region, purpose, t.now)
        if row is not None and timeout < row.min_ring:
            raise BadValue(
                "call_timeout", f"is {timeout}; a call rings for {row.min_ring} s at least: {row.name} ({row.source})"
            )


def _obey(t: Transaction, row: Any, wanted: CampaignStatus | None) -> None:
    if wanted is CampaignStatus.START:
        for name in load_rules(Campaign, row.rules).damaged:
            raise BadValue(name, f"is damaged in the database; expected {_takes(name)}")
    key = row.id
    if wanted is CampaignStatus.ABORT:
        t.then(lambda flow: flow.hang_up(key))
    elif wanted in (CampaignStatus.PAUSE, CampaignStatus.END):
        t.then(lambda flow: flow.release(key))
    t.then(call_soon)


def _takes(name: str) -> str:
    fields = {field.name: field for field in noun_of(Campaign).rules}
    return fields[name].kind.takes if name in fields else "a JSON object"


def _check_task(t: Transaction, app: Any, data: str, user_id: int) -> None:
    """Raise `BadValue` for a voice application and data with which it could do nothing for an answered call of the user."""
    value = value_of(VoipApp, app)
    try:
        gateway = value_of(Gateway, app.gateway) if app.gateway else None
        check_task(value.type, Data.of(data, value), gateway, refusals(t, user_id))
    except BadValue as error:
        if error.field == GATEWAY:
            raise BadValue("voip_app_id", error.problem) from None
        raise


def _refuse_taken(t: Transaction, user_id: int, name: str) -> None:
    if t.entities.Campaign.select(lambda c: c.user.id == user_id and c.name == name).exists():
        raise AlreadyExists("campaign", "name", name)


def _details(row: Any) -> CampaignDetails:
    books = sorted(row.phonebooks, key=lambda book: book.id)
    return CampaignDetails(
        campaign=value_of(Campaign, row),
        gateway=value_of(Gateway, row.gateway),
        phonebooks=tuple(value_of(Phonebook, book) for book in books),
    )
