"""Calls without a campaign: one number, called now or later; cancelled."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Final

from api.page.forms import check, controls, defaults
from api.page.problems import problem_of
from api.page.routes import PREFIX, Moved, PageReply, Visit, changes, number_in, shows
from api.page.views.campaigns import options_of
from dialer.errors import AlreadyExists, BadValue, LimitExceeded, NotFound, Over
from dialer.management import calls
from dialer.model import Campaign, Contact

OF_CONTACT: Final = ("number", "reference")
OF_CAMPAIGN: Final = (
    "gateway_id", "voip_app_id", "voip_app_data", "caller_id", "caller_name", "purpose", "starting_at", "call_timeout",
)  # fmt: skip
PAGE: Final = 50
ONCE: Final = "once"
"""The field of a form by which it is known when it comes a second time: a double click calls nobody twice."""
_KEY: Final = re.compile(r"[0-9a-f]{16}")


async def _list(visit: Visit) -> PageReply:
    asked = {name: value for name, value in visit.query.items() if name == "number"}
    return await _listed(visit, asked, {}, "", 200)


async def _listed(visit: Visit, typed: Mapping[str, str], problems: Mapping[str, str], flaw: str, status: int) -> PageReply:
    before = number_in(visit.query["before"], "call") if "before" in visit.query else None
    found = await visit.ask(calls.listed, visit.who, before, PAGE + 1)
    values = {**defaults(Contact, OF_CONTACT), **defaults(Campaign, OF_CAMPAIGN), **typed}
    shown = {
        "found": found[:PAGE],
        "more": found[PAGE - 1].id if len(found) > PAGE else None,
        "controls": [
            *controls(Contact, OF_CONTACT, values, problems),
            *controls(Campaign, OF_CAMPAIGN, values, problems, await options_of(visit)),
        ],
        "once": secrets.token_hex(8),
        "flaw": flaw,
        "opened": bool(typed or problems or flaw),
    }
    return PageReply(template="calls.html", values=shown, status=status)


async def _make(visit: Visit) -> Moved | PageReply:
    of_contact, problems = check(Contact, OF_CONTACT, visit.form)
    of_campaign, more = check(Campaign, OF_CAMPAIGN, visit.form)
    problems |= more
    flaw = ""
    if not problems:
        number = visit.form.get("number", "")
        given, key = {**of_contact, **of_campaign}, visit.form.get(ONCE, "")
        details = {name: value for name, value in visit.form.items() if name != ONCE}
        key = key if _KEY.fullmatch(key) else ""
        try:
            await visit.do(f"call to {number}", calls.create, visit.who, given, key, details=details)
        except AlreadyExists:
            return Moved(to=f"{PREFIX}calls", told="call-made")
        except BadValue as error:
            known = error.field in (*OF_CONTACT, *OF_CAMPAIGN)
            problems, flaw = ({error.field: error.problem}, "") if known else ({}, problem_of(error).text)
        except (LimitExceeded, NotFound) as error:
            flaw = problem_of(error).text
        else:
            return Moved(to=f"{PREFIX}calls", told="call-made")
    return await _listed(visit, dict(visit.form), problems, flaw, 400)


async def _cancel(visit: Visit) -> Moved | PageReply:
    key = visit.key("call")
    try:
        await visit.do(f"call {key}", calls.cancel, visit.who, key)
    except Over as error:
        return await _listed(visit, {}, {}, problem_of(error).text, 409)
    return Moved(to=f"{PREFIX}calls", told="call-cancelled")


ROUTES: Final = (
    shows("calls", _list),
    changes("calls/new", _make),
    changes("calls/<call>/cancel", _cancel),
)
