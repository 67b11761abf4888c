"""Campaigns: the list of all, one with its settings and statistics, a new one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from api.page.forms import Options, check, controls, defaults, typed_values
from api.page.live import CSRF_PLACE, Picture, PictureStream
from api.page.problems import problem_of
from api.page.routes import PREFIX, Moved, PageReply, Visit, changes, number_in, shows
from api.page.views.charts import hours_of, hours_of_day, minutes_of
from api.page.views.overview import PARTS, bar_of, picture_stream
from api.page.views.rules import hours_of_campaign
from dialer.errors import AlreadyExists, BadValue, LimitExceeded, NotFound
from dialer.management import call_records, caller_ids, campaigns, gateways, minutes, phonebooks, statistics
from dialer.management.listing import Slice
from dialer.management.overview import CampaignView
from dialer.model import Campaign, CampaignStatus, Scope

PAGE: Final = 50
ATTEMPTS: Final = 15

GROUPS: Final = (
    ("what", ("name", "description", "purpose", "gateway_id", "voip_app_id", "voip_app_data", "caller_id",
              "caller_id_pool_id", "caller_name")),
    ("pace", ("frequency", "max_concurrent", "call_timeout", "call_max_duration", "min_call_duration")),
    ("retries", ("max_retry", "interval_retry", "retry", "order", "retry_share", "unknown_policy", "unserved_policy")),
    ("hours", ("starting_at", "expires_at", "time_zone", "daily_start", "daily_stop", "weekdays", "consent", "rests")),
)  # fmt: skip
"""The settings, as they stand together."""
FIELDS: Final = tuple(name for _, names in GROUPS for name in names)
ATTACHABLE: Final = 500
"""Phonebooks among which one is chosen."""
PHONEBOOK: Final = "made with its campaign"


async def _list(visit: Visit) -> PageReply:
    wanted = visit.query.get("state", "")
    known = {status.name.lower(): status for status in CampaignStatus}
    statuses = frozenset({known[wanted]}) if wanted in known else frozenset(CampaignStatus)
    before = number_in(visit.query["before"], "campaign") if "before" in visit.query else None
    part = Slice(sort="-id", after=None if before is None else (before, before), limit=PAGE + 1)
    found = await visit.ask(campaigns.listed, visit.who, statuses, part)
    more = found[PAGE - 1].campaign.id if len(found) > PAGE else None
    values = {"found": found[:PAGE], "states": list(known), "wanted": wanted, "more": more}
    return PageReply(template="campaigns.html", values=values)


async def options_of(visit: Visit) -> Options:
    """What a campaign may refer to."""
    through = await visit.ask(gateways.listed, visit.who)
    apps = await visit.ask(gateways.applications, visit.who)
    pools = await visit.ask(caller_ids.pools, visit.who)
    return {
        "caller_id_pool_id": [("", ""), *((str(each.id), each.name) for each in pools)],
        "gateway_id": [(str(each.id), each.name) for each in through],
        "voip_app_id": [(str(each.id), each.name) for each in apps],
    }


async def form_groups(visit: Visit, values: dict[str, str], problems: Mapping[str, str]) -> list[tuple[str, Any]]:
    """The groups of the form."""
    options = await options_of(visit)
    return [(key, controls(Campaign, names, values, problems, options)) for key, names in GROUPS]


async def _new(visit: Visit) -> PageReply:
    groups = await form_groups(visit, defaults(Campaign, FIELDS), {})
    return PageReply(template="campaign_new.html", values={"groups": groups, "flaw": ""})


async def _create(visit: Visit) -> Moved | PageReply:
    given, problems = check(Campaign, FIELDS, visit.form)
    flaw = ""
    if not problems:
        status = CampaignStatus.START if visit.form.get("start") else CampaignStatus.PAUSE
        try:
            details = await visit.do(
                visit.form.get("name", ""), campaigns.create, visit.who, {**given, "status": status}, PHONEBOOK,
                details=visit.form,
            )  # fmt: skip
        except (AlreadyExists, BadValue, LimitExceeded, NotFound) as error:
            flaw, problems = flaw_of(error)
        else:
            return Moved(to=f"{PREFIX}campaigns/{details.campaign.id}", told="campaign-created")
    groups = await form_groups(visit, {**defaults(Campaign, FIELDS), **visit.form}, problems)
    return PageReply(template="campaign_new.html", values={"groups": groups, "flaw": flaw}, status=400)


def flaw_of(error: Exception) -> tuple[str, dict[str, str]]:
    """What is told above a form, and at its fields."""
    if isinstance(error, BadValue) and error.field in FIELDS:
        return "", {error.field: error.problem}
    return problem_of(error).text, {}


async def _show(visit: Visit) -> Moved | PageReply:
    try:
        return await campaign_page(visit)
    except NotFound as error:
        if error.kind != "campaign":
            raise
    return await _of_the_past(visit)


async def _of_the_past(visit: Visit) -> Moved:
    """What was removed, or is a call without a campaign, has attempts and no page. Raises `NotFound` for what never was."""
    key = visit.key("campaign")
    try:
        await call_records.page(visit.management, visit.who, call_records.RecordFilter(campaign_id=key), None, 1)
    except BadValue:
        raise NotFound("campaign", key) from None
    return Moved(to=f"{PREFIX}attempts?campaign={key}")


_NOTHING: Final[Mapping[str, str]] = {}


async def campaign_page(
    visit: Visit, typed: dict[str, str] | None = None, problems: Mapping[str, str] = _NOTHING, flaw: str = ""
) -> PageReply:
    """A campaign. `typed` is what its form of settings was sent with that has `problems`, or a `flaw`. Fails with `NotFound`,
    `StoreError`."""
    key = visit.key("campaign")
    details = await visit.ask(campaigns.read, visit.who, key)
    view = await visit.site.overviews.campaign(visit.who, key)
    found = await statistics.of_campaign(visit.management, visit.who, key)
    lately = await visit.ask(minutes.of_campaign, visit.who, key)
    wanted = call_records.RecordFilter(campaign_id=key, newest_first=True)
    step = await call_records.page(visit.management, visit.who, wanted, None, ATTEMPTS)
    values = typed_values(Campaign, FIELDS, details.campaign) if typed is None else typed
    may_dial = Scope.DIAL in visit.who.scopes
    return PageReply(
        template="campaign.html",
        values={
            "campaign": details.campaign,
            "phonebooks": details.phonebooks,
            "attachable": await visit.ask(phonebooks.attachable, visit.who, key, ATTACHABLE) if may_dial else (),
            "live": picture_of(visit, view).whole.replace(CSRF_PLACE, visit.csrf),
            "groups": await form_groups(visit, values, problems),
            "may_dial": may_dial,
            "statistics": found,
            "chart": hours_of(found),
            "minutes": lately,
            "minute_chart": minutes_of(lately, visit.management.now()),
            "hours_of_day": hours_of_day(found, details.campaign.time_zone),
            "hours": await hours_of_campaign(visit, key),
            "records": [call_records.as_object(each) for each in step.records],
            "more": step.place is not None,
            "flaw": flaw,
            "opened": bool(problems or flaw),
        },
        status=400 if problems or flaw else 200,
    )


async def _change(visit: Visit) -> Moved | PageReply:
    key = visit.key("campaign")
    given, problems = check(Campaign, FIELDS, visit.form)
    flaw = ""
    if not problems:
        try:
            await visit.do(f"campaign {key}", campaigns.change, visit.who, key, given, details=visit.form)
        except (AlreadyExists, BadValue, LimitExceeded) as error:
            flaw, problems = flaw_of(error)
        else:
            return Moved(to=f"{PREFIX}campaigns/{key}", told="campaign-changed")
    return await campaign_page(visit, dict(visit.form), problems, flaw)


async def _check(visit: Visit) -> PageReply:
    """One field, while it is typed."""
    name = visit.path["field"]
    if name not in FIELDS:
        raise NotFound("field", name)
    _, problems = check(Campaign, (name,), visit.form)
    return PageReply(template="flaw.html", values={"flaw": problems.get(name, "")})


def picture_of(visit: Visit, view: CampaignView) -> Picture:
    """A campaign's row as a picture of its own."""
    may_dial = Scope.DIAL in visit.who.scopes
    row = str(visit.site.renderer.macro(PARTS, "campaign")(view, bar_of(view.progress.subscribers), may_dial, CSRF_PLACE))
    return Picture(target="campaign-live", shape=(), parts={f"campaign-{view.campaign.id}": row}, whole=row)


async def _follow(visit: Visit) -> PictureStream:
    key = visit.key("campaign")
    await visit.ask(campaigns.read, visit.who, key)

    async def draw() -> Picture:
        return picture_of(visit, await visit.site.overviews.campaign(visit.who, key))

    return picture_stream(visit, ("campaign", key, visit.who), draw)


ROUTES: Final = (
    shows("campaigns", _list),
    shows("campaigns/new", _new, scope=Scope.DIAL),
    changes("campaigns/new", _create),
    shows("campaigns/<campaign>", _show),
    changes("campaigns/<campaign>/settings", _change),
    changes("check/campaign/<field>", _check),
    shows("live/campaigns/<campaign>", _follow, streams=True),
)
