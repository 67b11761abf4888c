"""Webhooks: those that there are, with what was sent to them; and what is sent again."""

from __future__ import annotations

from typing import Final

from api.page.forms import check, controls, defaults
from api.page.problems import problem_of
from api.page.routes import PREFIX, Moved, PageReply, Visit, changes, number_in, shows
from api.page.sign_in import local_address
from dialer.errors import BadValue, LimitExceeded, NotFound
from dialer.management import webhooks
from dialer.model import DeliveryStatus, Webhook

FIELDS: Final = ("url", "kinds", "campaign_id", "batch_size")
PAGE: Final = 30


async def _list(visit: Visit) -> PageReply:
    return await _listed(visit, defaults(Webhook, FIELDS), {}, "")


async def _listed(visit: Visit, values: dict[str, str], problems: dict[str, str], flaw: str) -> PageReply:
    found = await visit.ask(webhooks.listed, visit.who)
    shown = {"found": found, "controls": controls(Webhook, FIELDS, values, problems), "flaw": flaw}
    shown |= {"opened": bool(problems or flaw)}
    return PageReply(template="webhooks.html", values=shown, status=400 if problems or flaw else 200)


async def _add(visit: Visit) -> PageReply:
    given, problems = check(Webhook, FIELDS, visit.form)
    flaw = ""
    if not problems:
        receivers = visit.management.receivers
        try:
            made = await visit.do(
                visit.form.get("url", ""), webhooks.add, visit.who, given, receivers, details=dict(visit.form)
            )
        except BadValue as error:
            problems = {error.field: error.problem} if error.field in FIELDS else {}
            flaw = "" if problems else problem_of(error).text
        except (LimitExceeded, NotFound) as error:
            flaw = problem_of(error).text
        else:
            told = {"what": "webhook", "secret": made.secret, "to": f"{PREFIX}webhooks"}
            return PageReply(template="secret.html", values=told)
    return await _listed(visit, {**defaults(Webhook, FIELDS), **visit.form}, problems, flaw)


async def _show(visit: Visit) -> PageReply:
    key = visit.key("webhook")
    webhook = await visit.ask(webhooks.read, visit.who, key)
    word = visit.query.get("status", "")
    status = DeliveryStatus(word) if word in tuple(DeliveryStatus) else None
    before = number_in(visit.query["before"], "delivery") if "before" in visit.query else None
    found = await visit.ask(webhooks.deliveries, visit.who, key, before, PAGE + 1, status)
    more = found[PAGE - 1].id if len(found) > PAGE else None
    values = {"webhook": webhook, "deliveries": found[:PAGE], "more": more, "statuses": list(DeliveryStatus), "wanted": word}
    return PageReply(template="webhook.html", values=values)


async def _replay(visit: Visit) -> Moved:
    key, delivery = visit.key("webhook"), visit.key("delivery")
    await visit.do(f"webhook {key}, delivery {delivery}", webhooks.replay, visit.who, key, delivery)
    return Moved(to=local_address(visit.form.get("back", ""), f"{PREFIX}webhooks/{key}"), told="replayed")


async def _enable(visit: Visit) -> Moved:
    key = visit.key("webhook")
    await visit.do(f"webhook {key}", webhooks.enable, visit.who, key)
    return Moved(to=f"{PREFIX}webhooks/{key}", told="webhook-enabled")


async def _remove(visit: Visit) -> Moved:
    key = visit.key("webhook")
    await visit.do(f"webhook {key}", webhooks.remove, visit.who, key)
    return Moved(to=f"{PREFIX}webhooks", told="webhook-removed")


async def _test(visit: Visit) -> Moved:
    key = visit.key("webhook")
    answer = await webhooks.test(visit.management, visit.who, key)
    await visit.note(f"webhook {key}", {"answer": str(answer.status or answer.error)})
    arrived = answer.status is not None and 200 <= answer.status < 300
    return Moved(to=f"{PREFIX}webhooks/{key}", told="test-arrived" if arrived else "test-lost")


ROUTES: Final = (
    shows("webhooks", _list),
    changes("webhooks/add", _add),
    shows("webhooks/<webhook>", _show),
    changes("webhooks/<webhook>/enable", _enable),
    changes("webhooks/<webhook>/remove", _remove),
    changes("webhooks/<webhook>/test", _test),
    changes("webhooks/<webhook>/deliveries/<delivery>/replay", _replay),
)
