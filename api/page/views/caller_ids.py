"""Caller ids: pools of numbers that calls show, and each number with what came of its calls."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from api.page.forms import check, controls, defaults, typed_values
from api.page.problems import problem_of
from api.page.routes import PREFIX, Moved, PageReply, Visit, changes, number_in, shows
from api.page.views.charts import days_of, sparkline
from dialer.errors import BadValue, InUse, LimitExceeded, NotFound
from dialer.management import caller_ids, gateways
from dialer.management.caller_id_courses import courses
from dialer.model import CallerId, CallerIdPool
from dialer.model.caller_id import MOST_CALLER_IDS, REFUSALS
from dialer.time_kinds import Moment

POOL_FIELDS: Final = ("name", "description", "strategy", "foreign_callees", "time_zone")
FIELDS: Final = ("name", "note", "daily_cap", "warm_up_start", "warm_up_days", "first_used_at", "active")
SHARED: Final = ("note", "daily_cap", "warm_up_start", "warm_up_days")
"""The settings that pasted numbers have together."""
DAYS: Final = 30
DAYS_OF_POOL: Final = 14
_SEPARATOR: Final = re.compile(r"[;\t]|,(?!\d)")
_Problems = Mapping[str, str]


# --- pools ------------------------------------------------------------------------------------------------------------------


async def _list(visit: Visit) -> PageReply:
    return await _pools(visit, defaults(CallerIdPool, POOL_FIELDS), {}, "")


async def _pools(visit: Visit, values: Mapping[str, str], problems: _Problems, flaw: str) -> PageReply:
    shown = {
        "found": await visit.ask(caller_ids.pools, visit.who),
        "controls": controls(CallerIdPool, POOL_FIELDS, values, problems),
        "flaw": flaw,
        "opened": bool(problems or flaw),
    }
    return PageReply(template="caller_id_pools.html", values=shown, status=400 if problems or flaw else 200)


def _flaw(error: Exception, fields: Sequence[str]) -> tuple[dict[str, str], str]:
    """What is told at the fields, or above the form."""
    if isinstance(error, BadValue) and error.field in fields:
        return {error.field: error.problem}, ""
    return {}, problem_of(error).text


async def _create_pool(visit: Visit) -> Moved | PageReply:
    given, problems = check(CallerIdPool, POOL_FIELDS, visit.form)
    flaw = ""
    if not problems:
        try:
            made = await visit.do(
                visit.form.get("name", ""), caller_ids.create_pool, visit.who, given, details=dict(visit.form)
            )
        except BadValue as error:
            problems, flaw = _flaw(error, POOL_FIELDS)
        else:
            return Moved(to=f"{PREFIX}caller-ids/{made.id}", told="pool-created")
    return await _pools(visit, {**defaults(CallerIdPool, POOL_FIELDS), **visit.form}, problems, flaw)


async def _pool(visit: Visit) -> PageReply:
    return await _pool_page(visit, {}, {}, "", "")


async def _pool_page(
    visit: Visit, typed: Mapping[str, str], problems: _Problems, flaw: str, opened: str, status: int = 200
) -> PageReply:
    """`opened` tells which form was sent: that of the pool, or that of its numbers."""
    key = visit.key("pool")
    pool = await visit.ask(caller_ids.read_pool, visit.who, key)
    found = await visit.ask(courses, visit.who, key, DAYS_OF_POOL - 1)
    of_pool = typed if opened == "pool" else typed_values(CallerIdPool, POOL_FIELDS, pool)
    shared = {**defaults(CallerId, SHARED), **(typed if opened == "numbers" else {})}
    values = {
        "pool": pool,
        "found": [(each, sparkline([day.counts.answer_rate for day in reversed(each.days)])) for each in found],
        "refusals": REFUSALS,
        "pool_controls": controls(CallerIdPool, POOL_FIELDS, of_pool, problems if opened == "pool" else {}),
        "number_controls": controls(CallerId, SHARED, shared, problems if opened == "numbers" else {}),
        "pasted": typed.get("numbers", "") if opened == "numbers" else "",
        "numbers_problem": problems.get("numbers", ""),
        "gateways": await visit.ask(gateways.listed, visit.who),
        "chosen": typed.get("gateways", "").split(","),
        "opened": opened,
        "flaw": flaw,
        "most": MOST_CALLER_IDS,
        "days": DAYS_OF_POOL,
    }
    return PageReply(template="caller_id_pool.html", values=values, status=status)


async def _change_pool(visit: Visit) -> Moved | PageReply:
    key = visit.key("pool")
    given, problems = check(CallerIdPool, POOL_FIELDS, visit.form)
    flaw = ""
    if not problems:
        try:
            await visit.do(f"caller id pool {key}", caller_ids.change_pool, visit.who, key, given, details=dict(visit.form))
        except BadValue as error:
            problems, flaw = _flaw(error, POOL_FIELDS)
        else:
            return Moved(to=f"{PREFIX}caller-ids/{key}", told="pool-changed")
    return await _pool_page(visit, dict(visit.form), problems, flaw, "pool", 400)


async def _remove_pool(visit: Visit) -> Moved | PageReply:
    key = visit.key("pool")
    try:
        await visit.do(f"caller id pool {key}", caller_ids.remove_pool, visit.who, key)
    except InUse as error:
        return await _pool_page(visit, {}, {}, problem_of(error).text, "", 409)
    return Moved(to=f"{PREFIX}caller-ids", told="pool-removed")


# --- numbers ----------------------------------------------------------------------------------------------------------------


def pasted_numbers(text: str) -> list[dict[str, str]]:
    """The numbers of some lines: each a number, and perhaps the name that it shows, behind a semicolon, a tab or a comma.
    Raises `BadValue` when there is none."""
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        number, *rest = _SEPARATOR.split(line, maxsplit=1)
        name = rest[0].strip() if rest else ""
        found.append({"number": number.strip(), **({"name": name} if name else {})})
    if not found:
        raise BadValue("numbers", "expected a number on each line")
    return found


def chosen_gateways(form: Mapping[str, str]) -> list[int]:
    """Those that were ticked. Raises `NotFound`."""
    return [number_in(part, "gateway") for part in form.get("gateways", "").split(",") if part]


async def _add(visit: Visit) -> Moved | PageReply:
    key = visit.key("pool")
    given, problems = check(CallerId, SHARED, visit.form)
    flaw = ""
    if not problems:
        try:
            numbers = pasted_numbers(visit.form.get("numbers", ""))
            wanted = {**given, "pool_id": key, "gateways": chosen_gateways(visit.form)}
            details = {**visit.form, "count": str(len(numbers))}
            await visit.do(f"caller id pool {key}", caller_ids.create_many, visit.who, wanted, numbers, details=details)
        except (BadValue, LimitExceeded, NotFound) as error:
            problems, flaw = _flaw(error, (*SHARED, "numbers"))
        else:
            return Moved(to=f"{PREFIX}caller-ids/{key}", told="numbers-added")
    return await _pool_page(visit, dict(visit.form), problems, flaw, "numbers", 400)


async def _show(visit: Visit) -> PageReply:
    return await _number_page(visit, {}, {}, "")


async def _number_page(visit: Visit, typed: Mapping[str, str], problems: _Problems, flaw: str) -> PageReply:
    key = visit.key("caller")
    found = await visit.ask(caller_ids.read, visit.who, key)
    if found.pool.id != visit.key("pool"):
        raise NotFound("caller id", key)
    days = await visit.ask(caller_ids.days, visit.who, key, DAYS)
    shown = typed or typed_values(CallerId, FIELDS, found.caller_id)
    chosen = typed.get("gateways", "").split(",") if typed else [str(each) for each in found.gateways]
    values = {
        "found": found,
        "caller": found.caller_id,
        "days": days,
        "chart": days_of(days),
        "refusals": REFUSALS,
        "controls": controls(CallerId, FIELDS, shown, problems),
        "gateways": await visit.ask(gateways.listed, visit.who),
        "chosen": chosen,
        "flaw": flaw,
        "opened": bool(problems or flaw),
    }
    return PageReply(template="caller_id.html", values=values, status=400 if problems or flaw else 200)


def _at(visit: Visit) -> str:
    return f"{PREFIX}caller-ids/{visit.key('pool')}/numbers/{visit.key('caller')}"


async def _change(visit: Visit) -> Moved | PageReply:
    key = visit.key("caller")
    given, problems = check(CallerId, FIELDS, visit.form)
    flaw = ""
    if not problems:
        try:
            wanted = {**given, "gateways": chosen_gateways(visit.form)}
            await visit.do(f"caller id {key}", caller_ids.change, visit.who, key, wanted, details=dict(visit.form))
        except BadValue as error:
            problems, flaw = _flaw(error, FIELDS)
        else:
            return Moved(to=_at(visit), told="number-changed")
    return await _number_page(visit, dict(visit.form), problems, flaw)


async def _rest(visit: Visit) -> Moved | PageReply:
    key, typed = visit.key("caller"), visit.form.get("until", "").strip()
    try:
        try:
            until = Moment().parse(typed) if typed else None
        except ValueError:
            raise BadValue("until", f"expected {Moment.takes}") from None
        await visit.do(f"caller id {key}", caller_ids.rest, visit.who, key, until, details={"until": typed})
    except BadValue as error:
        return await _number_page(visit, {}, {}, problem_of(error).text)
    return Moved(to=_at(visit), told="number-rests" if typed else "number-rests-no-more")


async def _remove(visit: Visit) -> Moved:
    key = visit.key("caller")
    await visit.do(f"caller id {key}", caller_ids.remove, visit.who, key)
    return Moved(to=f"{PREFIX}caller-ids/{visit.key('pool')}", told="number-removed")


_OF: Final = "caller-ids/<pool>/numbers/<caller>"

ROUTES: Final = (
    shows("caller-ids", _list),
    changes("caller-ids/new", _create_pool),
    shows("caller-ids/<pool>", _pool),
    changes("caller-ids/<pool>/settings", _change_pool),
    changes("caller-ids/<pool>/remove", _remove_pool),
    changes("caller-ids/<pool>/numbers", _add),
    shows(_OF, _show),
    changes(f"{_OF}/settings", _change),
    changes(f"{_OF}/rest", _rest),
    changes(f"{_OF}/remove", _remove),
)
