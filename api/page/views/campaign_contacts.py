"""Whose contacts a campaign calls, contacts that it calls again, and its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final

from attrs import evolve

from api.page.problems import problem_of
from api.page.routes import PREFIX, Moved, PageReply, Visit, changes, number_in, shows
from api.page.views.campaigns import campaign_page
from dialer.errors import BadValue, LimitExceeded, NotFound
from dialer.kinds import word_of
from dialer.management import campaigns, phonebooks, removals
from dialer.management.redial import Redialled, redial_all
from dialer.management.subscribers import DONE
from dialer.model import Campaign, Disposition, Scope, SubscriberStatus

STATES: Final[Mapping[str, SubscriberStatus]] = {word_of(status): status for status in SubscriberStatus if status in DONE}
"""Those of contacts that may be called again."""
USUAL: Final = word_of(SubscriberStatus.FAIL)


def _asking(visit: Visit, key: int, **details: str) -> Callable[..., Awaitable[Any]]:
    """Runs the first use case of what takes several: it is in the audit log with that one."""
    return partial(visit.do, f"campaign {key}", details=details)


def _place(key: int) -> str:
    return f"{PREFIX}campaigns/{key}"


# --- its phonebooks ---------------------------------------------------------------------------------------------------------


async def _attach(visit: Visit) -> Moved | PageReply:
    key = visit.key("campaign")
    book = number_in(visit.form.get("phonebook", ""), "phonebook")
    try:
        await phonebooks.attach(visit.management, visit.who, key, book, _asking(visit, key, phonebook=str(book)))
    except (BadValue, LimitExceeded) as error:
        page = await campaign_page(visit)
        return evolve(page, values={**page.values, "problem": problem_of(error).text}, status=400)
    return Moved(to=_place(key), told="phonebook-attached")


async def _ask_detach(visit: Visit) -> PageReply:
    key, book = visit.key("campaign"), visit.key("phonebook")
    details = await visit.ask(campaigns.read, visit.who, key)
    found = next((each for each in details.phonebooks if each.id == book), None)
    if found is None:
        raise NotFound("phonebook", book)
    return _confirmation(details.campaign, "detach", f"phonebooks/{book}/detach", found.name)


async def _detach(visit: Visit) -> Moved:
    key, book = visit.key("campaign"), visit.key("phonebook")
    await removals.detach(visit.management, visit.who, key, book, _asking(visit, key, phonebook=str(book)))
    return Moved(to=_place(key), told="phonebook-detached")


# --- its end ----------------------------------------------------------------------------------------------------------------


def _confirmation(campaign: Campaign, deed: str, path: str, name: str) -> PageReply:
    """Before what cannot be taken back: what it does, and the button that does it."""
    values = {"campaign": campaign, "deed": deed, "action": f"{_place(campaign.id)}/{path}", "name": name}
    return PageReply(template="campaign_confirm.html", values=values)


async def _ask_remove(visit: Visit) -> PageReply:
    details = await visit.ask(campaigns.read, visit.who, visit.key("campaign"))
    return _confirmation(details.campaign, "remove", "remove", details.campaign.name)


async def _remove(visit: Visit) -> Moved:
    key = visit.key("campaign")
    details = await visit.ask(campaigns.read, visit.who, key)
    await removals.campaign(visit.management, visit.who, key, _asking(visit, key, name=details.campaign.name))
    return Moved(to=f"{PREFIX}campaigns", told="campaign-removed")


# --- called again -----------------------------------------------------------------------------------------------------------


async def _redial_form(visit: Visit, chosen: Mapping[str, str], found: Redialled | None = None, flaw: str = "") -> PageReply:
    details = await visit.ask(campaigns.read, visit.who, visit.key("campaign"))
    values = {
        "campaign": details.campaign,
        "states": list(STATES),
        "dispositions": list(Disposition),
        "chosen_states": chosen.get("states", "").split(","),
        "chosen_dispositions": chosen.get("dispositions", "").split(","),
        "found": found,
        "flaw": flaw,
    }
    return PageReply(template="redial.html", values=values, status=400 if flaw else 200)


async def _ask_redial(visit: Visit) -> PageReply:
    return await _redial_form(visit, {"states": USUAL})


async def _redial(visit: Visit) -> Moved | PageReply:
    """Call them again, or count them."""
    key = visit.key("campaign")
    form = {name: visit.form.get(name, "") for name in ("states", "dispositions")}
    dry_run = bool(visit.form.get("dry_run"))
    ask = None if dry_run else _asking(visit, key, **form)
    try:
        statuses = _chosen(form["states"], "states", STATES)
        ends = _chosen(form["dispositions"], "dispositions", {str(each): each for each in Disposition})
        found = await redial_all(visit.management, visit.who, key, statuses, ends, dry_run=dry_run, ask=ask)
    except BadValue as error:
        return await _redial_form(visit, form, flaw=problem_of(error).text)
    if dry_run:
        return await _redial_form(visit, form, found)
    return Moved(to=_place(key), told="redialled" if found.changed else "redialled-nobody")


def _chosen(given: str, name: str, known: Mapping[str, Any]) -> frozenset[Any]:
    """What is ticked. Raises `BadValue`."""
    words = [word for word in given.split(",") if word]
    if not known.keys() >= set(words):
        raise BadValue(name, f"expected some of {', '.join(known)}")
    return frozenset(known[word] for word in words)


_DIALS: Final = {"scope": Scope.DIAL}

ROUTES: Final = (
    changes("campaigns/<campaign>/phonebooks/attach", _attach),
    shows("campaigns/<campaign>/phonebooks/<phonebook>/detach", _ask_detach, **_DIALS),
    changes("campaigns/<campaign>/phonebooks/<phonebook>/detach", _detach),
    shows("campaigns/<campaign>/redial", _ask_redial, **_DIALS),
    changes("campaigns/<campaign>/redial", _redial),
    shows("campaigns/<campaign>/remove", _ask_remove, **_DIALS),
    changes("campaigns/<campaign>/remove", _remove),
)
