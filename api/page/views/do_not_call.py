"""Do-not-call lists: those that there are, one with its entries, what was on it and who put it there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from api.page.forms import check, controls, defaults, typed_values
from api.page.problems import problem_of
from api.page.routes import PREFIX, Moved, PageReply, Visit, changes, number_in, shows
from api.page.sign_in import local_address
from dialer.errors import AlreadyExists, BadValue, NotFound
from dialer.management import do_not_call, do_not_call_lists
from dialer.model import DoNotCallEntry, DoNotCallList, Scope
from dialer.model.do_not_call import EVERYBODYS

PAGE: Final = 100
NEW: Final = ("name", "description", "campaign_id")
CHANGEABLE: Final = ("name", "description")
ENTRY: Final = ("number", "reason", "source", "expires_at")


def number_address(number: str) -> str:
    """Where a number is shown."""
    return f"{PREFIX}contacts?{urlencode({'number': number})}"


# --- the lists --------------------------------------------------------------------------------------------------------------


async def _lists(visit: Visit) -> PageReply:
    return await _listed(visit, defaults(DoNotCallList, NEW), {}, "")


async def _listed(visit: Visit, values: dict[str, str], problems: dict[str, str], flaw: str) -> PageReply:
    after = number_in(visit.query["after"], "list") if "after" in visit.query else 0
    found = await visit.ask(do_not_call_lists.listed, visit.who, after, PAGE + 1)
    shown = {
        "found": found[:PAGE],
        "more": found[PAGE - 1].id if len(found) > PAGE else None,
        "controls": controls(DoNotCallList, NEW, values, problems),
        "may_keep": visit.who.is_superuser and Scope.ADMIN in visit.who.scopes,
        "flaw": flaw,
        "opened": bool(problems or flaw),
    }
    return PageReply(template="do_not_call.html", values=shown, status=400 if problems or flaw else 200)


async def _create(visit: Visit) -> Moved | PageReply:
    """A list of the user's own, or of a campaign; a superuser says whether it holds for everybody."""
    given, problems = check(DoNotCallList, NEW, visit.form)
    flaw = ""
    if not problems:
        given = {name: value for name, value in given.items() if value != ""}
        if "campaign_id" not in given and not visit.form.get("everybody"):
            given["user_id"] = visit.who.id
        try:
            made = await visit.do(
                visit.form.get("name", ""), do_not_call_lists.create, visit.who, given, details=dict(visit.form)
            )
        except (AlreadyExists, BadValue, NotFound) as error:
            problems = {error.field: error.problem} if isinstance(error, BadValue) and error.field in NEW else {}
            flaw = "" if problems else problem_of(error).text
        else:
            return Moved(to=f"{PREFIX}do-not-call/{made.id}", told="list-created")
    return await _listed(visit, {**defaults(DoNotCallList, NEW), **visit.form}, problems, flaw)


async def _change(visit: Visit) -> Moved | PageReply:
    key = visit.key("list")
    given, problems = check(DoNotCallList, CHANGEABLE, visit.form)
    if not problems:
        try:
            await visit.do(f"list {key}", do_not_call_lists.change, visit.who, key, given, details=visit.form)
        except AlreadyExists as error:
            problems = {"name": problem_of(error).text}
        else:
            return Moved(to=f"{PREFIX}do-not-call/{key}", told="list-changed")
    return await _page(visit, typed=dict(visit.form), list_problems=problems)


async def _remove_list(visit: Visit) -> Moved:
    key = visit.key("list")
    await visit.do(f"list {key}", do_not_call_lists.remove, visit.who, key)
    return Moved(to=f"{PREFIX}do-not-call", told="list-removed")


# --- one of them, and its entries -------------------------------------------------------------------------------------------


async def _show(visit: Visit) -> PageReply:
    return await _page(visit)


_NOTHING: Final[Mapping[str, str]] = {}


