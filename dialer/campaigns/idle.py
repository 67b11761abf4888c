"""Why a campaign is not calling now: the one explanation that the API, the command line and the metrics give.

The reasons are looked at in the order in which somebody would remove them: what a user set, the calendar, the contacts, the
routes out, the limits, the pace. The first that holds is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from attrs import Factory, frozen

from dialer.campaigns.planning import Routes, Unavailable, campaign_headroom
from dialer.campaigns.windows import in_daily_window, next_opening
from dialer.gateways import FAULTS_BEFORE_PAUSE, Backoff, chain
from dialer.model import BlockReason, Campaign, CampaignStatus, Gateway, IdleCode, IdleReason, Progress, SubscriberStatus

SOON: Final = timedelta(seconds=1)
"""A campaign whose next call is due within this time is calling: calls are planned ahead, so the next one is always later."""


@frozen(kw_only=True)
class Situation:
    """All that the explanation looks at. `progress` is None while it is not known; `next_call_at` is the pace's next moment,
    None when a call may be made at once; `dialers` tells whether any dialer is at work; `drained` by whom all switches that
    are there are drained, "" when one is not; `switch` is how the switch fared of late; `database` says what is wrong with
    that, `caller_id` why that of the campaign may not be shown, "" for nothing."""

    campaign: Campaign
    now: datetime
    routes: Routes
    switch_ready: bool
    dialers: bool = True
    drained: str = ""
    switch: Backoff = Factory(Backoff)
    database: str = ""
    progress: Progress | None = None
    caller_id: str = ""
    next_call_at: datetime | None = None


def explain(situation: Situation) -> IdleReason | None:
    """The reason, or None when nothing keeps the campaign from calling."""
    return next((reason for reason in (check(situation) for check in _CHECKS) if reason is not None), None)


def _status(situation: Situation) -> IdleReason | None:
    match situation.campaign.status:
        case CampaignStatus.PAUSE if situation.campaign.draft:
            return IdleReason(IdleCode.PAUSED, "the campaign is a draft, which was not started yet")
        case CampaignStatus.PAUSE if situation.campaign.pause_reason:
            text = f"the dialer has paused the campaign: {situation.campaign.pause_reason}; resume it once that is mended"
            return IdleReason(IdleCode.PAUSED_BY_DIALER, text)
        case CampaignStatus.PAUSE:
            return IdleReason(IdleCode.PAUSED, "the campaign is paused")
        case CampaignStatus.ABORT:
            return IdleReason(IdleCode.ABORTED, "the campaign was aborted")
        case CampaignStatus.END:
            return IdleReason(IdleCode.ENDED, "the campaign has ended")
        case CampaignStatus.START:
            return None


def _caller_id(situation: Situation) -> IdleReason | None:
    return IdleReason(IdleCode.CALLER_ID, situation.caller_id) if situation.caller_id else None


def _dates(situation: Situation) -> IdleReason | None:
    campaign, now = situation.campaign, situation.now
    if campaign.expires_at <= campaign.starting_at:
        starts, expires = _local(campaign.starting_at, campaign), _local(campaign.expires_at, campaign)
        return IdleReason(IdleCode.EXPIRES_BEFORE_START, f"the campaign expires ({expires}) before it starts ({starts})")
    if now >= campaign.expires_at:
        return IdleReason(IdleCode.EXPIRED, f"the campaign expired on {_local(campaign.expires_at, campaign)}")
    if now < campaign.starting_at:
        starts = _local(campaign.starting_at, campaign)
        return IdleReason(IdleCode.NOT_STARTED, f"the campaign starts on {starts}", campaign.starting_at)
    return None


def _hours(situation: Situation) -> IdleReason | None:
    campaign, now = situation.campaign, situation.now
    if not any(campaign.weekdays):
        return IdleReason(IdleCode.NO_WEEKDAYS, "the campaign has no weekday on which it may call")
    if in_daily_window(campaign, now):
        return None
    opening = next_opening(campaign, now)
    then = "it expires before it may call again" if opening is None else f"it may call again on {_local(opening, campaign)}"
    if not campaign.weekdays[now.astimezone(ZoneInfo(campaign.time_zone)).weekday()]:
        return IdleReason(IdleCode.WEEKDAY_OFF, f"the campaign does not call on this weekday; {then}", opening)
    hours = f"{campaign.daily_start} to {campaign.daily_stop} ({campaign.time_zone})"
    return IdleReason(IdleCode.OUTSIDE_HOURS, f"the campaign calls from {hours}; {then}", opening)


def _frequency(situation: Situation) -> IdleReason | None:
    if situation.campaign.frequency > 0:
        return None
    return IdleReason(IdleCode.FREQUENCY_ZERO, "the campaign's frequency is 0 calls per minute")


_KEPT_BY: Final[Mapping[str, tuple[IdleCode, str]]] = {
    BlockReason.CALLING_RULES: (IdleCode.CALLING_RULES, "the calling rules keep"),
    BlockReason.CONSENT: (IdleCode.CONSENT, "consents that begin later keep"),
}
"""By what contacts wait for; the others are on lists."""


def _contacts(situation: Situation) -> IdleReason | None:
    progress = situation.progress
    if progress is None:
        return None
    if not any(progress.subscribers.values()):
        return IdleReason(IdleCode.NO_CONTACTS, "the campaign has no contacts")
    if progress.finished:
        blocked = progress.subscribers.get(SubscriberStatus.NOT_AUTHORISED, 0)
        told = f"; {blocked} of them may not be called" if blocked else ""
        return IdleReason(IdleCode.ALL_DONE, f"every contact is done{told}")
    pending = progress.subscribers.get(SubscriberStatus.START, 0)
    if pending == 0:
        return IdleReason(IdleCode.LAST_CALLS, "the last contacts are being called")
    if progress.waiting < pending:
        return None
    at, wait = progress.next_ready_at, progress.caller_id_wait
    if wait is not None and wait.contacts >= pending:
        return IdleReason(IdleCode.NO_CALLER_ID, wait.text, wait.until or at)
    if progress.held_by:
        if progress.blocked_by == BlockReason.NO_GATEWAY:
            text = f"the contacts left ({pending}) wait for a gateway that carries them, the first of them: {progress.held_by}"
            return IdleReason(IdleCode.NO_GATEWAY, text, at)
        code, what = _KEPT_BY.get(progress.blocked_by, (IdleCode.DO_NOT_CALL, "do-not-call lists keep"))
        text = f"{what} the contacts left ({pending}) waiting, the first of them: {progress.held_by}"
        return IdleReason(code, text, at)
    told = f"; {wait.text}" if wait is not None and wait.contacts else ""
    first = "" if at is None else f", the first on {_local(at, situation.campaign)}"
    return IdleReason(
        IdleCode.RETRIES_LATER, f"the contacts left ({pending}) are to be called later{first}{told}{_faults(situation)}", at
    )


def _pool(situation: Situation) -> IdleReason | None:
    wait = None if situation.progress is None else situation.progress.caller_id_wait
    if wait is None or not wait.for_all:
        return None
    return IdleReason(IdleCode.NO_CALLER_ID, wait.text, wait.until)


def _faults(situation: Situation) -> str:
    """Why they were not called before, when that was the switch's or the gateway's fault, not theirs."""
    routes = situation.routes
    ways = [("the switch", situation.switch)]
    ways += [(f"gateway {way.name}", routes.backoffs[way.id]) for way in _chain(situation) if way.id in routes.backoffs]
    return "".join(f"; {name} had {fared.text}" for name, fared in ways if fared.faults >= FAULTS_BEFORE_PAUSE)


def _chain(situation: Situation) -> Iterator[Gateway]:
    return chain(situation.routes.gateways, situation.campaign.gateway_id)


def _dialers(situation: Situation) -> IdleReason | None:
    return None if situation.dialers else IdleReason(IdleCode.NO_DIALER, "no dialer is at work with this database")


def _switch(situation: Situation) -> IdleReason | None:
    return None if situation.switch_ready else IdleReason(IdleCode.NO_SWITCH, "no switch is connected")


def _drained(situation: Situation) -> IdleReason | None:
    if not situation.drained:
        return None
    return IdleReason(IdleCode.SWITCH_DRAINED, f"{situation.drained}: no calls are begun on it until it is taken back")


def _switch_full(situation: Situation) -> IdleReason | None:
    backoff, now = situation.switch, situation.now
    if backoff.until is None or not backoff.blocks(now):
        return None
    wait = (backoff.until - now).total_seconds()
    cause = f" ({backoff.cause})" if backoff.cause else ""
    text = f"the switch is full: it refused {backoff.faults} calls in a row{cause}, and is asked again in {wait:.0f} s"
    return IdleReason(IdleCode.SWITCH_FULL, text, backoff.until)


def _database(situation: Situation) -> IdleReason | None:
    return IdleReason(IdleCode.NO_DATABASE, situation.database) if situation.database else None


def _gateways(situation: Situation) -> IdleReason | None:
    routes = situation.routes
    unavailable_gateways: list[tuple[Gateway, Unavailable]] = []
    for way in _chain(situation):
        unavailable = routes.unavailable(way, situation.now)
        if unavailable is None:
            return None
        unavailable_gateways.append((way, unavailable))
    if not unavailable_gateways:
        return IdleReason(IdleCode.GATEWAY_MISSING, "the campaign's gateway does not exist")
    text = ", ".join(f"gateway {way.name} {unavailable.text}" for way, unavailable in unavailable_gateways)
    until = min((unavailable.until for _, unavailable in unavailable_gateways if unavailable.until is not None), default=None)
    return IdleReason(IdleCode(f"gateway-{unavailable_gateways[0][1].word}"), text, until)


def _concurrency(situation: Situation) -> IdleReason | None:
    campaign = situation.campaign
    if campaign_headroom(campaign, situation.routes.in_use, 1) > 0:
        return None
    return IdleReason(IdleCode.CAMPAIGN_FULL, f"the campaign has as many calls as it may ({campaign.max_concurrent})")


def _pace(situation: Situation) -> IdleReason | None:
    at = situation.next_call_at
    if at is None or at <= situation.now + SOON:
        return None
    wait = (at - situation.now).total_seconds()
    text = f"the next call is due in {wait:.1f} s ({situation.campaign.frequency} calls per minute)"
    return IdleReason(IdleCode.NEXT_CALL_LATER, text, at)


def _local(at: datetime, campaign: Campaign) -> str:
    return f"{at.astimezone(ZoneInfo(campaign.time_zone)):%Y-%m-%d at %H:%M:%S %Z}"


_CHECKS: Final[tuple[Callable[[Situation], IdleReason | None], ...]] = (
    _status,
    _caller_id,
    _dates,
    _hours,
    _frequency,
    _contacts,
    _pool,
    _dialers,
    _switch,
    _drained,
    _switch_full,
    _database,
    _gateways,
    _concurrency,
    _pace,
)
