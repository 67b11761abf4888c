"""One explanation of a contact: all that keeps it from being called now. Who changes exactly that has it called."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from attrs import asdict, frozen

from dialer.management import why
from dialer.management.management import Management
from dialer.management.why import Contacted
from dialer.model import Account, BlockReason, Campaign, IdleReason, SubscriberStatus
from dialer.model.contact_obstacle import ContactCode, ContactObstacle
from dialer.store.may_call import shown
from dialer.store.turns import MOST_COUNTED

_DONE: Final = {
    SubscriberStatus.PAUSE: (ContactCode.PAUSED, "it is paused"),
    SubscriberStatus.ABORT: (ContactCode.ABORTED, "it was aborted"),
    SubscriberStatus.FAIL: (ContactCode.FAILED, "it failed: no try is left, or trying again cannot help"),
    SubscriberStatus.COMPLETE: (ContactCode.COMPLETE, "it is complete: the contact was reached"),
    SubscriberStatus.NOT_AUTHORISED: (ContactCode.NOT_AUTHORISED, "it may not be called"),
}
_ANY: Final = (None, *SubscriberStatus)
_TOLD_OF: Final = {
    BlockReason.CONSENT: tuple(SubscriberStatus),
    BlockReason.CALLING_RULES: (SubscriberStatus.START, SubscriberStatus.PAUSE, SubscriberStatus.NOT_AUTHORISED),
}
"""Where a reason matters; of the others it is told even for a number that the campaign does not have."""


@frozen(kw_only=True)
class ContactExplanation:
    """A contact in a campaign, and what keeps it from being called, the strongest first: nothing when it is called next."""

    campaign_id: int
    contact_id: int
    found: Contacted
    obstacles: tuple[ContactObstacle, ...]


async def explain(management: Management, who: Account, campaign_id: int, contact_id: int) -> ContactExplanation:
    """Of a contact by its id; where calls are made, with what only that process knows. Fails with `NotFound`, `StoreError`."""
    found, campaign = await management.ask(why.contact_by_id, who, campaign_id, contact_id)
    reason = await _reason(management, campaign)
    return ContactExplanation(
        campaign_id=campaign_id,
        contact_id=contact_id,
        found=found,
        obstacles=tuple(obstacles(found, reason, management.now())),
    )


async def of_number(
    management: Management, who: Account, campaign_id: int, number: str
) -> tuple[list[str], dict[str, object]]:
    """The same of a number in whatever spelling, which the campaign need not have: sentences for people, and what programs
    read. Fails with `NotFound`, `BadValue`, `StoreError`."""
    found, reason = await _of_number(management, who, campaign_id, number)
    now = management.now()
    lines = list(sentences(found, reason, now))
    told = [asdict(each) for each in obstacles(found, reason, now)]
    return lines, {"number": found.number, "identity": found.identity, "why": lines, "obstacles": told}


async def reasons_of_number(management: Management, who: Account, campaign_id: int, number: str) -> list[str]:
    """What keeps a number, in whatever spelling, from being called by a campaign, in sentences. Fails as `of_number`."""
    found, reason = await _of_number(management, who, campaign_id, number)
    return list(reasons(found, reason, management.now()))


async def _of_number(
    management: Management, who: Account, campaign_id: int, number: str
) -> tuple[Contacted, IdleReason | None]:
    campaign = await management.ask(why.ours, who, campaign_id)
    found = await management.ask(why.contact, campaign_id, number)
    return found, await _reason(management, campaign)


async def _reason(management: Management, campaign: Campaign) -> IdleReason | None:
    """Why a campaign is not calling; what makes calls knows it best."""
    if management.flow is not None:
        return management.flow.explain(campaign, None)
    return await management.ask(why.why_idle, campaign.id)


def obstacles(found: Contacted, reason: IdleReason | None, now: datetime) -> Iterator[ContactObstacle]:
    """All that keeps it from being called at `now`, the strongest first. `reason` is why its campaign is not calling."""
    if found.emergency:
        yield ContactObstacle(ContactCode.EMERGENCY, "it is an emergency number, which is never dialled")
    for block in found.blocks:
        if found.status in _TOLD_OF.get(block.reason, _ANY):
            yield ContactObstacle(ContactCode(str(block.reason)), block.text, block.until)
    if found.elsewhere:
        told = f"campaign {found.elsewhere} is calling it now: one number never rings twice at once"
        yield ContactObstacle(ContactCode.CALLED_ELSEWHERE, told)
    yield from _standing(found, now)
    if reason is not None and found.status is SubscriberStatus.START:
        told = f"the campaign is not calling: {reason.text}"
        yield ContactObstacle(ContactCode.CAMPAIGN, told, reason.until, str(reason.code))
    if found.ahead:
        count = f"more than {MOST_COUNTED}" if found.ahead == MOST_COUNTED else str(found.ahead)
        others = "other is" if found.ahead == 1 else "others are"
        told = f"{count} {others} called before it, by the priority of contacts and the order of the campaign"
        yield ContactObstacle(ContactCode.BEHIND_OTHERS, told)


def _standing(found: Contacted, now: datetime) -> Iterator[ContactObstacle]:
    match found.status:
        case None:
            yield ContactObstacle(ContactCode.NOT_IN_CAMPAIGN, "the campaign does not have it")
        case SubscriberStatus.IN_PROCESS:
            then = "" if found.requested is None else f"; when the call ends, {_after(found.requested)}"
            yield ContactObstacle(ContactCode.IN_PROCESS, f"it is being called now{then}")
        case SubscriberStatus.START if found.ready_at is not None and found.ready_at > now:
            if found.blocked_by not in [block.reason for block in found.blocks]:
                told = f"it is called again on {shown(found.ready_at)} at the earliest"
                yield ContactObstacle(ContactCode.DUE_LATER, told, found.ready_at)
        case SubscriberStatus.START:
            return
        case SubscriberStatus.NOT_AUTHORISED if found.blocked_by is not None:
            code, told = _DONE[SubscriberStatus.NOT_AUTHORISED]
            yield ContactObstacle(code, f"{told}: it was blocked when its turn came ({found.blocked_by})")
        case status:
            yield ContactObstacle(*_DONE[status])


def _after(requested: SubscriberStatus) -> str:
    return _DONE[requested][1] if requested in _DONE else "it is pending again"


def reasons(found: Contacted, reason: IdleReason | None, now: datetime) -> Iterator[str]:
    """The same for people; times in UTC."""
    yield from (each.text for each in obstacles(found, reason, now))
    forbidden = found.emergency or found.blocks
    if found.status is SubscriberStatus.START and not forbidden and (found.ready_at is None or found.ready_at <= now):
        yield "it is pending, and called when its turn comes"


def sentences(found: Contacted, reason: IdleReason | None, now: datetime) -> Iterator[str]:
    """These, and then the tries of the contact."""
    yield from reasons(found, reason, now)
    for number_of_try, each in enumerate(found.tries, start=1):
        end = "it is under way" if each.ended_at is None else f"{each.disposition}, {each.cause}: {each.reason}"
        yield f"try {number_of_try} on {shown(each.planned_at)}: {end}"
