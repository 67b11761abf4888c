"""Calls without a campaign: asked for one by one, made by the engine that makes those of campaigns, cancelled.

A call is a campaign of its own, of one contact (`dialer.store.single_calls`), so that it obeys what every call obeys: the
do-not-call list, the lists and limits of its user, the calling rules, the limits of gateways and switches, and the crash
rules. It is made once, unless it is given retries."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import evolve

from dialer.declare import entered
from dialer.errors import AlreadyExists, BadValue, NotFound, Over
from dialer.management import campaigns, grants, rows
from dialer.management.contacts import allowed_number, contact_row
from dialer.management.management import Transaction, call_soon, reads, verb, writes
from dialer.management.numbers import check_numbers
from dialer.model import Account, Campaign, Contact, Phonebook, SubscriberStatus
from dialer.model.single_call import SingleCall, SingleCallState
from dialer.store import contacts as contacts_sql
from dialer.store import single_calls as sql
from dialer.store.times import to_column

LIFETIME: Final = timedelta(days=1)
"""How long a call is tried to be made whose expiry is not given, from its moment on: until the hours of the next day."""

SETTINGS: Final = (
    "starting_at", "expires_at", "gateway_id", "voip_app_id", "voip_app_data", "caller_id", "caller_name", "call_timeout",
    "call_max_duration", "max_retry", "interval_retry", "purpose",
)  # fmt: skip
"""What a call has of a campaign."""

FACTS: Final = ("number", "first_name", "last_name", "additional_vars", "time_zone", "reference")
"""What a call has of a contact."""

MINUTE: Final = timedelta(minutes=1)


@writes
def create(t: Transaction, who: Account, given: Mapping[str, Any], key: str = "", *, granting: bool = False) -> SingleCall:
    """A call with these `SETTINGS` and `FACTS`: now, unless it has a `starting_at`; without further attempts, unless it has a
    `max_retry`. There is one of a user for each `key`, any number without. Raises what `campaigns.create` raises, and
    `BadValue` for a number that is none or that the user may not call, `LimitExceeded` (frequency, in a minute; contacts, of
    calls that are not over)."""
    contact = Contact(**entered(Contact, {name: value for name, value in given.items() if name in FACTS}))
    number, identity = allowed_number(contact.number, t.numbering)
    settings = {"max_retry": 0, **{name: value for name, value in given.items() if name in SETTINGS}}
    starting_at, expires_at = _dates(t.now, settings)
    settings |= {"starting_at": starting_at, "expires_at": expires_at, "name": f"call {key or secrets.token_hex(8)}"}
    try:
        checked = campaigns.checked_new(t, who, settings, granting=granting)
    except AlreadyExists:
        raise AlreadyExists("call", "key", key) from None
    _check_limits(t, who, starting_at)
    archived = {"archived_at": t.now, "user_id": who.id}
    row = rows.create(t, Campaign, {**checked, **archived, "single": True})
    book = rows.create(t, Phonebook, {"name": checked["name"], "description": "", **archived})
    row.phonebooks.add(book)
    t.entities.db.flush()
    check_numbers(t.connection, book.id, [(number, identity)])
    entry = evolve(contact, number=number, identity=identity, phonebook_id=book.id)
    ((contact_id,),) = t.connection.execute(contacts_sql.ADD_NEW_CONTACT, contact_row(entry, to_column(t.now))).fetchall()
    sleeps = starting_at > t.now + sql.AHEAD
    status = SubscriberStatus.PAUSE if sleeps else SubscriberStatus.START
    ready_at = None if sleeps else to_column(max(starting_at, t.now))
    t.connection.execute(sql.SUBSCRIBE, (row.id, contact_id, number, identity, int(status), ready_at))
    t.then(call_soon)
    return _one(t, who, row.id)


def _dates(now: datetime, settings: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """When a call is to be made, and until when. Raises `BadValue` for a time that is over before it begins."""
    dates = entered(Campaign, {name: settings[name] for name in ("starting_at", "expires_at") if name in settings})
    starting_at: datetime = dates.get("starting_at", now)
    try:
        expires_at: datetime = dates.get("expires_at") or max(starting_at, now) + LIFETIME
    except OverflowError:
        raise BadValue("starting_at", "lies too far ahead") from None
    if expires_at <= max(starting_at, now):
        raise BadValue("expires_at", "expected a moment that lies ahead, behind the one at which the call is to be made")
    return starting_at, expires_at


def _check_limits(t: Transaction, who: Account, starting_at: datetime) -> None:
    """Raise `LimitExceeded` when a user has as many calls in a minute, or not over, as it may have."""
    user = rows.asking(t, who)
    if user is None:
        return
    execute = t.connection.execute
    if user.max_frequency is not None:
        moment = max(starting_at, t.now)
        minutes = ((moment - MINUTE, moment), (moment, moment + MINUTE))
        there = max(execute(sql.WITHIN, (who.id, to_column(first), to_column(last))).fetchone()[0] for first, last in minutes)
        rows.check_limit("frequency", int(there) + 1, user.max_frequency)
    if user.max_number_subscriber_campaign is not None:
        (there,) = execute(sql.OPEN_OF_USER, (who.id,)).fetchone()
        rows.check_limit("contacts", int(there) + 1, user.max_number_subscriber_campaign)


@writes
def create_completed(
    t: Transaction, who: Account, given: Mapping[str, Any], key: str = "", *, granting: bool = False
) -> SingleCall:
    """The same where a gateway or a voice application may be left out: it is the application's gateway, and the only one that
    the user has. Raises `BadValue` where that leaves a choice, too."""
    completed = dict(given)
    if completed.get("voip_app_id") is None:
        completed["voip_app_id"] = _only(t, who, "voip app", "voip_app_id")
    if completed.get("gateway_id") is None:
        app = t.entities.VoipApp.get(id=completed["voip_app_id"])
        own = None if app is None or app.gateway is None else app.gateway.id
        completed["gateway_id"] = _only(t, who, "gateway", "gateway_id") if own is None else own
    return create(t, who, completed, key, granting=granting)


def _only(t: Transaction, who: Account, noun: str, field: str) -> int:
    found = [row.id for row in grants.visible(t, who, noun).limit(2)]
    if len(found) != 1:
        raise BadValue(field, f"is missing; expected the id of a {noun}")
    return int(found[0])


@verb
def read(t: Transaction, who: Account, call_id: int) -> SingleCall:
    """One of the user's, anybody's for a superuser. Raises `NotFound`."""
    return _one(t, who, call_id)


def _one(t: Transaction, who: Account, call_id: int) -> SingleCall:
    if t.connection.execute(sql.ID_OF_ONE, (call_id, who.is_superuser, who.id)).fetchone() is None:
        raise NotFound("call", call_id)
    (call,) = sql.read(t.connection, [call_id])
    return call


@reads
def listed(t: Transaction, who: Account, before: int | None = None, limit: int = 100) -> list[SingleCall]:
    """The user's calls, the newest first; everybody's for a superuser. Those whose ids are below `before`, `limit` of them at
    most."""
    place = sql.ANYBODYS if before is None else before
    if who.is_superuser:
        found = t.connection.execute(sql.IDS_OF_ALL, (place, limit))
    else:
        found = t.connection.execute(sql.IDS_OF_USER, (who.id, place, limit))
    return sql.read(t.connection, [int(key) for (key,) in found.fetchall()])


@writes
def cancel(t: Transaction, who: Account, call_id: int) -> SingleCall:
    """A call that waits is not made any more, one that is live is hung up; one that was cancelled stays so. Raises
    `NotFound`, `Over`."""
    t.entities.Campaign.get_for_update(id=call_id)
    call = _one(t, who, call_id)
    if call.state is SingleCallState.CANCELLED:
        return call
    if call.is_over:
        raise Over("call", call_id, call.state)
    _cancel(t, call_id)
    return _one(t, who, call_id)


@writes
def cancel_all(t: Transaction, user_id: int) -> int:
    """The same for all calls of a user that are not over. Returns how many."""
    ids = [int(key) for (key,) in t.connection.execute(sql.OPEN_IDS_OF_USER, (user_id,)).fetchall()]
    for key in ids:
        _cancel(t, key)
    return len(ids)


def _cancel(t: Transaction, call_id: int) -> None:
    t.connection.execute(sql.CANCEL_CONTACT, (call_id,))
    t.connection.execute(sql.CANCEL, (to_column(t.now), call_id))
    t.then(lambda flow: flow.hang_up(call_id))
    t.then(call_soon)
