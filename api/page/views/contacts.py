"""Contacts: a number in any spelling, with its history over all campaigns; and the do-not-call list of everybody."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from api.page.problems import problem_of
from api.page.routes import PREFIX, Moved, PageReply, Visit, changes, shows
from api.page.sign_in import local_address
from dialer.errors import BadValue
from dialer.management import call_records, contact_explanation, do_not_call, histories, why
from dialer.model import Scope
from dialer.model.do_not_call import EVERYBODYS

ATTEMPTS: Final = 25
PAGE: Final = 100
MOST_REASONS: Final = 20
"""Campaigns of which it is told why they do not call the number."""


async def _search(visit: Visit) -> PageReply:
    wanted = visit.query.get("number", "").strip()
    values: dict[str, Any] = {"wanted": wanted, "history": None, "records": [], "reasons": {}, "flaw": ""}
    if not wanted:
        return PageReply(template="contacts.html", values=values)
    try:
        history = await visit.ask(histories.read, visit.who, wanted)
    except BadValue as error:
        return PageReply(template="contacts.html", values={**values, "flaw": problem_of(error).text}, status=400)
    filter_ = await visit.ask(call_records.entered, wanted, {"newest_first": True})
    step = await call_records.page(visit.management, visit.who, filter_, None, ATTEMPTS)
    reasons = {}
    for found, _ in history.campaigns[:MOST_REASONS]:
        told = await visit.ask(why.contact, found.campaign_id, wanted)
        reasons[found.campaign_id] = list(contact_explanation.reasons(told, None, visit.management.now()))
    records = [call_records.as_object(each) for each in step.records]
    return PageReply(template="contacts.html", values={**values, "history": history, "records": records, "reasons": reasons})


def number_address(number: str) -> str:
    """Where a number is shown."""
    return f"{PREFIX}contacts?{urlencode({'number': number})}"


async def _forbid(visit: Visit) -> Moved:
    number, reason = visit.form.get("number", ""), visit.form.get("reason", "")
    if len(reason) > 255 or not reason.isprintable():
        raise BadValue("reason", "expected a text of at most 255 characters, without control characters")
    given = {"number": number, "reason": reason}
    await visit.do(number, do_not_call.add_one, visit.who, EVERYBODYS, given, details={"reason": reason})
    return Moved(to=local_address(visit.form.get("back", ""), number_address(number)), told="forbidden")


async def _permit(visit: Visit) -> Moved:
    number = visit.form.get("number", "")
    await visit.do(number, do_not_call.remove_one, visit.who, EVERYBODYS, number)
    return Moved(to=local_address(visit.form.get("back", ""), number_address(number)), told="permitted")


async def _list(visit: Visit) -> PageReply:
    after = visit.query.get("after", "")
    found = await visit.ask(do_not_call.page, visit.who, EVERYBODYS, after, PAGE + 1)
    more = found[PAGE - 1].number if len(found) > PAGE else ""
    return PageReply(template="do_not_call.html", values={"found": found[:PAGE], "more": more})


_ADMINS: Final = {"scope": Scope.ADMIN, "superusers": True}

ROUTES: Final = (
    shows("contacts", _search),
    shows("do-not-call", _list, **_ADMINS),
    changes("do-not-call/add", _forbid, **_ADMINS),
    changes("do-not-call/remove", _permit, **_ADMINS),
)
