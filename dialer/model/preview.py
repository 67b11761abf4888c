"""The prospects of the contacts of a campaign: who will be called within a horizon, who later, who never, and why."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

from dialer.model.campaign import Campaign
from dialer.model.contact import SubscriberStatus


class ProspectGroup(enum.StrEnum):
    """What the prospects come down to."""

    CALLED = "called"
    LATER = "later"
    NEVER = "never"


class Prospect(enum.StrEnum):
    """What is to be expected for a contact that is pending, or may not be called; each word stays as it is."""

    CALLED = "called"
    BEHIND_OTHERS = "behind-others"
    DUE_LATER = "due-later"
    CALLER_ID = "caller-id"
    CALLING_RULES = "calling-rules"
    LISTED_UNTIL = "listed-until"
    DO_NOT_CALL = "do-not-call"
    BLACKLIST = "blacklist"
    WHITELIST = "whitelist"
    CONSENT_LATER = "consent-later"
    CONSENT = "consent"
    DIALLED_FORM = "dialled-form"
    NO_GATEWAY = "no-gateway"
    EMERGENCY = "emergency"
    REFUSED = "refused-by-rules"
    NOT_AUTHORISED = "not-authorised"
    EXPIRES = "expires"

    @property
    def group(self) -> ProspectGroup:
        """Called within the horizon, later, or never."""
        match self:
            case Prospect.CALLED:
                return ProspectGroup.CALLED
            case Prospect.BEHIND_OTHERS | Prospect.DUE_LATER | Prospect.CALLER_ID:
                return ProspectGroup.LATER
            case Prospect.CALLING_RULES | Prospect.LISTED_UNTIL:
                return ProspectGroup.LATER
            case Prospect.CONSENT_LATER:
                return ProspectGroup.LATER
            case _:
                return ProspectGroup.NEVER

    @property
    def text(self) -> str:
        """The same as a sentence."""
        return _TEXTS[self]


_TEXTS = {
    Prospect.CALLED: "called within the horizon",
    Prospect.BEHIND_OTHERS: "its turn does not come within the horizon: the pace, the limits and the hours of the campaign "
    "leave no moment for it",
    Prospect.DUE_LATER: "due after the horizon",
    Prospect.CALLER_ID: "the pool of the campaign has no caller id that may be shown to it at the end of the horizon: by "
    "daily caps, rests, countries and gateways of its numbers",
    Prospect.CALLING_RULES: "the calling rules keep it waiting beyond the horizon",
    Prospect.LISTED_UNTIL: "on a do-not-call list, as it is or as its gateway dials it, until a moment beyond the horizon",
    Prospect.DO_NOT_CALL: "on a do-not-call list for ever",
    Prospect.BLACKLIST: "on the blacklist of the user",
    Prospect.WHITELIST: "not on the whitelist of the user",
    Prospect.CONSENT_LATER: "the consent that the campaign asks for begins beyond the horizon",
    Prospect.CONSENT: "without the consent that the campaign asks for",
    Prospect.DIALLED_FORM: "as its gateway dials it, on a do-not-call list or on the blacklist",
    Prospect.NO_GATEWAY: "no gateway of the campaign carries the number",
    Prospect.EMERGENCY: "an emergency number",
    Prospect.REFUSED: "refused by the calling rules",
    Prospect.NOT_AUTHORISED: "set to be not authorised",
    Prospect.EXPIRES: "the campaign expires before it may be called",
}


@frozen(kw_only=True)
class Outlook:
    """A contact of a campaign with its prospect. `at` is when it is called, or may be called at the earliest, where that is
    known; `text` says more of the reason than the prospect does. `attempt` is the number of the attempt that is next,
    `is_retry` whether it was tried before."""

    contact_id: int
    number: str
    prospect: Prospect
    at: datetime | None = None
    text: str = ""
    attempt: int = 1
    is_retry: bool = False


@frozen(kw_only=True)
class PreviewSummary:
    """What a preview found. `counts` are contacts by prospect, with a few `examples` of each; of those that are called, or
    whose turn comes later, `retries` were tried before; `done` are all others, by what they are. `first_at` is from when on
    the first of a prospect may be called, where that is known. `calls_per_minute` is the pace that was taken, `call_seconds`
    how long each call was taken to last. `refusal` is why the campaign may not call anybody, "" for nothing."""

    key: str
    campaign: Campaign
    begin: datetime
    end: datetime
    counts: Mapping[Prospect, int]
    examples: Mapping[Prospect, tuple[Outlook, ...]]
    retries: Mapping[Prospect, int]
    done: Mapping[SubscriberStatus, int]
    first_at: Mapping[Prospect, datetime]
    first_call_at: datetime | None
    last_call_at: datetime | None
    calls_per_minute: float
    call_seconds: float
    refusal: str

    def in_group(self, group: ProspectGroup) -> int:
        """How many contacts the group has."""
        return sum(count for prospect, count in self.counts.items() if prospect.group is group)