async def _page(
    visit: Visit,
    *,
    typed: Mapping[str, str] | None = None,
    list_problems: Mapping[str, str] = _NOTHING,
    problems: Mapping[str, str] = _NOTHING,
    flaw: str = "",
) -> PageReply:
    """`typed` is what a form was sent with that has `problems`."""
    key = visit.key("list")
    found = await visit.ask(do_not_call_lists.read, visit.who, key)
    wanted, after = visit.query.get("number", "").strip(), visit.query.get("after", "")
    entries: list[DoNotCallEntry] = []
    if not wanted:
        entries = await visit.ask(do_not_call.page, visit.who, key, after, PAGE + 1)
    else:
        try:
            entries = [each for each in await visit.ask(do_not_call.check, visit.who, key, [wanted]) if each is not None]
        except BadValue as error:
            flaw = problem_of(error).text
    of_list = typed if list_problems and typed is not None else typed_values(DoNotCallList, CHANGEABLE, found)
    of_entry = typed if problems and typed is not None else {}
    values: dict[str, Any] = {
        "list": found,
        "entries": entries[:PAGE],
        "more": entries[PAGE - 1].number if len(entries) > PAGE else "",
        "wanted": wanted,
        "controls": controls(DoNotCallList, CHANGEABLE, of_list, list_problems),
        "entry_controls": controls(DoNotCallEntry, ENTRY, of_entry, problems),
        "stays": found.id == EVERYBODYS,
        "opened": bool(list_problems),
        "flaw": flaw,
        "may_dial": Scope.DIAL in visit.who.scopes,
    }
    wrong = list_problems or problems or flaw
    return PageReply(template="do_not_call_list.html", values=values, status=400 if wrong else 200)


async def _add(visit: Visit) -> Moved | PageReply:
    key = visit.key("list")
    form = visit.form
    given, problems = check(DoNotCallEntry, ENTRY, form)
    if not problems:
        try:
            details = {name: form.get(name, "") for name in ENTRY[1:]}
            await visit.do(form.get("number", ""), do_not_call.add_one, visit.who, key, given, details=details)
        except BadValue as error:
            problems = {error.field: error.problem}
        else:
            return Moved(to=f"{PREFIX}do-not-call/{key}", told="forbidden")
    return await _page(visit, typed=form, problems=problems)


async def _take_off(visit: Visit) -> Moved:
    key, number = visit.key("list"), visit.form.get("number", "")
    await visit.do(number, do_not_call.remove_one, visit.who, key, number, details={"list": str(key)})
    return Moved(to=local_address(visit.form.get("back", ""), f"{PREFIX}do-not-call/{key}"), told="permitted")


async def _history(visit: Visit) -> PageReply:
    key = visit.key("list")
    found = await visit.ask(do_not_call_lists.read, visit.who, key)
    wanted = visit.query.get("number", "").strip()
    after = number_in(visit.query["after"], "entry") if "after" in visit.query else 0
    entries = await visit.ask(do_not_call.history, visit.who, key, after, PAGE + 1, wanted or None)
    values = {
        "list": found,
        "entries": entries[:PAGE],
        "more": entries[PAGE - 1].id if len(entries) > PAGE else None,
        "wanted": wanted,
    }
    return PageReply(template="do_not_call_history.html", values=values)


# --- the list of everybody, from where a number is shown --------------------------------------------------------------------


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


_ADMINS: Final = {"scope": Scope.ADMIN, "superusers": True}

ROUTES: Final = (
    shows("do-not-call", _lists),
    changes("do-not-call/new", _create),
    shows("do-not-call/<list>", _show),
    changes("do-not-call/<list>/settings", _change),
    changes("do-not-call/<list>/remove-list", _remove_list),
    changes("do-not-call/<list>/add", _add),
    changes("do-not-call/<list>/remove", _take_off),
    shows("do-not-call/<list>/history", _history),
    changes("do-not-call/add", _forbid, **_ADMINS),
    changes("do-not-call/remove", _permit, **_ADMINS),
)
