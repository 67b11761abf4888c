"""Contacts: a number in any spelling, with its history over all campaigns; and the phonebooks that they stand in."""

from __future__ import annotations

from typing import Any, Final

from api.page.problems import problem_of
from api.page.routes import PageReply, Visit, number_in, shows
from dialer.errors import BadValue
from dialer.management import call_records, contact_explanation, histories, phonebooks
from dialer.management.listing import Slice

ATTEMPTS: Final = 25
BOOKS: Final = 50
"""Phonebooks on a page."""
MOST_REASONS: Final = 20
"""Campaigns of which it is told why they do not call the number."""


async def _search(visit: Visit) -> PageReply:
    wanted = visit.query.get("number", "").strip()
    values: dict[str, Any] = {"wanted": wanted, "history": None, "records": [], "reasons": {}, "flaw": "", "phonebooks": []}
    if not wanted:
        return PageReply(template="contacts.html", values={**values, **await _phonebooks(visit)})
    try:
        history = await visit.ask(histories.read, visit.who, wanted)
    except BadValue as error:
        return PageReply(template="contacts.html", values={**values, "flaw": problem_of(error).text}, status=400)
    filter_ = await visit.ask(call_records.entered, history.number, {"newest_first": True})
    step = await call_records.page(visit.management, visit.who, filter_, None, ATTEMPTS)
    reasons = {}
    for found, _ in history.campaigns[:MOST_REASONS]:
        told = contact_explanation.reasons_of_number(visit.management, visit.who, found.campaign_id, history.number)
        reasons[found.campaign_id] = await told
    records = [call_records.as_object(each) for each in step.records]
    return PageReply(template="contacts.html", values={**values, "history": history, "records": records, "reasons": reasons})


async def _phonebooks(visit: Visit) -> dict[str, Any]:
    """The user's, the newest first."""
    before = number_in(visit.query["before"], "phonebook") if "before" in visit.query else None
    part = Slice(sort="-id", after=None if before is None else (before, before), limit=BOOKS + 1)
    found = await visit.ask(phonebooks.listed, visit.who, part)
    return {"phonebooks": found[:BOOKS], "more": found[BOOKS - 1].id if len(found) > BOOKS else None}


ROUTES: Final = (shows("contacts", _search),)
